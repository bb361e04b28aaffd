-- The public table, and the classes that people extend.
local child = require "child"
local deer = require "deer"
local raises = require "raises"
local scripted = require "scripted"

-- the example of the documentation, as it stands there
local function walk()
  local Walk = deer.Environment:extend "Walk"
  Walk.options = { length = { default = 7, range = {3, 1000}, help = "number of cells" } }

  function Walk:init(options) self.length, self.rng = options.length, options.rng end
  function Walk:reset(mode) self.at = 0; return { {0} } end -- luacheck: no unused args
  function Walk:act(action)
    self.at = self.at + (action == 1 and 1 or -1)
    return self.at == self.length and 1 or 0
  end
  function Walk:observe() return { self.at } end
  function Walk:inTerminalState() return self.at == self.length end
  function Walk:inputDimensions() return { {1} } end -- luacheck: no self
  function Walk:nActions() return 2 end -- luacheck: no self
  return Walk
end

local function agent_of(environment, options)
  options = options or {}
  options.environment = environment
  options.learning_algo = scripted.algo({}, environment)
  return deer.NeuralAgent(options)
end

describe("deer", function()
  it("has the public names", function()
    for _, name in ipairs { "Environment", "Controller", "Policy", "Algo", "QNetwork",
      "NeuralAgent", "kinds", "controllers", "policies", "plot" } do
      assert.equal("table", type(deer[name]), name)
    end
    for _, name in ipairs { "env", "seed", "spairs", "format", "launcher", "Rng", "RandomState",
      "Tensor", "DataSet" } do
      assert.equal("function", type(deer[name]), name)
    end
    assert.matches("^%d+%.%d+%.%d+$", deer.version)
    raises(function() return deer.NeuralAgnt end,
      "^there is no deer.NeuralAgnt; did you mean 'deer.NeuralAgent'%?$")
  end)

  it("sets no global and loads its parts when first used", function()
    finally(child.clean)
    local root = child.tree { ["s.lua"] = [[
      local before, spairs = {}, nil
      for name in pairs(_G) do before[name] = true end
      local deer = require "deer"
      assert(not package.loaded["deer.neural_agent"] and not package.loaded["deer.launcher"])
      spairs = deer.spairs
      for _, name in ipairs { "Environment", "Controller", "Policy", "Algo", "QNetwork", "DataSet",
        "NeuralAgent", "kinds", "launcher", "plot" } do assert(deer[name], name) end
      for _, file in ipairs(deer.kinds.list "controller") do
        assert(deer.controllers[deer.kinds.className("controller", file)])
      end
      for _, file in ipairs(deer.kinds.list "env") do assert(deer.env(file)) end
      for name in spairs(_G) do assert(before[name], name) end
      print "none"]] }
    local status, out, err = child.run({ "s.lua" }, { cwd = root })
    assert.same({ 0, "none\n", "" }, { status, out, err })
  end)

  it("formats numbers as Python does", function()
    for _, case in ipairs { { 8.0, "8.0" }, { 0.1, "0.1" }, { 0.1 + 0.2, "0.30000000000000004" },
      { -1, "-1" }, { 1e-5, "1e-05" }, { 1e16, "1e+16" }, { 123456789.0, "123456789.0" },
      { 0.0001, "0.0001" }, { 1 / 0, "inf" }, { -1 / 0, "-inf" }, { 1e22, "1e+22" },
      { -0.0, "-0.0" }, { 5e-324, "5e-324" } } do
      assert.equal(case[2], deer.format(case[1]))
    end
    assert.matches("nan", deer.format(0 / 0))
  end)

  it("says and sets how many threads programs use", function()
    assert.equal(1, deer.threads())
    assert.equal(2, deer.threads(2))
    assert.equal(2, deer.threads())
    raises(function() deer.threads(0) end, "threads: expected a number from 1 to 64, got 0$")
    raises(function() deer.threads(1000) end, "from 1 to 64, got 1000$")
    raises(function() deer.threads(1.5) end, "bad argument #1 .*got 1.5")
    assert.equal(2, deer.threads())
    assert.equal(1, deer.threads(1))
  end)

  it("walks tables in order", function()
    local keys = {}
    for key, value in deer.spairs { b = 1, [2] = "two", a = 3, [1] = "one", [10] = "ten" } do
      keys[#keys + 1] = tostring(key) .. "=" .. tostring(value)
    end
    assert.same({ "1=one", "2=two", "10=ten", "a=3", "b=1" }, keys)
  end)

  it("repeats itself with a seed", function()
    deer.seed(5)
    local a, b = math.random(), walk(){}.rng:uniform()
    deer.seed(5)
    assert.same({ a, b }, { math.random(), walk(){}.rng:uniform() })
    deer.seed(6)
    assert.not_equal(b, walk(){}.rng:uniform())
    deer.seed(0)
    raises(function() deer.seed "x" end, "deer.seed: expected an integer")
  end)
end)

describe("deer.Environment", function()
  local Walk = walk()

  it("makes the environment of the documentation", function()
    local env = Walk{ length = 9, seed = 1 }
    assert.equal(9, env.length)
    assert.equal(7, Walk{}.length)
    assert.equal(Walk{ seed = 3 }.rng:uniform(), Walk{ seed = 3 }.rng:uniform())
    assert.not_equal(Walk{ seed = 3 }.rng:uniform(), Walk{ seed = 4 }.rng:uniform())
    assert.is_false(env:isTruncated())
    assert.equal("float32", env:observationType(0))
    raises(function() Walk{ length = 2 } end, "Walk: option 'length': expected a number from 3 to")
    raises(function() Walk{ lenght = 5 } end,
      "Walk: unknown option 'lenght'; did you mean 'length'")
  end)

  it("is what an agent runs in", function()
    local env = Walk{ length = 3 }
    local agent = agent_of(env, { seed = 1 })
    agent:run(2, 50)
    assert.equal(100, agent:steps())
    assert.equal(2, agent:epochs())
    local set = agent:dataset()
    assert.equal(100, set:nElems())
    for i, terminal in ipairs(set:terminals()) do
      assert.equal(set:rewards()[i] == 1, terminal, i)
      assert.equal(i == 50 or i == 100, set:truncateds()[i] or (terminal and i % 50 == 0))
    end
    assert.equal(env:handle(), env:handle())
  end)
end)

describe("a QNetwork", function()
  local env = walk(){}

  it("has DeeR's options and methods", function()
    local net = deer.QNetwork{ environment = env, update_rule = "sgd", double_Q = true,
      rms_decay = 0.8, batch_size = 8, learning_rate = 0.25, discount = 0.5, random_state = 3 }
    assert.same({ 8, 0.25, 0.5 }, { net:batchSize(), net:learningRate(), net:discountFactor() })
    net:setLearningRate(0.125)
    net:setDiscountFactor(0.75)
    assert.same({ 0.125, 0.75 }, { net:learningRate(), net:discountFactor() })
    local values, action, value = net:qValues{ 2 }, net:chooseBestAction{ 2 }
    assert.equal(2, #values)
    assert.is_true(action == 0 or action == 1)
    assert.equal(math.max(values[1], values[2]), value)
    assert.equal(values[action + 1], value)
    raises(function() net:setDiscountFactor(1.5) end, "1.5")
  end)

  it("gives its parameters away and takes them back", function()
    local one = deer.QNetwork{ environment = env, seed = 1 }
    local two = deer.QNetwork{ environment = env, seed = 2 }
    assert.not_same(one:qValues{ 2 }, two:qValues{ 2 })
    two:setAllParams(one:getAllParams())
    assert.same(one:qValues{ 2 }, two:qValues{ 2 })
    assert.same(one:qValues{ 2 }, deer.QNetwork{ environment = env, seed = 1 }:qValues{ 2 })
  end)

  it("refuses wrong options with the line of the script", function()
    raises(function() deer.QNetwork{} end, "QNetwork: option 'environment' is missing")
    raises(function() deer.QNetwork{ environment = 3 } end, "expected an environment, got 3")
    raises(function() deer.QNetwork{ environment = env, update_rul = "sgd" } end,
      "QNetwork: unknown option 'update_rul'; did you mean 'update_rule'")
    raises(function() deer.QNetwork{ environment = env, update_rule = "momentum" } end,
      "option 'update_rule': expected one of 'sgd', 'rmsprop'")
    raises(function() deer.QNetwork{ environment = env, batch_size = 0 } end, "option 'batch_size'")
    raises(function() deer.QNetwork{ environment = env, network = "resnet" } end, "resnet")
    raises(function() deer.QNetwork{ environment = env, network = { trnk = {} } } end,
      "option 'network': expected a list of layers, .* got a table with 'trnk'")
    raises(function() deer.QNetwork{ environment = env, network = { { "dense", 20 } } } end,
      'trunk%[1%]: options of a layer have names, as in {"dense", units = 20}')
    raises(function() deer.QNetwork{ environment = env }:setAllParams(5) end, "got 5")
    raises(function() deer:QNetwork{ environment = env } end, "got a table with a metatable")
  end)
end)

describe("a NeuralAgent", function()
  local Walk = walk()

  it("calls controllers in the order of attaching, in both spellings", function()
    local agent, calls = agent_of(Walk{}), {}
    local function spy(name, spelling)
      local Spy = deer.Controller:extend(name)
      Spy[spelling] = function() calls[#calls + 1] = name end
      return Spy{}
    end
    agent:attach(spy("first", "onEpochEnd"))
    agent:attach(spy("second", "OnEpochEnd"))
    agent:attach(spy("third", "onEpochEnd"))
    agent:run(1, 3)
    assert.same({ "first", "second", "third" }, calls)
    calls = {}
    agent:setControllersActive({ 0, 2 }, false)
    agent:run(1, 3)
    assert.same({ "second" }, calls)
    calls = {}
    agent:setControllersActive({ 0, 2 }, true)
    assert.equal("second", agent:detach(1).__name)
    agent:run(1, 3)
    assert.same({ "first", "third" }, calls)
  end)

  it("lets a controller leave and another come in the middle of a signal", function()
    local agent, calls = agent_of(Walk{}), {}
    local function spy(name, act)
      local Spy = deer.Controller:extend(name)
      function Spy.onEpochEnd(_, a)
        calls[#calls + 1] = name
        if act then act(a) end
      end
      return Spy{}
    end
    agent:attach(spy("leaver", function(a)
      a:detach(0)
      a:attach(spy "newcomer")
    end))
    agent:attach(spy "stayer")
    agent:run(2, 3)
    assert.same({ "leaver", "stayer", "stayer", "newcomer" }, calls)
  end)

  it("tells controllers what happened, in the modes they ask for", function()
    local agent, heard = agent_of(Walk{ length = 3 }, { seed = 2 }), {}
    local Spy = deer.Controller:extend "Spy"
    Spy.modes = { 1 }
    function Spy.onActionChosen(_, a, action) heard[#heard + 1] = { a:mode(), action } end
    function Spy.onEpisodeEnd(_, _, terminal, reward) heard[#heard + 1] = { terminal, reward } end
    agent:attach(Spy{})
    agent:run(1, 5)
    assert.same({}, heard)
    agent:startMode(0, 5)
    agent:run(1, 5)
    assert.same({}, heard)
    agent:startMode(1, 2)
    assert.equal(1, agent:mode())
    agent:run(1, 2)
    agent:resumeTrainingMode()
    assert.same({ { 1, 0 }, { 1, 0 }, { false, 0.0 } }, heard)
    agent:run(1, 5)
    assert.equal(3, #heard)
    assert.equal(2, agent:testDataset():nElems())
  end)

  it("does the action that a controller asks for", function()
    local agent = agent_of(Walk{ length = 4 })
    local Boss = deer.Controller:extend "Boss"
    function Boss.onActionChosen(_, a) a:overrideNextAction(1) end
    agent:attach(Boss{})
    agent:run(1, 8)
    assert.same({ 1, 1, 1, 1, 1, 1, 1, 1 }, agent:dataset():actions())
    assert.same({ 0, 0, 0, 1, 0, 0, 0, 1 }, agent:dataset():rewards())
    raises(function() agent:overrideNextAction(2) end, "2")
  end)

  it("knows scores, and that a test is none in training", function()
    local agent = agent_of(Walk{})
    agent:startMode(0, 4)
    agent:run(1, 4)
    local score, episodes = agent:totalRewardOverLastTest()
    assert.same({ 0.0, 1 }, { score, episodes })
    agent:resumeTrainingMode()
    raises(function() agent:summarizeTestPerformance() end, "summarizeTestPerformance")
    raises(function() agent:startMode(-1, 4) end, "startMode")
  end)

  it("changes rates through the algo and the training policy", function()
    local agent = agent_of(Walk{})
    agent:setLearningRate(0.5)
    agent:setDiscountFactor(0.25)
    agent:setEpsilon(0.75)
    assert.same({ 0.5, 0.25, 0.75 }, { agent:learningRate(), agent:discountFactor(),
      agent:epsilon() })
    assert.equal(0.5, agent.learning_algo:learningRate())
    assert.equal(-1, agent:avgBellmanResidual())
    assert.equal(0, agent:avgEpisodeVValue())
    local Plain = deer.Policy:extend "Plain"
    function Plain:action() return self:randomAction() end
    agent = agent_of(Walk{}, { train_policy = Plain{} })
    assert.is_nil(agent:epsilon())
    raises(function() agent:setEpsilon(0.5) end, "agent:setEpsilon: .* a Plain, has no epsilon")
    agent:run(1, 50)
  end)

  it("keeps networks on disk", function()
    finally(child.clean)
    local lfs = require "lfs"
    local before, env = lfs.currentdir(), walk(){}
    local net = deer.QNetwork{ environment = env, seed = 1 }
    local agent = deer.NeuralAgent{ environment = env, q_network = net }
    assert(lfs.chdir(child.folder()))
    finally(function() lfs.chdir(before) child.clean() end)
    local values = net:qValues{ 1 }
    assert.equal("nnets/net.epoch=3", agent:dumpNetwork("net", 3))
    assert.equal("nnets/net", agent:dumpNetwork("net"))
    net:setAllParams(deer.QNetwork{ environment = env, seed = 2 }:getAllParams())
    assert.not_same(values, net:qValues{ 1 })
    assert.is_true(agent:setNetwork("net", 3))
    assert.same(values, net:qValues{ 1 })
    local done, message = agent:setNetwork("none", 3)
    assert.is_nil(done)
    assert.matches("nnets/none.epoch=3", message)
    raises(function() agent:dumpNetwork() end, "agent:dumpNetwork: expected a file name")
  end)

  it("refuses wrong parts with the line of the script", function()
    local env = Walk{}
    local algo = scripted.algo({}, env)
    local function make(options)
      for name, value in pairs { environment = env, learning_algo = algo } do
        if options[name] == nil then options[name] = value end
      end
      return deer.NeuralAgent(options)
    end
    raises(function() deer.NeuralAgent{ environment = env } end,
      "NeuralAgent: option 'learning_algo' is missing")
    raises(function() make{ environment = 7 } end, "option 'environment': expected an environment")
    raises(function() make{ environment = Walk } end, "'environment': expected an environment")
    raises(function() make{ learning_algo = env } end, "expected a learning algorithm, got a Walk")
    raises(function() make{ train_policy = env } end, "'train_policy': expected a policy")
    raises(function() make{ batch_size = 5 } end, "'batch_size': expected 4, .* got 5")
    raises(function() make{ replay_memory_siz = 5 } end, "did you mean 'replay_memory_size'")
    raises(function() make{ replay_memory_size = 0 } end, "expected an integer from 1")
    local agent = make{}
    raises(function() agent:attach(5) end, "agent:attach: expected a controller, got 5")
    raises(function() agent:attach(nil) end, "agent:attach: expected a controller, got nothing")
    raises(function() agent:attach(env) end, "agent:attach: expected a controller, got a Walk")
    raises(function() agent:attach(deer.controllers.VerboseController) end,
      "class VerboseController itself: write VerboseController{} to make one")
    local Deaf = deer.Controller:extend "Deaf"
    function Deaf.onEpochEnds() end
    raises(function() agent:attach(Deaf{}) end,
      "Deaf: 'onEpochEnds' is no signal; did you mean 'onEpochEnd'%?")
    function Deaf.onStart() end
    raises(function() agent:attach(Deaf{}) end, "Deaf: 'onEpochEnds' is no signal")
    -- a helper of nearly the same name beside the handler is fine
    function Deaf.OnEpochEnd() end
    agent:attach(Deaf{})
    Deaf.onStart = 5
    raises(function() agent:attach(Deaf{}) end, "Deaf: onStart: expected a function, got 5")
    Deaf.onStart, Deaf.modes = nil, 0
    raises(function() agent:attach(Deaf{}) end, "Deaf: modes: expected a list of modes .* got 0")
    raises(function() agent:attach(Deaf{ modes = { "train" } }) end, "modes: expected %-1 .* got")
    raises(function() agent:attach(deer.Controller{}) end, "Controller hears no signal")
    agent:detach(0)
    raises(function() agent.attach(deer.controllers.VerboseController{}) end,
      "agent.attach: expected an agent .* got a VerboseController; write agent:attach")
    raises(function() agent.run(1, 10) end, "agent.run: expected an agent .* got 1; write")
    raises(function() make{ environment = deer.Environment{} } end,
      "Environment: expected a method 'reset', got nothing")
    raises(function() agent:setControllersActive({}, "on") end, "expected true or false, got the")
    raises(function() agent:detach(0) end, "agent:detach: expected the position of a controller")
    raises(function() agent:setControllersActive({ 3 }, false) end, "got 3")
    raises(function() agent:setControllersActive(3, false) end, "expected a list of positions")
    raises(function() agent:run(1.5, 3) end, "agent:run: n_epochs: expected an integer")
    raises(function() agent:run(1) end, "agent:run: length: .* at least 1, got nothing")
    raises(function() agent:run(1, 0) end, "agent:run: length: .* at least 1, got 0")
  end)
end)

describe("deer.Policy", function()
  it("chooses in place of the built-in ones", function()
    local env = walk(){}
    local Last = deer.Policy:extend "Last"
    local modes = {}
    function Last:action(state, mode)
      assert(#state == 1)
      modes[#modes + 1] = mode
      return self.n_actions - 1
    end
    local agent = agent_of(env, { train_policy = Last{}, test_policy = Last{},
      replay_start_size = 1 })
    agent:run(1, 5)
    assert.same({ 1, 1, 1 }, { table.unpack(agent:dataset():actions(), 3) })
    agent:startMode(2, 3)
    agent:run(1, 3)
    assert.same({ 1, 1, 1 }, agent:testDataset():actions())
    assert.equal(2, modes[#modes])
  end)

  it("must say what it does", function()
    raises(function() agent_of(walk(){}, { train_policy = deer.Policy:extend "P"{} }) end,
      "P: a policy needs a method action")
  end)

  it("has DeeR's epsilon-greedy one", function()
    local policy = deer.policies.EpsilonGreedyPolicy{ epsilon = 0.25 }
    assert.equal(0.25, policy:epsilon())
    policy:setEpsilon(0.5)
    assert.equal(0.5, policy:epsilon())
    raises(function() deer.policies.EpsilonGreedyPolicy{ epsilon = 2 } end, "option 'epsilon'")
  end)
end)

describe("deer.DataSet", function()
  it("is a memory of its own", function()
    local set = deer.DataSet{ environment = walk(){}, capacity = 3, seed = 1 }
    for i = 1, 5 do set:addSample({ i }, i % 2, i / 2, i == 5) end
    assert.equal(3, set:nElems())
    assert.same({ { 3, 4, 5 } }, set:observations())
    assert.same({ 1, 0, 1 }, set:actions())
    assert.same({ 1.5, 2.0, 2.5 }, set:rewards())
    assert.same({ false, false, true }, set:terminals())
    raises(function() deer.DataSet{} end, "DataSet: expected an environment, or input_dimensions")
    raises(function() deer.DataSet{ capacity = 0 } end, "DataSet: option 'capacity'")
  end)
end)
