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

describe("a game on a board at length #long", function()
  -- the mean return without exploration after so many epochs of the preset, in about so many frames
  local function score(name, epochs, frames)
    local preset = deer.preset(name)
    local agent = preset:agent{ seed = 1 }
    agent:run(epochs, preset.epoch_length)
    return preset:score(agent, frames)
  end

  -- chance earns 0.5 in a game
  it("is played better than by chance after 150 000 frames of Breakout", function()
    local mean = score("breakout/dqn", 3, 20000)
    assert.is_true(mean >= 5, ("%.2f"):format(mean))
  end)

  -- chance crosses once in eight episodes, who goes up in nine frames of ten 28 times
  it("is played better than by going up after 400 000 frames of Freeway", function()
    local mean = score("freeway/dqn", 8, 25010)
    assert.is_true(mean >= 45, ("%.2f"):format(mean))
  end)
end)
