-- deer.PPO, deer.A2C and deer.REINFORCE in an agent.
local deer = require "deer"
local raises = require "raises"

local NAMES = { "PPO", "A2C", "REINFORCE" }

-- two choices at once: the first is to repeat what is shown, the second to say whether it is 2
local Echo = deer.Environment:extend "Echo"
function Echo:init(options) self.rng, self.t = options.rng, 0 end
function Echo:reset()
  self.t, self.asked = 0, self.rng:below(3)
  return { { 0, 0, 0 } }
end
function Echo:act(action)
  local right = action[1] == self.asked and action[2] == (self.asked == 2 and 1 or 0)
  self.t, self.asked = self.t + 1, self.rng:below(3)
  return right and 1 or 0
end
function Echo:observe()
  return { { self.asked == 0 and 1 or 0, self.asked == 1 and 1 or 0, self.asked == 2 and 1 or 0 } }
end
function Echo:inTerminalState() return self.t == 10 end
function Echo:inputDimensions() return { { 1, 3 } } end
function Echo:nActions() return { 3, 2 } end

local function pole_agent(name, seed, options, n_envs)
  local env = deer.env "cartpole" { seed = seed }
  local all = { environment = env, seed = seed, horizon = 32 }
  for key, value in pairs(options or {}) do all[key] = value end
  return deer.NeuralAgent{ environment = env, learning_algo = deer[name](all), seed = seed,
    n_envs = n_envs, train_every = 1 }
end

-- all parameters in one string
local function parameters(agent)
  local list = {}
  for i, parameter in ipairs(agent.learning_algo:getAllParams()) do list[i] = parameter.data end
  return table.concat(list)
end

describe("learning on policy", function()
  it("answers with several choices at once", function()
    local env = Echo{ seed = 1 }
    local algo = deer.PPO{ environment = env, seed = 1, horizon = 256 }
    local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, seed = 1,
      train_every = 1 }
    agent:run(1, 6000)
    for asked = 0, 2 do
      local state = { { { 0, 0, 0 } } }
      state[1][1][asked + 1] = 1
      assert.same({ asked, asked == 2 and 1 or 0 }, (algo:chooseBestAction(state)))
    end
  end)

  it("repeats itself with a seed, in one environment and in several", function()
    for _, name in ipairs(NAMES) do
      for _, n_envs in ipairs { 1, 3 } do
        local one, two, other = pole_agent(name, 1, nil, n_envs), pole_agent(name, 1, nil, n_envs),
          pole_agent(name, 2, nil, n_envs)
        for _, agent in ipairs { one, two, other } do agent:run(2, 600) end
        assert.is_true(one.learning_algo:updates() > 2)
        assert.equal(parameters(one), parameters(two))
        assert.are_not.equal(parameters(one), parameters(other))
      end
    end
  end)

  it("updates when every environment has made its steps", function()
    for n_envs, updates in pairs { [1] = 6, [4] = 1 } do
      local agent = pole_agent("A2C", 1, nil, n_envs)
      agent:run(1, 200)
      assert.equal(updates, agent.learning_algo:updates())
      assert.is_true(agent:avgBellmanResidual() > 0)
    end
  end)

  it("learns from an episode that does not end in parts", function()
    local env = deer.env "pendulum" { seed = 1 }
    local algo = deer.REINFORCE{ environment = env, seed = 1, horizon = 16 }
    local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, seed = 1,
      train_every = 1 }
    agent:run(1, 160)
    assert.equal(10, algo:updates())
  end)

  it("explores by what it draws", function()
    for _, name in ipairs(NAMES) do
      assert.equal("StochasticPolicy", deer[name].explorationPolicy().__name)
    end
    raises(function()
      local agent = pole_agent("PPO", 1)
      deer.NeuralAgent{ environment = agent.environment, learning_algo = agent.learning_algo,
        replay_start_size = 100 }
    end, "replay_start_size is 100, but ppo learns from what it does itself")
  end)

  it("has networks apart or one trunk", function()
    local function names(options)
      local found = {}
      for _, parameter in ipairs(pole_agent("PPO", 1, options).learning_algo:getAllParams()) do
        found[parameter.name] = parameter.shape
      end
      return found
    end
    local apart, together = names(), names{ shared = true }
    assert.same({ 4, 64 }, apart["policy.dense1.weight"])
    assert.same({ 4, 64 }, apart["value.dense1.weight"])
    assert.is_nil(apart["trunk.dense1.weight"])
    assert.same({ 4, 64 }, together["trunk.dense1.weight"])
    assert.same({ 64, 2 }, together["policy.weight"])
    assert.same({ 64, 1 }, together["value.weight"])
    assert.is_nil(together["value.dense1.weight"])
    local pendulum = deer.PPO{ environment = deer.env "pendulum" {}, initial_std = 0.5 }
    pendulum:handle()
    for _, parameter in ipairs(pendulum:getAllParams()) do
      if parameter.name == "log_std" then
        local log_std = string.unpack("f", parameter.data)
        assert.is_true(math.abs(log_std - math.log(0.5)) < 1e-6)
        return
      end
    end
    error "no log_std"
  end)

  it("goes on with parameters of another", function()
    for _, name in ipairs(NAMES) do
      local one, two = pole_agent(name, 1), pole_agent(name, 2)
      one:run(1, 400)
      two.learning_algo:setAllParams(one.learning_algo:getAllParams())
      assert.equal(parameters(one), parameters(two))
      assert.equal(one.learning_algo:updates(), two.learning_algo:updates())
    end
  end)

  it("says what is wrong", function()
    raises(function() pole_agent("PPO", 1, { clip = 0 }) end, "option 'clip'")
    raises(function() pole_agent("A2C", 1, { epochs = 4 }) end, "A2C: unknown option 'epochs'")
    raises(function() pole_agent("REINFORCE", 1, { horizon = 0 }) end, "option 'horizon'")
    raises(function()
      local agent = pole_agent("PPO", 1, { update_rule = "sgd", clip_global_norm = 0 })
      for _ = 1, 20 do
        agent:setLearningRate(1e30)
        agent:run(1, 200)
      end
    end, "the loss became .* at update %d+ %(learning rate 1e%+30%)")
  end)
end)
