--- An action that the algorithm itself draws, from the distribution it has learnt: deer.SAC, or a
--- deer.QNetwork with the option noisy.

local Policy = require "deer.policy"
local core = require "deer.core"

---@class deer.StochasticPolicy: deer.Policy
---@overload fun(options: table): deer.StochasticPolicy
local StochasticPolicy = Policy:extend "StochasticPolicy"

function StochasticPolicy:init() self._handle = core.policy "stochastic" end

return StochasticPolicy
