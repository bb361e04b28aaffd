--- Moves the discount factor g after every so many epochs to 1 - (1 - g) *
--- discount_factor_growth, as long as that is below discount_factor_max: a growth below 1 makes
--- the agent look farther ahead (Francois-Lavet et al. 2015, arXiv:1512.02011). With a
--- schedule it is schedule(0) in the first epoch and schedule(k) after k epochs, where k is a
--- multiple of periodicity.

local schedule = require("deer.core").schedule
local Controller = require "deer.controller"

---@class deer.DiscountFactorController: deer.Controller
---@overload fun(options: table): deer.DiscountFactorController
local DiscountFactorController = Controller:extend "DiscountFactorController"

DiscountFactorController.modes = { -1 }

DiscountFactorController.options = {
  initial_discount_factor = { default = 0.9, range = { 0, 1 }, help = "in the first epoch" },
  discount_factor_growth = { default = 1.0, range = { 0, math.huge },
    help = "factor of the distance to 1" },
  discount_factor_max = { default = 0.99, range = { 0, 1 }, help = "stays below this" },
  periodicity = { default = 1, type = "integer", range = { 0, 2 ^ 53 },
    help = "epochs between two changes" },
  schedule = { type = "any",
    help = "of epochs, instead of these: 'linear(0.9, 0.99, 50)'" },
}

function DiscountFactorController:init(options)
  self.initial, self.growth = options.initial_discount_factor, options.discount_factor_growth
  self.max, self.periodicity = options.discount_factor_max, options.periodicity
  self.schedule = options.schedule ~= nil and schedule(options.schedule)
end

---@param agent deer.NeuralAgent
function DiscountFactorController:onStart(agent)
  self.count = 0
  agent:setDiscountFactor(self.schedule and self.schedule(0) or self.initial)
  self.next = self.initial < self.max and self:grown(self.initial) or self.initial
end

---@param factor number
---@return number
function DiscountFactorController:grown(factor)
  return 1 - (1 - factor) * self.growth
end

---@param agent deer.NeuralAgent
function DiscountFactorController:onEpochEnd(agent)
  self.count = self.count + 1
  if not self.due(self.count, self.periodicity) then return end
  if self.schedule then
    agent:setDiscountFactor(self.schedule(self.count))
  elseif self.next < self.max then
    agent:setDiscountFactor(self.next)
    self.next = self:grown(self.next)
  end
end

return DiscountFactorController
