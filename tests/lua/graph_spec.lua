--- deer.graph: nodes, programs, their errors and their lives.
local deer = require "deer"
local raises = require "raises"

local graph = deer.graph

-- the value of what `build` makes of constants, as nested tables
local function value(build, ...)
  local g, nodes = graph.new(), {}
  for i, constant in ipairs { ... } do nodes[i] = g:constant(constant) end
  local program = g:compile{ outputs = build(table.unpack(nodes)) }
  return program:output(program:run() and 1):totable()
end

-- numbers are float32 ones
local function near(expected, got)
  if type(expected) == "table" then
    assert.equal(#expected, #got)
    for i, item in ipairs(expected) do near(item, got[i]) end
  else
    assert(math.abs(expected - got) <= 1e-5 * math.max(1, math.abs(expected)),
      ("expected %s, got %s"):format(expected, got))
  end
end

describe("a node", function()
  it("is reckoned with as a number is", function()
    local x, y = { 1, -2, 4 }, { 3, 5, 8 }
    near({ 4, 3, 12 }, value(function(a, b) return a + b end, x, y))
    near({ -2, -7, -4 }, value(function(a, b) return a - b end, x, y))
    near({ 3, -10, 32 }, value(function(a, b) return a * b end, x, y))
    near({ 1 / 3, -0.4, 0.5 }, value(function(a, b) return a / b end, x, y))
    near({ -1, 2, -4 }, value(function(a) return -a end, x))
    near({ 1, 4, 16 }, value(function(a) return a ^ 2 end, x))
  end)

  it("takes numbers on both sides", function()
    local x = { 1, -2, 4 }
    near({ 3, 0, 6 }, value(function(a) return a + 2 end, x))
    near({ 3, 0, 6 }, value(function(a) return 2 + a end, x))
    near({ -1, -4, 2 }, value(function(a) return a - 2 end, x))
    near({ 1, 4, -2 }, value(function(a) return 2 - a end, x))
    near({ 2, -4, 8 }, value(function(a) return a * 2 end, x))
    near({ 2, -4, 8 }, value(function(a) return 2 * a end, x))
    near({ 0.5, -1, 2 }, value(function(a) return a / 2 end, x))
    near({ 2, -1, 0.5 }, value(function(a) return 2 / a end, x))
    near({ 2, 2, 4 }, value(function(a) return a:maximum(2) end, x))
    near({ 1, -2, 2 }, value(function(a) return a:minimum(2) end, x))
    near({ 0, 0, 1 }, value(function(a) return a:greater(1) end, x))
    near({ 7, -2, -2 }, value(function(a)
      return a:sub(1):greater(0):where(-2, a:scale(0):shift(7))
    end, { 1, 2, 4 }))
  end)

  it("has a method for each function of one argument", function()
    local x = { 0.5, -1.25 }
    local functions = {
      neg = function(a) return -a end, abs = math.abs, exp = math.exp,
      sign = function(a) return a > 0 and 1 or -1 end, square = function(a) return a * a end,
      tanh = function(a) return 1 - 2 / (math.exp(2 * a) + 1) end,
      sigmoid = function(a) return 1 / (1 + math.exp(-a)) end,
      relu = function(a) return math.max(a, 0) end, stop = function(a) return a end,
    }
    for name, f in deer.spairs(functions) do
      near({ f(x[1]), f(x[2]) }, value(function(a) return a[name](a) end, x))
    end
    local wide = { sin = math.sin, cos = math.cos, expm1 = function(a) return math.exp(a) - 1 end,
      softplus = function(a) return math.log(1 + math.exp(a)) end,
      swish = function(a) return a / (1 + math.exp(-a)) end,
      hardSwish = function(a) return a * math.max(0, math.min(6, a + 3)) / 6 end,
      leakyRelu = function(a) return a > 0 and a or 0.01 * a end,
      elu = function(a) return a > 0 and a or math.exp(a) - 1 end,
      selu = function(a)
        return 1.0507009873554805 * (a > 0 and a or 1.6732632423543772 * (math.exp(a) - 1))
      end,
      gelu = function(a)
        local u = math.sqrt(2 / math.pi) * (a + 0.044715 * a ^ 3)
        return a / 2 * (2 - 2 / (math.exp(2 * u) + 1))
      end }
    for name, f in deer.spairs(wide) do
      near({ f(x[1]), f(x[2]) }, value(function(a) return a[name](a) end, x))
    end
    near({ -0.25, 2 }, value(function(a) return a:leakyRelu(0.125) end, { -2, 2 }))
    near({ math.log(1.5), math.log(3) }, value(function(a) return a:log1p() end, { 0.5, 2 }))
    near({ 8, 27 }, value(function(a) return a ^ 3 end, { 2, 3 }))
    near({ 8, 9 }, value(function(a, b) return a ^ b end, { 2, 3 }, { 3, 2 }))
    near({ 4, 8 }, value(function(a) return 2 ^ a end, { 2, 3 }))
    near({ 0.6, 0.8 }, value(function(a) return a:clipNorm(1) end, { 3, 4 }))
    near({ math.log(2), math.log(3) }, value(function(a) return a:log() end, { 2, 3 }))
    near({ 1.5, 3 }, value(function(a) return a:sqrt() end, { 2.25, 9 }))
    near({ 1.5, 3 }, value(function(a) return a ^ 0.5 end, { 2.25, 9 }))
    near({ 0.5, -1, 1 }, value(function(a) return a:clip(-1, 1) end, { 0.5, -3, 9 }))
    near({ 0.125, 2.5 }, value(function(a) return a:huber() end, { 0.5, -3 }))
    near({ 0.125, 4 }, value(function(a) return a:huber(2) end, { 0.5, -3 }))
  end)

  it("is summed and searched along any axis", function()
    local x = { { 1, 5, 2 }, { 7, 0, 3 } }
    near(18, value(function(a) return a:sum() end, x))
    near({ 8, 5, 5 }, value(function(a) return a:sum(0) end, x))
    near({ 8, 10 }, value(function(a) return a:sum{ 1 } end, x))
    near(18, value(function(a) return a:sum{ 0, 1 } end, x))
    near(3, value(function(a) return a:mean() end, x))
    near({ 4, 2.5, 2.5 }, value(function(a) return a:mean(0) end, x))
    near({ 5, 7 }, value(function(a) return a:max(1) end, x))
    near({ 5, 7 }, value(function(a) return a:max() end, x))
    near({ 7, 5, 3 }, value(function(a) return a:max(0) end, x))
    near({ 1, 0 }, value(function(a) return a:argmax(1) end, x))
    near({ 1, 0, 1 }, value(function(a) return a:argmax(0) end, x))
    near({ 1, 0 }, value(function(a) return a:min() end, x))
    near({ 0, 1, 0 }, value(function(a) return a:argmin(0) end, x))
    near({ 9, 6.25, 0.25 }, value(function(a) return a:var(0) end, x))
    near({ 3, 2.5, 0.5 }, value(function(a) return a:std{ 0 } end, x))
    near({ { 1, 6, 8 }, { 7, 7, 10 } }, value(function(a) return a:cumsum() end, x))
    near({ { 8, 5, 5 }, { 7, 0, 3 } }, value(function(a) return a:cumsum(0, true) end, x))
    local e = math.exp
    near(math.log(e(1) + e(5) + e(2)), value(function(a) return a:logsumexp() end, x)[1])
    near(e(5) / (e(1) + e(5) + e(2)), value(function(a) return a:softmax(1) end, x)[1][2])
    near(e(1) / (e(1) + e(7)), value(function(a) return a:softmax(0) end, x)[1][1])
    near(0 - math.log(1 + e(6)), value(function(a) return a:logSoftmax(0) end, x)[1][1])
    near({ { -1, 1 }, { 1, -1 } }, value(function(a) return a:layerNorm(nil, nil, 1e-9) end,
      { { 2, 4 }, { 9, 8 } }))
  end)

  it("is multiplied as a matrix", function()
    local x, y = { { 1, 2 }, { 3, 4 }, { 5, 6 } }, { { 1, 0, -1 }, { 2, 1, 0 } }
    near({ { 5, 2, -1 }, { 11, 4, -3 }, { 17, 6, -5 } },
      value(function(a, b) return a:matmul(b) end, x, y))
    near({ { 5, 2, -1 }, { 11, 4, -3 }, { 17, 6, -5 } },
      value(function(a, b) return a:transpose():matmul(b:transpose(), true, true) end, x, y))
    near({ { 6, 3, 0 }, { 12, 5, -2 }, { 18, 7, -4 } },
      value(function(a, b, c) return a:affine(b, c) end, x, y, { 1, 1, 1 }))
  end)

  it("changes its shape", function()
    local x = { { 1, 2, 3 }, { 4, 5, 6 } }
    near({ { 1, 4 }, { 2, 5 }, { 3, 6 } }, value(function(a) return a:transpose() end, x))
    near({ { 1, 4 }, { 2, 5 }, { 3, 6 } }, value(function(a) return a:transpose{ 1, 0 } end, x))
    near({ 1, 2, 3, 4, 5, 6 }, value(function(a) return a:reshape{ 6 } end, x))
    near({ { 1, 2 }, { 3, 4 }, { 5, 6 } }, value(function(a) return a:reshape{ -1, 2 } end, x))
    near({ { 2, 3 }, { 5, 6 } }, value(function(a) return a:slice(1, 1, 2) end, x))
    near({ { 0, 0, 0 }, { 1, 2, 3 }, { 4, 5, 6 }, { 0, 0, 0 } },
      value(function(a) return a:pad(0, 1, 4) end, x))
    near({ { 1, 2, 3 }, { 1, 2, 3 } },
      value(function(a) return a:expand({ 2, 3 }, { 1 }) end, { 1, 2, 3 }))
    near({ { 1, 1 }, { 2, 2 } }, value(function(a) return a:expand({ 2, 2 }, { 0 }) end, { 1, 2 }))
    near({ 7, 7 }, value(function(a, b) return a:expand(b) end, 7, { 1, 2 }))
    near({ { 1, 2, 3, 9 }, { 4, 5, 6, 8 } },
      value(function(a, b) return a:graph():concat{ a, b } end, x, { { 9 }, { 8 } }))
    near({ { 1, 2 }, { 3, 4 } }, value(function(a, b) return a:graph():concat({ a, b }, 0) end,
      { { 1, 2 } }, { { 3, 4 } }))
    near({ { 1, 2 }, { 3, 4 } }, value(function(a, b) return a:graph():stack{ a, b } end,
      { 1, 2 }, { 3, 4 }))
    near({ { 1, 3 }, { 2, 4 } }, value(function(a, b) return a:graph():stack({ a, b }, 1) end,
      { 1, 2 }, { 3, 4 }))
    near({ 0, 1, 2, 0, 3 }, value(function(a, b) return a:graph():pack({ a, b }, { 1, 4 }, 5) end,
      { 1, 2 }, { 3 }))
    near({ { 3, 4 }, { 5, 6 } }, value(function(a) return a:view(2, { 2, 2 }) end,
      { 1, 2, 3, 4, 5, 6 }))
  end)

  it("is indexed from 0", function()
    local g = graph.new()
    local x, i = g:input("x", { 2, 3 }), g:input("i", { 2 }, "int32")
    local several = g:input("several", { 2, 2 }, "int32")
    local program = g:compile{ outputs = { x:gather(i), x:take(several),
      x:slice(1, 0, 2):put(several, 4), i:cast() } }
    local gathered, taken, put, cast = program:run{ x = { { 10, 11, 12 }, { 20, 21, 22 } },
      i = { 2, 0 }, several = { { 1, 1 }, { 0, 2 } } }
    assert.same({ 12, 20 }, gathered:totable())
    assert.same({ { 11, 11 }, { 20, 22 } }, taken:totable())
    assert.same({ { 0, 21, 0, 0 }, { 20, 0, 21, 0 } }, put:totable())
    assert.same({ 2, 0 }, cast:totable())
    program = g:compile{ outputs = { i:oneHot(3), x:rows(i), x:putRows(i, 3), g:arange(3) } }
    local hot, rows, put_rows, range = program:run{ x = { { 1, 2, 3 }, { 4, 5, 6 } }, i = { 1, 0 } }
    assert.same({ { 0, 1, 0 }, { 1, 0, 0 } }, hot:totable())
    assert.same({ { 4, 5, 6 }, { 1, 2, 3 } }, rows:totable())
    assert.same({ { 4, 5, 6 }, { 1, 2, 3 }, { 0, 0, 0 } }, put_rows:totable())
    assert.same({ 0, 1, 2 }, range:totable())
  end)

  it("is convolved and pooled", function()
    local x = { { { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } } } }
    near({ { { { 6, 8 }, { 12, 14 } } } },
      value(function(a, f) return a:conv2d(f) end, x, { { { { 1, 0 }, { 0, 1 } } } }))
    near({ { { { 6 } } } },
      value(function(a, f) return a:conv2d(f, { stride = 2 }) end, x,
        { { { { 1, 0 }, { 0, 1 } } } }))
    near({ { { { 1, 0 }, { 0, 14 } } } }, value(function(a, f)
      return a:conv2d(f, { stride = { 2, 2 }, padding = 1 }):mul(a:graph():constant{ { { { 1, 0 },
        { 0, 1 } } } })
    end, x, { { { { 1, 0 }, { 0, 1 } } } }))
    near({ { { { 5 } } } }, value(function(a) return a:maxpool2d(2) end, x))
    near({ { { { 4, 5, 6 } } } }, value(function(a) return a:maxpool2d(2, 1) end, x))
    near({ { { { 5, 6 }, { 8, 9 } } } },
      value(function(a) return a:maxpool2d(2, 2, { stride = 1 }) end, x))
    near({ { { { 3 } } } }, value(function(a) return a:avgpool2d(2) end, x))
    near({ { { 5, 8 } } }, value(function(a, f) return a:conv1d(f) end, { { { 1, 2, 3 } } },
      { { { 1, 2 } } }))
    near({ { { { 1, 2 }, { 3, 6 } } } }, value(function(a, f) return a:conv2dTranspose(f) end,
      { { { { 1 }, { 3 } } } }, { { { { 1, 2 } } } }))
  end)

  it("is drawn from a generator, which lives as long as the program", function()
    local g = graph.new()
    local x = g:input("x", { 4000 })
    local function made(seed)
      local rng = deer.Rng(seed)
      local normal = g:randomNormal(rng, { 4000 })
      return g:compile{ outputs = { normal, normal:mean(), normal:std(),
        g:randomUniform(rng, x):mean(), g:randomGumbel(rng, { 4000 }):mean(),
        x:dropout(0.25, rng):mean() } }
    end
    local one, two = made(1), made(1)
    collectgarbage()
    collectgarbage()
    local first, mean, std, uniform, gumbel, kept = one:run{ x = deer.Tensor("float32",
      { 4000 }):fill(1) }
    for _, pair in ipairs { { mean, 0 }, { std, 1 }, { uniform, 0.5 }, { gumbel, 0.5772 },
      { kept, 1 } } do
      assert.is_true(math.abs(pair[1] - pair[2]) < 0.1)
    end
    local bytes = first:bytes()
    two:run{ x = one:input "x" }
    assert.equal(bytes, two:output(1):bytes())
    one:run()
    assert.not_equal(bytes, first:bytes())
    raises(function() g:randomNormal(3, { 2 }) end, "deer.Rng expected, got 3")
    raises(function() x:dropout(1, deer.Rng(1)) end, "^dropout")
  end)

  it("is normalised by the statistics of batches", function()
    local g = graph.new()
    local x = g:input("x", { 2, 2 })
    local function tensor(number) return deer.Tensor("float32", { 2 }):fill(number) end
    local mean, variance = tensor(0), tensor(1)
    local m, v = g:variable("mean", mean), g:variable("variance", variance)
    local y, next_m, next_v = x:batchNorm{ mean = m, variance = v, training = true, rate = 0.5,
      epsilon = 1e-9 }
    local learn = g:compile{ outputs = { y }, updates = { g:assign(m, next_m),
      g:assign(v, next_v) } }
    local out = learn:run{ x = { { 1, 10 }, { 3, 30 } } }
    near({ { -1, -1 }, { 1, 1 } }, out:totable())
    near({ 1, 10 }, mean:totable())
    near({ 1.5, 100.5 }, variance:totable())
    local use = g:compile{ outputs = { (x:batchNorm{ mean = m, variance = v, epsilon = 1e-9,
      gain = g:constant{ 2, 1 }, bias = g:constant{ 0, 1 } }) } }
    near({ 2 * 2 / math.sqrt(1.5), 1 }, use:run{ x = { { 3, 10 }, { 0, 0 } } }:totable()[1])
    raises(function() x:batchNorm{ mean = m } end, "option 'variance': expected a node")
    raises(function() x:batchNorm{ means = m } end, "did you mean 'mean'")
  end)

  it("passes gradients on as it is told", function()
    local g = graph.new()
    local x = g:input("x", { 2 })
    local y = (x:scaleGradient(0.5) + x:clipGradient(2)) * g:constant{ 1, 8 }
    local program = g:compile{ outputs = { g:gradients(y:sum(), x) } }
    assert.same({ 1.5, 6 }, program:run():totable())
  end)

  it("knows its shape, type, graph, name and line", function()
    local g = graph.new()
    local x = g:input("x", { 2, 3 }, "uint8"):name "pixels"
    local line = debug.getinfo(1, "l").currentline - 1
    assert.same({ 2, 3 }, x:shape())
    assert.equal("uint8", x:dtype())
    assert.equal(g, x:graph())
    assert.equal("pixels uint8 [2, 3]", tostring(x))
    assert.matches("graph_spec%.lua:" .. line .. "$", x:madeAt())
    assert.is_true(g:constant(1) ~= g:constant(1))
  end)
end)

describe("gradients", function()
  it("are those of calculus, and can be differentiated again", function()
    local g = graph.new()
    local x = g:input("x", {})
    local y = x * x * x
    local dy = g:gradients(y, x)
    local list = g:gradients(dy, { x, y })
    local program = g:compile{ outputs = { y, dy, list[1], list[2] } }
    assert.same({ 8, 12, 12, 0 }, { program:run{ x = 2 } })
  end)

  it("do not pass stop()", function()
    local g = graph.new()
    local x = g:input "x"
    local program = g:compile{ outputs = { g:gradients(x * x:stop(), x) } }
    assert.equal(3, program:run{ x = 3 })
  end)
end)

describe("a variable", function()
  it("is the memory of its tensor", function()
    local g, w = graph.new(), deer.Tensor("float32", { 2, 2 }, { { 1, 2 }, { 3, 4 } })
    local node = g:variable("w", w)
    local program = g:compile{ outputs = node:sum(), updates = { g:assign(node, node * 2) } }
    assert.equal(10, program:run())
    assert.same({ { 2, 4 }, { 6, 8 } }, w:totable())
    w:set{ { 1, 1 }, { 1, 1 } }
    assert.equal(4, program:run())
  end)

  it("takes a number, and updates in the order of their making", function()
    local g, w = graph.new(), deer.Tensor("float32", {}, 5)
    local node = g:variable("w", w)
    local updates = { g:assign(node, 7), g:assign(node, node + 1) }
    g:compile{ updates = { updates[2], { updates[1] } } }:run()
    assert.equal(6, w:totable())
  end)

  it("refuses what cannot be one", function()
    local g = graph.new()
    local x = g:input("x", { 2 })
    raises(function() g:variable("w", { 1, 2 }) end, "float32 tensor expected, got a table")
    raises(function() g:variable("w", deer.Tensor("int32", { 2 })) end, "got an int32 tensor")
    raises(function() g:variable("", deer.Tensor("float32", { 2 })) end, "a name expected")
    raises(function() g:assign(x, x) end, "variable expected, got another node")
    local view = g:compile{ outputs = -x }:input "x"
    raises(function() g:variable("w", view) end, "memory of a program; take a clone")
    g:variable("w", view:clone())
    local w = g:variable("v", deer.Tensor("float32", { 3 }))
    raises(function() g:assign(w, x) end, "^assign%(v %[3%], x %[2%]%): shapes differ")
  end)
end)

describe("a program", function()
  local function squares()
    local g = graph.new()
    local x, y = g:input("x", { 2, 2 }), g:input("y", { 2 }, "int32")
    return g:compile{ outputs = { x ^ 2, y:cast():sum() } }, g, x, y
  end

  it("takes tables, tensors, bytes and numbers by name", function()
    local program = squares()
    local y = deer.Tensor("int32", { 2 }, { 5, 6 })
    local out, sum = program:run{ x = { { 1, 2 }, { 3, 4 } }, y = y }
    assert.same({ { 1, 4 }, { 9, 16 } }, out:totable())
    assert.equal(11, sum)
    local g = graph.new()
    local frame, k = g:input("frame", { 3 }, "uint8"), g:input "k"
    assert.equal(12, g:compile{ outputs = frame:cast():sum() * k }:run{ frame = "\1\2\3", k = 2 })
  end)

  it("remembers its inputs, and gives the memory of them", function()
    local program = squares()
    program:set{ x = { { 1, 2 }, { 3, 4 } } }
    program:input "y":set{ 1, 2 }
    local out, sum = program:run()
    assert.equal(3, sum)
    program:input "x":setRow(2, { 5, 6 })
    local again = program:run{ y = { 3, 4 } }
    assert.equal(out, again)
    assert.same({ { 1, 4 }, { 25, 36 } }, program:output(1):totable())
    assert.equal(7, program:output(2):totable())
    assert.same({ "x", "y" }, program:inputs())
    assert.is_true(program:steps() > 0)
    program:profile(true):run()
    assert.matches("\n all .* 1 runs timed\n$", program:explain())
    assert.equal(program:explain(), program:profile(true):text())
  end)

  it("takes its inputs in order when they were listed", function()
    local _, g, x, y = squares()
    local program = g:compile{ inputs = { y, x }, outputs = { x:sum(), y:cast():sum() } }
    assert.same({ 10, 3 }, { program:run({ 1, 2 }, { { 1, 2 }, { 3, 4 } }) })
    assert.same({ 4, 3 }, { program:run(nil, { { 1, 1 }, { 1, 1 } }) })
    raises(function() program:run({ 1, 2 }, nil, 3) end, "has 2 inputs, got 3 values")
    raises(function() g:compile{ inputs = { y }, outputs = x:sum() } end,
      "nothing that is computed needs y")
    raises(function() g:compile{ inputs = { x }, outputs = x:sum() * y:cast():sum() } end,
      "'y' is needed as well")
    raises(function() g:compile{ inputs = { x, y, x }, outputs = x:sum() * y:cast():sum() } end,
      "entry 3: x %[[%d, ]+%] is listed twice")
    raises(function() g:compile{ inputs = { -x }, outputs = x } end, "entry 1: expected an input")
  end)

  it("has what its outputs need", function()
    local _, g, x = squares()
    assert.same({ "x" }, g:compile{ outputs = x:sum() }:inputs())
    raises(function() g:compile{ outputs = x:sum() }:run{ y = { 1, 2 } } end, "unknown input 'y'")
    raises(function() g:compile{ outputs = x:sum() }:run({}, { 1, 2 }) end, "one table of inputs")
  end)

  it("runs only with inputs it can read", function()
    local program = squares()
    raises(function() program:run() end, "input 'x' was never given a value")
    raises(function() program:run{ x = { { 1, 2 }, { 3, 4 } } } end, "input 'y' was never")
    raises(function() program:run{ x = { { 1, 2 } } } end,
      "input 'x': expected nested lists of shape %[2, 2%], got a table with 1 entry")
    raises(function() program:run{ z = 1 } end, "unknown input 'z'")
    raises(function() program:run{ { 1 } } end, "inputs have names")
    raises(function() program:run(3) end, "table expected, got number")
    raises(function() program:run{ x = { { 1, 2 }, { 3, 0 / 0 } } } end, "a finite number")
    raises(function() program:run{ y = { 1, 2.5 } } end, "input 'y': expected a whole number")
    raises(function() program:input "z" end, "unknown input 'z'")
    raises(function() program:output(3) end, "output of 1 to 2 expected, got 3")
  end)

  it("is closed for good, and what showed its memory is empty", function()
    local program = squares()
    local x, out = program:input "x", program:output(1)
    program:close()
    program:close()
    assert.same({ {}, {} }, { x:totable(), out:totable() })
    x:fill(3)
    assert.equal("", x:clone():bytes())
    assert.equal(0, #x)
    raises(function() program:run() end, "the program is closed")
    raises(function() program:input "x" end, "the program is closed")
    assert.equal("a closed deer.Program", tostring(program))
  end)

  it("is compiled from nodes and updates alone", function()
    local g, other = graph.new(), graph.new()
    local x = g:input("x", {})
    local w = g:variable("w", deer.Tensor("float32", {}))
    local update = g:assign(w, x)
    raises(function() g:compile{} end, "expected a node in 'outputs' or an update in 'updates'")
    raises(function() g:compile{ outputs = { 3 } } end, "entry 1: expected a node, got 3")
    raises(function() g:compile{ output = x } end, "did you mean 'outputs'")
    raises(function() g:compile{ x } end, "options have names")
    raises(function() g:compile{ outputs = { update } } end, "belongs into 'updates'")
    raises(function() g:compile{ updates = { x } } end, "x %[%] is no update")
    raises(function() g:compile{ updates = x } end, "expected a list of updates")
    raises(function() g:compile{ outputs = other:constant(1) } end, "entry 1 is of another graph")
    raises(function() other:compile{ updates = { update } } end, "an update of another graph")
  end)
end)

describe("a mistake", function()
  local here = "graph_spec%.lua:"

  it("names both nodes, their shapes and the lines that made them", function()
    local g = graph.new()
    local first = debug.getinfo(1, "l").currentline + 1
    local q = g:input("q_tm1", { 32, 2 })
    local r = g:input("r_t", { 32 })
    raises(function() return q + r end, "^add%(q_tm1 %[32, 2%], r_t %[32%]%): shapes differ; \z
      made at: q_tm1 %[32, 2%]: .*" .. here .. first .. ", r_t %[32%]: .*" .. here .. first + 1)
    raises(function() g:concat{ q, r } end, "^concat%(.*made at: q_tm1 .*, r_t ")
    raises(function() g:gradients(q, r) end,
      "the loss q_tm1 %[[%d, ]+%] is not a real scalar; made at: q_tm1")
    raises(function() return q:gather(r) end, "^take%(.*made at: q_tm1")
  end)

  it("leaves the graph as it was", function()
    local g = graph.new()
    local x, y = g:constant{ 1, 2 }, g:constant{ 1, 2, 3 }
    assert.is_false(pcall(function() return x + y end))
    assert.equal(3, g:compile{ outputs = x:sum() }:run())
    assert.is_false(pcall(g.gradients, g, x, y))
    assert.equal(6, g:compile{ outputs = y:sum() }:run())
  end)

  it("is named where an argument is wrong", function()
    local g, other = graph.new(), graph.new()
    local x = g:input("x", { 2, 3 })
    raises(function() return x + "a" end, "add: node or number expected, got the string 'a'")
    raises(function() return {} * x end, "mul: node or number expected, got a table")
    raises(function() return x / 0 end, "divided by 0")
    raises(function() return x + 1 / 0 end, "finite number")
    raises(function() return x ^ (0 / 0) end, "finite number")
    raises(function() return x ^ "a" end, "pow: node or number expected, got the string 'a'")
    raises(function() return x:conv2d(x, { strid = 2 }) end, "unknown option 'strid'")
    raises(function() return x:conv2d(x, { stride = 0 }) end, "whole number of at least 1, or a")
    raises(function() return x:maxpool2d(2, 2, { padding = { 1 } }) end, "or a list of two")
    raises(function() return x < x end, "greater")
    raises(function() return x + other:constant(1) end, "a node of another graph")
    raises(function() return x:matmul(other:constant(1)) end, "#1 to 'matmul' %(a node of another")
    raises(function() return x:matmul(3) end, "node expected, got 3")
    raises(function() return x:tahn() end, "a node has no method 'tahn'; did you mean")
    raises(function() return g:inputt "y" end, "graph has no method 'inputt'; did you mean 'input'")
    raises(function() return x:tanh(1) end, "#1 to 'tanh' %(no arguments expected")
    raises(function() return x:huber(1, 2) end, "at most 1 argument expected")
    raises(function() return x:scale() end, "number expected, got nil")
    raises(function() return x:sum(2) end, "axis of 0 to 1 expected, got 2")
    raises(function() return x:sum{ 0, 0 } end, "different axes")
    raises(function() return x:sum():max() end, "bad self in call to 'max' %(a scalar has no axes")
    raises(function() return x:max(x) end, "whole number expected")
    raises(function() return x:transpose{ 0 } end, "all 2 axes")
    raises(function() return x:expand{ 2, 3, 4 } end, "which axes of the result are the 2")
    raises(function() return x:expand({ 3, 2 }, { 1, 0 }) end, "axes in order")
    raises(function() return x:reshape{ -1, 4 } end, "^reshape%(x %[2, 3%]%)")
    raises(function() return x:reshape{ -1, -1 } end, "whole numbers of at least 1")
    raises(function() g:input("x", {}) end, "has an input 'x' already")
    raises(function() g:input("y", { 2, 0 }) end, "at least 1")
    raises(function() g:input("y", { 2 }, "float") end,
      "'float32', 'uint8' or 'int32' expected, got the string 'float'")
    raises(function() g:constant{ { 1, 2 }, { 3 } } end, "expected nested lists of shape")
    raises(function() g:constant "1,2" end, "number expected")
    raises(function() g:concat{} end, "empty")
    raises(function() g:concat{ x, 3 } end, "entry 2: node expected, got 3")
    raises(function() g:concat{ x, other:constant(1) } end, "entry 2: a node of another graph")
    raises(function() g:gradients(x:sum(), { 3 }) end, "entry 1: node expected")
    raises(function() g:pack({ x }, {}, 3) end, "an offset for each")
  end)
end)

describe("dumps", function()
  it("show every node", function()
    local g = graph.new()
    local w = g:variable("w", deer.Tensor("float32", { 2 }))
    local y = (g:input('say "x"', { 2 }) * w):tanh()
    g:assign(w, y)
    assert.matches('%%1 w = variable%(%) float32 %[2%]\n%%2 say "x" = input%(%) float32 %[2%]\n'
      .. '%%3 = mul%(say "x", w%) float32 %[2%]\n', g:text())
    local dot = g:dot()
    assert.matches("^digraph deer {\n", dot)
    assert.matches('n2 %[label="say \\"x\\"\\ninput\\nfloat32 %[2%]"', dot)
    assert.matches("n2 %-> n3;\n  n1 %-> n3;\n", dot)
    assert.matches("}\n$", dot)
    local opened = select(2, dot:gsub("%[label", ""))
    assert.equal(select(2, g:text():gsub("\n", "")), opened)
  end)
end)

describe("lives", function()
  -- a program whose graph, tensors and nodes nobody else has
  local function orphan()
    local g = graph.new()
    local w = g:variable("w", deer.Tensor("float32", { 64 }))
    local x = g:input("x", { 64 })
    return g:compile{ outputs = (w + g:constant{ 5 }:view(0, {}):expand(w)):sum() + x:sum(),
      updates = { g:assign(w, w + x) } }
  end

  it("may end in any order", function()
    local programs, views = {}, {}
    for i = 1, 40 do
      programs[i] = orphan()
      views[i] = programs[i]:input "x"
      collectgarbage()
    end
    for i, program in ipairs(programs) do
      views[i]:fill(i)
      assert.equal(64 * (5 + i), program:run())
      assert.equal(64 * (5 + 2 * i), program:run())
    end
    -- the tensors keep their programs
    for i = #programs, 1, -1 do programs[i] = nil end
    collectgarbage()
    for i, view in ipairs(views) do assert.equal(i, view:get(64)) end
  end)

  it("of nodes keep their graph", function()
    local nodes = {}
    for i = 1, 20 do
      nodes[i] = graph.new():constant(i)
      collectgarbage "step"
    end
    collectgarbage()
    for i, node in ipairs(nodes) do
      assert.equal(2 * i, node:graph():compile{ outputs = node + i }:run())
    end
  end)

  it("leave nothing behind", function()
    collectgarbage()
    collectgarbage()
    local before = collectgarbage "count"
    for _ = 1, 200 do orphan():run{ x = deer.Tensor("float32", { 64 }) } end
    collectgarbage()
    collectgarbage()
    assert.is_true(collectgarbage "count" - before < 100)
  end)
end)

--- Every function of the core's builder is bound.
describe("src/graph/graph.h", function()
  -- those that are bound under another name, or as part of something
  local OTHER = { min = "minimum", max = "maximum", max_axis = "max", min_axis = "min",
    max_last = "max", min_last = "min", argmax_last = "argmax", argmin_last = "argmin",
    graph_fail = "name", power = "pow" }

  it("has no builder function that scripts cannot call", function()
    local g = graph.new()
    local x = g:input("x", { 2 })
    local of_node, of_graph = debug.getmetatable(x).__index, debug.getmetatable(g).__index
    local n = 0
    for name in assert(io.open "src/graph/graph.h"):read "a":gmatch "\ndeer_node deer_([%w_]+)%(" do
      local bound = OTHER[name] or name:gsub("_(%l)", string.upper)
      assert(rawget(of_node, bound) or rawget(of_graph, bound), name .. " is not bound")
      n = n + 1
    end
    assert.is_true(n > 90)
  end)
end)

--- Everything that is bound is documented, where editors look.
describe("lua/deer/graph/init.lua", function()
  it("lists every method there is", function()
    local text = assert(io.open "lua/deer/graph/init.lua"):read "a"
    local g = graph.new()
    local x = g:input("x", { 2 })
    local objects = { ["deer.Graph"] = g, ["deer.Node"] = x,
      ["deer.Program"] = g:compile{ outputs = x }, ["deer.Tensor"] = deer.Tensor("float32", { 1 }) }
    for class, object in deer.spairs(objects) do
      local documented, methods = {}, debug.getmetatable(object).__index
      local part = assert(text:match("%-%-%-@class " .. class:gsub("%.", "%%.") .. "\n(.-)\n[^-]"))
      for name in part:gmatch "%-%-%-@field (%w+)" do documented[name] = true end
      for name in deer.spairs(methods) do
        assert(documented[name], ("%s:%s is not documented"):format(class, name))
      end
      for name in deer.spairs(documented) do
        assert(rawget(methods, name), ("there is no %s:%s"):format(class, name))
      end
    end
  end)
end)
