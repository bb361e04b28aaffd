--- A random action with probability epsilon, else the best one (Sutton and Barto 2018, 2.2).

local Policy = require "deer.policy"
local core = require "deer.core"

---@class deer.EpsilonGreedyPolicy: deer.Policy
---@overload fun(options: { epsilon: number?, exclude_greedy: number?, distance: number? }):
---  deer.EpsilonGreedyPolicy
local EpsilonGreedyPolicy = Policy:extend "EpsilonGreedyPolicy"

EpsilonGreedyPolicy.options = {
  epsilon = { default = 0.1, range = { 0, 1 }, help = "probability of a random action" },
  exclude_greedy = { default = 0.0, range = { 0, 1 },
    help = "probability that a random action is not the best one" },
  distance = { default = 0.1, range = { 0, 0.9 },
    help = "how near to the best one an action counts as it, in half widths of the box" },
}

function EpsilonGreedyPolicy:init(options)
  self._handle = core.policy("epsilon_greedy", { epsilon = options.epsilon,
    exclude_greedy = options.exclude_greedy, distance = options.distance })
end

---@return number
function EpsilonGreedyPolicy:epsilon() return self._handle:option "epsilon" end

---@param epsilon number from 0 to 1
function EpsilonGreedyPolicy:setEpsilon(epsilon) self._handle:setOption("epsilon", epsilon) end

return EpsilonGreedyPolicy
