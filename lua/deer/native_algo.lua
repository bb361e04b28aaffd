--- Algorithms written in C (src/algo/*.c) as classes, whose options are those of the field table
--- there. NativeAlgo.define makes one, which has a file here where there is more to say about it;
--- one that has none is deer.algos.Name.

local Algo = require "deer.algo"
local core = require "deer.core"
local network_spec = require "deer.network_spec"
local options = require "deer.options"
local seeds = require "deer.seeds"
local text = require "deer.text"

---@class deer.NativeAlgo: deer.Algo
---@field actionProba? fun(self, state: table): table, number[]? of what is learnt a distribution
---  over: the probability of every discrete action; lists of those, for each of several choices; of
---  continuous actions the mean and the standard deviation of each number
local NativeAlgo = Algo:extend "NativeAlgo"

-- DeeR's names for options that are called otherwise here
local ALIASES = {
  discount = { "discount_factor", "df" },
  learning_rate = { "lr" },
  rho = { "rms_decay" },
}

-- of algorithms that learn a distribution over actions
local function action_proba(self, state) return self._handle:actionProba(state) end

-- by what an algorithm explores that says nothing about it: by the actions that it draws, or by
-- noise where there is nothing to draw from
local function draws() return require "deer.policies.stochastic" {} end
local function noisy() return require "deer.policies.gaussian_noise" {} end

--- A class for the algorithm that C calls `native_name`.
---@param class_name string
---@param native_name string
---@param base? deer.NativeAlgo the class it extends
---@return deer.NativeAlgo
function NativeAlgo.define(class_name, native_name, base)
  local class = (base or NativeAlgo):extend(class_name)
  local about = core.about("algo", native_name)
  class.native_name, class.help, class.paper = native_name, about.help, about.paper
  class.action_kinds = about.actions
  if about.distribution then
    class.actionProba, class.explorationPolicy = action_proba, draws
  elseif about.actions == "continuous" then
    class.explorationPolicy = noisy
  end
  class.fields = options.fromFields(core.fields("algo", native_name))
  class.options = {
    network = { type = "any", alias = { "neural_network", "network_type" },
      help = "'deer', 'deer-0.2', 'deer-lstm', a list of layers, { branches =, trunk =, \z
        output = }, or JSON that says so, as text or as the path of a file" },
  }
  for _, field in ipairs(class.fields) do
    field.alias = ALIASES[field.name]
    class.options[field.name] = field
  end
  return class
end

-- by the name in C: the class that deer has
local function shipped()
  local deer, known = require "deer", {}
  for _, class_name in ipairs(require("deer.manual").classes) do
    local native_name = deer[class_name].native_name
    if native_name and not known[native_name] then known[native_name] = deer[class_name] end
  end
  return known
end

--- The names of those in C without a class in deer.
---@return string[]
function NativeAlgo.names()
  local names, known = {}, shipped()
  for _, name in ipairs(core.names "algo") do
    if not known[name] then names[#names + 1] = name end
  end
  return names
end

local made = {}

--- The class of the algorithm in C of that name, or nil; `class_name` is what it shall be called.
---@param name string
---@param class_name string
---@return deer.NativeAlgo|nil
function NativeAlgo.find(name, class_name)
  for _, known in ipairs(core.names "algo") do
    if known == name then
      made[name] = made[name] or shipped()[name] or NativeAlgo.define(class_name, name)
    end
  end
  return made[name]
end

function NativeAlgo:init(given) self:make(given) end

function NativeAlgo:make(given)
  if self._handle then return self._handle end
  local values = {}
  for _, field in ipairs(self.fields) do values[field.name] = given[field.name] end
  self._handle = core.algo(self.native_name, {
    environment = self.environment:handle(),
    options = values,
    network = network_spec.resolve(given.network, getmetatable(self), self.environment),
    seed = math.tointeger(given.seed) or seeds.default(),
  })
  return self._handle
end

--- The best action in a state, and the value of the state. `state` has one entry per subject: its
--- history, oldest first.
---@param state table
---@return integer|number[] action discrete actions count from 0
---@return number value
function NativeAlgo:chooseBestAction(state) return self._handle:chooseBestAction(state) end

--- The number of updates done.
---@return integer
function NativeAlgo:updates() return self._handle:updates() end

---@return table[]
function NativeAlgo:getAllParams() return self._handle:parameters() end

---@param params table[]
function NativeAlgo:setAllParams(params)
  if type(params) ~= "table" then
    text.fail("%s:setAllParams: expected a list that getAllParams gave, got %s", self.__name,
      text.describe(params))
  end
  self._handle:setParameters(params)
end

return NativeAlgo
