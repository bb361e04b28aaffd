--- Learning: REINFORCE, A2C and PPO by the presets that come with deerlua. A score is the mean
--- reward of at least 100 episodes without exploration.
local deer = require "deer"

-- the least score, and steps of 100 episodes
local GOALS = {
  ["cartpole/ppo"] = { 475, 50000 },
  ["cartpole/a2c"] = { 475, 50000 },
  ["cartpole/reinforce"] = { 475, 50000 },
  ["pendulum/ppo"] = { -180, 20000 },
  ["acrobot/ppo"] = { -85, 10000 },
  -- 13 steps and the goal: the shortest way, or the mean would be less
  ["gridworld/ppo"] = { -0.3 - 1e-9, 1400 },
}

local function score(name, seed, epochs)
  local preset = deer.preset(name)
  local agent = preset:agent{ seed = seed }
  agent:run(epochs or preset.epochs, preset.epoch_length)
  local mean, episodes = preset:score(agent, GOALS[name][2])
  assert.is_true(episodes >= 100)
  return mean
end

describe("learning from one's own actions #learn", function()
  -- chance gives 22 with the pole, -1200 with the pendulum
  local least = { ["cartpole/ppo"] = { 4, 300 }, ["cartpole/a2c"] = { 20, 300 },
    ["cartpole/reinforce"] = { 20, 300 }, ["pendulum/ppo"] = { 20, -400 } }
  it("gets somewhere in a few steps", function()
    for name, goal in deer.spairs(least) do
      local mean = score(name, 1, goal[1])
      assert.is_true(mean >= goal[2], ("%s: %.1f"):format(name, mean))
    end
  end)

  it("finds the shortest way over the map", function()
    assert.is_true(score("gridworld/ppo", 1) >= GOALS["gridworld/ppo"][1])
  end)
end)

describe("learning from one's own actions at length #long", function()
  for name, goal in deer.spairs(GOALS) do
    it(("reaches its goal by %s on each of five seeds"):format(name), function()
      local means = {}
      for seed = 1, 5 do means[seed] = score(name, seed) end
      print(("%s: %.1f %.1f %.1f %.1f %.1f"):format(name, table.unpack(means)))
      for _, mean in ipairs(means) do assert.is_true(mean >= goal[1], "a score of " .. mean) end
    end)
  end
end)
