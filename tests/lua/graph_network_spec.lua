--- deer.network and deer.opt: what is learnt, and how.
local deer = require "deer"
local raises = require "raises"

local RELU = { "dense", units = 8, activation = "relu" }

local function layered(seed)
  return deer.network{ inputs = { 3 }, outputs = 2, seed = seed or 1, RELU }
end

-- the same network as a function over nodes
local function written(seed)
  return deer.network{ inputs = { 3 }, seed = seed or 1, build = function(p, x)
    local h = x:affine(p("w1", { 3, 8 }), p("b1", { 8 })):relu()
    return h:affine(p("w2", { 8, 2 }), p("b2", { 2 }))
  end }
end

local X = { { 1, 2, 3 }, { -1, 0.5, 0 }, { 0, 0, 1 } }

-- what a network says about X
local function answer(net, x)
  x = x or X
  local g = deer.graph.new()
  local node = g:input("x", { #x, #x[1] })
  return g:compile{ outputs = net:apply(node) }:run{ x = x }:totable()
end

-- the answer of layered() and written(), worked out from the flat tensor
local function by_hand(net)
  local t, out = net:tensor(), {}
  local function w(i) return t:get(i) end
  for n, x in ipairs(X) do
    local h = {}
    for j = 1, 8 do
      local sum = w(24 + j)
      for i = 1, 3 do sum = sum + x[i] * w((i - 1) * 8 + j) end
      h[j] = math.max(0, sum)
    end
    out[n] = {}
    for k = 1, 2 do
      local sum = w(48 + k)
      for j = 1, 8 do sum = sum + h[j] * w(32 + (j - 1) * 2 + k) end
      out[n][k] = sum
    end
  end
  return out
end

for kind, make in deer.spairs { layers = layered, ["a function"] = written } do
  describe("a network of " .. kind, function()
    it("computes what its parameters say", function()
      local net = make()
      net:tensor():set(net:tensor():clone():mix(deer.Tensor("float32", { 50 }):fill(1), 0.25))
      local expected, got = by_hand(net), answer(net)
      for n, row in ipairs(expected) do
        for k, value in ipairs(row) do assert.is_true(math.abs(value - got[n][k]) < 1e-5) end
      end
    end)

    it("begins with values that the seed decides", function()
      assert.same(make(1):tensor():bytes(), make(1):tensor():bytes())
      assert.not_same(make(1):tensor():bytes(), make(2):tensor():bytes())
      assert.same(make(2):tensor():bytes(), make(1):reset(2):tensor():bytes())
      local values, bound = make(1):tensor():totable(), math.sqrt(6 / (3 + 8))
      local largest = 0
      for i = 1, 24 do largest = math.max(largest, math.abs(values[i])) end
      assert.is_true(largest <= bound and largest > bound / 2)
      for i = 25, 32 do assert.equal(0, values[i]) end
    end)

    it("lays its parameters out one after the other", function()
      local net = make()
      assert.equal(50, net:size())
      local offset = 0
      for _, slot in ipairs(net:slots()) do
        assert.equal(offset, slot.offset)
        offset = offset + slot.shape[1] * (slot.shape[2] or 1)
      end
      assert.equal(50, offset)
    end)

    it("is copied, moved and cloned", function()
      local one, two = make(1), make(2)
      local middle = {}
      for i = 1, 50 do middle[i] = (one:tensor():get(i) + two:tensor():get(i)) / 2 end
      local clone = two:clone()
      assert.same(answer(two), answer(clone))
      two:softUpdate(one, 0.5)
      for _, share in ipairs { 0, -1, 2, 0 / 0, "half" } do
        raises(function() two:softUpdate(one, share) end, "expected a share above 0, at most 1")
      end
      for i = 1, 50 do assert.is_true(math.abs(middle[i] - two:tensor():get(i)) < 1e-6) end
      assert.same(make(2):tensor():bytes(), clone:tensor():bytes())
      two:copy(one)
      assert.same(answer(one), answer(two))
      raises(function() two:copy(3) end, "network:copy: expected a network of as many parameters")
      raises(function() two:copy(deer.network{ inputs = { 1 }, outputs = 1 }) end, "one of 2")
    end)

    it("follows another one in a graph", function()
      local fast, slow, g = make(1), make(2), deer.graph.new()
      local before, goal = slow:tensor():clone(), fast:tensor()
      g:compile{ updates = { slow:follow(g, fast, 0.25) } }:run()
      for i = 1, 50 do
        local expected = 0.75 * before:get(i) + 0.25 * goal:get(i)
        assert.is_true(math.abs(expected - slow:tensor():get(i)) < 1e-6)
      end
      raises(function() slow:follow(g, fast, 2) end, "expected a share above 0, at most 1")
    end)

    it("is saved and loaded", function()
      local net, path = make(1), os.tmpname()
      local before = answer(net)
      assert.is_true(net:save(path))
      net:reset(9)
      assert.not_same(before, answer(net))
      assert.is_true(net:load(path))
      assert.same(before, answer(net))
      local other = deer.network{ inputs = { 2 }, outputs = 2, RELU }
      local kept = answer(other, { { 1, 2 } })
      local done, message = other:load(path)
      assert.is_nil(done)
      assert.matches("expected", message)
      assert.same(kept, answer(other, { { 1, 2 } }))
      os.remove(path)
      done, message = net:load(path)
      assert.is_nil(done)
      assert.matches("cannot read", message)
    end)

    it("gives its parameters away and takes them back", function()
      local one, two = make(1), make(2)
      local list = one:parameters()
      two:setParameters(list)
      assert.same(one:tensor():bytes(), two:tensor():bytes())
      list[2].data = "abc"
      local before = two:reset(3):tensor():bytes()
      raises(function() two:setParameters(list) end, "expected float32 numbers of shape {8}")
      table.remove(list)
      raises(function() two:setParameters(list) end, "expected 4 parameters")
      raises(function() two:setParameters(nil) end, "got nothing")
      assert.equal(before, two:tensor():bytes())
    end)
  end)
end

describe("deer.network", function()
  it("takes several inputs, in branches", function()
    local net = deer.network{ inputs = { { 4 }, { 1, 6, 6, dtype = "uint8" } }, outputs = 3,
      branches = { { RELU }, { { "scale", factor = 1 / 255 },
        { "conv", filters = 2, rows = 3, columns = 3 } } }, trunk = { RELU } }
    local g = deer.graph.new()
    local a, b = g:input("a", { 5, 4 }), g:input("b", { 5, 1, 6, 6 }, "uint8")
    assert.same({ 5, 3 }, net:apply(g, a, b):shape())
    raises(function() net:apply(a) end, "the network has 2 inputs, got 1 node")
    raises(function() net:apply(b, a) end, "input 1: expected a batch of float32 of shape %[4%]")
    raises(function() net:apply(a, 3) end, "expected nodes, got 3")
    raises(function() net:apply() end, "expected nodes, got nothing")
  end)

  it("takes what an environment observes", function()
    local env = deer.env "toy_env" {}
    local net = deer.network{ inputs = env, outputs = 2, "deer" }
    local g = deer.graph.new()
    assert.same({ 7, 2 }, net:apply(g:input("a", { 7, 6 }), g:input("b", { 7, 1 })):shape())
    local own = deer.network{ inputs = env, build = function(p, a, b)
      return a:graph():concat{ a, b }:matmul(p("w", { 7, 2 }))
    end }
    assert.same({ 7, 2 }, own:apply(g:input("c", { 7, 6 }), g:input("d", { 7, 1 })):shape())
  end)

  it("has several heads", function()
    local net = deer.network{ inputs = { 3 }, trunk = { RELU }, heads = { policy = { RELU } },
      outputs = { { "policy", 4 }, { "value", 1, atoms = 5 } } }
    local g = deer.graph.new()
    local policy, value = net:apply(g:input("x", { 6, 3 }))
    assert.same({ 6, 4 }, policy:shape())
    assert.same({ 6, 1, 5 }, value:shape())
    assert.equal("policy.dense1.weight", net:slots()[3].name)
  end)

  it("may be described in JSON, or by a name", function()
    local net = deer.network{ inputs = { 3 }, outputs = 2, seed = 1,
      '[{"type": "dense", "units": 8, "activation": "relu"}]' }
    assert.equal(layered(1):tensor():bytes(), net:tensor():bytes())
    assert.equal(50 * 8 + 50 + 50 * 20 + 20 + 20 * 2 + 2,
      deer.network{ inputs = { 8 }, outputs = 2, "deer" }:size())
  end)

  it("draws noise when it is told to", function()
    local net = deer.network{ inputs = { 3 }, outputs = 2,
      { "noisy", units = 4, activation = "tanh" } }
    local g = deer.graph.new()
    local x = g:input("x", { 1, 3 })
    local still, noisy = net:apply(x), net:applyWith({ noise = true }, x)
    local program = g:compile{ outputs = { still, noisy } }
    local a, b = program:run{ x = { { 1, 2, 3 } } }
    local first, second = a:bytes(), b:bytes()
    assert.not_equal(first, second)
    program:run()
    assert.equal(first, a:bytes())
    assert.not_equal(second, b:bytes())
    -- the stream that is drawn from lives as long as the program
    net = nil -- luacheck: ignore
    collectgarbage()
    program:run()
  end)

  it("reads histories", function()
    local net = deer.network{ inputs = { { 3, history = 4 } }, outputs = 2, { "gru", units = 5 } }
    local g = deer.graph.new()
    assert.same({ 6, 2 }, net:apply(g:input("x", { 6, 4, 3 })):shape())
    raises(function() net:apply(g:input("y", { 6, 3 })) end, "a batch of float32 of shape %[4, 3%]")
    assert.same({ 7, 4, 3 }, net:makeInputs(g, 7)[1]:shape())
    deer.test.network(net)
  end)

  it("carries over what recurrent layers remember", function()
    local net = deer.network{ inputs = { 3 }, outputs = 2, { "gru", units = 5 } }
    assert.same({ 5 }, net:memory())
    local g = deer.graph.new()
    local x, h = g:input("x", { 1, 3 }), g:input("h", { 1, 5 })
    local out, next_h = net:applyWith({ memory = { h } }, x)
    local fresh, first_h = net:applyWith({ memory = true }, x)
    assert.same({ 1, 5 }, next_h[1]:shape())
    local program = g:compile{ outputs = { out, next_h[1], fresh, first_h[1] } }
    local zeros = deer.Tensor("float32", { 1, 5 })
    local o, n, f, m = program:run{ x = { { 1, 2, 3 } }, h = zeros }
    assert.equal(f:bytes(), o:bytes())
    assert.equal(m:bytes(), n:bytes())
    local before = o:bytes()
    program:run{ h = n:clone() }
    assert.not_equal(before, o:bytes())
    raises(function() net:applyWith({ memory = {} }, x) end, "carries 1 nodes over, got 0")
    raises(function() net:applyWith({ memory = 3 }, x) end, "a list of nodes or true, got 3")
    raises(function() net:applyWith({ nois = true }, x) end, "unknown option 'nois'")
    raises(function() written():applyWith({}, x) end, "has apply alone")
  end)

  it("draws initial values of every kind", function()
    local function values(init, gain)
      local net = deer.network{ inputs = { 4 }, seed = 2, build = function(p, x)
        return x:matmul(p("w", { 4, 3 }, init, gain))
      end }
      return net:tensor():totable()
    end
    for _, x in ipairs(values("constant", 0.5)) do assert.equal(0.5, x) end
    for _, x in ipairs(values "zeros") do assert.equal(0, x) end
    for _, x in ipairs(values("uniform", 2)) do assert.is_true(math.abs(x) <= 2 and x ~= 0) end
    -- three orthonormal columns of length 2
    local w = values("orthogonal", 2)
    for i = 1, 3 do
      for k = 1, 3 do
        local dot = 0
        for row = 0, 3 do dot = dot + w[3 * row + i] * w[3 * row + k] end
        assert.is_true(math.abs(dot - (i == k and 4 or 0)) < 1e-5)
      end
    end
  end)

  it("is one variable in a graph, however often it is applied", function()
    local net, g = layered(), deer.graph.new()
    local x = g:input("x", { 3, 3 })
    local both = net:apply(x) + net:apply(x)
    assert.equal(net:block(g), net:block(g))
    local program = g:compile{ outputs = { both:sum(), g:gradients(both:sum(), net:block(g)) } }
    assert.same({ 50 }, select(2, program:run{ x = X }):shape())
  end)

  it("shares a parameter that is asked for twice", function()
    local net = deer.network{ inputs = { 2 }, seed = 4, build = function(p, x)
      return x:matmul(p("w", { 2, 2 })):matmul(p("w", { 2, 2 }))
    end }
    assert.equal(4, net:size())
  end)

  it("may be let go while a program uses it", function()
    local program
    do
      local net, g = layered(), deer.graph.new()
      program = g:compile{ outputs = net:apply(g:input("x", { 3, 3 })) }
    end
    collectgarbage()
    collectgarbage()
    assert.same(answer(layered()), program:run{ x = X }:totable())
  end)

  it("refuses what it cannot build", function()
    local network = deer.network
    local function f(p, x) return x:matmul(p("w", { 3, 1 })) end
    raises(function() network(3) end, "expected a table, as in")
    raises(function() network{ inputs = { 3 } } end, "'outputs' is missing")
    raises(function() network{ outputs = 3 } end, "'inputs' is missing")
    raises(function() network{ inputs = { 3 }, outputs = "2" } end, "expected a number of units")
    raises(function() network{ inputs = { 3 }, outputs = { { "v" } } } end, "head 1: expected a")
    raises(function() network{ inputs = { 3 }, outputs = {} } end, "expected 1 to 8 heads")
    raises(function() network{ inputs = { 3 }, outputs = { { "a", 1 }, { "a", 2 } } } end,
      "two heads are called 'a'")
    raises(function() network{ inputs = { 3, histroy = 2 }, outputs = 1 } end,
      "unknown field of a shape 'histroy'; did you mean 'history'")
    raises(function() network{ inputs = { 3 }, build = f, outputs = 2 } end, "no 'outputs'")
    raises(function() network{ inputs = { 3 }, build = f, trunk = {} } end, "one of these")
    raises(function() network{ RELU, inputs = { 3 }, outputs = 2, trunk = {} } end, "one of these")
    raises(function() network{ inputs = 3, outputs = 2 } end, "expected a shape such as {4}")
    raises(function() network{ inputs = { { 0 } }, outputs = 2 } end, "at least 1")
    raises(function() network{ inputs = { 3 }, outputs = 2, { "dens" } } end, "mean 'dense'")
    raises(function() network{ inputs = { 3 }, outputs = 2, unit = 3 } end, "unknown option 'unit'")
    raises(function() network{ inputs = { 3 }, outputs = 2, "der" } end,
      "there is no network 'der'; did you mean 'deer'")
    raises(function() network{ inputs = { 4 }, build = f } end, "matmul%(input 1 %[1, 4%]")
    raises(function() network{ inputs = { 3 }, build = function(_, x) return x end } end,
      "asks for no parameters")
    raises(function() network{ inputs = { 3 }, build = function(p) return p "w" end } end,
      "expected a name and a shape")
    raises(function() network{ inputs = { 3 }, build = function(p) p("w", { 2 }, "ones") end } end,
      "unknown initial values 'ones'; expected one of glorot_uniform|")
    raises(function()
      network{ inputs = { 3 }, build = function(p) p("w", { 2 }) p("w", { 3 }) end }
    end, "parameter 'w' is of shape {2}, not {3}")
    local first = true
    local fickle = network{ inputs = { 3 }, build = function(p, x)
      local w = p(first and "w" or "v", { 3, 1 })
      first = false
      return x:matmul(w)
    end }
    raises(function() answer(fickle) end, "there was no parameter 'v'")
  end)
end)

describe("an optimiser", function()
  -- the loss after some steps of fitting X to fixed targets
  local function fit(name, options, steps)
    local net, g = layered(3), deer.graph.new()
    local x, y = g:input("x", { 3, 3 }), g:constant{ { 1, 0 }, { 0, 1 }, { 2, -1 } }
    local loss = (net:apply(x) - y):square():sum()
    local optimiser = deer.opt[name](options)
    local program = g:compile{ outputs = { loss }, updates = optimiser:minimize(loss, net) }
    program:set{ x = X }
    local first, last = program:run(), nil
    for _ = 1, steps do last = program:run() end
    return first, last, program, optimiser
  end

  it("of every kind makes the loss smaller", function()
    for _, name in ipairs(require("deer.core").names "optimizer") do
      local first, last = fit(name, { lr = name == "adadelta" and 1 or 0.01 }, 200)
      assert(last < 0.5 * first, ("%s: %g became %g"):format(name, first, last))
    end
  end)

  it("takes the step that its paper says", function()
    local w = deer.Tensor("float32", { 2 }, { 3, -2 })
    local g = deer.graph.new()
    local node = g:variable("w", w)
    local adam = deer.opt.adam{ lr = 0.1 }
    g:compile{ updates = adam:minimize(node:square():sum(), node) }:run()
    -- at the first step adam moves each parameter by the learning rate
    assert.is_true(math.abs(w:get(1) - 2.9) < 1e-5 and math.abs(w:get(2) + 1.9) < 1e-5)
  end)

  it("can be given another learning rate, and other gradients", function()
    local w = deer.Tensor("float32", { 2, 1 }, { { 3 }, { -2 } })
    local g = deer.graph.new()
    local node = g:variable("w", w)
    local sgd = deer.opt.sgd{ learning_rate = 0.5 }
    local program = g:compile{ updates = sgd:apply({ node }, { g:constant{ { 1 }, { 10 } } }) }
    program:run()
    assert.same({ { 2.5 }, { -7 } }, w:totable())
    sgd:setLearningRate(0.1)
    assert.equal(0.1, sgd:learningRate())
    program:run()
    assert.is_true(math.abs(w:get(1, 1) - 2.4) < 1e-6 and math.abs(w:get(2, 1) + 8) < 1e-6)
    sgd:setLearningRate(0)
    local before = w:bytes()
    program:run()
    assert.equal(before, w:bytes())
  end)

  it("keeps gradients within limits", function()
    -- the step that sgd takes for these gradients of a vector and of a 1 x 2 matrix
    local function step(options, as_list)
      local a, b = deer.Tensor("float32", { 2 }), deer.Tensor("float32", { 1, 2 })
      local g = deer.graph.new()
      options.lr = 1
      local gradients = { g:constant{ 3, 4 }, g:constant{ { 0, -12 } } }
      local params = { g:variable("a", a), g:variable("b", b) }
      if not as_list then params, gradients = params[1], gradients[1] end
      g:compile{ updates = deer.opt.sgd(options):apply(params, gradients) }:run()
      local steps = {}
      for i, x in ipairs { a:get(1), a:get(2), b:get(1, 1), b:get(1, 2) } do
        steps[i] = math.floor(-1000 * x + 0.5)
      end
      return steps
    end
    assert.same({ 3000, 4000, 0, -12000 }, step({}, true))
    assert.same({ 3000, 3500, 0, -3500 }, step({ clip_value = 3.5 }, true))
    assert.same({ 600, 800, 0, -1000 }, step({ clip_norm = 1 }, true))
    assert.same({ 1500, 2000, 0, -6000 }, step({ clip_global_norm = 6.5 }, true))
    assert.same({ 3000, 4000, 0, -12000 }, step({ clip_global_norm = 14 }, true))
    assert.same({ 600, 800, 0, 0 }, step({ clip_global_norm = 1 }))
    -- of a network every weight and bias is cut on its own
    local net, g = layered(), deer.graph.new()
    local before = net:tensor():clone()
    local gradient = g:constant(deer.Tensor("float32", { 50 }):fill(1):totable())
    g:compile{ updates = deer.opt.sgd{ lr = 1, clip_norm = 1 }:apply(net, gradient) }:run()
    for _, slot in ipairs(net:slots()) do
      local n = slot.shape[1] * (slot.shape[2] or 1)
      local moved = before:get(slot.offset + 1) - net:tensor():get(slot.offset + 1)
      assert.is_true(math.abs(moved - 1 / math.sqrt(n)) < 1e-5)
    end
  end)

  it("is followed by what its step makes of a network", function()
    local net, g = layered(), deer.graph.new()
    local slow = net:clone()
    local loss = net:apply(g:constant(X)):square():sum()
    g:compile{ updates = { deer.opt.sgd{ lr = 0.1 }:minimize(loss, net),
      slow:follow(g, net, 1) } }:run()
    assert.equal(net:tensor():bytes(), slow:tensor():bytes())
  end)

  it("learns several things at once, each with a state of its own", function()
    local a, b = deer.Tensor("float32", {}, 1), layered()
    local g = deer.graph.new()
    local node, x = g:variable("a", a), g:constant(X)
    local loss = (b:apply(x):mean() * node - 2):square()
    local program = g:compile{ outputs = { loss },
      updates = deer.opt.adam{ lr = 0.05 }:minimize(loss, { node, b }) }
    for _ = 1, 300 do program:run() end
    assert.is_true(program:run() < 1e-4)
    assert.not_equal(1, a:totable())
  end)

  it("may be let go while a program uses it", function()
    local _, last, program = fit("adam", { lr = 0.01 }, 50)
    collectgarbage()
    collectgarbage()
    for _ = 1, 50 do program:run() end
    assert.is_true(program:run() < last)
  end)

  it("refuses what it does not have", function()
    local g = deer.graph.new()
    local x, w = g:input("x", {}), g:variable("w", deer.Tensor("float32", {}))
    local adam = deer.opt.adam{}
    raises(function() return deer.opt.adan end, "no optimiser deer.opt.adan; did you mean")
    raises(function() deer.opt.adam{ beta_1 = 2 } end, "option 'beta_1': expected a number from 0")
    raises(function() deer.opt.adam{ gamma = 2 } end, "adam: unknown option 'gamma'")
    raises(function() adam:setLearningRate(-1) end,
      "expected a finite number of at least 0, got %-1")
    raises(function() adam:minimize(3, w) end, "expected a node, the loss, got 3")
    raises(function() adam:minimize(x * w, x) end, "variable expected, got another node")
    raises(function() adam:minimize(x * w, 3) end, "expected a network, a variable or a list")
    raises(function() adam:minimize(x * w, {}) end, "empty list")
    raises(function() adam:apply({ w }, {}) end, "expected gradients")
    raises(function() adam:apply({ w, w }, { x }) end, "expected 2 gradients, got 1")
    raises(function() adam:apply({ w }, { g:constant{ 1 } }) end, "has another shape; made at: w")
  end)
end)
