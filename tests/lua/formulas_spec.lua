--- deer.rl: formulas over nodes.
local deer = require "deer"
local raises = require "raises"

local rl = deer.rl

-- numbers that come out of a formula for constants, in one list
local function values(...)
  local list = {}
  local function add(value)
    if type(value) == "table" then
      for _, item in ipairs(value) do add(item) end
    else
      list[#list + 1] = value
    end
  end
  local nodes = { ... }
  local program = nodes[1]:graph():compile{ outputs = nodes }
  program:run()
  for i in ipairs(nodes) do add(program:output(i):totable()) end
  return list
end

local function near(expected, got)
  assert.equal(#expected, #got)
  for i, x in ipairs(expected) do
    assert(math.abs(x - got[i]) < 1e-5, ("%d: expected %s, got %s"):format(i, x, got[i]))
  end
end

local function sigmoid(x) return 1 / (1 + math.exp(-x)) end

describe("deer.rl", function()
  it("has the error of Q-learning, also of the double kind", function()
    local g = deer.graph.new()
    local nodes = { q_tm1 = g:constant{ { 1, 2 }, { 3, 4 } },
      q_t = g:constant{ { 5, 6 }, { 8, 7 } }, a_tm1 = g:input("a", { 2 }, "int32"),
      r_t = g:constant{ 0.5, -1 },
      discount_t = g:constant{ 0.5, 0 } }
    local plain = rl.qLearning(nodes)
    nodes.selector_t = g:constant{ { 1, 0 }, { 0, 1 } }
    local program = g:compile{ outputs = { plain, rl.qLearning(nodes) } }
    local one, two = program:run{ a = { 1, 0 } }
    assert.same({ 0.5 + 0.5 * 6 - 2, -1 - 3 }, one:totable())
    assert.same({ 0.5 + 0.5 * 5 - 2, -1 - 3 }, two:totable())
  end)

  it("has what actor-critics learn from", function()
    local g = deer.graph.new()
    local one, two = g:constant{ 1, -2 }, g:constant{ 0.5, 3 }
    near({ 1.25, 1 }, values(rl.tdTarget{ r_t = one, discount_t = two,
      v_t = g:constant{ 0.5, 1 } }))
    near({ 0.5, -2 }, values(rl.clippedDoubleQ{ q_1 = one, q_2 = two }))
    near({ 0.75, -0.75, 1 }, values(rl.smoothedAction{ action = g:constant{ { 0.5, -0.5, 0.9 } },
      noise = g:constant{ { 1, -1, 0.2 } }, limit = 0.25 }))
    near({ 0.9, -2.6 }, values(rl.softValue{ q = one, log_prob = two, alpha = g:constant(0.2) }))
    near({ -2 * (1.75 - 1) }, values(rl.temperatureLoss{ log_alpha = g:constant(math.log(2)),
      log_prob = two, target_entropy = -1 }))
  end)

  it("has what policy gradients descend", function()
    local g = deer.graph.new()
    local now, old = g:constant{ math.log(0.5), math.log(0.9) }, g:constant{ math.log(0.25), 0 }
    local advantage = g:constant{ 2, -1 }
    near({ -2 * math.log(0.5), math.log(0.9) }, values(rl.policyGradient{ log_prob = now,
      advantage = advantage }))
    near({ -2.4, 0.9 }, values(rl.ppoSurrogate{ log_prob = now, log_prob_old = old,
      advantage = advantage }))
    near({ 0.5 * 1.8 ^ 2, 0.02 }, values(rl.clippedValueLoss{ v = g:constant{ 1, 0.2 },
      v_old = g:constant{ 0, 0.1 }, target = g:constant{ 2, 0 } }))
    near({ -0.5, 0.5 }, values(rl.entropyBonus{ loss = g:constant{ 0, 1 },
      entropy = g:constant{ 1, 1 }, weight = 0.5 }))
    near({ 1 - math.log(2), -0.1 - math.log(0.9) }, values(rl.approximateKl{ log_prob = now,
      log_prob_old = old }))
  end)

  it("has normal numbers that are clipped", function()
    local g = deer.graph.new()
    local mean, log_std = g:constant{ { 0 } }, g:constant{ { 0 } }
    near({ 0.3, 1 }, values(rl.clippedGaussianSample{ mean = mean, log_std = log_std,
      noise = g:constant{ { 0.3 } } }, rl.clippedGaussianSample{ mean = mean, log_std = log_std,
      noise = g:constant{ { 3 } } }))
    -- below -1 lie 15.87 %
    near({ math.log(0.1586552539), -0.5 * math.log(2 * math.pi) },
      values(rl.clippedGaussianLogProb{ mean = mean, log_std = log_std,
        action = g:constant{ { -1 } } }, rl.clippedGaussianLogProb{ mean = mean,
        log_std = log_std, action = g:constant{ { 0 } } }))
  end)

  it("has the losses of distributional learning", function()
    local g = deer.graph.new()
    -- midpoints 0.25 and 0.75; errors of the target 1: 1 and -1
    near({ 0.25 * 0.5 + 0.25 * 0.5 }, values(rl.quantileHuber{ targets = g:constant{ { 1 } },
      quantiles = g:constant{ { 0, 2 } } }))
    near({ 0.5 * 0.375 + 0.5 * 0.375 }, values(rl.quantileHuber{ targets = g:constant{ { 1 } },
      quantiles = g:constant{ { 0, 2 } }, taus = g:constant{ { 0.5, 0.5 } }, threshold = 0.5 }
      / 2))
    near({ 0, 0.75, 0.25 }, values(rl.categoricalProjection{ r_t = g:constant{ 0.25 },
      discount_t = g:constant{ 0.5 }, p_t = g:constant{ { 0, 1, 0 } }, low = -1, high = 1,
      atoms = 3 }))
  end)

  it("has distributions over discrete actions", function()
    local g = deer.graph.new()
    local logits, other = g:constant{ { 0, math.log(3) } }, g:constant{ { 0, 0 } }
    local a = g:constant{ { 0, 0 } }:argmax()
    near({ math.log(0.25) }, values(rl.categoricalLogProb{ logits = logits, action = a }))
    local entropy = -0.25 * math.log(0.25) - 0.75 * math.log(0.75)
    near({ entropy }, values(rl.categoricalEntropy{ logits = logits }))
    near({ math.log(2) - entropy },
      values(rl.categoricalKl{ logits_p = logits, logits_q = other }))
    near({ 1 }, values(rl.categoricalMode{ logits = logits }))
    near({ 0 }, values(rl.categoricalSample{ logits = logits, noise = g:constant{ { 9, 0 } } }))
    local both = g:concat{ logits, other }
    near({ entropy + math.log(2) }, values(rl.multiCategoricalEntropy{ logits = both,
      sizes = { 2, 2 } }))
    near({ 1, 0 }, values(rl.multiCategoricalMode{ logits = both, sizes = { 2, 2 } }))
    local coin = g:constant{ { 0.5, -1 } }
    near({ math.log(sigmoid(0.5)) + math.log(1 - sigmoid(-1)) },
      values(rl.bernoulliLogProb{ logits = coin, action = g:constant{ { 1, 0 } } }))
    near({ 1, 0 }, values(rl.bernoulliMode{ logits = coin }))
    local soft = rl.gumbelSoftmaxSample{ logits = logits, noise = other }
    near({ 0.25, 0.75 }, values(soft))
    near({ 0, 1 }, values(rl.gumbelSoftmaxSample{ logits = logits, noise = other, hard = true }))
  end)

  it("has distributions over continuous actions", function()
    local g = deer.graph.new()
    local mean, log_std = g:constant{ { 1 } }, g:constant{ { math.log(2) } }
    near({ 4 }, values(rl.gaussianSample{ mean = mean, log_std = log_std,
      noise = g:constant{ { 1.5 } } }))
    local density = -0.5 * 1.5 ^ 2 - math.log(2) - 0.5 * math.log(2 * math.pi)
    near({ density }, values(rl.gaussianLogProb{ mean = mean, log_std = log_std,
      action = g:constant{ { 4 } } }))
    local x = (math.exp(1) - 1) / (math.exp(1) + 1)
    local action, log_prob = rl.squashedGaussianSample{ mean = mean, log_std = log_std,
      noise = g:constant{ { -0.25 } } }
    near({ x, -0.5 * 0.25 ^ 2 - math.log(2) - 0.5 * math.log(2 * math.pi) - math.log(1 - x * x) },
      values(action, log_prob))
    near({ 0, -math.log(2) }, values(
      rl.betaLogProb{ alpha = g:constant{ { 1 } }, beta = g:constant{ { 1 } },
        action = g:constant{ { 0.3 } } },
      rl.gaussianKl{ mean_p = mean, log_std_p = log_std, mean_q = mean, log_std_q = log_std }
        - math.log(2)))
    local drawn = values(rl.betaSample{ alpha = g:constant{ { 2, 2 } },
      beta = g:constant{ { 2, 2 } }, rng = deer.Rng(1) })
    assert.is_true(drawn[1] > 0 and drawn[1] < 1 and drawn[1] ~= drawn[2])
  end)

  it("names what is missing, unknown or wrong", function()
    local g = deer.graph.new()
    local q, r = g:input("q", { 2, 2 }), g:input("r", { 2 })
    raises(function() rl.qLearning{ q_tm1 = q } end, "qLearning: a_tm1: expected a node, got nil")
    raises(function() rl.qLearning{} end, "qLearning: q_tm1: expected a node, got nil")
    raises(function() rl.qLearning{ q_tm = q } end, "argument of qLearning 'q_tm'; did you")
    raises(function() rl.qLearning{ q } end, "its arguments have names: q_tm1 a_tm1")
    raises(function() rl.qLearning(q) end, "table expected")
    raises(function()
      rl.qLearning{ q_tm1 = q, a_tm1 = r, r_t = r, discount_t = r, q_t = q }
    end, "take%(.*made at: q %[2, 2%]")
    raises(function()
      rl.qLearning{ q_tm1 = q, a_tm1 = deer.graph.new():constant(1) }
    end, "a_tm1 is a node of another graph than q_tm1")
    raises(function() rl.quantileHuber{ quantiles = q, targets = q, threshold = "a" } end,
      "threshold: expected a number, got the string 'a'")
    raises(function() rl.categoricalProjection{ r_t = r, discount_t = r, p_t = q } end,
      "low: expected a number, got nil")
    raises(function() rl.multiCategoricalMode{ logits = q, sizes = { 1.5 } } end,
      "sizes: expected a list of whole numbers")
    raises(function() rl.multiCategoricalMode{ logits = q, sizes = {} } end, "a list of 1 to 64")
    raises(function() rl.betaSample{ alpha = q, beta = q, rng = 3 } end, "expected a deer.Rng")
    raises(function() rl.gumbelSoftmaxSample{ logits = q, noise = q, hard = 1 } end,
      "hard: expected true or false, got 1")
  end)

  it("has everything that src/rl has", function()
    local n = 0
    for _, header in ipairs { "rl", "distribution" } do
      local text = assert(io.open("src/rl/" .. header .. ".h")):read "a"
      for name in text:gmatch "\ndeer_[nods]%l+ deer_([%w_]+)%(" do
        local bound = name:gsub("_(%l)", string.upper)
        assert(rl[bound] or name == "support_values", name .. " is not bound")
        n = n + 1
      end
    end
    assert.is_true(n >= 30)
  end)

  it("is documented where editors look", function()
    local text = assert(io.open "lua/deer/graph/formulas.lua"):read "a"
    for name in deer.spairs(rl) do
      assert(text:find("---@field " .. name .. " ", 1, true), name .. " is not documented")
    end
    for name in text:gmatch "%-%-%-@field (%w+)" do assert(rl[name], "there is no " .. name) end
  end)
end)
