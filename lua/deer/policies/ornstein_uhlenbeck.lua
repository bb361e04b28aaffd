--- The best action and noise that drifts, so that it pushes one way for a while; for continuous
--- actions (Uhlenbeck and Ornstein 1930; Lillicrap et al. 2016).

local Policy = require "deer.policy"
local core = require "deer.core"
local options = require "deer.options"

---@class deer.OrnsteinUhlenbeckPolicy: deer.Policy
---@overload fun(options: { theta: number?, sigma: number? }): deer.OrnsteinUhlenbeckPolicy
local OrnsteinUhlenbeckPolicy = Policy:extend "OrnsteinUhlenbeckPolicy"

OrnsteinUhlenbeckPolicy.options = options.fromFields(core.fields("policy", "ornstein_uhlenbeck"))

function OrnsteinUhlenbeckPolicy:init(given)
  self._handle = core.policy("ornstein_uhlenbeck", { theta = given.theta, sigma = given.sigma })
end

---@return number
function OrnsteinUhlenbeckPolicy:sigma() return self._handle:option "sigma" end

---@param sigma number 1 is half the width of the box of actions
function OrnsteinUhlenbeckPolicy:setSigma(sigma) self._handle:setOption("sigma", sigma) end

return OrnsteinUhlenbeckPolicy
