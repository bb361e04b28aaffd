--- Multiplies the learning rate by a factor after every so many epochs: in epoch e (from 1) it is
--- initial_learning_rate * learning_rate_decay ^ floor((e - 1) / periodicity). With a schedule it
--- is schedule(0) in the first epoch and schedule(k) after k epochs, where k is a multiple of
--- periodicity.

local schedule = require("deer.core").schedule
local Controller = require "deer.controller"

---@class deer.LearningRateController: deer.Controller
---@overload fun(options: table): deer.LearningRateController
local LearningRateController = Controller:extend "LearningRateController"

LearningRateController.modes = { -1 }

LearningRateController.options = {
  initial_learning_rate = { default = 0.005, range = { 0, math.huge },
    help = "in the first epoch" },
  learning_rate_decay = { default = 1.0, range = { 0, math.huge }, help = "factor" },
  periodicity = { default = 1, type = "integer", range = { 0, 2 ^ 53 },
    help = "epochs between two changes" },
  schedule = { type = "any",
    help = "of epochs, instead of these: 'linear(0.01, 0.001, 50)'" },
}

function LearningRateController:init(options)
  self.initial, self.decay = options.initial_learning_rate, options.learning_rate_decay
  self.periodicity = options.periodicity
  self.schedule = options.schedule ~= nil and schedule(options.schedule)
end

---@param agent deer.NeuralAgent
function LearningRateController:onStart(agent)
  self.count = 0
  agent:setLearningRate(self.schedule and self.schedule(0) or self.initial)
  self.next = self.initial * self.decay
end

---@param agent deer.NeuralAgent
function LearningRateController:onEpochEnd(agent)
  self.count = self.count + 1
  if self.due(self.count, self.periodicity) then
    agent:setLearningRate(self.schedule and self.schedule(self.count) or self.next)
    self.next = self.next * self.decay
  end
end

return LearningRateController
