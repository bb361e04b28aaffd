--- Learning: the deep Q-networks balance CartPole-v1, by the presets that come with deerlua. The
--- score is the mean length of at least 100 episodes without exploration; 500 is the most.
local deer = require "deer"

local NAMES = { "c51", "dueling" }

describe("the pole #learn", function()
  -- chance gives 22; after 50 000 steps it is 500
  it("is held for a while after 5000 steps", function()
    for _, name in ipairs { "dqn", "noisy" } do
      local preset = deer.preset("cartpole/" .. name)
      local agent = preset:agent{ seed = 1 }
      agent:run(5, 1000)
      local mean = preset:score(agent, 5000)
      assert.is_true(mean >= 90, ("%s: %.1f"):format(name, mean))
    end
  end)
end)

describe("the pole at length #long", function()
  for _, name in ipairs(NAMES) do
    it(("is balanced by %s on each of five seeds"):format(name), function()
      local means = {}
      for seed = 1, 5 do
        local preset = deer.preset("cartpole/" .. name)
        local agent = preset:agent{ seed = seed }
        agent:run(preset.epochs, preset.epoch_length)
        local episodes
        means[seed], episodes = preset:score(agent, 50000)
        assert.is_true(episodes >= 100)
      end
      print(("%s: %.1f %.1f %.1f %.1f %.1f"):format(name, table.unpack(means)))
      for _, mean in ipairs(means) do assert.is_true(mean >= 475, "a score of " .. mean) end
    end)
  end
end)
