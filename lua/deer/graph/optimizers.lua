--- Optimisers for the graph builder: deer.opt.adam{ lr = 1e-3 }, one for each of src/opt/opts.def,
--- with the options that `deerlua help adam` prints, learning_rate, or lr, and limits of the
--- gradient: clip_value, clip_norm, clip_global_norm.
---
---   local opt = deer.opt.rmsprop{ lr = 1e-3, rho = 0.95 }
---   local step = g:compile{ outputs = { loss }, updates = opt:minimize(loss, net) }

local class = require "deer.class"
local core = require "deer.core"
local options = require "deer.options"
local text = require "deer.text"

---@class deer.Optimizer: deer.Class
local Optimizer = class.new "Optimizer"

Optimizer.options = {
  learning_rate = { default = 0.001, type = "number", range = { 0, math.huge },
    alias = { "lr" }, help = "step size" },
  clip_value = { default = 0, type = "number", range = { 0, 1e9 },
    help = "largest element of a gradient; 0: no limit" },
  clip_norm = { default = 0, type = "number", range = { 0, 1e9 },
    help = "longest gradient of each weight tensor; 0: no limit" },
  clip_global_norm = { default = 0, type = "number", range = { 0, 1e9 },
    help = "longest gradient of all parameters together; 0: no limit" },
}

function Optimizer:init(given)
  self._settings, self._rate = {}, core.Tensor("float32", { 1 })
  for _, field in ipairs(self.fields) do self._settings[field.name] = given[field.name] end
  for _, name in ipairs { "clip_value", "clip_norm", "clip_global_norm" } do
    self["_" .. name] = given[name]
  end
  self:setLearningRate(given.learning_rate)
end

---@return number
function Optimizer:learningRate() return self._learning_rate end

--- From the next run on.
---@param rate number
function Optimizer:setLearningRate(rate)
  if type(rate) ~= "number" or not (rate >= 0 and rate < math.huge) then
    text.fail("%s:setLearningRate: expected a finite number of at least 0, got %s", self.__name,
      text.describe(rate))
  end
  self._learning_rate = rate
  self._rate:fill(rate)
end

-- what is learnt, one thing or a list: { block = variable, net = the network it belongs to }
local function targets_of(self, g, params)
  local Network = require "deer.graph.network"
  local one = type(params) == "userdata" or class.isObject(params, Network)
  if type(params) ~= "table" and not one then
    text.fail("%s: expected a network, a variable or a list of them, got %s", self.__name,
      text.describe(params))
  end
  local list = {}
  for i, item in ipairs(one and { params } or params) do
    local net = class.isObject(item, Network)
    if not net and type(item) ~= "userdata" then
      text.fail("%s: expected a network or a variable, got %s", self.__name, text.describe(item))
    end
    list[i] = { block = net and item:block(g) or item, net = net and item or nil }
  end
  if #list == 0 then text.fail("%s: expected what is learnt, got an empty list", self.__name) end
  return list
end

local function blocks_of(targets)
  local blocks = {}
  for i, target in ipairs(targets) do blocks[i] = target.block end
  return blocks
end

-- every weight tensor's part of a network's gradient cut to a length
local function clip_tensors(g, net, gradient, limit)
  local parts, offsets = {}, {}
  for i, slot in ipairs(net:slots()) do
    parts[i], offsets[i] = gradient:view(slot.offset, slot.shape):clipNorm(limit), slot.offset
  end
  return g:pack(parts, offsets, net:size())
end

-- gradients within the limits, which are taken in this order
local function clip(self, g, targets, gradients)
  local sum
  for i, target in ipairs(targets) do
    local gradient = gradients[i]
    if self._clip_value > 0 then gradient = gradient:clip(-self._clip_value, self._clip_value) end
    if self._clip_norm > 0 then
      gradient = target.net and clip_tensors(g, target.net, gradient, self._clip_norm)
        or gradient:clipNorm(self._clip_norm)
    end
    gradients[i] = gradient
    local part = gradient:square():sum()
    sum = sum and sum + part or part
  end
  local limit = self._clip_global_norm
  if limit > 0 then
    local factor = limit / sum:sqrt():maximum(limit)
    for i, gradient in ipairs(gradients) do gradients[i] = gradient * factor:expand(gradient) end
  end
  return gradients
end

--- One step down the gradient of `loss` for each run: updates for compile. Each call has a state of
--- its own.
---@param loss deer.Node a scalar
---@param params deer.Network|deer.Node|(deer.Network|deer.Node)[] what is learnt
---@return deer.Update[]
function Optimizer:minimize(loss, params)
  if type(loss) ~= "userdata" then
    text.fail("%s:minimize: expected a node, the loss, got %s", self.__name, text.describe(loss))
  end
  local g = loss:graph()
  local blocks = blocks_of(targets_of(self, g, params))
  return self:apply(params, g:gradients(loss, blocks))
end

--- The same with gradients of one's own.
---@param params deer.Network|deer.Node|(deer.Network|deer.Node)[]
---@param gradients deer.Node|deer.Node[] as many, of the same shapes; that of a network is flat
---@return deer.Update[]
function Optimizer:apply(params, gradients)
  gradients = type(gradients) == "userdata" and { gradients } or gradients
  if type(gradients) ~= "table" or type(gradients[1]) ~= "userdata" then
    text.fail("%s:apply: expected gradients, got %s", self.__name, text.describe(gradients))
  end
  local g = gradients[1]:graph()
  local targets, updates = targets_of(self, g, params), {}
  if #targets ~= #gradients then
    text.fail("%s:apply: expected %d gradients, got %d", self.__name, #targets, #gradients)
  end
  gradients = clip(self, g, targets, { table.unpack(gradients) })
  local rate = g:variable("learning_rate", self._rate)
  for i, target in ipairs(targets) do
    local size = 1
    for _, n in ipairs(target.block:shape()) do size = size * n end
    local state = core.optimizer(self.__name, self._settings, size)
    updates[i] = state:minimize(target.block, gradients[i], rate)
    -- what a network that follows this one moves towards
    if target.net then target.net._updated[g] = state:updated(target.block) end
  end
  return updates
end

local optimizers = {}
for _, name in ipairs(core.names "optimizer") do
  local Kind = Optimizer:extend(name)
  Kind.fields, Kind.options = options.fromFields(core.fields("optimizer", name)), {}
  for _, field in ipairs(Kind.fields) do Kind.options[field.name] = field end
  optimizers[name] = Kind
end

return setmetatable(optimizers, { __index = function(_, name)
  text.fail("there is no optimiser deer.opt.%s%s", tostring(name),
    text.meant(tostring(name), core.names "optimizer", "deer.opt."))
end })
