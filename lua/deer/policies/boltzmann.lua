--- Each action with a probability in proportion to exp(its value / temperature) (Sutton and Barto
--- 2018, section 2.8); for algorithms that know the value of every action.

local Policy = require "deer.policy"
local core = require "deer.core"
local options = require "deer.options"

---@class deer.BoltzmannPolicy: deer.Policy
---@overload fun(options: { temperature: number? }): deer.BoltzmannPolicy
local BoltzmannPolicy = Policy:extend "BoltzmannPolicy"

BoltzmannPolicy.options = options.fromFields(core.fields("policy", "boltzmann"))

function BoltzmannPolicy:init(given)
  self._handle = core.policy("boltzmann", { temperature = given.temperature })
end

---@return number
function BoltzmannPolicy:temperature() return self._handle:option "temperature" end

---@param temperature number above 0
function BoltzmannPolicy:setTemperature(temperature)
  self._handle:setOption("temperature", temperature)
end

return BoltzmannPolicy
