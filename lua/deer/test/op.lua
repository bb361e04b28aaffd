--- deer.test.op: does a computation over nodes give the numbers that it should, and are its
--- gradients those that finite differences show?

local deer = require "deer"
local numbers = require "deer.test.numbers"
local options = require "deer.options"
local text = require "deer.text"

local WHO = "deer.test.op"

local OPTIONS = options.list {
  build = { required = true, type = "any",
    help = "a function from nodes to a node, or the name of a method of nodes" },
  inputs = { required = true, type = "table",
    help = "a value for each node: a number, nested tables or a tensor" },
  expect = { type = "any",
    help = "the output: a number or nested tables; or a function that makes it of the inputs" },
  shape = { type = "table", help = "the shape of the output" },
  tolerance = { default = 1e-5, type = "number", range = { 0, math.huge },
    help = "largest error of an output, relative to numbers larger than 1" },
  gradient = { default = true, help = "compare gradients with finite differences" },
  gradient_tolerance = { default = 1e-3, type = "number", range = { 0, math.huge },
    help = "largest error of a gradient" },
}

-- one input: its node, its present value as a list, and whether a gradient is asked for
local function make_input(g, i, value)
  local tensor = type(value) == "userdata" and value or nil
  local kind = tensor and (getmetatable(tensor) or {}).__name
  if not (kind == "deer.Tensor" or type(value) == "number" or type(value) == "table") then
    text.fail("%s: input %d: expected a number, nested tables or a tensor, got %s", WHO, i,
      text.describe(value))
  end
  local shape = tensor and tensor:shape() or numbers.shape(value)
  local name = "input " .. i
  return { name = name, shape = shape, real = not tensor or tensor:dtype() == "float32",
    list = numbers.flat(tensor and tensor:totable() or value),
    node = g:input(name, shape, tensor and tensor:dtype()) }
end

local function build(given, g, inputs)
  local nodes = {}
  for i, input in ipairs(inputs) do nodes[i] = input.node end
  local make = given.build
  if not nodes[1] then text.fail("%s: option 'inputs': expected a value for each node", WHO) end
  if type(make) == "string" then make = nodes[1][make] end
  if type(make) ~= "function" then
    text.fail("%s: option 'build': expected a function from nodes to a node, got %s", WHO,
      text.describe(given.build))
  end
  local out = make(table.unpack(nodes))
  if type(out) ~= "userdata" or (getmetatable(out) or {}).__name ~= "deer.Node" then
    text.fail("%s: 'build' has to return a node, it returned %s", WHO, text.describe(out))
  end
  assert(out:graph() == g)
  return out
end

local function same_shape(a, b) return numbers.shapeText(a) == numbers.shapeText(b) end

local function check_values(given, inputs, shape, got)
  if given.shape and not same_shape(given.shape, shape) then
    text.fail("%s: expected an output of shape %s, got %s", WHO, numbers.shapeText(given.shape),
      numbers.shapeText(shape))
  end
  local expect = given.expect
  if type(expect) == "function" then
    local values = {}
    for i, input in ipairs(inputs) do values[i] = numbers.nest(input.list, input.shape) end
    expect = expect(table.unpack(values))
  end
  if expect == nil then return end
  if not same_shape(numbers.shape(expect), shape) then
    text.fail("%s: expected an output of shape %s, got %s", WHO,
      numbers.shapeText(numbers.shape(expect)), numbers.shapeText(shape))
  end
  for i, value in ipairs(numbers.flat(expect)) do
    if not numbers.near(value, got[i], given.tolerance) then
      text.fail("%s: output%s: expected %s, got %s", WHO, numbers.place(shape, i),
        text.format(value), text.format(got[i]))
    end
  end
end

-- elements that are looked at: all of them, or this many of a large input, evenly spread
local MOST = 64

local function check_gradient(given, inputs, input, gradient, evaluate, weights)
  local list, step = input.list, math.max(1, #input.list // MOST)
  for i = 1, #list, step do
    local value = list[i]
    local slope = numbers.slope(function(by)
      list[i] = value + by
      return evaluate(inputs)
    end, weights, value)
    list[i] = value
    if not numbers.near(slope, gradient[i], given.gradient_tolerance) then
      text.fail("%s: gradient of %s%s at %s: %s, finite differences say %s", WHO, input.name,
        numbers.place(input.shape, i), text.format(value), text.format(gradient[i]),
        text.format(slope))
    end
  end
end

-- a different weight for each output, so that a gradient of the wrong one shows
local function draw_weights(n)
  local rng, weights = deer.Rng(1), {}
  for i = 1, n do weights[i] = (rng:below(2) == 0 and -1 or 1) * (0.5 + rng:below(17) / 16) end
  return weights
end

--- Compares the output of a computation with what is expected, and its gradients with finite
--- differences. Inputs should stay away from corners (0 of relu), where no gradient exists.
---@param given { build: string|fun(...: deer.Node): deer.Node, inputs: deer.Value[], expect?: any,
---  shape?: integer[], tolerance?: number, gradient?: boolean, gradient_tolerance?: number }
---@return number|table output
return function(given)
  given = options.check(WHO, OPTIONS, given)
  local g, inputs, real = deer.graph.new(), {}, {}
  for i, value in ipairs(given.inputs) do
    inputs[i] = make_input(g, i, value)
    if inputs[i].real then real[#real + 1] = inputs[i] end
  end
  local out = build(given, g, inputs)
  local shape, smooth = out:shape(), out:dtype() == "float32"
  local weights, outputs = draw_weights(numbers.count(shape)), { out }
  if given.gradient and smooth then
    local loss = (out * g:constant(numbers.nest(weights, shape))):sum()
    for i, input in ipairs(real) do outputs[i + 1] = g:gradients(loss, input.node) end
  end
  local program = g:compile{ outputs = outputs }
  local function evaluate()
    local values = {}
    for _, name in ipairs(program:inputs()) do
      for _, input in ipairs(inputs) do
        if input.name == name then values[name] = numbers.nest(input.list, input.shape) end
      end
    end
    program:run(values)
    return numbers.flat(program:output(1):totable())
  end
  local got = evaluate()
  check_values(given, inputs, shape, got)
  local gradients = {}
  for i = 2, #outputs do gradients[i - 1] = numbers.flat(program:output(i):totable()) end
  for i, gradient in ipairs(gradients) do
    check_gradient(given, inputs, real[i], gradient, evaluate, weights)
  end
  return numbers.nest(got, shape)
end
