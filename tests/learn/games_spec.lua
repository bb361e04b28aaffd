--- Learning: the mobile robot finds its target and Breakout is played, by the presets.
local deer = require "deer"

-- in how many of n episodes without exploration, from the same starts, the robot is at its target
local function reached(preset, agent, n)
  local Robot = deer.env(preset.environment)
  local Watched, there = Robot:extend "Watched", {}
  function Watched:reset(mode)
    there[#there + 1] = 0
    return Robot.reset(self, mode)
  end
  function Watched:act(action)
    local reward = Robot.act(self, action)
    if reward == 1 then there[#there] = 1 end
    return reward
  end
  local options = { seed = 0 }
  for key, value in deer.spairs(preset.environment_options or {}) do options[key] = value end
  local judge = deer.NeuralAgent{ environment = Watched(options), seed = 0,
    learning_algo = agent.learning_algo }
  judge:startMode(0, 250 * n)
  judge:run(1, 250 * n)
  assert.equal(n, #there)
  local sum = 0
  for _, x in ipairs(there) do sum = sum + x end
  return sum
end

describe("the mobile robot #learn", function()
  -- chance gets there in 2 of 100 episodes
  it("finds its target", function()
    local preset = deer.preset "mobile_robot/sac"
    local agent = preset:agent{ seed = 1 }
    assert.is_true(reached(preset, agent, 100) < 20)
    agent:run(preset.epochs, preset.epoch_length)
    local n = reached(preset, agent, 100)
    assert.is_true(n >= 95, n .. " of 100")
  end)
end)

describe("the mobile robot at length #long", function()
  for _, name in ipairs { "sac" } do
    it(("finds its target by %s on each of five seeds"):format(name), function()
      local preset, numbers = deer.preset("mobile_robot/" .. name), {}
      for seed = 1, 5 do
        local agent = preset:agent{ seed = seed }
        agent:run(preset.epochs, preset.epoch_length)
        numbers[seed] = reached(preset, agent, 100)
      end
      print(("%s: %d %d %d %d %d"):format(name, table.unpack(numbers)))
      for _, n in ipairs(numbers) do assert.is_true(n >= 95, n .. " of 100") end
    end)
  end
end)

describe("Breakout at length #long", function()
  -- chance earns 0.8 in a game
  it("is played better than by chance after 150 000 frames", function()
    local preset = deer.preset "breakout/dqn"
    local agent = preset:agent{ seed = 1 }
    agent:run(3, preset.epoch_length)
    local mean = preset:score(agent, 20000)
    assert.is_true(mean >= 5, ("%.2f"):format(mean))
  end)
end)
