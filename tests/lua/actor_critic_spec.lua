-- deer.SAC, deer.TD3, deer.DDPG and deer.ActorCritic in an agent, and the policies they explore by.
local child = require "child"
local deer = require "deer"
local raises = require "raises"

local NAMES = { "SAC", "TD3", "DDPG", "ActorCritic" }
local SMALL = { { "dense", units = 8 } }

local function agent_of(name, options, agent_options)
  options, agent_options = options or {}, agent_options or {}
  local env = options.environment or deer.env "pendulum" { seed = 2 }
  options.environment, options.seed, options.network = env, options.seed or 2, SMALL
  options.batch_size = options.batch_size or 8
  local algo = deer[name](options)
  agent_options.environment, agent_options.learning_algo, agent_options.seed = env, algo, 2
  agent_options.replay_memory_size, agent_options.replay_start_size = 1000, 20
  local agent = deer.NeuralAgent(agent_options)
  agent:attach(deer.controllers.TrainerController{ show_episode_avg_V_value = false,
    show_avg_Bellman_residual = false })
  return agent, algo
end

-- two numbers each way: the observation is the last action, which earns the more the nearer to 0
local Plane = deer.Environment:extend "Plane"
function Plane:reset() self.at, self.steps = { 0, 0 }, 0 return { { 0, 0 } } end
function Plane:act(action)
  assert(#action == 2 and math.abs(action[1]) <= 1 and action[2] >= 2 and action[2] <= 4)
  self.at, self.steps = action, self.steps + 1
  return -action[1] ^ 2 - (action[2] - 3) ^ 2
end
function Plane:observe() return { self.at } end
function Plane:isTruncated() return self.steps == 10 end
function Plane.inputDimensions() return { { 1, 2 } } end
function Plane.nActions() return { { -1, 1 }, { 2, 4 } } end

describe("an actor-critic", function()
  after_each(child.clean)

  it("learns in an agent, the same from the same seed", function()
    for _, name in ipairs(NAMES) do
      local runs = {}
      for i, seed in ipairs { 2, 2, 3 } do
        local agent, algo = agent_of(name, { seed = seed })
        agent:run(1, 60)
        -- the steps after the random ones
        assert.equal(40, algo:updates())
        assert.is_true(agent:avgBellmanResidual() > 0)
        runs[i] = agent:dataset():actions()
        assert.equal(60, #runs[i])
      end
      assert.same(runs[1], runs[2])
      assert.are_not.same(runs[1], runs[3])
    end
  end)

  it("learns by itself as with a controller", function()
    local one, algo = agent_of "TD3"
    one:run(2, 50)
    local env = deer.env "pendulum" { seed = 2 }
    local other = deer.TD3{ environment = env, seed = 2, network = SMALL, batch_size = 8 }
    local two = deer.NeuralAgent{ environment = env, learning_algo = other, seed = 2,
      replay_memory_size = 1000, replay_start_size = 20, train_every = 1 }
    two:run(2, 50)
    assert.same(algo:getAllParams(), other:getAllParams())
    assert.equal(one:avgBellmanResidual(), two:avgBellmanResidual())
    two:startMode(0, 50)
    two:run(1, 50)
    assert.equal(80, other:updates())
    other = deer.TD3{ environment = env, network = SMALL }
    two = deer.NeuralAgent{ environment = env, learning_algo = other, train_every = 4,
      replay_memory_size = 1000, replay_start_size = 20 }
    two:run(1, 61)
    -- after steps 21, 25, ..., 61
    assert.equal(11, other:updates())
  end)

  it("has a best action and its value", function()
    for _, name in ipairs(NAMES) do
      local agent, algo = agent_of(name)
      local state = { { { 1, 0, 0 } } }
      local action, value = algo:chooseBestAction(state)
      assert.is_true(#action == 1 and math.abs(action[1]) <= 2 and value == value)
      assert.same({ action, value }, { algo:chooseBestAction(state) })
      agent:startMode(0, 200)
      agent:run(1, 200)
      assert.is_true(agent:avgEpisodeVValue() ~= 0)
      raises(function() algo:handle():qValues(state) end, "has no values of actions")
    end
  end)

  it("acts with several numbers, each in its own interval", function()
    for _, name in ipairs(NAMES) do
      local agent = agent_of(name, { environment = Plane{ seed = 1 } })
      agent:run(2, 50)
      assert.equal(2, #agent:dataset():actions()[100])
    end
  end)

  it("learns which action is the best", function()
    for _, name in ipairs { "SAC", "TD3", "DDPG" } do
      local agent, algo = agent_of(name, { environment = Plane{ seed = 1 }, batch_size = 32,
        discount = 0.5, learning_rate = 5e-3 })
      agent:run(1, 1500)
      local action = algo:chooseBestAction { { { 0.5, 2.5 } } }
      assert.is_true(math.abs(action[1]) < 0.25, name .. " " .. action[1])
      assert.is_true(math.abs(action[2] - 3) < 0.25, name .. " " .. action[2])
    end
  end)

  it("is refused where actions are discrete, and deep Q-learning where they are not", function()
    for name, word in deer.spairs { SAC = "sac", TD3 = "td3", DDPG = "ddpg" } do
      raises(function() deer[name] { environment = deer.env "cartpole" {} } end,
        word .. " works with continuous actions, the environment has discrete ones")
    end
    raises(function() deer.QNetwork{ environment = deer.env "pendulum" {} } end,
      "dqn works with discrete actions, the environment has continuous ones")
  end)

  it("refuses wrong options", function()
    local environment = deer.env "pendulum" {}
    raises(function() deer.SAC{ environment = environment, tua = 1 } end,
      "SAC: unknown option 'tua'; did you mean 'tau'")
    raises(function() deer.TD3{ environment = environment, policy_delay = 0 } end,
      "option 'policy_delay': expected an integer from 1")
    raises(function() deer.DDPG{ environment = environment, network = { layers = {} } } end,
      "option 'network': expected a list of layers.*got a table with 'layers'")
    raises(function() deer.SAC{ environment = environment, update_rule = "adan" } end,
      "option 'update_rule': expected one of 'sgd'")
    raises(function() deer.SAC{ environment = environment, learning_rate = 0 / 0 } end, "got nan")
  end)

  it("puts back all that it was", function()
    for _, name in ipairs(NAMES) do
      local agent, algo = agent_of(name)
      local _, other = agent_of(name, { seed = 9 })
      local state = { { { 0.6, 0.8, -1 } } }
      agent:run(1, 55)
      assert.are_not.same(algo:chooseBestAction(state), other:chooseBestAction(state))
      other:setAllParams(algo:getAllParams())
      assert.same({ algo:chooseBestAction(state) }, { other:chooseBestAction(state) })
      assert.equal(35, other:updates())
      assert.same(algo:getAllParams(), other:getAllParams())
    end
  end)

  it("says at which update the loss became nan, whatever the parameters are", function()
    for _, name in ipairs(NAMES) do
      local agent, algo = agent_of(name)
      local params = algo:getAllParams()
      for _, part in ipairs(params) do part.data = ("f"):pack(-(0 / 0)):rep(#part.data // 4) end
      algo:setAllParams(params)
      assert.equal(0, algo:updates())
      raises(function() agent:run(1, 30) end, "the loss became nan at update 1 %(")
    end
  end)

  it("is kept in files", function()
    local status, out, err = child.run({ "-e", [[
      local deer = require "deer"
      local env = deer.env "pendulum" {}
      local function agent(seed)
        local algo = deer.SAC{ environment = env, seed = seed }
        return deer.NeuralAgent{ environment = env, learning_algo = algo }, algo
      end
      local one, algo = agent(1)
      local two, other = agent(2)
      assert(one:dumpNetwork("sac", 3))
      assert(two:setNetwork("sac", 3))
      local state = { { { 1, 0, 0 } } }
      print(algo:chooseBestAction(state)[1] == other:chooseBestAction(state)[1])
    ]] }, { cwd = child.folder() })
    assert.same({ 0, "true\n", "" }, { status, out, err })
  end)

  it("takes the rate that a controller sets", function()
    local agent, algo = agent_of "TD3"
    agent:setLearningRate(0)
    local before = algo:getAllParams()
    agent:run(1, 40)
    local after = algo:getAllParams()
    for i, parameter in ipairs(before) do
      -- the optimisers still see gradients
      if not parameter.name:find "optimizer" and parameter.name ~= "updates"
        and not parameter.name:find "^target" then
        assert.equal(parameter.data, after[i].data, parameter.name)
      end
    end
    agent:setLearningRate(0.01)
    agent:run(1, 40)
    assert.are_not.equal(before[1].data, algo:getAllParams()[1].data)
  end)

  it("sees pictures and histories", function()
    local Camera = Plane:extend "Camera"
    function Camera:observe() return { ("\1"):rep(64), self.at[1] } end
    function Camera.inputDimensions() return { { 1, 8, 8 }, { 4 } } end
    function Camera.observationType(_, subject) return subject == 0 and "uint8" or "float32" end
    function Camera:reset()
      Plane.reset(self)
      return { ("\0"):rep(64), { 0, 0, 0, 0 } }
    end
    for _, name in ipairs { "SAC", "TD3" } do
      local env = Camera{ seed = 1 }
      local network = { branches = { { { "conv", filters = 2 } }, {} },
        trunk = { { "dense", units = 8 } } }
      local algo = deer[name] { environment = env, batch_size = 4, network = network }
      local agent = deer.NeuralAgent{ environment = env, learning_algo = algo,
        replay_memory_size = 100 }
      agent:attach(deer.controllers.TrainerController{ show_episode_avg_V_value = false,
        show_avg_Bellman_residual = false })
      agent:run(1, 40)
      assert.is_true(algo:updates() > 10)
    end
  end)
end)

describe("exploration", function()
  it("is by what suits the algorithm", function()
    for name, policy in deer.spairs { SAC = "StochasticPolicy", TD3 = "GaussianNoisePolicy",
      DDPG = "OrnsteinUhlenbeckPolicy", ActorCritic = "EpsilonGreedyPolicy" } do
      assert.equal(policy, agent_of(name).train_policy.__name)
    end
    local env = deer.env "cartpole" {}
    local agent = deer.NeuralAgent{ environment = env,
      learning_algo = deer.QNetwork{ environment = env } }
    assert.equal(0.1, agent:epsilon())
  end)

  -- DeeR's launchers for continuous actions attach one
  it("of ActorCritic follows an EpsilonController", function()
    local agent = agent_of "ActorCritic"
    agent:attach(deer.controllers.EpsilonController{ initial_e = 0.8, e_decays = 10, e_min = 0.2 })
    agent:run(1, 50)
    assert.is_true(math.abs(agent:epsilon() - 0.2) < 1e-9)
  end)

  it("by noise can be turned up and down", function()
    local policy = deer.policies.GaussianNoisePolicy{ sigma = 0.5 }
    assert.equal(0.5, policy:sigma())
    policy:setSigma(0)
    local agent, algo = agent_of("TD3", nil, { train_policy = policy })
    agent:setLearningRate(0)
    agent:run(1, 60)
    -- without noise the actions after the start are the best ones
    local set = agent:dataset()
    local observation, action = set:observations()[1][60], set:actions()[60]
    assert.same(algo:chooseBestAction { { observation } }, action)
    local drifting = deer.policies.OrnsteinUhlenbeckPolicy{ theta = 0.3, sigma = 0.1 }
    drifting:setSigma(0.4)
    assert.equal(0.4, drifting:sigma())
    raises(function() drifting:setSigma(-1) end, "expected a number between 0 and 10, got %-1")
    raises(function() deer.policies.GaussianNoisePolicy{ sigma = -1 } end, "from 0 to 10, got %-1")
  end)

  it("that cannot be is refused when the agent is made", function()
    local env = deer.env "cartpole" {}
    local function agent(policy)
      return function()
        local made = deer.NeuralAgent{ environment = env,
          learning_algo = deer.QNetwork{ environment = env }, train_policy = policy }
        return made -- no tail call: errors name this line
      end
    end
    raises(agent(deer.policies.GaussianNoisePolicy{}),
      "the policy gaussian_noise adds noise to continuous actions, the environment has discrete")
    raises(agent(deer.policies.OrnsteinUhlenbeckPolicy{}), "ornstein_uhlenbeck adds noise")
    raises(agent(deer.policies.StochasticPolicy{}), "dqn draws actions when its network is noisy")
  end)

  it("in Lua is told when an episode begins", function()
    local told = {}
    local Policy = deer.Policy:extend "Counting"
    function Policy:action(_, mode, first)
      told[#told + 1] = first
      assert(mode == -1)
      return (self:randomAction())
    end
    local agent = agent_of("TD3", { environment = Plane{} }, { train_policy = Policy{} })
    agent:run(1, 50)
    -- twenty-one steps at random come first, in the middle of the third episode
    assert.equal(29, #told)
    for i, first in ipairs(told) do assert.equal(i == 1 or (i + 21) % 10 == 1, first) end
  end)
end)
