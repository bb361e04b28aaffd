--- deer.DataSet:randomBatchInto: samples written straight into tensors.
local deer = require "deer"
local raises = require "raises"

-- sample i: observations i (a number, history 2) and {10 i, 11 i}, action i % 3, reward 100 i
local function filled(n_actions)
  local set = deer.DataSet{ input_dimensions = { { 2 }, { 1, 2 } }, n_actions = n_actions or 3,
    capacity = 100, seed = 1 }
  for i = 1, 20 do
    local action = n_actions and { i % 2, -1 } or i % 3
    set:addSample({ i, { 10 * i, 11 * i } }, action, 100 * i, i == 20)
  end
  return set
end

describe("a data set of several choices at once", function()
  it("gives whole numbers back", function()
    local set = deer.DataSet{ input_dimensions = { { 1 } }, n_actions = { 3, 2 }, capacity = 10 }
    set:addSample({ 0 }, { 2, 1 }, 1, true)
    assert.same({ { 2, 1 } }, set:actions())
    assert.equal("integer", math.type(set:actions()[1][1]))
    raises(function() set:addSample({ 0 }, { 2, 2 }, 1, true) end, "number 1 is 2, not one of 0..1")
    raises(function() set:addSample({ 0 }, 2, 1, true) end, "expected a list of 2 numbers, got 2")
    raises(function() deer.DataSet{ input_dimensions = { { 1 } }, n_actions = { 3, 0.5 } } end,
      "choice 2: expected a whole number from 1 to 16777216, got 0.5")
  end)
end)

describe("a data set that several environments fill", function()
  it("keeps their episodes apart", function()
    local set = deer.DataSet{ input_dimensions = { { 2 } }, n_actions = 2, capacity = 40,
      n_envs = 2, only_full_history = false, seed = 1 }
    for i = 1, 5 do
      set:addSample({ i }, 0, i, false, false, 0)
      set:addSample({ 10 * i }, 1, 10 * i, i == 5, false, 1)
    end
    set:close({ 6 }, 0)
    assert.equal(10, set:nElems())
    -- before and after, in the same environment
    local seen = {}
    for _ = 1, 100 do
      local states, _, _, next_states, terminals = set:randomBatch(2)
      for i = 1, 2 do
        local before, now = table.unpack(states[1][i])
        local unit = now >= 10 and 10 or 1
        assert.equal(now - unit, before)
        assert.same(now == 50 and { 0, 0 } or { now, now + unit }, next_states[1][i])
        assert.equal(now == 50, terminals[i])
        seen[now] = true
      end
    end
    for i = 1, 5 do assert.is_true(seen[i] and seen[10 * i]) end
    raises(function() set:addSample({ 1 }, 0, 1, false, false, 2) end,
      "there is no environment 2 %(expected 0 to 1%)")
    raises(function() set:close({ 1 }, -1) end, "there is no environment %-1")
    raises(function() deer.DataSet{ input_dimensions = { { 1 } }, n_actions = 2, capacity = 3,
      n_envs = 4 } end, "in 4 lanes")
  end)
end)

describe("whole numbers of 32 bits", function()
  -- counts steps, as this type; or, in 32 bits, larger ones than a float tells apart
  local Counter = deer.Environment:extend "Counter"
  Counter.options = { kind = { default = "int32", help = "of the observations" } }
  function Counter:init(options) self.kind, self.n = options.kind, 0 end
  function Counter:reset() self.n = 0; return { { 0, 0 } } end
  function Counter:act(action) self.n = self.n + 1 + action; return self.n % 3 end
  function Counter:observe() return { self.n } end
  function Counter.inputDimensions() return { { 2 } } end
  function Counter.nActions() return 2 end
  function Counter:observationType() return self.kind end

  it("are kept as they are", function()
    local set = deer.DataSet{ environment = Counter{}, capacity = 10 }
    set:addSample({ 16777217 }, 0, 0, false)
    set:addSample({ -2147483648 }, 0, 0, true)
    assert.same({ 16777217, -2147483648 }, set:observations()[1])
    assert.equal("integer", math.type(set:observations()[1][1]))
    assert.same({ 16777217, -2147483648 }, set:randomBatch(1)[1][1])
    raises(function() set:addSample({ 0.5 }, 0, 0, true) end, "a whole number of 32 bits, got 0.5")
    raises(function() set:addSample({ 1 << 31 }, 0, 0, true) end, "a whole number of 32 bits")
  end)

  it("are learnt from as reals are", function()
    local rewards = {}
    for i, kind in ipairs { "int32", "float32", "uint8" } do
      local env = Counter{ kind = kind }
      local agent = deer.NeuralAgent{ environment = env, seed = 1, train_every = 1,
        learning_algo = deer.QNetwork{ environment = env, seed = 1 } }
      agent:run(1, 100)
      rewards[i] = agent:dataset():rewards()
      rewards[i][101] = agent:avgBellmanResidual()
    end
    assert.same(rewards[2], rewards[1])
    assert.same(rewards[2], rewards[3])
  end)
end)

local function tensors(n)
  local function f(...) return deer.Tensor("float32", { n, ... }) end
  return { obs_tm1 = { f(2), f(1, 2) }, obs_t = { f(2), f(1, 2) }, r_t = f(), continue_t = f(),
    a_tm1 = deer.Tensor("int32", { n }) }
end

describe("randomBatchInto", function()
  it("fills tensors with samples that belong together", function()
    local batch = tensors(64)
    assert.is_true(filled():randomBatchInto(batch))
    local ends = 0
    for k = 1, 64 do
      local i = batch.r_t:get(k) // 100
      assert.same({ i - 1, i }, batch.obs_tm1[1]:get(k))
      assert.same({ { 10 * i, 11 * i } }, batch.obs_tm1[2]:get(k))
      assert.equal(i % 3, batch.a_tm1:get(k))
      assert.equal(i == 20 and 0 or 1, batch.continue_t:get(k))
      assert.same(i == 20 and { 0, 0 } or { i, i + 1 }, batch.obs_t[1]:get(k))
      ends = ends + (i == 20 and 1 or 0)
    end
    assert.is_true(ends > 0)
  end)

  it("draws as randomBatch does", function()
    local one, two, batch = filled(), filled(), tensors(10)
    local _, _, rewards = one:randomBatch(10)
    two:randomBatchInto{ r_t = batch.r_t }
    assert.same(rewards, batch.r_t:totable())
  end)

  it("writes lists of actions", function()
    local action = deer.Tensor("float32", { 5, 2 })
    local r_t = deer.Tensor("float32", { 5 })
    assert.is_true(filled{ { -1, 1 }, { -2, 2 } }:randomBatchInto{ action_tm1 = action, r_t = r_t })
    for k = 1, 5 do assert.same({ r_t:get(k) // 100 % 2, -1 }, action:get(k)) end
  end)

  it("fills the inputs of a program", function()
    local g = deer.graph.new()
    local program = g:compile{ outputs = g:input("r_t", { 8 }):sum() }
    assert.is_true(filled():randomBatchInto{ r_t = program:input "r_t" })
    local sum = program:run()
    assert.is_true(sum >= 8 * 200 and sum <= 8 * 2000)
  end)

  it("says when there is nothing to draw", function()
    local set = deer.DataSet{ input_dimensions = { { 1 } }, n_actions = 2 }
    local done, message = set:randomBatchInto{ r_t = deer.Tensor("float32", { 2 }) }
    assert.is_nil(done)
    assert.is_string(message)
  end)

  it("refuses tensors that do not fit", function()
    local set, batch = filled(), tensors(4)
    local function into(name, value) return function() set:randomBatchInto{ [name] = value } end end
    raises(into("r_t", 3), "r_t: expected a tensor, got 3")
    raises(into("r_t", deer.Tensor("int32", { 4 })), "r_t: expected float32 with 1 elements for")
    raises(into("a_tm1", deer.Tensor("float32", { 4 })), "a_tm1: expected int32")
    raises(into("obs_tm1", batch.obs_t[1]), "a list of 2 tensors, one per subject")
    raises(into("obs_tm1", { batch.obs_t[1] }), "a list of 2 tensors, one per subject")
    raises(into("obs_tm1", { batch.obs_t[1], batch.r_t }), "got a float32 tensor of shape %[4%]")
    raises(into("obs", {}), "unknown part of a batch 'obs'")
    raises(into(1, {}), "unknown part of a batch")
    raises(function() set:randomBatchInto{} end, "expected tensors such as")
    raises(function() set:randomBatchInto{ r_t = batch.r_t, continue_t = tensors(5).r_t } end,
      "continue_t: expected float32 with 1 elements for each of 4 samples")
    local continuous = filled{ { -1, 1 }, { -2, 2 } }
    raises(function() continuous:randomBatchInto{ a_tm1 = batch.a_tm1 } end, "use action_tm1")
    local g = deer.graph.new()
    local program = g:compile{ outputs = g:input("r_t", { 8 }):sum() }
    local closed = program:input "r_t"
    program:close()
    raises(into("r_t", closed), "r_t: expected")
  end)
end)
