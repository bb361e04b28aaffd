--- Lowers the noise by which continuous actions are explored: the policy's own sigma, as it is when
--- the run begins, times a coefficient. After k updates the coefficient is, with decay "additive",
--- max(initial - k * (initial - min) / decays, min), with "multiplicative"
--- max(initial * factor ^ k, min).

local Controller = require "deer.controller"
local text = require "deer.text"

---@class deer.NoiseCoeffController: deer.Controller
---@overload fun(options: table?): deer.NoiseCoeffController
local NoiseCoeffController = Controller:extend "NoiseCoeffController"

NoiseCoeffController.modes = { -1 }

NoiseCoeffController.options = {
  initial_coeff = { default = 1.0, range = { 0, math.huge }, help = "coefficient at the start" },
  coeff_min = { default = 0.0, range = { 0, math.huge }, help = "lowest coefficient" },
  decay = { default = "additive", choices = { "additive", "multiplicative" },
    help = "in equal steps or by a factor" },
  coeff_decays = { default = 10000, type = "integer", range = { 1, 2 ^ 53 },
    help = "additive: updates until coeff_min" },
  factor = { default = 0.999, range = { 0, 1 }, help = "multiplicative: of each update" },
  evaluate_on = { default = "action", choices = { "action", "episode", "epoch" },
    help = "what is counted" },
  periodicity = { default = 1, type = "integer", range = { 0, 2 ^ 53 },
    help = "update at every so many of them" },
  reset_every = { default = "none", choices = { "none", "episode", "epoch" },
    help = "back to the start at each end of this" },
}

local EVENTS = { action = "onActionChosen", episode = "onEpisodeEnd", epoch = "onEpochEnd" }

function NoiseCoeffController:init(options)
  if options.coeff_min > options.initial_coeff then
    text.fail("NoiseCoeffController: option 'coeff_min': expected at most %s, got %s",
      text.format(options.initial_coeff), text.format(options.coeff_min))
  end
  self.given, self.periodicity = options, options.periodicity
  self[EVENTS[options.evaluate_on]] = self.update
  -- at the same event a reset comes instead of an update
  if options.reset_every ~= "none" then self[EVENTS[options.reset_every]] = self.reset end
end

--- Raises an error when the training policy has no noise.
---@param agent deer.NeuralAgent
function NoiseCoeffController.ready(_, agent)
  local policy = agent.train_policy
  if not (policy.sigma and policy.setSigma) then
    text.fail("NoiseCoeffController: the training policy, %s, has no noise; expected one such as \z
      GaussianNoisePolicy or OrnsteinUhlenbeckPolicy", text.describe(policy))
  end
end

---@param agent deer.NeuralAgent
function NoiseCoeffController:onStart(agent)
  self:ready(agent)
  -- a second run goes on from the policy's own noise, not from what the first left of it
  self.sigma = self.sigma or agent.train_policy:sigma()
  self:reset(agent)
end

---@param agent deer.NeuralAgent
function NoiseCoeffController:reset(agent)
  self.count, self.updates = 0, 0
  self:set(agent)
end

--- The coefficient after k updates.
---@param k integer
---@return number
function NoiseCoeffController:coefficient(k)
  local given = self.given
  if given.decay == "multiplicative" then
    return math.max(given.initial_coeff * given.factor ^ k, given.coeff_min)
  end
  local step = (given.initial_coeff - given.coeff_min) / given.coeff_decays
  return math.max(given.initial_coeff - k * step, given.coeff_min)
end

---@param agent deer.NeuralAgent
function NoiseCoeffController:set(agent)
  agent.train_policy:setSigma(self.sigma * self:coefficient(self.updates))
end

---@param agent deer.NeuralAgent
function NoiseCoeffController:update(agent)
  self.count = self.count + 1
  if not self.due(self.count, self.periodicity) then return end
  self.updates = self.updates + 1
  self:set(agent)
end

return NoiseCoeffController
