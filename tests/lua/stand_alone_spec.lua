--- deer.Agent: an agent that a script drives.
local child = require "child"
local deer = require "deer"
local raises = require "raises"

-- a loop over an environment as a script writes it, for so many steps: the mean reward of the last
-- half; learns after each step
local function drive(agent, env, steps)
  env:reset(-1)
  local state, sum = env:observe(), 0
  for t = 1, steps do
    local reward = env:act(agent:getAction(state))
    local terminal, truncated = env:inTerminalState(), env:isTruncated()
    state = env:observe()
    agent:observe{ reward = reward, next_state = state, terminal = terminal,
      truncated = truncated }
    agent:update()
    if t > steps // 2 then sum = sum + reward end
    if terminal or truncated then
      env:reset(-1)
      state = env:observe()
    end
  end
  return sum / (steps - steps // 2)
end

-- the mean reward of the best actions, with nothing observed
local function play(agent, env, steps)
  local sum = 0
  env:reset(0)
  for _ = 1, steps do
    sum = sum + env:act(agent:getAction(env:observe(), { explore = false }))
    if env:inTerminalState() or env:isTruncated() then
      env:reset(0)
      agent:reset()
    end
  end
  return sum / steps
end

local FAMILIES = {
  { "QNetwork", "identity", { update_rule = "adam", learning_rate = 0.002, freeze_interval = 50,
    discount = 0 }, 1000 },
  { "DiscreteSAC", "identity", { discount = 0, target_entropy = 0.1 }, 1000 },
  { "PPO", "identity", { horizon = 128, batch_size = 32, discount = 0, learning_rate = 3e-3 },
    6000 },
  { "A2C", "identity", { horizon = 16, discount = 0, learning_rate = 3e-3 }, 6000 },
  { "REINFORCE", "identity", { discount = 0, learning_rate = 3e-3 }, 10000 },
  { "SAC", "box", { discount = 0 }, 2000 },
  { "TD3", "box", { discount = 0 }, 2000 },
  { "DDPG", "box", { discount = 0 }, 2000 },
}

local function make_env(name, seed)
  if name == "box" then return deer.env "identity" { continuous = true, seed = seed } end
  return deer.env(name) { seed = seed }
end

local function with(options, more)
  local both = {}
  for key, value in pairs(options) do both[key] = value end
  for key, value in pairs(more) do both[key] = value end
  return both
end

describe("an agent that a script drives", function()
  after_each(child.clean)

  for _, case in ipairs(FAMILIES) do
    local class, task, options, steps = table.unpack(case)
    it(("learns the identity task by %s"):format(class), function()
      local env = make_env(task, 1)
      local algo = deer[class](with(options, { environment = env, seed = 1 }))
      local agent = deer.Agent{ learning_algo = algo, seed = 1 }
      drive(agent, env, steps)
      local score = play(agent, make_env(task, 2), 200)
      assert.is_true(score > (task == "box" and -0.03 or 0.98), score)
    end)
  end

  it("finds the way through a grid in two lanes, whose episodes have other lengths", function()
    local envs = {}
    for i = 0, 1 do envs[i] = deer.env "gridworld" { map = "4x4", seed = i } end
    local algo = deer.QNetwork{ environment = envs[0], update_rule = "adam", seed = 1,
      learning_rate = 0.002, freeze_interval = 100 }
    local agent = deer.Agent{ learning_algo = algo, n_envs = 2, seed = 1,
      train_policy = deer.policies.EpsilonGreedyPolicy{ epsilon = 0.5 } }
    local states, ended = {}, { [0] = 0, 0 }
    for i = 0, 1 do
      envs[i]:reset(-1)
      states[i] = envs[i]:observe()
    end
    for _ = 1, 2000 do
      for i = 0, 1 do
        local env = envs[i]
        local reward = env:act(agent:getAction(states[i], { env = i }))
        states[i] = env:observe()
        local terminal, truncated = env:inTerminalState(), env:isTruncated()
        agent:observe{ reward = reward, next_state = states[i], terminal = terminal,
          truncated = truncated, env = i }
        if terminal or truncated then
          ended[i] = ended[i] + 1
          env:reset(-1)
          states[i] = env:observe()
        end
      end
      agent:update()
    end
    assert.is_true(ended[0] > 20 and ended[1] > 20)
    local test, sum, steps = deer.env "gridworld" { map = "4x4", seed = 3 }, 0, 0
    test:reset(0)
    repeat
      sum = sum + test:act(agent:getAction(test:observe(), { explore = false }))
      steps = steps + 1
    until test:inTerminalState() or test:isTruncated()
    assert.is_true(test:inTerminalState() and steps == 6, ("%d steps, %g"):format(steps, sum))
  end)

  it("chooses for all its environments at once as for one after the other", function()
    local function make()
      return deer.Agent{ n_envs = 3, seed = 5, replay_start_size = 6,
        train_policy = deer.policies.EpsilonGreedyPolicy{ epsilon = 0.5 },
        learning_algo = deer.QNetwork{ input_dimensions = { { 2, 3 } }, n_actions = 4, seed = 5 } }
    end
    local all, each, seen = make(), make(), {}
    for t = 0, 30 do
      local states = {}
      for i = 1, 3 do states[i] = { math.sin(t + i), math.cos(t * i), i } end
      for i, state in ipairs(states) do
        for _, agent in ipairs { t > 0 and all or nil, t > 0 and each or nil } do
          agent:observe{ reward = i, next_state = state, env = i - 1 }
          agent:update()
        end
      end
      local actions = all:getActions(t % 2 == 0 and states or nil) -- they were observed before
      for i, state in ipairs(states) do
        assert.equal(each:getAction(state, { env = i - 1 }), actions[i])
        seen[actions[i]] = true
      end
    end
    assert.same({ [0] = true, true, true, true }, seen)
    local best = all:getActions(nil, { explore = false })
    for i = 0, 2 do
      assert.equal(each:getAction(nil, { env = i, explore = false }), best[i + 1])
    end
  end)

  it("refuses lists of states that do not fit its environments", function()
    local agent = deer.Agent{ n_envs = 2, seed = 5,
      learning_algo = deer.QNetwork{ input_dimensions = { { 1, 2 } }, n_actions = 2, seed = 5 } }
    raises(function() agent:getActions() end,
      "environment 0: an episode begins: expected its first")
    raises(function() agent:getActions { { 1, 2 } } end,
      "states: expected a list of 2, one of each environment, got a table")
    raises(function() agent:getActions(7) end, "states: expected a list of 2, .* got 7")
    raises(function() agent:getActions { { 1, 2 }, { 1, 2, 3 } } end,
      "environment 1: state: .*2.*3")
    raises(function() agent:getActions { { 1, 2 }, { 1, 0 / 0 } } end, "environment 1: .*nan")
    raises(function() agent:getActions({ { 1, 2 }, { 1, 2 } }, { env = 1 }) end,
      "agent:getActions: unknown option 'env'")
    raises(function() agent.getActions { { 1, 2 }, { 1, 2 } } end, "write agent:getActions%(")
    assert.equal(2, #agent:getActions { { 1, 2 }, { 1, 2 } })
  end)

  it("remembers the action that was done, whatever is looked at in between", function()
    local agent = deer.Agent{ n_envs = 2, seed = 1, replay_start_size = 1,
      train_policy = deer.policies.EpsilonGreedyPolicy{ epsilon = 1 },
      learning_algo = deer.QNetwork{ input_dimensions = { { 1 } }, n_actions = 2, seed = 1 } }
    local done, state, differs = {}, 0, 0
    for t = 1, 100 do
      local chosen = agent:getActions { state, state }
      local best = agent:getAction(state, { explore = false })
      assert.equal(best, agent:getActions(nil, { explore = false })[2])
      for env = 0, 1 do
        done[#done + 1] = chosen[env + 1]
        differs = differs + (chosen[env + 1] ~= best and 1 or 0)
        agent:observe{ reward = 0, next_state = t / 100, env = env }
      end
      state = t / 100
    end
    assert.same(done, agent:dataset():actions())
    assert.is_true(differs > 50)
  end)

  it("lets a policy of one's own look at the best action, and change nothing", function()
    local Policy = deer.Policy:extend "Meddler"
    local agent, meddle, seen
    function Policy:action() -- luacheck: ignore 212
      seen = { pcall(meddle) }
      return 1, 0
    end
    agent = deer.Agent{ seed = 1, replay_start_size = 1, train_policy = Policy{},
      learning_algo = deer.QNetwork{ input_dimensions = { { 1 } }, n_actions = 2, seed = 1 } }
    for t = 1, 3 do
      agent:getAction(t)
      agent:observe{ reward = 0, next_state = t + 1 }
    end
    local function try(what)
      meddle = what
      assert.equal(1, agent:getAction(4))
      return table.unpack(seen)
    end
    local ok, best = try(function() return agent:getAction(4, { explore = false }) end)
    assert.is_true(ok and (best == 0 or best == 1))
    for _, change in ipairs {
      function() agent:reset() end,
      function() agent:observe{ reward = 0, next_state = 5 } end,
      function() agent:getAction(4) end,
      function() agent:getAction(7, { explore = false }) end,
      function() agent:getActions { 4 } end,
    } do
      local done, message = try(change)
      assert.is_false(done)
      assert.matches("an action is being chosen", tostring(message))
    end
    agent:observe{ reward = 0, next_state = 5 }
    assert.same({ 4 }, { table.unpack(agent:dataset():observations()[1], 4) })
  end)

  it("keeps what a policy chooses for all lanes while that looks at the best actions", function()
    local Policy = deer.Policy:extend "Onlooker"
    local agent, asked = nil, 0
    function Policy:action() -- luacheck: ignore 212
      asked = asked + 1
      agent:getActions(nil, { explore = false })
      return asked % 4, 0
    end
    agent = deer.Agent{ n_envs = 3, seed = 1, replay_start_size = 1, train_policy = Policy{},
      learning_algo = deer.QNetwork{ input_dimensions = { { 1 } }, n_actions = 4, seed = 1 } }
    local done, states = {}, { 1, 2, 3 }
    for _ = 1, 8 do
      local actions = agent:getActions(states)
      if asked > 0 then
        assert.same({ (asked - 2) % 4, (asked - 1) % 4, asked % 4 }, actions)
      end
      table.move(actions, 1, 3, #done + 1, done)
      for env = 0, 2 do
        states[env + 1] = states[env + 1] + 1
        agent:observe{ reward = 0, next_state = states[env + 1], env = env }
      end
    end
    assert.is_true(asked >= 18)
    assert.same(done, agent:dataset():actions())
  end)

  it("takes minus zero for zero", function()
    local agent = deer.Agent{ seed = 1,
      learning_algo = deer.QNetwork{ input_dimensions = { { 1, 2 } }, n_actions = 2, seed = 1 } }
    agent:getAction { 0, 1 }
    agent:observe{ reward = 0, next_state = { -0.0, 2 } }
    assert.is_number(agent:getAction { 0, 2 })
    raises(function() agent:getAction { 0, 3 } end, "the last action was chosen in another state")
  end)

  it("gives actions within the bounds, whatever number a bound is", function()
    local algo = deer.DDPG{ input_dimensions = { { 1 } }, n_actions = { { 0.1, 0.2 }, { 0, 0.3 } },
      seed = 1 }
    local agent, highest = deer.Agent{ learning_algo = algo, seed = 1, replay_start_size = 50 }, 0
    for t = 1, 200 do
      local action = agent:getAction(t)
      assert.is_true(action[1] >= 0.1 and action[1] <= 0.2)
      assert.is_true(action[2] >= 0 and action[2] <= 0.3, ("%.17g"):format(action[2]))
      highest = math.max(highest, action[2])
      agent:observe{ reward = 0, action = { 0.2, 0.3 }, next_state = t + 1 }
    end
    local weights = algo:getAllParams()
    for _, param in ipairs(weights) do
      param.data = string.pack("f", 10):rep(#param.data // 4) -- tanh is 1 everywhere
    end
    algo:setAllParams(weights)
    assert.same({ 0.2, 0.3 }, agent:getAction(nil, { explore = false }))
  end)

  it("gives no action that is not a number", function()
    for _, name in ipairs { "SAC", "DDPG", "PPO" } do
      local algo = deer[name]{ input_dimensions = { { 1 } }, n_actions = { { -2, 2 } }, seed = 1 }
      local agent = deer.Agent{ learning_algo = algo, seed = 1 }
      local weights = algo:getAllParams()
      for _, param in ipairs(weights) do
        param.data = ("\xff"):rep(#param.data) -- not a number
      end
      algo:setAllParams(weights)
      raises(function() agent:getAction(1, { explore = false }) end, "action: number 0 is .*nan")
      raises(function() agent:getActions({ 1 }, { explore = false }) end, "action: number 0 is ")
    end
  end)

  it("takes the entry of a single subject alone, of any shape", function()
    for _, shape in ipairs { { 1, 1, 3 }, { 1, 1, 1 }, { 2, 3, 1 }, { 1, 2, 3 }, { 2, 1 } } do
      local agent = deer.Agent{ seed = 1,
        learning_algo = deer.QNetwork{ input_dimensions = { shape }, n_actions = 2, seed = 1 } }
      local function filled(from)
        if from > #shape then return 0.5 end
        local list = {}
        for i = 1, shape[from] do list[i] = filled(from + 1) end
        return list
      end
      local entry = filled(2)
      assert.equal(agent:getAction(entry, { explore = false }),
        agent:getAction({ entry }, { explore = false }))
    end
  end)

  it("wants a colon in front of every method", function()
    local agent = deer.Agent{ seed = 1,
      learning_algo = deer.QNetwork{ input_dimensions = { { 1 } }, n_actions = 2, seed = 1 } }
    for _, method in ipairs { "state", "dataset", "getWeights", "setWeights", "getActions" } do
      raises(function() agent[method]() end,
        ("agent.%s: expected an agent .* write agent:%s"):format(method, method))
    end
  end)

  it("does the same for the same seed", function()
    local function run(seed)
      local env = deer.env "cartpole" { seed = 1 }
      local algo = deer.QNetwork{ environment = env, seed = 1 }
      local agent = deer.Agent{ learning_algo = algo, seed = seed }
      drive(agent, env, 200)
      return agent:getWeights(), agent:dataset():actions()
    end
    local weights, actions = run(1)
    local again, same = run(1)
    assert.same(actions, same)
    assert.same(weights, again)
    assert.not_same(actions, select(2, run(2)))
  end)

  it("works without an environment, on several subjects with histories", function()
    local algo = deer.QNetwork{ input_dimensions = { { 3 }, { 1, 2 } }, n_actions = 2,
      batch_size = 4, seed = 1 }
    local agent = deer.Agent{ learning_algo = algo, seed = 1 }
    for t = 0, 9 do
      agent:getAction{ t, { -t, 10 * t } }
      assert.same({ { math.max(t - 2, 0), math.max(t - 1, 0), t }, { { -t, 10 * t } } },
        agent:state())
      agent:observe{ reward = t, next_state = { t + 1, { -t - 1, 10 * t + 10 } } }
    end
    assert.same({ { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, { { 0, 0 }, { -1, 10 } } },
      { agent:dataset():observations()[1],
        table.move(agent:dataset():observations()[2], 1, 2, 1, {}) })
    assert.is_number(agent:update())
  end)

  it("takes what the only subject shows as it is", function()
    local function shown(row, kind, state)
      local agent = deer.Agent{ learning_algo = deer.QNetwork{ input_dimensions = { row },
        n_actions = 2, observation_types = { kind } } }
      agent:getAction(state)
      return agent:state()[1]
    end
    assert.same({ { 1, 2, 3 } }, shown({ 1, 3 }, "float32", { 1, 2, 3 }))
    assert.same({ { 1, 2, 3 } }, shown({ 1, 3 }, "float32", { { 1, 2, 3 } }))
    assert.same({ 7 }, shown({ 1 }, "float32", 7))
    assert.same({ 7 }, shown({ 1 }, "float32", { 7 }))
    assert.same({ { { 97, 98 }, { 99, 100 } } }, shown({ 1, 2, 2 }, "uint8", "abcd"))
    assert.same({ { { 1, 2 }, { 3, 4 } } }, shown({ 1, 2, 2 }, "uint8", { { 1, 2 }, { 3, 4 } }))
    assert.same({ { { 1, 2 }, { 3, 4 } } }, shown({ 1, 2, 2 }, "uint8", { { { 1, 2 }, { 3, 4 } } }))
    assert.same({ { { 5, 6 } } },
      shown({ 1, 1, 2 }, "uint8", deer.Tensor("uint8", { 1, 2 }, { { 5, 6 } })))
  end)

  it("chooses among several things at once, and numbers of a box", function()
    local many = deer.Agent{ seed = 1, learning_algo = deer.PPO{ horizon = 16, batch_size = 16,
      input_dimensions = { { 1, 2 } }, n_actions = { 3, 2 } } }
    local box = deer.Agent{ seed = 1, learning_algo = deer.SAC{ batch_size = 4,
      input_dimensions = { { 1, 2 } }, n_actions = { { -2, 2 }, { 0, 10 } } } }
    for t = 1, 40 do
      local choice, place = many:getAction{ t, 1 }, box:getAction{ t, 1 }
      assert.is_true(math.type(choice[1]) == "integer" and choice[1] < 3 and choice[2] < 2)
      assert.is_true(math.abs(place[1]) <= 2 and place[2] >= 0 and place[2] <= 10)
      many:observe{ reward = 1, next_state = { t + 1, 1 } }
      box:observe{ reward = 1, next_state = { t + 1, 1 }, action = { 1, t / 4 } }
      box:update()
    end
    assert.equal(40, box:dataset():nElems())
    assert.same({ 1, 9.75 }, box:dataset():actions()[39])
    assert.is_number(many:update())
    assert.same({ nil, "the rollout is not complete" }, { many:update() })
  end)

  it("stores what others did, and how episodes ended", function()
    local agent = deer.Agent{ n_envs = 2, learning_algo = deer.QNetwork{
      input_dimensions = { { 1 } }, n_actions = 5, batch_size = 2 } }
    agent:getAction(1, { env = 1 })
    agent:observe{ action = 4, reward = 0.5, next_state = 2, env = 1 }
    agent:observe{ action = 3, reward = 1.5, next_state = 3, truncated = true, env = 1 }
    agent:observe{ state = 7, action = 2, reward = 2.5, terminal = true, env = 1 }
    local set = agent:dataset()
    assert.same({ { 4, 3, 2 }, { 0.5, 1.5, 2.5 }, { false, false, true }, { false, true, false } },
      { set:actions(), set:rewards(), set:terminals(), set:truncateds() })
    -- the truncated one goes on in what came last, the terminal one in nothing
    local seen = {}
    for _ = 1, 40 do
      local states, _, _, next_states, terminals = set:randomBatch(2)
      for i = 1, 2 do seen[states[1][i][1]] = { next_states[1][i][1], terminals[i] } end
    end
    assert.same({ [1] = { 2, false }, [2] = { 3, false }, [7] = { 0, true } }, seen)
  end)

  it("plays between what is learnt without leaving a trace", function()
    local env, test = deer.env "cartpole" { seed = 1 }, deer.env "cartpole" { seed = 2 }
    local algo = deer.QNetwork{ environment = env, seed = 1 }
    local agent = deer.Agent{ learning_algo = algo, seed = 1 }
    drive(agent, env, 50)
    local n = agent:dataset():nElems()
    play(agent, test, 30)
    assert.equal(n, agent:dataset():nElems())
    drive(agent, env, 50)
    assert.equal(n + 50, agent:dataset():nElems())
  end)

  it("keeps, loads and hands over what is learnt", function()
    local function make(seed)
      return deer.Agent{ learning_algo = deer.QNetwork{ input_dimensions = { { 1, 2 } },
        n_actions = 3, seed = seed } }
    end
    local one, other = make(1), make(2)
    assert.not_same(one:getWeights(), other:getWeights())
    other:setWeights(one:getWeights())
    assert.same(one:getWeights(), other:getWeights())
    local folder = child.folder()
    local lfs = require "lfs"
    local here = lfs.currentdir()
    lfs.chdir(folder)
    finally(function() lfs.chdir(here) end)
    assert.equal("nnets/pole", one:dumpNetwork "pole")
    local third = make(3)
    assert.is_true(third:setNetwork "pole")
    assert.same(one:getWeights(), third:getWeights())
    assert.is_nil((third:setNetwork "absent"))
    third:setLearningRate(0.25)
    third:setEpsilon(0.5)
    assert.same({ 0.25, 0.5 }, { third:learningRate(), third:epsilon() })
  end)

  it("lets algorithms and policies in Lua choose and learn", function()
    local Table = deer.Algo:extend "Table"
    function Table:init() self.q, self.batches = { [0] = 0, 0 }, 0 end
    function Table:chooseBestAction() return self.q[1] > self.q[0] and 1 or 0, 0 end
    function Table:train(_, actions, rewards)
      for i, a in ipairs(actions) do self.q[a] = self.q[a] + 0.1 * (rewards[i] - self.q[a]) end
      self.batches = self.batches + 1
      return 1
    end
    local Turns = deer.Policy:extend "Turns"
    function Turns:init() self.n = 0 end
    function Turns:action() self.n = self.n + 1 return self.n % 2 end
    local algo = Table{ input_dimensions = { { 1 } }, n_actions = 2, batch_size = 4 }
    local agent = deer.Agent{ learning_algo = algo, train_policy = Turns{} }
    for t = 1, 50 do
      local action = agent:getAction(t)
      agent:observe{ reward = action == 1 and 2 or -2, next_state = t + 1 }
      agent:update()
    end
    assert.is_true(algo.batches > 40)
    assert.equal(1, agent:getAction(99, { explore = false }))
    raises(function() agent:getWeights() end, "Table: it has no method getAllParams")
    raises(function() agent:actionProba(99) end, "the Table learns no distribution over actions")
    function Table.train() error "out of luck" end
    local ok, message = pcall(agent.update, agent)
    assert.is_false(ok)
    assert.matches("stand_alone_spec.lua:%d+: out of luck", message)
  end)

  it("may not be closed, and closes only once, while its algorithm works", function()
    local Odd, agent = deer.Algo:extend "Odd", nil
    function Odd.chooseBestAction() agent._handle:close() return 0 end
    function Odd.train() return 0 end
    agent = deer.Agent{ learning_algo = Odd{ input_dimensions = { { 1 } }, n_actions = 2 } }
    local ok, message = pcall(agent.getAction, agent, 1, { explore = false })
    assert.is_false(ok)
    assert.matches("cannot be closed while it chooses", message)
    agent._handle:close()
    agent._handle:close()
    raises(function() agent:getAction(1) end, "the agent is closed")
    raises(function() agent:dataset() end, "the agent is closed")
  end)

  it("refuses what cannot be, in one sentence at the caller's line", function()
    local algo = deer.QNetwork{ input_dimensions = { { 2, 3 } }, n_actions = 2 }
    raises(function() deer.Agent{} end, "Agent: option 'learning_algo' is missing")
    raises(function() deer.Agent{ learning_algo = 3 } end, "expected a learning algorithm, got 3")
    raises(function() deer.Agent{ learning_algo = algo, train_policy = 3 } end,
      "Agent: option 'train_policy': expected a policy, got 3")
    raises(function() deer.Agent{ learning_algo = algo, environment = 3 } end,
      "option 'environment': expected an environment, got 3")
    raises(function()
      deer.Agent{ learning_algo = algo, environment = deer.env "cartpole" {} }
    end, "the algorithm was made for another environment")
    raises(function() deer.Agent{ learning_algo = algo, replay = "prioritised" } end,
      "option 'replay': expected one of uniform, prioritized, got the string \"prioritised\"")
    raises(function()
      deer.Agent{ learning_algo = algo, train_policy = deer.policies.GaussianNoisePolicy{} }
    end, "adds noise to continuous actions, the environment has discrete ones")
    raises(function()
      deer.Agent{ replay = "prioritized",
        learning_algo = deer.PPO{ input_dimensions = { { 1 } }, n_actions = 2 } }
    end, "the replay is 'prioritized', but ppo learns from its newest samples")
    raises(function() deer.QNetwork{} end,
      "option 'environment' is missing: expected one, or input_dimensions and n_actions")
    raises(function() deer.QNetwork{ input_dimensions = { { 1 } } } end, "is missing")
    raises(function()
      deer.QNetwork{ environment = deer.env "cartpole" {}, n_actions = 2 }
    end, "expected an environment, or input_dimensions and n_actions, not both")
    raises(function() deer.QNetwork{ input_dimensions = { { 0 } }, n_actions = 2 } end,
      "option 'input_dimensions': subject 0: expected whole numbers of at least 1, got 0")
    raises(function() deer.SAC{ input_dimensions = { { 1 } }, n_actions = 2 } end,
      "sac works with continuous actions, the environment has discrete ones")
    raises(function()
      deer.NeuralAgent{ environment = algo.environment, learning_algo = algo }:run(1, 1)
    end, "there is no environment here, only what is observed and done")
    local agent = deer.Agent{ learning_algo = algo }
    raises(function() agent.getAction { 1, 2, 3 } end, "write agent:getAction%(...%), with a colon")
    raises(function() agent:getAction() end, "an episode begins: expected its first observation")
    raises(function() agent:getAction { 1, 2 } end,
      "state: subject 0: expected a list of 3 numbers, got a table with 2 entries")
    raises(function() agent:getAction { 1, 2, 0 / 0 } end, "expected a finite number, got nan")
    raises(function() agent:getAction({ 1, 2, 3 }, { env = 1 }) end, "there is no environment 1")
    raises(function() agent:getAction({ 1, 2, 3 }, { explor = false }) end,
      "unknown option 'explor'; did you mean 'explore'%?")
    raises(function() agent:getAction({ 1, 2, 3 }, { explore = 0 }) end,
      "explore: expected true or false, got 0")
    raises(function() agent:observe { reward = 1, next_state = { 1, 2, 3 } } end,
      "an episode begins")
    agent:getAction { 1, 2, 3 }
    raises(function() agent:getAction { 1, 2, 4 } end, "what it led to was not observed")
    raises(function() agent:observe(1) end, "expected a table such as")
    raises(function() agent:observe { next_state = { 1, 2, 3 } } end,
      "reward: expected a number, got nil")
    raises(function() agent:observe { reward = 1 / 0, next_state = { 1, 2, 3 } } end,
      "the reward is inf %(expected a finite number%)")
    raises(function() agent:observe { reward = 1 } end, "expected what was observed next")
    raises(function() agent:observe { reward = 1, next_stat = { 1, 2, 3 } } end,
      "unknown field of observe 'next_stat'; did you mean 'next_state'%?")
    raises(function() agent:observe { reward = 1, next_state = { 1, 2 } } end,
      "observe: next_state: subject 0: expected a list of 3 numbers")
    raises(function() agent:observe { reward = 1, next_state = { 1, 2, 3 }, terminal = 0 } end,
      "observe: terminal: expected true or false, got 0")
    raises(function() agent:observe { reward = 1, next_state = { 1, 2, 3 }, action = 2 } end,
      "observe: action: expected an action of 0%.%.1, got 2")
    agent:observe { reward = 1, next_state = { 1, 2, 3 } }
    raises(function() agent:observe { reward = 1, next_state = { 1, 2, 3 } } end,
      "no action was chosen")
    raises(function() agent:getAction { 1, 2, 4 } end, "not the next state that was observed last")
    raises(function() agent:reset(1) end, "there is no environment 1")
    raises(function() agent:reset(0, { 1 }) end, "histories: ")
    assert.same({ nil, "samples gathered so far: 1 (expected more than 2)" }, { agent:update() })
    assert.equal(1, agent:dataset():nElems())
  end)
end)

describe("what an algorithm draws from", function()
  local LAYOUTS = { discrete = 3, several = { 3, 2 }, box = { { -2, 2 }, { 0, 10 } } }
  local WHO = { PPO = { "discrete", "several", "box" }, A2C = { "discrete", "several", "box" },
    REINFORCE = { "discrete", "several", "box" }, SAC = { "box" }, DiscreteSAC = { "discrete" } }

  local function check_list(p, n)
    local sum = 0
    assert.equal(n, #p)
    for _, x in ipairs(p) do
      assert.is_true(x > 0 and x < 1)
      sum = sum + x
    end
    assert.is_true(math.abs(sum - 1) < 1e-6)
  end

  for name, layouts in deer.spairs(WHO) do
    for _, layout in ipairs(layouts) do
      it(("is told by %s, %s"):format(name, layout), function()
        local algo = deer[name]{ input_dimensions = { { 2, 2 } }, n_actions = LAYOUTS[layout],
          seed = 1 }
        local agent = deer.Agent{ learning_algo = algo, seed = 1 }
        agent:getAction { 1, 2 }
        agent:observe { reward = 1, next_state = { 3, 4 } }
        local proba, deviations = agent:actionProba { 3, 4 }
        -- of the histories that the agent has, which asking moves once
        assert.same({ { { 1, 2 }, { 3, 4 } } }, agent:state())
        assert.same({ proba, deviations }, { agent:actionProba() })
        assert.same({ proba, deviations }, { algo:actionProba { { { 1, 2 }, { 3, 4 } } } })
        if layout == "discrete" then return check_list(proba, 3) end
        if layout == "several" then
          check_list(proba[1], 3)
          return check_list(proba[2], 2)
        end
        assert.equal(2, #proba)
        assert.is_true(math.abs(proba[1]) < 2 and proba[2] > 0 and proba[2] < 10)
        assert.is_true(deviations[1] > 0.5 and deviations[1] < 2)
        assert.is_true(deviations[2] > 1 and deviations[2] < 5)
      end)
    end
  end

  it("is refused where there is none", function()
    for _, name in ipairs { "QNetwork", "TD3", "DDPG" } do
      local algo = deer[name]{ input_dimensions = { { 1 } },
        n_actions = name == "QNetwork" and 2 or { { 0, 1 } } }
      assert.is_nil(algo.actionProba)
      raises(function() deer.Agent{ learning_algo = algo }:actionProba(1) end,
        ("agent:actionProba: the %s learns no distribution over actions"):format(name))
    end
  end)
end)
