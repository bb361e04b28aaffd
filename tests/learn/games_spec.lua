--- Learning: the mobile robot finds its target, Breakout and Freeway are played, by the presets.
local deer = require "deer"
local report = require "report"

describe("the mobile robot #learn", function()
  -- chance gets there in 2 of 100 episodes
  it("finds its target", function()
    local goal = { steps = 25000, measure = "reached" }
    for _, name in ipairs { "sac", "ppo" } do
      local preset = deer.preset("mobile_robot/" .. name)
      local agent = preset:agent{ seed = 1 }
      local n, episodes = report.score(goal, preset, agent)
      assert.equal(100, episodes)
      assert.is_true(n < 20, n .. " before training")
      agent:run(preset.epochs, preset.epoch_length)
      n = report.score(goal, preset, agent)
      assert.is_true(n >= 95, ("%s: %d of 100"):format(name, n))
    end
  end)
end)

describe("Breakout at length #long", function()
  -- chance earns 0.5 in a game
  it("is played better than by chance after 150 000 frames", function()
    local preset = deer.preset "breakout/dqn"
    local agent = preset:agent{ seed = 1 }
    agent:run(3, preset.epoch_length)
    local mean = preset:score(agent, 20000)
    assert.is_true(mean >= 5, ("%.2f"):format(mean))
  end)
end)

describe("Freeway at length #long", function()
  -- chance crosses once in eight episodes, who goes up in nine frames of ten 28 times
  it("is played better than by going up after 400 000 frames", function()
    local preset = deer.preset "freeway/dqn"
    local agent = preset:agent{ seed = 1 }
    agent:run(8, preset.epoch_length)
    local mean = preset:score(agent, 25010)
    assert.is_true(mean >= 45, ("%.2f"):format(mean))
  end)
end)
