--- The replays by name, from scripts: priorities, importance weights, returns over several steps.
local deer = require "deer"
local raises = require "raises"

-- sample i: observation i, reward i; all of them end their episodes unless `running`
local function filled(options, running)
  options.input_dimensions, options.n_actions = { { 1 } }, 2
  options.capacity, options.seed = options.capacity or 100, 1
  local set = deer.DataSet(options)
  for i = 1, 10 do set:addSample({ i }, 0, i, not running) end
  return set
end

describe("a prioritised data set", function()
  it("draws what was wrong most, and says what it weighs", function()
    local set = filled{ replay = "prioritized",
      replay_options = { alpha = 1, beta = 1, epsilon = 1e-9 } }
    local indices, errors = {}, {}
    for i = 1, 10 do indices[i], errors[i] = i - 1, i == 4 and -90 or i == 5 and 9 or 0.125 end
    set:updatePriorities(indices, errors)
    local _, _, rewards, _, _, drawn, weights = set:randomBatch(100)
    local counts = {}
    for k = 1, 100 do
      counts[drawn[k]] = (counts[drawn[k]] or 0) + 1
      assert.equal(drawn[k] + 1, rewards[k])
    end
    -- a hundred strata of width 1, at whose borders a draw may go either way
    assert.is_true(math.abs(counts[3] - 90) <= 1 and math.abs(counts[4] - 9) <= 1)
    assert.equal(100, #weights)
    local least = math.huge
    for k = 1, 100 do least = math.min(least, math.abs(errors[drawn[k] + 1])) end
    for k = 1, 100 do
      local expected = least / math.abs(errors[drawn[k] + 1])
      assert.is_true(math.abs(weights[k] - expected) < 1e-6)
    end
    local weight = deer.Tensor("float32", { 5 })
    assert.is_true(set:randomBatchInto{ weight = weight })
    assert.equal(1, math.max(table.unpack(weight:totable())))
  end)

  it("takes indices and errors in tensors, as randomBatchInto fills them", function()
    local set = deer.DataSet{ input_dimensions = { { 1 } }, n_actions = 2, capacity = 100, seed = 1,
      replay = "prioritized", replay_options = { alpha = 1, beta = 0, epsilon = 1e-9 } }
    -- what followed the third sample is no sample: indices are not positions in the lists
    for i = 1, 10 do
      set:addSample({ i }, 0, i, i > 3)
      if i == 3 then set:close{ 4 } end
    end
    local index, reward = deer.Tensor("int32", { 64 }), deer.Tensor("float32", { 64 })
    local errors = deer.Tensor("float32", { 64 })
    assert.is_true(set:randomBatchInto{ index = index, r_t = reward })
    for k = 1, 64 do errors:setRow(k, reward:get(k) == 7 and 1 or 0) end
    set:updatePriorities(index, errors)
    local _, _, rewards = set:randomBatch(100)
    for k = 1, 100 do assert.equal(7, rewards[k]) end
    raises(function() set:updatePriorities(errors, errors) end, "tensor of int32 expected")
    raises(function() set:updatePriorities(index, { 1 }) end, "#2")
    raises(function() set:randomBatchInto{ index = errors } end, "index: expected int32")
  end)

  it("is DeeR's with use_priority", function()
    assert.is_true(filled{ use_priority = true }:bytes() > filled{}:bytes())
  end)

  it("refuses what cannot be", function()
    local set = filled{ replay = "prioritized" }
    raises(function() set:updatePriorities({ 10 }, { 1 }) end, "index of a sample")
    raises(function() set:updatePriorities({ -1 }, { 1 }) end, "index of a sample")
    raises(function() set:updatePriorities({ 1, 2 }, { 1 }) end, "#2")
    raises(function() set:updatePriorities({}, {}) end, "indices expected")
    raises(function() set:updatePriorities({ 1 }, { 0 / 0 }) end, "finite")
    raises(function() filled{ replay = "prioritised" } end, "expected one of uniform, prioritized")
    raises(function() filled{ replay = "prioritized", replay_options = { alfa = 1 } } end,
      "did you mean 'alpha'")
    raises(function() filled{ replay_options = { alpha = 1 } } end, "alpha")
  end)
end)

describe("batches of several steps", function()
  it("sum rewards", function()
    local set = filled({}, true)
    local r_t, continue_t = deer.Tensor("float32", { 50 }), deer.Tensor("float32", { 50 })
    local from, to = deer.Tensor("float32", { 50, 1 }), deer.Tensor("float32", { 50, 1 })
    assert.is_true(set:randomBatchInto{ obs_tm1 = from, obs_t = to, r_t = r_t,
      continue_t = continue_t, n_step = 3, discount = 0.5 })
    for k = 1, 50 do
      local i, steps, sum = math.tointeger(from:get(k)[1]), 0, 0
      repeat
        sum = sum + 0.5 ^ steps * (i + steps)
        steps = steps + 1
      until steps == 3 or i + steps == 10
      assert.same({ i + steps }, to:get(k))
      assert.equal(sum, r_t:get(k))
      assert.equal(0.5 ^ (steps - 1), continue_t:get(k))
    end
    raises(function() set:randomBatchInto{ r_t = r_t, n_step = 3 } end, "with discount")
    raises(function() set:randomBatchInto{ r_t = r_t, n_step = 0, discount = 1 } end, "at least 1")
    -- the same as lists
    local states, _, rewards, next_states = set:randomBatch(50, { n_step = 2, discount = 0.5 })
    for k = 1, 50 do
      local i = states[1][k][1]
      assert.same({ math.min(i + 2, 10) }, next_states[1][k])
      assert.equal(i < 9 and i + 0.5 * (i + 1) or i, rewards[k])
    end
    raises(function() set:randomBatch(5, { n_step = 3 }) end, "with discount")
    raises(function() set:randomBatch(5, { nstep = 3 }) end, "did you mean 'n_step'")
  end)
end)

describe("sequences", function()
  -- two episodes of 6 and 4 samples, the second one cut short; observation and reward i
  local function episodes()
    local set = deer.DataSet{ input_dimensions = { { 2 }, { 1, 2 } }, n_actions = 3, capacity = 100,
      observation_types = { "float32", "int32" }, seed = 1 }
    for i = 1, 10 do set:addSample({ i, { -i, 70000 * i } }, i % 3, i, i == 6) end
    set:close{ 11, { -11, 0 } }
    return set
  end

  it("come as nested lists", function()
    local set, starts = episodes(), {}
    local states, actions, rewards, next_states, terminals, indices, weights =
      set:randomBatch(200, { sequence = 3 })
    assert.same({ 200, 200, 200 }, { #rewards, #indices, #weights })
    for k = 1, 200 do
      local first = rewards[k][1]
      starts[first] = true
      for t = 1, 3 do
        local i = first + t - 1
        assert.equal(i, rewards[k][t])
        assert.same({ i - 1, i }, states[1][k][t])
        assert.same({ { -i, 70000 * i } }, states[2][k][t])
        assert.equal(i % 3, actions[k][t])
        assert.equal(i == 6, terminals[k][t])
        assert.same(i == 6 and { 0, 0 } or { i, i + 1 }, next_states[1][k][t])
        assert.equal(1, weights[k][t])
        assert.equal(indices[k][1] + t - 1, indices[k][t])
      end
    end
    -- not the first of an episode, which has no full history
    assert.same({ [2] = true, [3] = true, [4] = true, [8] = true }, starts)
  end)

  it("come into tensors", function()
    local set = episodes()
    local r_t, frames = deer.Tensor("float32", { 4, 3 }), deer.Tensor("int32", { 4, 3, 1, 2 })
    local index = deer.Tensor("int32", { 4, 3 })
    assert.is_true(set:randomBatchInto{ r_t = r_t, index = index, sequence = 3,
      obs_tm1 = { deer.Tensor("float32", { 4, 3, 2 }), frames } })
    for k = 1, 4 do
      for t = 1, 3 do
        assert.equal(r_t:get(k, 1) + t - 1, r_t:get(k, t))
        assert.same({ { -r_t:get(k, t), 70000 * r_t:get(k, t) } }, frames:get(k, t))
        assert.equal(index:get(k, 1) + t - 1, index:get(k, t))
      end
    end
    raises(function() set:randomBatchInto{ r_t = deer.Tensor("float32", { 4 }), sequence = 3 } end,
      "3 elements for each of 4 sequences")
  end)

  it("are refused when there is none, or nothing could be one", function()
    local set = episodes()
    local nothing, message = set:randomBatch(2, { sequence = 6 })
    assert.is_nil(nothing)
    assert.matches("no sequence of 6 samples", message)
    raises(function() set:randomBatch(2, { sequence = 0 }) end, "whole number of at least 1, got 0")
    raises(function() set:randomBatch(1 << 23, { sequence = 3 }) end, "size of 1 to")
  end)
end)

describe("an agent's prioritised replay", function()
  local env = deer.env "cartpole" { seed = 1 }

  it("gives weights to an algorithm in Lua and takes its errors", function()
    local Mine, seen = deer.Algo:extend "Mine", {}
    function Mine.chooseBestAction() return 0, 0 end
    function Mine:train(_, _, _, _, _, weights)
      local errors = {}
      for k = 1, #weights do errors[k] = k end
      seen[#seen + 1] = weights
      return 0, self.mistaken and { 1 } or errors
    end
    local mine = Mine{ environment = env, batch_size = 8 }
    local agent = deer.NeuralAgent{ environment = env, learning_algo = mine, seed = 1,
      replay_memory_size = 200, train_every = 1, replay = "prioritized" }
    agent:run(1, 100)
    local least = 1
    for _, weights in ipairs(seen) do
      assert.equal(8, #weights)
      assert.equal(1, math.max(table.unpack(weights)))
      least = math.min(least, table.unpack(weights))
    end
    assert.is_true(least < 0.7)
    mine.mistaken = true
    assert.has_error(function() agent:run(1, 10) end)
  end)

  it("is drawn into the tensors of an algorithm in Lua, which is given no tables", function()
    local Mine, seen = deer.Algo:extend "Mine", {}
    local tensors = { obs_tm1 = deer.Tensor("float32", { 8, 1, 4 }),
      obs_t = deer.Tensor("float32", { 8, 1, 4 }), a_tm1 = deer.Tensor("int32", { 8 }),
      weight = deer.Tensor("float32", { 8 }), r_t = deer.Tensor("float32", { 8 }) }
    function Mine.chooseBestAction() return 0, 0 end
    function Mine:batch() return self.given end
    function Mine.train(_, ...)
      assert.equal(0, select("#", ...))
      seen[#seen + 1] = { obs_tm1 = tensors.obs_tm1:totable(), r_t = tensors.r_t:totable(),
        obs_t = tensors.obs_t:totable(), a_tm1 = tensors.a_tm1:totable(),
        weight = tensors.weight:totable() }
      return 0, { 1, 2, 3, 4, 5, 6, 7, 8 }
    end
    local mine = Mine{ environment = env, batch_size = 8 }
    mine.given = tensors
    local agent = deer.NeuralAgent{ environment = env, learning_algo = mine, seed = 1,
      replay_memory_size = 200, train_every = 1, replay = "prioritized" }
    agent:run(1, 100)
    assert.is_true(#seen > 90)
    local set, least = agent:dataset(), 1
    local observations, actions = set:observations()[1], set:actions()
    for _, batch in ipairs(seen) do
      least = math.min(least, table.unpack(batch.weight))
      for k = 1, 8 do -- a sample of the memory, whose speed says which
        local at
        for i, x in ipairs(observations) do
          if x[1] == batch.obs_tm1[k][1][1] and x[2] == batch.obs_tm1[k][1][2] then at = i end
        end
        assert.same({ actions[at], 1 }, { batch.a_tm1[k], batch.r_t[k] })
        local after = observations[at + 1]
        assert.is_true(after == nil or set:terminals()[at] or set:truncateds()[at]
          or after[1] == batch.obs_t[k][1][1])
      end
    end
    assert.is_true(least < 0.7) -- the errors have become priorities
    local function refused(given, why)
      mine.given = given
      local ok, message = pcall(agent.run, agent, 1, 10)
      assert(not ok and tostring(message):find(why), message)
    end
    refused(nil, "batch: expected a table of tensors, got nil")
    refused({ r_t = deer.Tensor("float32", { 7 }) }, "expected tensors for 8 samples, the batch_si")
    refused({ r_t = 1 }, "batch: r_t: expected a tensor, got 1")
    refused({ rt = tensors.r_t }, "'rt'; did you mean 'r_t'")
    mine.given = tensors
    agent:run(1, 10)
  end)

  it("is chosen in one way", function()
    local algo = deer.QNetwork{ environment = env, seed = 1 }
    local function make(options)
      options.environment, options.learning_algo = env, algo
      return deer.NeuralAgent(options)
    end
    make{ exp_priority = 1 }:run(1, 50)
    raises(function() make{ exp_priority = 1, replay = "prioritized" } end, "not both")
    raises(function() make{ exp_priority = -1 } end, "expected a number from 0 to 2")
    raises(function() make{ replay = "prioritized", replay_options = { beta = 2 } } end,
      "option 'beta': expected a number from 0 to 1")
  end)
end)
