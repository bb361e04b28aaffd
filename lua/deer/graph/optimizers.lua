--- Optimisers for the graph builder: deer.opt.adam{ lr = 1e-3 }, one for each of src/opt/opts.def,
--- with the options that `deerlua help adam` prints and learning_rate, or lr.
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
}

function Optimizer:init(given)
  self._settings, self._rate = {}, core.Tensor("float32", { 1 })
  for _, field in ipairs(self.fields) do self._settings[field.name] = given[field.name] end
  self:setLearningRate(given.learning_rate)
end

---@return number
function Optimizer:learningRate() return self._learning_rate end

--- From the next run on.
---@param rate number
function Optimizer:setLearningRate(rate)
  if type(rate) ~= "number" or not (rate >= 0 and rate < math.huge) then
    text.fail("%s:setLearningRate: expected a number of at least 0, got %s", self.__name,
      text.describe(rate))
  end
  self._learning_rate = rate
  self._rate:fill(rate)
end

-- networks and variables, one or a list of them, as a list of variables
local function blocks_of(self, g, params)
  local one = type(params) == "userdata" or class.isObject(params, require "deer.graph.network")
  local list = {}
  if type(params) ~= "table" and not one then
    text.fail("%s: expected a network, a variable or a list of them, got %s", self.__name,
      text.describe(params))
  end
  for i, item in ipairs(one and { params } or params) do
    list[i] = type(item) == "userdata" and item or item:block(g)
  end
  if #list == 0 then text.fail("%s: expected what is learnt, got an empty list", self.__name) end
  return list
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
  local blocks = blocks_of(self, g, params)
  return self:apply(blocks, g:gradients(loss, blocks))
end

--- The same with gradients of one's own.
---@param params deer.Network|deer.Node|(deer.Network|deer.Node)[]
---@param gradients deer.Node|deer.Node[] as many, of the same shapes
---@return deer.Update[]
function Optimizer:apply(params, gradients)
  gradients = type(gradients) == "userdata" and { gradients } or gradients
  if type(gradients) ~= "table" or #gradients == 0 then
    text.fail("%s:apply: expected gradients, got %s", self.__name, text.describe(gradients))
  end
  local g = gradients[1]:graph()
  local blocks, updates = blocks_of(self, g, params), {}
  if #blocks ~= #gradients then
    text.fail("%s:apply: expected %d gradients, got %d", self.__name, #blocks, #gradients)
  end
  local rate = g:variable("learning_rate", self._rate)
  for i, block in ipairs(blocks) do
    local size = 1
    for _, n in ipairs(block:shape()) do size = size * n end
    local state = core.optimizer(self.__name, self._settings, size)
    updates[i] = state:minimize(block, gradients[i], rate)
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
