--- Networks for the graph builder. All parameters lie in one flat tensor.
---
---   local net = deer.network{ {"dense", units = 64}, inputs = {4}, outputs = 2 }
---   local q = net:apply(g:input("obs", {32, 4}))   -- [32, 2]
---
--- The layers are those of deer.QNetwork (lua/deer/README.md): a list, branches, trunk, heads and
--- output, a name, or JSON. A linear layer of `outputs` units follows, or several:
--- `outputs = { { "policy", 4 }, { "value", 1 } }`, with `atoms = n` for a distribution per unit.
--- `inputs` is the shape of what comes in without the batch, a list of shapes, or an environment;
--- { 84, 84, history = 4, dtype = "uint8" } takes [batch, 4, 84, 84].
--- A network may also be a function over nodes, which asks for its parameters by name and shape:
---
---   local net = deer.network{ inputs = {4}, build = function(p, x)
---     local h = x:affine(p("w1", {4, 64}), p("b1", {64})):relu()
---     return h:affine(p("w2", {64, 2}), p("b2", {2}))
---   end }
---
--- p takes how initial values are drawn as the layers do: p("w", {4, 64}, "orthogonal", gain).
--- Weights begin as "glorot_uniform", biases, which have one axis, as "zeros".

local Environment = require "deer.environment"
local class = require "deer.class"
local core = require "deer.core"
local network_spec = require "deer.network_spec"
local options = require "deer.options"
local seeds = require "deer.seeds"
local spairs = require "deer.spairs"
local text = require "deer.text"

---@class deer.Network: deer.Class
local Network = class.new "network"

local OPTIONS = options.list {
  inputs = { required = true, type = "any", help = "shapes without the batch, or an environment" },
  outputs = { type = "any", help = "units of the last layer, or a list of heads" },
  branches = { type = "table", help = "a list of layers for each input" },
  trunk = { type = "table", help = "layers for what the branches give" },
  heads = { type = "table", help = "layers of each head by its name" },
  output = { type = "table", help = "the last layer, linear unless another is named" },
  build = { type = "function", help = "instead of layers: a function over nodes" },
  seed = { type = "seed", alias = { "rng", "random_state" }, help = "of the initial values" },
}

-- a table whose entries go with the graphs that are their keys
local function per_graph() return setmetatable({}, { __mode = "k" }) end

---@class deer.NetworkSlot
---@field name string
---@field offset integer in the flat tensor, from 0
---@field shape integer[]

-- a list of shapes from what was given: {4}, { {4}, {2} } or an environment
local function shapes_of(inputs)
  if class.isObject(inputs, Environment) then
    local shapes = inputs:inputDimensions()
    for s, shape in ipairs(shapes) do shape.dtype = inputs:observationType(s - 1) end
    return shapes
  end
  if type(inputs) ~= "table" or class.isClass(getmetatable(inputs)) then
    text.fail("network: option 'inputs': expected a shape such as {4}, a list of shapes or an \z
      environment, got %s", text.describe(inputs))
  end
  return type(inputs[1]) == "table" and inputs or { inputs }
end

local function count(shape)
  local n = 1
  for _, dim in ipairs(shape) do n = n * dim end
  return n
end

-- [batch, ...] or [batch, history, ...]
local function with_batch(shape, batch)
  return shape.history and { batch, shape.history, table.unpack(shape) }
    or { batch, table.unpack(shape) }
end

local function same_shape(a, b)
  if type(b) ~= "table" or #a ~= #b then return false end
  for i, dim in ipairs(a) do
    if b[i] ~= dim then return false end
  end
  return true
end


---- functions over nodes ----

-- gives the function its parameters: `make` finds or registers a slot and returns its node
local function asker(make)
  local seen = {}
  return function(name, shape, init, gain)
    if type(name) ~= "string" or type(shape) ~= "table" then
      text.fail('network: expected a name and a shape, as in p("w1", {4, 64}), got %s and %s',
        text.describe(name), text.describe(shape))
    end
    local known = seen[name] or make(name, shape, init, gain)
    seen[name] = known
    if not same_shape(known.shape, shape) then
      text.fail("network: parameter '%s' is of shape {%s}, not {%s}", name,
        table.concat(known.shape, ", "), table.concat(shape, ", "))
    end
    return known.node
  end
end

-- calls the function once on a batch of one, to learn which parameters it asks for
local function lay_out(self, shapes)
  local g, nodes = core.graph(), {}
  for i, shape in ipairs(shapes) do
    nodes[i] = g:input("input " .. i, with_batch(shape, 1), shape.dtype)
  end
  self._slots, self._size = {}, 0
  self.build(asker(function(name, shape, init, gain)
    local slot = { name = name, offset = self._size, shape = { table.unpack(shape) },
      init = init or (#shape > 1 and "glorot_uniform" or "zeros"), gain = gain or 1 }
    core.initial(slot.init, slot.gain)
    slot.node = g:input("parameter " .. name, shape)
    self._slots[#self._slots + 1], self._size = slot, self._size + count(shape)
    return slot
  end), table.unpack(nodes))
  for _, slot in ipairs(self._slots) do slot.node = nil end
  if self._size == 0 then text.fail "network: the function asks for no parameters" end
end

local function draw(self, seed)
  local rng = core.Rng(seed)
  for _, slot in ipairs(self._slots) do
    core.initial(slot.init, slot.gain, slot.shape, rng, self._tensor, slot.offset)
  end
end

-- the function's results for nodes of graph g
local function call(self, g, nodes)
  local block, slots = self:block(g), {}
  for _, slot in ipairs(self._slots) do slots[slot.name] = slot end
  return self.build(asker(function(name)
    local slot = slots[name] or text.fail("network: there was no parameter '%s' when it was made",
      name)
    return { shape = slot.shape, node = block:view(slot.offset, slot.shape):name(name) }
  end), table.unpack(nodes))
end

---- life ----

-- what is to be built: the list part of the options, or one of their names
local function layers_of(given)
  local layers, rest = {}, {}
  for key, value in spairs(given) do
    if type(key) == "number" then layers[key] = value else rest[key] = value end
  end
  local checked = options.check("network", OPTIONS, rest)
  local parts = { branches = checked.branches, trunk = checked.trunk, heads = checked.heads,
    output = checked.output }
  local named = next(parts) ~= nil
  if (#layers > 0 and 1 or 0) + (checked.build and 1 or 0) + (named and 1 or 0) > 1 then
    text.fail "network: expected a list of layers, parts by name, or 'build': one of these"
  end
  if checked.build and checked.outputs or not checked.build and not checked.outputs then
    text.fail("network: %s", checked.build and "what it returns is up to 'build': no 'outputs'"
      or "option 'outputs' is missing: how many units has the last layer?")
  end
  if checked.outputs and type(checked.outputs) ~= "table"
    and not (math.type(checked.outputs) == "integer" and checked.outputs >= 1) then
    text.fail("network: option 'outputs': expected a number of units, or a list of heads such as \z
      { \"value\", 1 }, got %s", text.describe(checked.outputs))
  end
  if #layers == 1 and type(layers[1]) == "string" then layers = network_spec.resolve(layers[1]) end
  return named and parts or layers, checked
end

local function make(given)
  if type(given) ~= "table" or getmetatable(given) then
    text.fail('network: expected a table, as in deer.network{ {"dense", units = 64}, \z
      inputs = {4}, outputs = 2 }, got %s', text.describe(given))
  end
  local layers, checked = layers_of(given)
  local self = setmetatable({ build = checked.build, _inputs = shapes_of(checked.inputs),
    _blocks = per_graph(), _updated = per_graph() }, Network)
  if self.build then
    lay_out(self, self._inputs)
  else
    local env = class.isObject(checked.inputs, Environment) and checked.inputs:handle()
    self._net = core.net(layers, env or self._inputs, checked.outputs)
    self._slots, self._size = self._net:slots(), self._net:size()
  end
  self._tensor = core.Tensor("float32", { self._size })
  return self:reset(checked.seed or seeds.default())
end

--- Draws new initial values.
---@param seed integer
---@return deer.Network
function Network:reset(seed)
  if math.type(seed) ~= "integer" then
    text.fail("network:reset: expected an integer, the seed, got %s", text.describe(seed))
  end
  if self._net then self._net:draw(seed, self._tensor) else draw(self, seed) end
  return self
end

--- A network of the same layers with parameters of its own, which begin as those of this one.
---@return deer.Network
function Network:clone()
  local other = setmetatable({ _blocks = per_graph(), _updated = per_graph() }, Network)
  for _, key in ipairs { "build", "_net", "_inputs", "_slots", "_size" } do
    other[key] = self[key]
  end
  other._tensor = self._tensor:clone()
  return other
end

---- nodes ----

local function is(value, name)
  return type(value) == "userdata" and (getmetatable(value) or {}).__name == name
end

-- the nodes among the arguments of `who`; a graph may stand before them
local function check_nodes(who, ...)
  local nodes = table.pack(...)
  if is(nodes[1], "deer.Graph") then table.remove(nodes, 1) end
  for i = 1, math.max(1, #nodes) do
    if not is(nodes[i], "deer.Node") then
      text.fail("network:%s: expected nodes, got %s", who, text.describe(nodes[i]))
    end
  end
  return nodes
end

--- What comes out for these inputs: a node for each head, or what the function over nodes returns.
--- A graph may stand before the nodes.
---@param ... deer.Node
---@return deer.Node ...
function Network:apply(...)
  local nodes = check_nodes("apply", ...)
  local g = nodes[1]:graph()
  if self.build then return call(self, g, nodes) end
  return self._net:apply(self:block(g), nodes)
end

local HOW = options.list {
  noise = { default = false, help = "noisy layers and dropout draw" },
  memory = { type = "any", help = "what recurrent layers carried over, or true for nothing yet" },
}

--- The same for a network of layers that draws noise, or whose recurrent layers carry something
--- from one application to the next: a list of nodes, which is returned after the outputs.
---@param how { noise?: boolean, memory?: deer.Node[]|true }
---@param ... deer.Node
---@return deer.Node|deer.Node[] ...
function Network:applyWith(how, ...)
  local checked = options.check("network:applyWith", HOW, how)
  local nodes = check_nodes("applyWith", ...)
  if self.build then text.fail "network:applyWith: a function over nodes has apply alone" end
  if not (checked.memory == nil or checked.memory == true or type(checked.memory) == "table") then
    text.fail("network:applyWith: option 'memory': expected a list of nodes or true, got %s",
      text.describe(checked.memory))
  end
  return self._net:apply(self:block(nodes[1]:graph()), nodes, checked.noise, checked.memory)
end

--- The widths of what recurrent layers carry over: nodes [batch, width].
---@return integer[]
function Network:memory() return self._net and self._net:memory() or {} end

--- All parameters as one variable of a graph: what gradients are taken of.
---@param g deer.Graph
---@return deer.Node [size]
function Network:block(g)
  local block = self._blocks[g]
  if not block then
    block = g:variable("parameters", self._tensor)
    self._blocks[g] = block
  end
  return block
end

local function check_other(self, other, who)
  if not class.isObject(other, Network) or other._size ~= self._size then
    text.fail("network:%s: expected a network of as many parameters (%d), got %s", who, self._size,
      class.isObject(other, Network) and ("one of %d"):format(other._size) or text.describe(other))
  end
end

local function check_share(who, tau)
  if type(tau) ~= "number" or not (tau > 0 and tau <= 1) then
    text.fail("network:%s: expected a share above 0, at most 1, got %s", who, text.describe(tau))
  end
end

--- An update that moves the parameters a little towards those of another network at each run:
--- theta + tau (other - theta), where other is as the minimize before this call leaves it.
--- Lillicrap et al. 2016, arXiv:1509.02971.
---@param g deer.Graph
---@param other deer.Network
---@param tau number
---@return deer.Update
function Network:follow(g, other, tau)
  check_other(self, other, "follow")
  check_share("follow", tau)
  return core.softUpdate(self:block(g), other._updated[g] or other:block(g), tau)
end

---- parameters ----

--- Nodes of a graph that could come in: "input 1" and so on, for a batch.
---@param g deer.Graph
---@param batch integer
---@return deer.Node[]
function Network:makeInputs(g, batch)
  local nodes = {}
  for i, shape in ipairs(self._inputs) do
    nodes[i] = g:input("input " .. i, with_batch(shape, batch), shape.dtype)
  end
  return nodes
end

--- The number of parameters.
---@return integer
function Network:size() return self._size end

--- The parameters themselves, in one flat tensor; writing to it changes the network.
---@return deer.Tensor
function Network:tensor() return self._tensor end

--- Where each weight and bias lies in that tensor.
---@return deer.NetworkSlot[]
function Network:slots()
  local slots = {}
  for i, slot in ipairs(self._slots) do
    slots[i] = { name = slot.name, offset = slot.offset, shape = { table.unpack(slot.shape) } }
  end
  return slots
end

--- Takes over the parameters of another network, now.
---@param other deer.Network
---@return deer.Network
function Network:copy(other)
  check_other(self, other, "copy")
  self._tensor:set(other._tensor)
  return self
end

--- Moves the parameters a share `tau` of the way to another network's, now.
---@param other deer.Network
---@param tau number
---@return deer.Network
function Network:softUpdate(other, tau)
  check_other(self, other, "softUpdate")
  check_share("softUpdate", tau)
  self._tensor:mix(other._tensor, tau)
  return self
end

--- Every weight and bias: { name =, shape =, dtype =, data = bytes }, as deer.Algo:getAllParams.
---@return table[]
function Network:parameters()
  local list, bytes = {}, self._tensor:bytes()
  local size = #bytes // self._size
  for i, slot in ipairs(self._slots) do
    local from = slot.offset * size
    list[i] = { name = slot.name, shape = { table.unpack(slot.shape) }, dtype = "float32",
      data = bytes:sub(from + 1, from + count(slot.shape) * size) }
  end
  return list
end

-- why a list of parameters does not fit, or nil
local function misfit(self, list)
  if #list ~= #self._slots then
    return ("expected %d parameters, got %d"):format(#self._slots, #list)
  end
  for i, slot in ipairs(self._slots) do
    local item = list[i]
    if type(item) ~= "table" or item.name ~= slot.name then
      return ("parameter %d: expected '%s', got %s"):format(i, slot.name,
        type(item) == "table" and text.describe(item.name) or text.describe(item))
    end
    if not same_shape(slot.shape, item.shape) or type(item.data) ~= "string"
      or item.dtype ~= nil and item.dtype ~= "float32"
      or #item.data ~= 4 * count(slot.shape) then
      return ("parameter '%s': expected float32 numbers of shape {%s}"):format(slot.name,
        table.concat(slot.shape, ", "))
    end
  end
end

local function put(self, list)
  local pieces = {}
  for i, item in ipairs(list) do pieces[i] = item.data end
  self._tensor:set(table.concat(pieces))
  return self
end

--- Puts parameters back: all of them or, when one does not fit, none.
---@param list table[] as parameters() gives it
---@return deer.Network
function Network:setParameters(list)
  local wrong = type(list) ~= "table" and "expected a list of parameters, got "
    .. text.describe(list) or misfit(self, list)
  if wrong then text.fail("network:setParameters: %s", wrong) end
  return put(self, list)
end

--- Writes the parameters to a safetensors file.
---@param path string
---@return true|nil done
---@return string|nil message
function Network:save(path)
  return core.safetensors.save(path, self:parameters(), { writer = "deerlua" })
end

--- Reads them back; nothing changes when the file is another network's.
---@param path string
---@return true|nil done
---@return string|nil message
function Network:load(path)
  local list, message = core.safetensors.load(path)
  if not list then return nil, message end
  local wrong = misfit(self, list)
  if wrong then return nil, ("%s: %s"):format(path, wrong) end
  put(self, list)
  return true
end

getmetatable(Network).__call = function(_, given) return make(given) end

return Network
