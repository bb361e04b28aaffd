--- Algorithms that see normalised observations and rewards. The statistics themselves are tested in
--- tests/c/test_normalizer.c.
local deer = require "deer"
local raises = require "raises"

-- the pole, in units that no network likes
local Far = deer.Environment:extend "Far"
function Far:init(options) self.cart = deer.env "cartpole" { seed = options.seed } end
function Far:reset(mode) return { self.cart:reset(mode) and { { 0, 0, 0, 0 } } } end
function Far:act(action) return 1000 * self.cart:act(action) end
function Far:observe()
  local x = self.cart:observe()[1]
  return { { 5000 + 100 * x[1], x[2] / 1000, x[3] * 300 - 900, x[4] } }
end
function Far:inTerminalState() return self.cart:inTerminalState() end
function Far:isTruncated() return self.cart:isTruncated() end
function Far:inputDimensions() return { { 1, 4 } } end
function Far:nActions() return 2 end

local ON_POLICY = { PPO = true, A2C = true, REINFORCE = true }

local function trained(name, env, options, steps)
  options.environment, options.seed = env, 1
  local algo = deer[name](options)
  local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, train_every = 1,
    replay_start_size = not ON_POLICY[name] and 100 or nil, seed = 1 }
  agent:run(1, steps)
  return agent
end

local function score(agent)
  agent:startMode(0, 2000)
  agent:run(1, 2000)
  return (agent:totalRewardOverLastTest())
end

describe("normalised observations and rewards", function()
  it("make a bad scale harmless", function()
    local options = { learning_rate = 1e-3, batch_size = 64, update_rule = "adam", clip_delta = 1,
      freeze_interval = 100, discount = 0.99 }
    local with = { normalize_observations = true, normalize_rewards = true }
    for key, value in pairs(options) do with[key] = value end
    local plain = score(trained("QNetwork", Far{ seed = 1 }, options, 4000))
    local normal = score(trained("QNetwork", Far{ seed = 1 }, with, 4000))
    assert.is_true(normal > 60000, normal)
    assert.is_true(plain < 0.5 * normal, plain)
  end)

  it("are in every algorithm", function()
    local rows = { { "QNetwork", "cartpole" }, { "PPO", "cartpole" }, { "SAC", "pendulum" },
      { "TD3", "pendulum" }, { "DDPG", "pendulum" }, { "A2C", "cartpole" },
      { "REINFORCE", "cartpole" } }
    for _, row in ipairs(rows) do
      local env = deer.env(row[2]) { seed = 1 }
      local agent = trained(row[1], env, { normalize_observations = true,
        normalize_rewards = true }, 3000)
      local names, count = {}, nil
      for _, parameter in ipairs(agent.learning_algo:getAllParams()) do
        names[parameter.name or 1] = parameter
        if parameter.name == "normalizer.subject0.count" then count = parameter end
      end
      assert.truthy(count, row[1])
      assert.truthy(names.reward_scale, row[1])
    end
  end)

  it("are saved with the model", function()
    local env = deer.env "pendulum" { seed = 1 }
    local options = { normalize_observations = true }
    local agent = trained("SAC", env, options, 400)
    local other = deer.SAC{ environment = env, normalize_observations = true, seed = 9 }
    local state = { { { 0.3, 0.7, -2 } } }
    other:setAllParams(agent.learning_algo:getAllParams())
    assert.same({ agent.learning_algo:chooseBestAction(state) },
      { other:chooseBestAction(state) })
    local plain = deer.SAC{ environment = env, seed = 9 }
    raises(function() plain:setAllParams(agent.learning_algo:getAllParams()) end,
      "expected %d+ parameters, got %d+")
  end)
end)
