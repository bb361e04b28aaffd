--- Policies that come with deerlua, in an agent. What they draw is tested in tests/c/test_policy.c.
local deer = require "deer"
local raises = require "raises"

local function agent_of(name, environment, policy, seed)
  local algo = deer[name]{ environment = environment, seed = seed }
  return deer.NeuralAgent{ environment = environment, learning_algo = algo, train_policy = policy,
    replay_memory_size = 5000, seed = seed }
end

local function actions_of(policy, seed)
  local agent = agent_of("QNetwork", deer.env "cartpole" { seed = seed }, policy, seed)
  agent:run(1, 2000)
  return agent:dataset():actions()
end

describe("longer exploration", function()
  it("goes one way for a while", function()
    local actions = actions_of(deer.policies.LongerExplorationPolicy{ epsilon = 1, length = 10 }, 1)
    -- ten in a row of two actions: all alike in 2 of 11 sequences, by fair coins in 2 of 1024
    local alike = 0
    for first = 2, 1982, 10 do -- one action at random comes first
      local sum = 0
      for i = first, first + 9 do sum = sum + actions[i] end
      if sum == 0 or sum == 10 then alike = alike + 1 end
    end
    assert.is_true(alike > 18 and alike < 56, alike)
  end)

  it("holds one action, when asked to", function()
    local actions = actions_of(deer.policies.LongerExplorationPolicy{ epsilon = 1, length = 10,
      hold = true }, 1)
    local n = { [0] = 0, 0 }
    for first = 3, 1983, 10 do -- two actions at random come first
      for i = first, first + 9 do assert.equal(actions[first], actions[i]) end
      n[actions[first]] = n[actions[first]] + 1
    end
    -- 199 fair coins, within four deviations
    assert.is_true(math.abs(n[0] - n[1]) < 4 * 199 ^ 0.5)
  end)

  it("has an epsilon that controllers change", function()
    local policy = deer.policies.LongerExplorationPolicy{ epsilon = 0.5, length = 5 }
    local agent = agent_of("QNetwork", deer.env "cartpole" {}, policy, 1)
    agent:attach(deer.controllers.EpsilonController{ initial_e = 0.8, e_decays = 100, e_min = 0.2 })
    agent:run(1, 200)
    assert.near(0.2, policy:epsilon(), 1e-12)
    assert.near(0.2, agent:epsilon(), 1e-12)
  end)

  it("works in a box and repeats by its seed", function()
    local function run()
      local policy = deer.policies.LongerExplorationPolicy{ epsilon = 0.5 }
      local agent = agent_of("SAC", deer.env "pendulum" { seed = 3 }, policy, 3)
      agent:run(1, 300)
      return agent:dataset():actions()
    end
    assert.same(run(), run())
  end)

  it("refuses what cannot be", function()
    raises(function() deer.policies.LongerExplorationPolicy{ length = 101 } end, "length")
    raises(function() deer.policies.LongerExplorationPolicy{ epsilon = 2 } end, "epsilon")
  end)
end)

describe("Boltzmann's policy", function()
  it("draws among actions of nearly the same value", function()
    local hot = actions_of(deer.policies.BoltzmannPolicy{ temperature = 1000 }, 2)
    local sum = 0
    for _, action in ipairs(hot) do sum = sum + action end
    assert.is_true(math.abs(sum - 1000) < 120, sum)
    local policy = deer.policies.BoltzmannPolicy{}
    policy:setTemperature(0.25)
    assert.equal(0.25, policy:temperature())
  end)

  it("is the best action when it is cold", function()
    local cold = deer.policies.BoltzmannPolicy{ temperature = 1e-6 }
    assert.same(actions_of(deer.policies.EpsilonGreedyPolicy{ epsilon = 0 }, 4),
      actions_of(cold, 4))
  end)

  it("needs the values of all actions", function()
    raises(function()
      agent_of("SAC", deer.env "pendulum" {}, deer.policies.BoltzmannPolicy{}, 1)
    end, "boltzmann needs an algorithm that knows the value of every action, sac does not")
    raises(function() deer.policies.BoltzmannPolicy{ temperature = 0 } end, "temperature")
  end)
end)

describe("epsilon-greedy", function()
  it("may leave out the best action when it explores", function()
    local policy = deer.policies.EpsilonGreedyPolicy{ epsilon = 1, exclude_greedy = 1 }
    local agent = agent_of("QNetwork", deer.env "cartpole" { seed = 5 }, policy, 5)
    agent:run(1, 200)
    local set = agent:dataset()
    local states, actions = set:observations()[1], set:actions()
    for i = 3, 200 do -- two actions at random come first
      assert.equal(1 - policy:bestAction{ { states[i] } }, actions[i])
    end
    raises(function() deer.policies.EpsilonGreedyPolicy{ exclude_greedy = 2 } end, "exclude_greedy")
  end)
end)

describe("a policy without an agent", function()
  it("says what it lacks", function()
    local policy = deer.policies.EpsilonGreedyPolicy{}
    raises(function() policy:randomAction() end, "EpsilonGreedyPolicy: it has no actions before")
    raises(function() policy:bestAction{ { 0 } } end, "it has no algorithm before an agent has it")
  end)
end)
