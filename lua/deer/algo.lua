--- A learning rule. One written in Lua extends this class and has the methods
---
---   function Mine:chooseBestAction(state) ... return action, value end
---   function Mine:train(states, actions, rewards, next_states, terminals, weights)
---     ... return loss -- and, for a prioritised replay, a list of the samples' errors
---   end
---
--- With a method batch(), which gives tensors as deer.DataSet:randomBatchInto takes them, such as
--- the inputs of a program, a batch is drawn into these and train() is called without arguments.
--- That is how an algorithm that is a graph learns at the speed of C: nothing becomes a table.
---
--- Mine.action_kinds = "discrete, continuous" says which actions it can learn ("multi-discrete" is
--- the third kind); without it, any. Others are refused.
---
--- In a batch of tables, states[subject][sample] is the history of a subject, actions[sample] a
--- number (a list in a continuous space). Two more methods, qValues(state) and actionProba(state),
--- are optional.
--- deer.QNetwork extends this class too, with its learning done in C.

local Environment = require "deer.environment"
local actions = require "deer.actions"
local class = require "deer.class"
local core = require "deer.core"
local seeds = require "deer.seeds"
local text = require "deer.text"

---@class deer.Algo: deer.Class
---@field action_kinds? string
---@field chooseBestAction fun(self, state: table): number|number[], number
---@field train fun(self, states, actions, rewards, next_states, terminals): number, number[]?
---@field batch? fun(self): table<string, deer.Tensor|deer.Tensor[]>
---@field qValues? fun(self, state: table): number[]
---@field actionProba? fun(self, state: table): table, number[]? as deer.NativeAlgo has it
local Algo = class.new("Algo", { "qValues", "actionProba", "description" })

Algo.options = {
  environment = { type = "any", help = "the environment to learn in; without one, \z
    input_dimensions and n_actions are needed" },
  input_dimensions = { type = "table", help = "instead of an environment, for deer.Agent" },
  n_actions = { type = "any", help = "instead of an environment" },
  observation_types = { type = "table", help = "instead of an environment" },
  batch_size = { default = 32, type = "integer", range = { 1, 2 ^ 31 - 1 },
    help = "samples in one update" },
  learning_rate = { default = 0.005, type = "number", range = { 0, math.huge },
    help = "step size of the updates" },
  discount = { default = 0.9, type = "number", range = { 0, 1 },
    alias = { "discount_factor", "df" }, help = "weight of the next step's reward" },
  seed = { type = "seed", alias = { "random_state" }, help = "same number, same random draws" },
}

-- the environment, or one that does no more than say what is observed and done
local function environment_of(self, options)
  local environment, dimensions = options.environment, options.input_dimensions
  if environment == nil then
    if not dimensions or options.n_actions == nil then
      text.fail("%s: option 'environment' is missing: expected one, or input_dimensions and \z
        n_actions", self.__name)
    end
    return require "deer.space" { input_dimensions = dimensions, n_actions = options.n_actions,
      observation_types = options.observation_types }
  end
  if not class.isObject(environment, Environment) then
    text.fail("%s: option 'environment': expected an environment, got %s", self.__name,
      text.describe(environment))
  end
  if dimensions or options.n_actions ~= nil or options.observation_types then
    text.fail("%s: expected an environment, or input_dimensions and n_actions, not both",
      self.__name)
  end
  return environment
end

local KINDS = { discrete = true, continuous = true, ["multi-discrete"] = true }

-- those written in C are asked there
local function check_actions(self)
  if not self.action_kinds or self.native_name then return end
  local able, kind = {}, actions.kind(self.environment:nActions())
  for word in tostring(self.action_kinds):gmatch "[^,%s]+" do
    able[word] = KINDS[word] or text.fail("%s: action_kinds: expected discrete, continuous or \z
      multi-discrete, got '%s'", self.__name, word)
  end
  if kind and not able[kind] then
    text.fail("%s works with %s actions, the environment has %s ones", self.__name,
      self.action_kinds, kind)
  end
end

-- before init, so that a class with an init of its own need not call this one
function Algo:prepare(options)
  options.seed = options.seed or seeds.default()
  self.environment = environment_of(self, options)
  check_actions(self)
  self._options = options
end

--- What the C side sees of this algo; made once.
---@return userdata
function Algo:handle()
  if not self._handle then self._handle = self:make(self._options) end
  return self._handle
end

--- The policy of training for an agent that was not given one.
---@return deer.Policy
function Algo.explorationPolicy()
  return require "deer.policies.epsilon_greedy" { epsilon = 0.1 }
end

-- for algos written in Lua
function Algo:make(options)
  for _, name in ipairs { "chooseBestAction", "train" } do
    if type(self[name]) ~= "function" then
      text.fail("%s: an algo needs a method %s", self.__name, name)
    end
  end
  local handle = core.luaalgo(self, {
    environment = self.environment:handle(),
    batch_size = options.batch_size,
  })
  handle:setLearningRate(options.learning_rate)
  handle:setDiscountFactor(options.discount)
  return handle
end

---@return number
function Algo:learningRate() return self:handle():learningRate() end

---@param rate number
function Algo:setLearningRate(rate) self:handle():setLearningRate(rate) end

---@return number
function Algo:discountFactor() return self:handle():discountFactor() end

---@param factor number from 0 to 1
function Algo:setDiscountFactor(factor) self:handle():setDiscountFactor(factor) end

---@return integer
function Algo:batchSize() return self:handle():batchSize() end

--- Every parameter that is learnt, in a fixed order: { name =, shape =, data = bytes }. An algo
--- written in Lua has its own.
---@return table[]
function Algo:getAllParams()
  text.fail("%s: it has no method getAllParams, so its parameters cannot be kept", self.__name)
  return {}
end

--- Puts parameters back; the list is one that getAllParams gave.
---@param params table[]
function Algo:setAllParams(params) -- luacheck: no unused args
  text.fail("%s: it has no method setAllParams, so parameters cannot be put back", self.__name)
end

return Algo
