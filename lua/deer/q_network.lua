--- Deep Q-learning (Mnih et al. 2015, doi:10.1038/nature14236): a network gives the value of every
--- action. The learning is done in C (src/algo/dqn.c), whose field table lists the options.
---
---   deer.QNetwork{ environment = env, update_rule = "rmsprop", batch_size = 32, double_q = true }

local Algo = require "deer.algo"
local core = require "deer.core"
local draw_weights = require "deer.initial_weights"
local network_spec = require "deer.network_spec"
local options = require "deer.options"
local seeds = require "deer.seeds"
local text = require "deer.text"

---@class deer.QNetwork: deer.Algo
---@overload fun(options: table): deer.QNetwork
local QNetwork = Algo:extend "QNetwork"

-- DeeR's names for options that are called otherwise here
local ALIASES = {
  discount = { "discount_factor", "df" },
  learning_rate = { "lr" },
  rho = { "rms_decay" },
}

local FIELDS = options.fromFields(core.fields("algo", "dqn"))

QNetwork.options = {
  network = { type = "any", alias = { "neural_network", "network_type" },
    help = "'deer' (the default), 'deer-0.2', 'deer-lstm', a list of layers, { branches =, \z
      trunk =, output = }, or JSON that says so, as text or as the path of a file" },
  seed = { type = "generator", alias = { "random_state" },
    help = "of the initial weights; from a deer.RandomState they are drawn as DeeR does" },
}
for _, field in ipairs(FIELDS) do
  field.alias = ALIASES[field.name]
  QNetwork.options[field.name] = field
end

function QNetwork:init(given) self:make(given) end

function QNetwork:make(given)
  if self._handle then return self._handle end
  local values = {}
  for _, field in ipairs(FIELDS) do values[field.name] = given[field.name] end
  self._handle = core.algo("dqn", {
    environment = self.environment:handle(),
    options = values,
    network = network_spec.resolve(given.network),
    seed = math.tointeger(given.seed) or seeds.default(),
  })
  if type(given.seed) == "userdata" then draw_weights(self._handle, given.seed) end
  return self._handle
end

--- The action of the highest value in a state, and that value. `state` has one entry per subject:
--- its history, oldest first.
---@param state table
---@return integer action 0-based
---@return number value
function QNetwork:chooseBestAction(state) return self._handle:chooseBestAction(state) end

--- The value of every action in a state.
---@param state table
---@return number[] values the first is that of action 0
function QNetwork:qValues(state) return self._handle:qValues(state) end

--- The number of updates done.
---@return integer
function QNetwork:updates() return self._handle:updates() end

---@return table[]
function QNetwork:getAllParams() return self._handle:parameters() end

---@param params table[]
function QNetwork:setAllParams(params)
  if type(params) ~= "table" then
    text.fail("QNetwork:setAllParams: expected a list that getAllParams gave, got %s",
      text.describe(params))
  end
  self._handle:setParameters(params)
end

return QNetwork
