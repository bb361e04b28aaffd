--- The best action, or sequences of actions that lean to one side or, with `hold`, are one action
--- all along; epsilon is the share of exploratory actions in the long run.

local Policy = require "deer.policy"
local core = require "deer.core"
local options = require "deer.options"

---@class deer.LongerExplorationPolicy: deer.Policy
---@overload fun(options: { epsilon: number?, length: integer?, hold: boolean? }):
---  deer.LongerExplorationPolicy
local LongerExplorationPolicy = Policy:extend "LongerExplorationPolicy"

LongerExplorationPolicy.options = options.fromFields(core.fields("policy", "longer_exploration"))

function LongerExplorationPolicy:init(given)
  self._handle = core.policy("longer_exploration",
    { epsilon = given.epsilon, length = given.length, hold = given.hold })
end

---@return number
function LongerExplorationPolicy:epsilon() return self._handle:option "epsilon" end

---@param epsilon number from 0 to 1
function LongerExplorationPolicy:setEpsilon(epsilon) self._handle:setOption("epsilon", epsilon) end

return LongerExplorationPolicy
