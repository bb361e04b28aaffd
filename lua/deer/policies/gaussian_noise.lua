--- The best action and independent Gaussian noise, for continuous actions (Fujimoto et al. 2018).

local Policy = require "deer.policy"
local core = require "deer.core"
local options = require "deer.options"

---@class deer.GaussianNoisePolicy: deer.Policy
---@overload fun(options: { sigma: number? }): deer.GaussianNoisePolicy
local GaussianNoisePolicy = Policy:extend "GaussianNoisePolicy"

GaussianNoisePolicy.options = options.fromFields(core.fields("policy", "gaussian_noise"))

function GaussianNoisePolicy:init(given)
  self._handle = core.policy("gaussian_noise", { sigma = given.sigma })
end

---@return number
function GaussianNoisePolicy:sigma() return self._handle:option "sigma" end

---@param sigma number 1 is half the width of the box of actions
function GaussianNoisePolicy:setSigma(sigma) self._handle:setOption("sigma", sigma) end

return GaussianNoisePolicy
