--- Learning: deep Q-networks and their like balance CartPole-v1 by the presets that come with
--- deerlua. The score is the mean length of at least 100 episodes without exploration; 500 is the
--- most, chance gives 22.
local deer = require "deer"

describe("the pole #learn", function()
  -- after 50 000 steps it is 500
  it("is held for a while after 5000 steps", function()
    for _, name in ipairs { "dqn", "noisy", "sac_discrete" } do
      local preset = deer.preset("cartpole/" .. name)
      local agent = preset:agent{ seed = 1 }
      agent:run(5, 1000)
      local mean = preset:score(agent, 5000)
      assert.is_true(mean >= 90, ("%s: %.1f"):format(name, mean))
    end
  end)
end)

describe("the map #learn", function()
  it("is walked the shortest way after 20 000 steps", function()
    local preset = deer.preset "gridworld/dqn"
    local agent = preset:agent{ seed = 1 }
    agent:run(preset.epochs, preset.epoch_length)
    -- seven times 13 steps and the goal
    assert.is_true(math.abs(preset:score(agent, 98) + 0.3) < 1e-9)
  end)
end)
