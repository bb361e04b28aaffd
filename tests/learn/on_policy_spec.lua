--- Learning: REINFORCE, A2C and PPO by the presets that come with deerlua. A score is the mean
--- reward of episodes without exploration; what they reach in the end is in goals.lua.
local deer = require "deer"

local function score(name, epochs, steps)
  local preset = deer.preset(name)
  local agent = preset:agent{ seed = 1 }
  agent:run(epochs or preset.epochs, preset.epoch_length)
  return (preset:score(agent, steps))
end

describe("learning from one's own actions #learn", function()
  -- chance gives 22 with the pole, -1200 with the pendulum
  local least = { ["cartpole/ppo"] = { 6, 350 }, ["cartpole/a2c"] = { 20, 300 },
    ["cartpole/reinforce"] = { 20, 300 }, ["pendulum/ppo"] = { 20, -400 } }
  it("gets somewhere in a few steps", function()
    for name, goal in deer.spairs(least) do
      local mean = score(name, goal[1], 20000)
      assert.is_true(mean >= goal[2], ("%s: %.1f"):format(name, mean))
    end
  end)

  it("finds the shortest way over the map", function()
    assert.is_true(score("gridworld/ppo", nil, 1400) >= -0.3 - 1e-9)
  end)
end)
