-- QNetwork:train, an update on a batch of the script's own, as DeeR's networks have it.
local deer = require "deer"
local raises = require "raises"

-- two subjects: a number with a history of two, and a vector
local Pair = deer.Environment:extend "Pair"
function Pair.reset() return { { 0, 0 }, { 0, 0, 0 } } end
function Pair.act() return 0 end
function Pair.observe() return { 0, { 0, 0, 0 } } end
function Pair.inputDimensions() return { { 2 }, { 1, 3 } } end
function Pair.nActions() return 2 end

local STATES = { { { 1, 2 }, { -1, 0.5 } }, { { { 1, 0, 0 } }, { { 0, 2, 0 } } } }
local NEXT = { { { 2, 0 }, { 0.5, 1 } }, { { { 0, 1, 0 } }, { { 0, 0, 3 } } } }
local ACTIONS, REWARDS, TERMINALS = { 1, 0 }, { 0.5, -1 }, { false, true }

local function make(options)
  options = options or {}
  options.environment, options.batch_size, options.seed = Pair{}, 2, 1
  options.batch_accumulator, options.discount = options.batch_accumulator or "sum", 0.5
  return deer.QNetwork(options)
end

-- state number i of a batch
local function state(states, i) return { states[1][i], states[2][i][1] } end

describe("a network trained by the script", function()
  it("takes a step on the errors of the samples", function()
    local q = make()
    local now, after = q:qValues(state(STATES, 1)), q:qValues(state(NEXT, 1))
    local errors = { 0.5 + 0.5 * math.max(after[1], after[2]) - now[2],
      -1 - q:qValues(state(STATES, 2))[1] }
    local loss, losses = q:train(STATES, ACTIONS, REWARDS, NEXT, TERMINALS)
    for i, e in ipairs(errors) do assert.is_true(math.abs(losses[i] - e * e / 2) < 1e-6) end
    assert.is_true(math.abs(loss - math.sqrt(losses[1] + losses[2])) < 1e-6)
    assert.equal(1, q:updates())
    for _ = 1, 300 do loss = q:train(STATES, ACTIONS, REWARDS, NEXT, TERMINALS) end
    assert.is_true(loss < 0.05)
    assert.is_true(math.abs(q:qValues(state(STATES, 2))[1] + 1) < 0.05)
  end)

  it("counts a sample as much as it weighs", function()
    local weighed, other = make(), make()
    weighed:train(STATES, ACTIONS, REWARDS, NEXT, TERMINALS, { 1, 0 })
    local rewards, terminals = { 0.5, other:qValues(state(STATES, 2))[1] }, { false, true }
    other:train(STATES, ACTIONS, rewards, NEXT, terminals)
    -- no weight and no error are the same
    local a, b = weighed:qValues(state(STATES, 1)), other:qValues(state(STATES, 1))
    for i in ipairs(a) do assert.is_true(math.abs(a[i] - b[i]) < 1e-5) end
  end)

  it("takes what a data set gives", function()
    local q, set = make(), deer.DataSet{ environment = Pair{}, seed = 1 }
    for i = 1, 20 do set:addSample({ i / 20, { i / 10, 0, 1 } }, i % 2, 1, i % 5 == 0) end
    local states, actions, rewards, next_states, terminals, _, weights = set:randomBatch(2)
    assert.is_true(q:train(states, actions, rewards, next_states, terminals, weights) > 0)
  end)

  it("says what is wrong with the batch, and does nothing", function()
    local q = make()
    local before = q:qValues(state(STATES, 1))
    raises(function() q:train() end, "bad argument #1.*table expected")
    raises(function() q:train({ STATES[1] }, ACTIONS, REWARDS, NEXT, TERMINALS) end,
      "bad argument #1.*subject 1")
    raises(function() q:train({ { { 1, 2 } }, STATES[2] }, ACTIONS, REWARDS, NEXT, TERMINALS) end,
      "subject 0.*2")
    raises(function() q:train(STATES, { 1 }, REWARDS, NEXT, TERMINALS) end,
      "#2.*expected 2 entries, the batch_size, got 1")
    raises(function() q:train(STATES, { 1, 2 }, REWARDS, NEXT, TERMINALS) end, "#2.*sample 2")
    raises(function() q:train(STATES, ACTIONS, { 1, "x" }, NEXT, TERMINALS) end, "#3")
    raises(function() q:train(STATES, ACTIONS, REWARDS, NEXT, { 1, 0 }) end,
      "#5.*sample 1: expected true or false, got number")
    raises(function() q:train(STATES, ACTIONS, REWARDS, NEXT, TERMINALS, { 1 }) end, "#6")
    assert.same(before, q:qValues(state(STATES, 1)))
    assert.equal(0, q:updates())
    raises(function() q:train(STATES, ACTIONS, { 1, 1e38 }, NEXT, TERMINALS) end, "loss became")
  end)
end)
