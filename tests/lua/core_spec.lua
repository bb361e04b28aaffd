-- deer.core, the part of the library that is written in C, as the Lua part sees it: random numbers,
-- tensors, descriptions of classes, environments, algos, data sets. agent_spec.lua runs agents.
local core = require "deer.core"
local raises = require "raises"

local NAN, INF = 0 / 0, 1 / 0

-- an environment with these methods in place of the stock ones
local function environment(changes)
  local env = {
    reset = function() return { 0 } end,
    act = function() return 0 end,
    observe = function() return { 0 } end,
    inTerminalState = function() return false end,
    inputDimensions = function() return { { 1 } } end,
    nActions = function() return 2 end,
  }
  for name, method in pairs(changes or {}) do env[name] = method or nil end
  return env
end

local function space(dimensions, actions)
  return core.environment(environment {
    inputDimensions = function() return dimensions end,
    nActions = function() return actions or 2 end,
  })
end

describe("numbers and words", function()
  it("look like Python's", function()
    for _, case in ipairs { { 0.1, "0.1" }, { 8.0, "8.0" }, { 1e-5, "1e-05" }, { 1e16, "1e+16" },
      { 0.3600000000000002, "0.3600000000000002" }, { 1e15, "1000000000000000.0" },
      { 0.0001, "0.0001" }, { 1 / 3, "0.3333333333333333" }, { 5e-324, "5e-324" }, { INF, "inf" },
      { -INF, "-inf" }, { 1.7976931348623157e308, "1.7976931348623157e+308" }, { -2.5, "-2.5" },
      { 123456789.125, "123456789.125" } } do
      assert.equal(case[2], core.format(case[1]))
    end
    assert.equal("nan", core.format(NAN))
    assert.equal("-0.0", core.format(-0.0))
    assert.equal("-1", core.format(-1))
    assert.equal("-9223372036854775808", core.format(math.mininteger))
    raises(function() core.format "1" end, "bad argument #1 to 'format'")
    raises(function() core.format() end, "bad argument #1 to 'format'")
  end)

  it("are found when nearly right", function()
    assert.equal("epochs", core.nearest("epoch", { "seed", "epochs" }))
    assert.equal("evaluate_on", core.nearest("evaluateOn", { "evaluate_on" }))
    assert.is_nil(core.nearest("zzzzzz", { "seed", "epochs" }))
    assert.is_nil(core.nearest("x", {}))
    raises(function() core.nearest("x", { 1 }) end, "list of strings expected")
    raises(function() core.nearest("x", { {} }) end, "list of strings expected")
    raises(function() core.nearest "x" end, "table expected")
  end)
end)

describe("classes written in C", function()
  it("have names, in a fixed order", function()
    for _, kind in ipairs { "algo", "layer", "replay", "optimizer" } do
      local names = core.names(kind)
      assert.is_true(#names > 0)
      for _, name in ipairs(names) do assert.equal(name, core.about(kind, name).name) end
    end
    assert.equal("dqn", core.names("algo")[1])
    assert.matches("2015", core.about("algo", "dqn").paper)
    raises(function() core.names "controller" end, "invalid option 'controller'")
    raises(function() core.about("algo", "dqm") end, "unknown algo 'dqm'; did you mean 'dqn'")
    raises(function() core.about("replay", "zzzzzzzz") end, "unknown replay 'zzzzzzzz'")
  end)

  it("tell their options", function()
    local by_name = {}
    for _, field in ipairs(core.fields("algo", "dqn")) do
      by_name[field.name] = field
      assert.is_string(field.help)
    end
    local batch, rule = by_name.batch_size, by_name.update_rule
    assert.same({ "int", 32, 1 }, { batch.type, batch.default, batch.min })
    assert.equal("integer", math.type(batch.default))
    assert.equal("float", math.type(by_name.learning_rate.default))
    assert.equal(2, #by_name.learning_rate.search)
    assert.equal("choice", rule.type)
    assert.same({ "sgd", "rmsprop" }, { rule.choices[1], rule.choices[2] })
    assert.equal("rmsprop", rule.default)
    assert.is_nil(rule.min)
    assert.same({ "bool", false }, { by_name.double_q.type, by_name.double_q.default })
    assert.same({}, core.fields("replay", "uniform"))
  end)
end)

describe("an Rng", function()
  it("repeats itself", function()
    local a, b = core.Rng(7), core.Rng(7)
    for _ = 1, 10 do
      assert.equal(a:uniform(), b:uniform())
      assert.equal(a:normal(), b:normal())
      assert.equal(a:below(100), b:below(100))
    end
    assert.not_equal(core.Rng(7):uniform(), core.Rng(8):uniform())
    assert.equal(core.Rng(7):split("x"):uniform(), core.Rng(7):split("x"):uniform())
    assert.not_equal(core.Rng(7):split("x"):uniform(), core.Rng(7):split("y"):uniform())
  end)

  it("keeps within bounds", function()
    local rng, seen, sum, squares = core.Rng(1), {}, 0, 0
    for _ = 1, 5000 do
      local x, i = rng:uniform(-2, 3), rng:int(-1, 2)
      assert(x >= -2 and x < 3)
      assert(i >= -1 and i <= 2 and math.type(i) == "integer")
      seen[i] = true
      local n = rng:normal(10, 2)
      sum, squares = sum + n, squares + (n - 10) ^ 2
    end
    assert.same({ [-1] = true, [0] = true, [1] = true, [2] = true }, seen)
    assert.near(10, sum / 5000, 0.2)
    assert.near(4, squares / 5000, 0.4)
    assert.equal(0, rng:below(1))
    assert.equal(5, rng:int(5, 5))
    assert.equal("integer", math.type(rng:int(math.mininteger, math.maxinteger)))
    assert.equal(3, rng:uniform(3, 3))
  end)

  it("refuses what cannot be", function()
    local rng = core.Rng(1)
    raises(function() core.Rng() end, "bad argument #1")
    raises(function() core.Rng(1.5) end, "no integer representation")
    raises(function() rng:below(0) end, "at least 1 expected")
    raises(function() rng:int(3, 2) end, "at least the lower bound")
    raises(function() rng:uniform(3, 2) end, "at least the lower bound")
    raises(function() rng:uniform(0, INF) end, "finite number expected")
    raises(function() rng:normal(0, -1) end, "at least 0 expected")
    raises(function() rng:normal(0, NAN) end, "at least 0 expected")
    raises(function() rng.uniform() end, "deer.Rng expected")
    raises(function() rng.below(core.RandomState(0), 3) end, "deer.Rng expected")
  end)
end)

describe("a RandomState", function()
  it("draws numpy's numbers", function()
    local state = core.RandomState(0)
    assert.equal(0.5488135039273248, state:rand())
    assert.equal(0.7151893663724195, state:rand())
    state = core.RandomState(0)
    local drawn = {}
    for i = 1, 10 do drawn[i] = state:randint(0, 10) end
    assert.same({ 5, 0, 3, 3, 7, 9, 3, 5, 2, 4 }, drawn)
    assert.equal(5, core.RandomState(0):randint(10))
    assert.equal(core.RandomState(3):rand() * 2 - 1, core.RandomState(3):uniform(-1, 1))
    assert.equal(core.RandomState(0):rand(), core.RandomState(0):uniform())
  end)

  it("refuses what cannot be", function()
    raises(function() core.RandomState(-1) end, "seed of 0 to 2%^32 %- 1 expected")
    raises(function() core.RandomState(2 ^ 32) end, "seed of 0 to 2%^32 %- 1 expected")
    local state = core.RandomState(1)
    raises(function() state:randint(3, 3) end, "more than the lower bound")
    raises(function() state:randint(0) end, "more than the lower bound")
    raises(function() state:randint(0, 2 ^ 40) end, "at most 2%^32 %- 1")
    raises(function() state:randint() end, "number expected")
  end)
end)

describe("a Tensor", function()
  it("holds numbers", function()
    local t = core.Tensor("float32", { 2, 3 }, { { 1, 2, 3 }, { 4, 5, 6.5 } })
    assert.same({ 2, 3 }, t:shape())
    assert.equal("float32", t:dtype())
    assert.equal(6, #t)
    assert.same({ { 1, 2, 3 }, { 4, 5, 6.5 } }, t:totable())
    assert.equal(string.pack("<ffffff", 1, 2, 3, 4, 5, 6.5), t:bytes())
    assert.equal(t, t:fill(2))
    assert.same({ { 2, 2, 2 }, { 2, 2, 2 } }, t:totable())
    t:set(string.pack("<ffffff", 6, 5, 4, 3, 2, 1))
    assert.same({ { 6, 5, 4 }, { 3, 2, 1 } }, t:totable())
    t:set(core.Tensor("int32", { 2, 3 }, { { -1, 0, 1 }, { 2, 3, 4 } }))
    assert.same({ { -1, 0, 1 }, { 2, 3, 4 } }, t:totable())
    assert.equal("a float32 tensor of shape [2, 3]", tostring(t))
  end)

  it("has whole numbers of bytes and of 32 bits as well", function()
    local bytes = core.Tensor("uint8", { 4 }, "\0\1\254\255")
    assert.same({ 0, 1, 254, 255 }, bytes:totable())
    assert.equal("integer", math.type(bytes:totable()[1]))
    assert.equal("\0\1\254\255", bytes:bytes())
    assert.same({ 0, 0 }, core.Tensor("int32", { 2 }):totable())
    assert.equal(3, core.Tensor("int32", {}, 3):totable())
  end)

  it("refuses what does not fit", function()
    local t = core.Tensor("uint8", { 2, 2 })
    raises(function() core.Tensor("float16", { 2 }) end,
      "'float32', 'uint8' or 'int32' expected, got the string 'float16'")
    raises(function() core.Tensor("uint8") end, "list of dimensions expected, got nil")
    raises(function() core.Tensor("uint8", { 2, 0 }) end, "whole numbers of at least 1")
    raises(function() core.Tensor("uint8", { "a" }) end, "whole numbers of at least 1")
    raises(function() core.Tensor("uint8", { 1.5 }) end, "whole numbers of at least 1")
    raises(function() core.Tensor("uint8", { 1, 1, 1, 1, 1, 1, 1 }) end, "at most 6 dimensions")
    raises(function() core.Tensor("float32", { 1 << 20, 1 << 20 }) end, "tensor")
    raises(function() t:set { 1, 2, 3, 4 } end,
      "expected nested lists of shape %[2, 2%].*, got a table with 4 entries")
    raises(function() t:set { { 1, 2 }, { 3 } } end, "got a table with 1 entry at %[2%]")
    raises(function() t:set { { 1, 2 }, { 3, "x" } } end,
      "expected a number, got the string 'x' at %[2%]%[2%]")
    raises(function() t:set { { 1, 2 }, { 3, 256 } } end,
      "expected a whole number of 0 to 255, got 256 at %[2%]%[2%]")
    raises(function() t:set { { 1, 2 }, { 3, 0.5 } } end, "got 0.5 at")
    raises(function() t:set "abc" end, "a string of 4 bytes expected, got 3")
    raises(function() t:set(core.Tensor("uint8", { 4 })) end, "got a uint8 tensor of shape %[4%]")
    raises(function() t:set(core.Tensor("float32", { 2, 2 }, { { 0, 0 }, { 0, -1 } })) end,
      "got %-1.0 at element 3")
    raises(function() t:set() end, "value expected")
    raises(function() t:fill(-1) end, "whole number of 0 to 255, got %-1")
    raises(function() t:fill "x" end, "number expected")
    raises(function() core.Tensor("float32", { 1 }, { NAN }) end, "finite number, got nan at %[1%]")
    raises(function() core.Tensor("float32", { 1 }, { 1e300 }) end, "finite number, got 1e%+300")
  end)
end)

describe("an environment", function()
  it("tells its space", function()
    local env = core.environment(environment {
      inputDimensions = function() return { { 6 }, { 1, 4 }, { 2, 8, 9 }, { 1, 3, 8, 9.0 } } end,
      observationType = function(_, i) return i >= 2 and "uint8" or "float32" end,
    })
    assert.same({
      inputDimensions = { { 6 }, { 1, 4 }, { 2, 8, 9 }, { 1, 3, 8, 9 } },
      nActions = 2,
      observationTypes = { "float32", "float32", "uint8", "uint8" },
    }, env:space())
    assert.same({ { -2, 3 }, { 0, 0.5 } }, space({ { 1 } }, { { -2, 3 }, { 0, 0.5 } })
      :space().nActions)
    assert.same({ 3, 2 }, space({ { 1 } }, { 3, 2 }):space().nActions)
  end)

  it("must have its methods", function()
    for _, name in ipairs { "reset", "act", "observe", "inTerminalState", "inputDimensions",
      "nActions" } do
      raises(function() core.environment(environment { [name] = false }) end,
        "expected a method '" .. name .. "', got nil")
    end
    core.environment(environment { act = false, inTerminalState = false, step = print })
    raises(function() core.environment(3) end, "table expected")
    raises(function() core.environment() end, "table expected")
  end)

  it("must describe a space that can be", function()
    local function wrong(dimensions, actions, message)
      local ok, got = pcall(space, dimensions, actions)
      assert.is_false(ok)
      assert.matches(message, got)
      assert.matches("^[^\n]*core_spec.lua:%d+ %(%a+%): ", got)
    end
    wrong(nil, 2, "expected a list of 1 to 16 rows such as {history}, got nil")
    wrong({}, 2, "got a table with 0 entries")
    wrong({ 1 }, 2, "%(inputDimensions%): subject 0: expected a row such as {history}.*, got 1")
    wrong({ { 1 }, {} }, 2, "subject 1: .* got a table with 0 entries")
    wrong({ { 0 } }, 2, "subject 0: expected whole numbers of at least 1, got 0 at %[1%]")
    wrong({ { 1, 2.5 } }, 2, "got 2.5 at %[2%]")
    wrong({ { 1, "2" } }, 2, "got the string '2' at %[2%]")
    wrong({ { 1, 1, 1, 1, 1 } }, 2, "got a table with 5 entries")
    wrong({ { 1 } }, 0, "%(nActions%): expected a whole number from 1 to 16777216, .*, got 0")
    wrong({ { 1 } }, 1e9, "%(nActions%): expected a whole number from 1 to 16777216, .*, got 1000")
    wrong({ { 1 } }, "2", "got the string '2'")
    wrong({ { 1 } }, 1.5, "got 1.5")
    wrong({ { 1 } }, {}, "expected 1 to 64 rows {low, high} or numbers of choices, got a table \z
      with 0 entries")
    wrong({ { 1 } }, { 2, 0 }, "choice 2: expected a whole number from 1 to 16777216, got 0")
    wrong({ { 1 } }, { 2, { 1, 2 } }, "choice 2: .* got a table with 2 entries")
    wrong({ { 1 } }, { { 0, 1 }, { 1, 1 } }, "row 2: expected {low, high} with low < high")
    wrong({ { 1 } }, { { {}, 1 } }, "row 1: expected {low, high}")
    wrong({ { 1 } }, { { 0, INF } }, "row 1: expected {low, high} with low < high, both finite,")
    raises(function() space({ { 1 } }, { { -1e39, 1e39 } }) end,
      "actions: number 0: expected bounds low <= high, finite as float32, got %-1e%+39 and 1e%+39")
    assert.has_error(function() space { { 1 << 20, 1 << 20 } } end)
    local ok, message = pcall(core.environment, environment { observationType = function() end })
    assert.is_false(ok)
    assert.matches("core_spec.lua:%d+ %(observationType%): expected 'float32', 'uint8' or 'int32', "
      .. "got nil", message)
  end)

  it("may raise what it likes", function()
    local object = {}
    local env = environment { nActions = function() error(object) end }
    local ok, message = pcall(core.environment, env)
    assert.is_false(ok)
    assert.equal(object, message)
    raises(function()
      core.environment(environment { inputDimensions = function() error "boom" end })
    end, "^boom\nstack traceback:")
  end)
end)

describe("a policy", function()
  it("has options", function()
    local policy = core.policy("epsilon_greedy", { epsilon = 0.25 })
    assert.equal(0.25, policy:option "epsilon")
    policy:setOption("epsilon", 1)
    assert.equal(1, policy:option "epsilon")
    assert.equal(0.1, core.policy("epsilon_greedy"):option "epsilon")
    local function set(value) return function() policy:setOption("epsilon", value) end end
    raises(set(1.5), "option 'epsilon': expected a number between 0 and 1, got 1.5")
    raises(set(NAN), "expected a number between 0 and 1, got ")
    raises(set {}, "number expected, got a table with 0 entries")
    assert.equal(1, policy:option "epsilon")
    raises(function() core.policy("epsilon_greedy", { epsilon = -1 }) end, "between 0 and 1")
    raises(function() core.policy("epsilon_greedy", { epsilon = "1" }) end,
      "option 'epsilon': expected a number, got '1'")
    raises(function() core.policy("epsilon_greedy", { epsilom = 1 }) end, "did you mean 'epsilon'")
    raises(function() policy:option "sigma" end, "this policy has no sigma")
    raises(function() core.policy "stochastik" end, "did you mean 'stochastic'")
    raises(function() core.policy("epsilon_greedy", 1) end, "table expected")
  end)

  it("may be written in Lua", function()
    local policy = core.luapolicy { action = print }
    raises(function() policy:option "epsilon" end, "this policy has no epsilon")
    raises(function() policy:setOption("epsilon", 1) end, "this policy has no epsilon")
    raises(function() core.luapolicy {} end, "expected a method 'action', got nil")
    raises(function() core.luapolicy(3) end, "table expected")
  end)
end)

describe("an algo", function()
  local env = space { { 3 }, { 1 }, { 1, 2 } }

  local function dqn(options, network, seed)
    return core.algo("dqn", { environment = env, options = options, network = network,
      seed = seed or 1 })
  end

  it("has its numbers", function()
    local q = dqn { batch_size = 8, learning_rate = 0.5, discount = 0.75 }
    assert.same({ "dqn", 0.5, 0.75, 8, 0 },
      { q:name(), q:learningRate(), q:discountFactor(), q:batchSize(), q:updates() })
    q:setLearningRate(0.25)
    q:setDiscountFactor(1)
    assert.same({ 0.25, 1 }, { q:learningRate(), q:discountFactor() })
    raises(function() q:setDiscountFactor(1.5) end, "expected a number between 0 and 1, got 1.5")
    raises(function() q:setLearningRate(NAN) end, "learning rate")
    raises(function() q:setLearningRate "fast" end, "number expected, got the string 'fast'")
    raises(function() q.updates {} end, "deer.Algo expected")
  end)

  it("values states, in all forms that are allowed", function()
    local q = dqn()
    local state = { { 1, 2, 3 }, { 4 }, { { 5, 6 } } }
    local values = q:qValues(state)
    local best, value = q:chooseBestAction(state)
    assert.equal(2, #values)
    assert.equal(math.max(values[1], values[2]), value)
    assert.equal(values[1] >= values[2] and 0 or 1, best)
    assert.equal("integer", math.type(best))
    assert.same(values, q:qValues { { 1, 2, 3 }, 4, { 5, 6 } })
    assert.same(values, q:qValues { core.Tensor("float32", { 3 }, { 1, 2, 3 }), 4,
      core.Tensor("float32", { 1, 2 }, { { 5, 6 } }) })
    assert.same(values, dqn():qValues(state))
    assert.not_same(values, dqn(nil, nil, 2):qValues(state))
  end)

  it("refuses states that do not fit", function()
    local q = dqn()
    raises(function() q:qValues() end, "expected a list with 3 entries, one per subject, got nil")
    raises(function() q:qValues { 1, 2 } end, "got a table with 2 entries")
    raises(function() q:chooseBestAction { 1, 2, { 3, 4 } } end,
      "subject 0: expected a list of 3 numbers, got 1")
    raises(function() q:chooseBestAction { { 1, 2, 3 }, 2, { 3, 4, 5 } } end,
      "subject 2: expected a list of 2 numbers, got a table with 3 entries")
    raises(function() q:chooseBestAction { { 1, 2, NAN }, 2, { 3, 4 } } end,
      "subject 0: expected a finite number, got nan at %[3%]")
    raises(function() q:chooseBestAction { { 1, 2, 3 }, {}, { 3, 4 } } end, "subject 1")
  end)

  it("gives its parameters away and takes them back", function()
    local q, other = dqn(), dqn(nil, nil, 2)
    local state = { { 1, 2, 3 }, 4, { 5, 6 } }
    local list = q:parameters()
    for _, p in ipairs(list) do
      local count = 1
      for _, dim in ipairs(p.shape) do count = count * dim end
      assert.equal(4 * count, #p.data)
      assert.equal("float32", p.dtype)
      assert.is_string(p.name)
    end
    other:setParameters(list)
    assert.same(q:qValues(state), other:qValues(state))
    assert.same(list, other:parameters())
    -- one that does not fit changes nothing
    local before = dqn(nil, nil, 3)
    local values, wrong = before:qValues(state), before:parameters()
    wrong[1].data = list[1].data
    wrong[#wrong].data = "abc"
    raises(function() before:setParameters(wrong) end, "expected data of %d+ bytes, got 3")
    assert.same(values, before:qValues(state))
    wrong[#wrong].shape = { 77 }
    raises(function() q:setParameters(wrong) end, "expected the shape %[")
    wrong[#wrong].name = "x"
    raises(function() q:setParameters(wrong) end, "expected '.*', got x")
    wrong[#wrong] = 3
    raises(function() q:setParameters(wrong) end, "expected a table, got number")
    wrong[#wrong] = nil
    raises(function() q:setParameters(wrong) end, "expected %d+ parameters, got %d+")
    raises(function() q:setParameters() end, "table expected")
  end)

  it("has the network it is told to have", function()
    local function names(network)
      local all = {}
      for _, p in ipairs(dqn(nil, network):parameters()) do
        if p.name:find "^q" then all[#all + 1] = p.name end
      end
      return all
    end
    assert.same({ "q.output.weight", "q.output.bias" }, names { trunk = {} })
    assert.same({ "q.trunk.dense1.weight", "q.trunk.dense1.bias", "q.output.weight",
      "q.output.bias" }, names { { "dense", units = 7 } })
    assert.same({ "q.subject2.dense1.weight", "q.subject2.dense1.bias", "q.output.weight",
      "q.output.bias" }, names { branches = { {}, {}, { { type = "dense", units = 7 } } } })
    assert.same(names(nil), names "deer")
    assert.equal(8, #names "deer-0.2" + 2)
  end)

  it("refuses networks that cannot be", function()
    raises(function() dqn(nil, "resnet") end, "resnet")
    raises(function() dqn(nil, 3) end, "option 'network': expected 'deer', .* got 3")
    raises(function() dqn(nil, { 3 }) end, "network: trunk%[1%]: expected a layer .* got number")
    raises(function() dqn(nil, { {} }) end, "trunk%[1%]: expected the type of the layer, got nil")
    raises(function() dqn(nil, { { "dens" } }) end, "unknown layer 'dens'; did you mean 'dense'")
    raises(function() dqn(nil, { { "dense", unit = 3 } }) end,
      "trunk%[1%]: .*unknown option 'unit'; did you mean 'units'")
    raises(function() dqn(nil, { { "dense", units = {} } }) end, "option 'units': expected")
    raises(function() dqn(nil, { { "dense", units = 0 } }) end, "units")
    raises(function() dqn(nil, { branches = { {} } }) end,
      "branches: expected 3, one list of layers per subject, got 1")
    raises(function() dqn(nil, { branches = 3 }) end, "branches: expected 3, .* got number")
    raises(function() dqn(nil, { branches = { {}, {}, 3 } }) end, "branches%[3%]: expected a list")
    raises(function() dqn(nil, { trunk = 3 }) end, "trunk: expected a list")
    local long = {}
    for i = 1, 33 do long[i] = { "dense" } end
    raises(function() dqn(nil, long) end, "at most 32 layers")
  end)

  it("refuses wrong options, always the same first", function()
    raises(function() core.algo("dqm", { environment = env }) end, "did you mean 'dqn'")
    raises(function() core.algo("dqn", {}) end, "option 'environment': expected an environment")
    raises(function() core.algo "dqn" end, "table expected")
    raises(function() core.algo("dqn", { environment = env, options = 3 }) end, "option 'options'")
    raises(function() core.algo("dqn", { environment = env, seed = "x" }) end, "option 'seed'")
    for _ = 1, 5 do
      raises(function() dqn { zz = 1, bath_size = 3, yy = 2, mm = 4 } end,
        "unknown option 'bath_size'; did you mean 'batch_size'")
    end
    raises(function() dqn { batch_size = 2.5 } end, "option 'batch_size': expected a whole number")
    raises(function() dqn { update_rule = "momentum" } end, "momentum")
    raises(function() dqn { double_q = 1 } end, "expected true or false")
    raises(function() dqn { rho = print } end, "option 'rho': expected a number, a name")
    raises(function() dqn { rho = { 1, 2 } } end, "option 'rho': expected a number, got '1, 2'")
    raises(function() dqn { rho = { "x" } } end, "option 'rho': expected a list of numbers")
    raises(function() core.algo("dqn", { environment = space({ { 1 } }, { { 0, 1 } }) }) end,
      "continuous")
  end)
end)

describe("an algo written in Lua", function()
  local env = space({ { 2 }, { 1 } }, 3)

  it("is asked", function()
    local asked
    local algo = core.luaalgo({
      chooseBestAction = function(_, state)
        asked = state
        return 2.0, 7
      end,
      train = print,
      qValues = function() return { 1, 2, 3 } end,
    }, { environment = env, batch_size = 4 })
    assert.same({ 2, 7.0 }, { algo:chooseBestAction { { 1, 2 }, 3 } })
    assert.same({ { 1.0, 2.0 }, { 3.0 } }, asked)
    assert.same({ 1, 2, 3 }, algo:qValues { { 1, 2 }, 3 })
    assert.same({ "lua", 4, 0, 0.005, 0.9 }, { algo:name(), algo:batchSize(), algo:updates(),
      algo:learningRate(), algo:discountFactor() })
    assert.same({}, algo:parameters())
    algo:setParameters {}
  end)

  it("must answer as agreed", function()
    local answer, value
    local algo = core.luaalgo({
      chooseBestAction = function() return answer, value end,
      train = print,
      qValues = function() return answer end,
    }, { environment = env })
    local function wrong(method, message)
      local ok, got = pcall(algo[method], algo, { { 1, 2 }, 3 })
      assert.is_false(ok)
      assert.matches("core_spec.lua:%d+ %(" .. method .. "%): " .. message, got)
    end
    for text, action in pairs { ["nil"] = false, ["3"] = 3, ["%-1"] = -1, ["0.5"] = 0.5,
      nan = NAN, ["the string '1'"] = "1", ["a table with 0 entries"] = {} } do
      answer = action or nil
      wrong("chooseBestAction", "expected an action of 0..2, got " .. text)
    end
    answer, value = 1, "high"
    wrong("chooseBestAction", "expected a number, the value, got the string 'high'")
    wrong("qValues", "expected a list of 3 numbers, got 1")
    answer = { 1, 2 }
    wrong("qValues", "expected a list of 3 numbers, got a table with 2 entries")
    algo = core.luaalgo({ chooseBestAction = print, train = print }, { environment = env })
    assert.has_error(function() algo:qValues { { 1, 2 }, 3 } end)
  end)

  it("must have its methods and options", function()
    raises(function() core.luaalgo({ train = print }, { environment = env }) end,
      "expected a method 'chooseBestAction', got nil")
    raises(function() core.luaalgo({ chooseBestAction = print }, { environment = env }) end,
      "expected a method 'train', got nil")
    local object = { chooseBestAction = print, train = print }
    raises(function() core.luaalgo(object, {}) end, "option 'environment'")
    raises(function() core.luaalgo(object, { environment = env, batch_size = 0 }) end,
      "option 'batch_size': expected a whole number of at least 1, got 0")
    raises(function() core.luaalgo(object, { environment = env, batch_size = 1 << 30 }) end,
      "option 'batch_size': expected at most")
    raises(function() core.luaalgo(object) end, "table expected")
    raises(function() core.luaalgo() end, "table expected")
  end)

  it("has continuous actions too", function()
    local box = space({ { 1 } }, { { -1, 1 }, { 0, 4 } })
    local answer = { 0.5, 4 }
    local object = { chooseBestAction = function() return answer end, train = print }
    local algo = core.luaalgo(object, { environment = box })
    assert.same({ { 0.5, 4.0 }, 0.0 }, { algo:chooseBestAction { 1 } })
    answer = { 0.5, 5 }
    assert.error_matches(function() algo:chooseBestAction { 1 } end, "action: number 1 is 5")
    answer = 0.5
    assert.error_matches(function() algo:chooseBestAction { 1 } end, "action: expected a list of 2")
    raises(function() algo:qValues { 1 } end, "lua has no values of actions")
    -- a single number may stand alone
    answer = 0.25
    box = space({ { 1 } }, { { -1, 1 } })
    algo = core.luaalgo(object, { environment = box })
    assert.same({ 0.25 }, (algo:chooseBestAction { 1 }))
  end)
end)

describe("a data set", function()
  local function small(capacity)
    return core.dataset { input_dimensions = { { 2 }, { 1, 2 } }, n_actions = 3,
      capacity = capacity or 100, seed = 5 }
  end

  it("remembers samples in the order of time", function()
    local set = small(3)
    assert.same({ 0, {}, {}, { {}, {} } },
      { set:nElems(), set:actions(), set:rewards(), set:observations() })
    for i = 1, 4 do set:addSample({ i, { 10 * i, -i } }, i % 3, i / 2, i == 3, i == 4) end
    assert.equal(3, set:nElems())
    assert.same({ { 2, 3, 4 }, { { 20, -2 }, { 30, -3 }, { 40, -4 } } }, set:observations())
    assert.same({ 2, 0, 1 }, set:actions())
    assert.same({ 1, 1.5, 2 }, set:rewards())
    assert.same({ false, true, false }, set:terminals())
    assert.same({ false, false, true }, set:truncateds())
    assert.is_true(set:bytes() > 0)
  end)

  it("draws batches", function()
    local set = small()
    local nothing, message = set:randomBatch(2)
    assert.is_nil(nothing)
    assert.is_string(message)
    -- two episodes: one cut short, one with an end
    for i = 1, 3 do set:addSample({ i, { 0, i } }, i % 3, i, false) end
    set:close { 4, { 0, 4 } }
    for i = 11, 13 do set:addSample({ i, { 0, i } }, i % 3, i, i == 13) end
    assert.equal(6, set:nElems())
    local drawn, slots = {}, {}
    local states, actions, r, next_states, terminals, indices = set:randomBatch(200)
    for i = 1, 200 do
      local t = r[i]
      drawn[t] = true
      -- an index names a sample
      assert.equal(slots[indices[i]] or t, t)
      slots[indices[i]] = t
      assert.equal(t % 3, actions[i])
      assert.same({ t - 1, t }, states[1][i])
      assert.same({ { 0, t } }, states[2][i])
      assert.equal(t == 13, terminals[i])
      assert.same(t == 13 and { 0, 0 } or { t, t + 1 }, next_states[1][i])
      assert.same(t == 13 and { { 0, 0 } } or { { 0, t + 1 } }, next_states[2][i])
    end
    -- the first of an episode has no full history
    assert.same({ [2] = true, [3] = true, [12] = true, [13] = true }, drawn)
    local n = 0
    for _ in pairs(slots) do n = n + 1 end
    assert.equal(4, n)
    -- the same seed draws the same
    local one, two = small(), small()
    for _, copy in ipairs { one, two } do
      for i = 1, 50 do copy:addSample({ i, { 0, i } }, 0, i, false) end
    end
    assert.same({ one:randomBatch(10) }, { two:randomBatch(10) })
  end)

  it("keeps frames of bytes, from strings, tensors and tables", function()
    local set = core.dataset { input_dimensions = { { 1, 2, 2 } }, n_actions = { { -1, 1 } },
      observation_types = { "uint8" }, capacity = 10 }
    set:addSample({ "abcd" }, { 0.5 }, 0, false)
    set:addSample({ core.Tensor("uint8", { 2, 2 }, "efgh") }, 0.25, 0, false)
    set:addSample({ { { 1, 2 }, { 3, 255 } } }, { -1 }, 0, true)
    assert.same({ { { { 97, 98 }, { 99, 100 } }, { { 101, 102 }, { 103, 104 } },
      { { 1, 2 }, { 3, 255 } } } }, set:observations())
    assert.same({ { 0.5 }, { 0.25 }, { -1 } }, set:actions())
    local states, actions = set:randomBatch(1)
    assert.equal(2, #states[1][1][1])
    assert.equal(1, #actions[1])
    raises(function() set:addSample({ "abc" }, 0, 0, false) end,
      "expected nested lists of shape %[2, 2%] or a string of 4 bytes, got the string 'abc'")
    raises(function() set:addSample({ "abcd" }, 2, 0, false) end, "action: number 0 is 2")
    raises(function() set:addSample({ "abcd" }, { 0, 0 }, 0, false) end, "a list of 1 number")
  end)

  it("refuses samples that do not fit", function()
    local set = small()
    local good = { 1, { 2, 3 } }
    raises(function() set:addSample() end, "expected a list with 2 entries, one per subject")
    raises(function() set:addSample({ 1 }, 0, 0, false) end, "got a table with 1 entry")
    raises(function() set:addSample({ 1, { 2, INF } }, 0, 0, false) end,
      "subject 1: expected a finite number, got inf at %[2%]")
    raises(function() set:addSample({ 1, "ab" }, 0, 0, false) end, "got the string 'ab'")
    raises(function() set:addSample(good, 3, 0, false) end, "expected an action of 0..2, got 3")
    raises(function() set:addSample(good, 0, "x", false) end, "number expected")
    raises(function() set:addSample(good, 0, NAN, false) end, "reward is %-?nan")
    raises(function() set:addSample(good, 0, 0) end, "boolean expected")
    raises(function() set:addSample(good, 0, 0, false, 1) end, "boolean expected")
    raises(function() set:close(good) end, "there is no episode to close")
    raises(function() set:randomBatch(0) end, "size of 1 to 2%^24 expected")
    raises(function() set:randomBatch() end, "number expected")
    assert.equal(0, set:nElems())
  end)

  it("refuses wrong options", function()
    raises(function() core.dataset() end, "table expected")
    raises(function() core.dataset {} end, "option 'input_dimensions': expected a list")
    raises(function() core.dataset { environment = 3 } end, "option 'environment'")
    raises(function() core.dataset { input_dimensions = { { 1 } } } end, "option 'n_actions'")
    local function with(options)
      return function()
        options.environment = space { { 1 } }
        core.dataset(options)
      end
    end
    with { }()
    raises(with { capacity = 0 }, "option 'capacity': expected a whole number of at least 1, got 0")
    raises(with { capacity = 1 << 39 }, "the machine has")
    raises(with { replay = "unifrom" }, "unknown replay 'unifrom'; did you mean 'uniform'")
    raises(with { only_full_history = 1 }, "option 'only_full_history': expected true or false")
    raises(function()
      core.dataset { input_dimensions = { { 1 } }, n_actions = 2, observation_types = { "int8" } }
    end, "option 'observation_types': expected 'float32', 'uint8' or 'int32', got 'int8'")
  end)
end)

describe("objects of the core", function()
  it("show their class and hide their finalizers", function()
    local env = space { { 1 } }
    local objects = { ["deer.Rng"] = core.Rng(1), ["deer.Env"] = env,
      ["deer.RandomState"] = core.RandomState(1),
      ["deer.Algo"] = core.algo("dqn", { environment = env, seed = 1 }),
      ["deer.Policy"] = core.policy "epsilon_greedy",
      ["deer.DataSet"] = core.dataset { environment = env } }
    for name, object in pairs(objects) do
      assert.same({ __name = name }, getmetatable(object))
      assert.matches("^" .. name .. ": ", tostring(object))
    end
  end)

  it("go when nobody needs them", function()
    local weak = setmetatable({}, { __mode = "k" })
    for _ = 1, 20 do
      local object = environment()
      local env = core.environment(object)
      object.handle = env -- a circle
      local algo = core.luaalgo({ chooseBestAction = print, train = print, env },
        { environment = env })
      weak[object], weak[env], weak[algo] = true, true, true
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)
end)
