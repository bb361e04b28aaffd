--- deer.test.network: does a network do what every network must?

local class = require "deer.class"
local deer = require "deer"
local numbers = require "deer.test.numbers"
local options = require "deer.options"
local text = require "deer.text"

local WHO = "deer.test.network"

local OPTIONS = options.list {
  batch = { default = 4, type = "integer", range = { 2, 1024 }, help = "samples in a batch" },
  scale = { default = 1, type = "number", range = { 0, math.huge },
    help = "inputs are drawn from -scale to scale" },
  gradient_tolerance = { default = 1e-2, type = "number", range = { 0, math.huge },
    help = "largest error of a gradient, relative to its size" },
  parameters = { default = 40, type = "integer", range = { 1, 2 ^ 31 },
    help = "parameters whose gradient is compared with finite differences" },
  updates = { default = 300, type = "integer", range = { 0, 2 ^ 31 },
    help = "updates in which the error on one batch must fall to half; 0: no matter" },
  seed = { type = "seed", help = "of the inputs" },
}

-- random inputs, a list of nested tables
local function draw_inputs(net, given, rng)
  local values = {}
  for i, node in ipairs(net:makeInputs(deer.graph.new(), given.batch)) do
    local list, shape, bytes = {}, node:shape(), node:dtype() == "uint8"
    for k = 1, numbers.count(shape) do
      list[k] = bytes and rng:below(256) or rng:uniform(-given.scale, given.scale)
    end
    values[i] = numbers.nest(list, shape)
  end
  return values
end

-- a program from inputs in their order to all outputs
local function make_program(net, n)
  local g = deer.graph.new()
  local nodes = net:makeInputs(g, n)
  local outputs = { net:apply(table.unpack(nodes)) }
  return g:compile{ inputs = nodes, outputs = outputs }, #outputs, outputs
end

local function run(program, n_outputs, values)
  program:run(table.unpack(values))
  local results = {}
  for i = 1, n_outputs do results[i] = numbers.flat(program:output(i):totable()) end
  return results
end

local function check_outputs(given, results, nodes)
  for i, list in ipairs(results) do
    local shape = nodes[i]:shape()
    if shape[1] ~= given.batch then
      text.fail("%s: output %d of a batch of %d is of shape %s: its first axis is not the batch",
        WHO, i, given.batch, numbers.shapeText(shape))
    end
    for k, x in ipairs(list) do
      if x ~= x or math.abs(x) == math.huge then
        text.fail("%s: output %d%s is %s", WHO, i, numbers.place(shape, k), text.format(x))
      end
    end
  end
end

-- a sample must not hear of the others of its batch
local function check_alone(net, given, values, results)
  local program, n = make_program(net, 1)
  for sample = 1, given.batch do
    local own = {}
    for i, value in ipairs(values) do own[i] = { value[sample] } end
    for i, list in ipairs(run(program, n, own)) do
      for k, x in ipairs(list) do
        local together = results[i][(sample - 1) * #list + k]
        if not numbers.near(x, together, 1e-5) then
          text.fail("%s: output %d for sample %d is %s alone and %s in a batch: samples of a \z
            batch mix", WHO, i, sample, text.format(x), text.format(together))
        end
      end
    end
  end
end

local function slot_of(net, position)
  for _, slot in ipairs(net:slots()) do
    if position < slot.offset + numbers.count(slot.shape) then return slot end
  end
end

-- a weight for each number that comes out, and what all of it makes together
local function draw_loss(g, outputs, rng)
  local weights, loss = {}, nil
  for _, out in ipairs(outputs) do
    local own = {}
    for k = 1, numbers.count(out:shape()) do
      own[k] = rng:uniform(-1, 1)
      weights[#weights + 1] = own[k]
    end
    local part = (out * g:constant(numbers.nest(own, out:shape()))):sum()
    loss = loss and loss + part or part
  end
  return loss, weights
end

-- a program that gives all outputs and then the gradient of all parameters
local function make_backward(net, given, rng)
  local g = deer.graph.new()
  local nodes = net:makeInputs(g, given.batch)
  local outputs = { net:apply(table.unpack(nodes)) }
  local loss, weights = draw_loss(g, outputs, rng)
  outputs[#outputs + 1] = g:gradients(loss, net:block(g))
  return g:compile{ inputs = nodes, outputs = outputs }, #outputs, weights
end

local function check_gradients(net, given, values, rng)
  local program, n, weights = make_backward(net, given, rng)
  program:run(table.unpack(values))
  local gradient, tensor = program:output(n):totable(), net:tensor()
  local before = tensor:totable()
  -- all outputs when a parameter is moved; by little, since layers in between have corners
  local function moved(at)
    return function(step)
      tensor:setRow(at, before[at] + 0.25 * step)
      program:run()
      local list = {}
      for i = 1, n - 1 do numbers.flat(program:output(i):totable(), list) end
      return list
    end
  end
  for at = 1, net:size(), math.max(1, net:size() // given.parameters) do
    local slope = numbers.slope(moved(at), weights, before[at]) / 0.25
    tensor:setRow(at, before[at])
    if not numbers.near(slope, gradient[at], given.gradient_tolerance) then
      local slot = slot_of(net, at - 1)
      text.fail("%s: gradient of parameter '%s'%s: %s, finite differences say %s", WHO, slot.name,
        numbers.place(slot.shape, at - slot.offset), text.format(gradient[at]),
        text.format(slope))
    end
  end
end

-- A parameter that nothing depends on is a mistake in the wiring; one whose units happen to be off
-- (relu) is on with other initial values.
local function check_used(net, given, values, rng)
  local copy, used = net:clone(), {}
  for try = 0, 4 do
    if try > 0 then copy:reset(try) end
    local program, n = make_backward(copy, given, rng)
    program:run(table.unpack(values))
    for i, x in ipairs(program:output(n):totable()) do used[i] = used[i] or x ~= 0 end
  end
  for _, slot in ipairs(net:slots()) do
    local any = false
    for i = slot.offset + 1, slot.offset + numbers.count(slot.shape) do any = any or used[i] end
    if not any then
      text.fail("%s: nothing that comes out depends on parameter '%s'", WHO, slot.name)
    end
  end
end

-- one batch is learnt by heart
local function check_learns(net, given, values, rng)
  if given.updates == 0 then return end
  local copy, g = net:clone(), deer.graph.new()
  local nodes = net:makeInputs(g, given.batch)
  local out, goal = copy:apply(table.unpack(nodes)), {}
  for k = 1, numbers.count(out:shape()) do goal[k] = rng:uniform(-1, 1) end
  local loss = (out - g:constant(numbers.nest(goal, out:shape()))):square():mean()
  local program = g:compile{ inputs = nodes, outputs = { loss },
    updates = deer.opt.adam{ lr = 0.005 }:minimize(loss, copy) }
  local first, last = program:run(table.unpack(values)), nil
  for _ = 1, given.updates do last = program:run() end
  if last ~= last or last > 0.5 * first then
    text.fail("%s: after %d updates on one batch the error went from %s to %s: it does not learn",
      WHO, given.updates, text.format(first), text.format(last))
  end
end

--- Checks a network: its outputs are finite and have the batch as their first axis, no sample hears
--- of another, gradients agree with finite differences, every parameter matters, one batch can be
--- learnt, and parameters can be taken out and put back. The network is left as it was.
---@param net deer.Network
---@param given? { batch?: integer, scale?: number, gradient_tolerance?: number,
---  parameters?: integer, updates?: integer, seed?: integer }
return function(net, given)
  given = options.check(WHO, OPTIONS, given)
  if not class.isObject(net, deer.network) then
    text.fail("%s: expected a network, got %s", WHO, text.describe(net))
  end
  local rng = deer.Rng(given.seed or 1)
  local values = draw_inputs(net, given, rng)
  local program, n_outputs, nodes = make_program(net, given.batch)
  local results = run(program, n_outputs, values)
  check_outputs(given, results, nodes)
  check_alone(net, given, values, results)
  check_gradients(net, given, values, rng)
  check_used(net, given, values, rng)
  check_learns(net, given, values, rng)
  local list = net:parameters()
  local copy = net:clone()
  copy:tensor():fill(0)
  copy:setParameters(list)
  assert(copy:tensor():bytes() == net:tensor():bytes())
end
