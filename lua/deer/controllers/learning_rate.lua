--- Multiplies the learning rate by a factor after every so many epochs: in epoch e (from 1) it is
--- initial_learning_rate * learning_rate_decay ^ floor((e - 1) / periodicity).

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
}

function LearningRateController:init(options)
  self.initial, self.decay = options.initial_learning_rate, options.learning_rate_decay
  self.periodicity = options.periodicity
end

---@param agent deer.NeuralAgent
function LearningRateController:onStart(agent)
  self.count = 0
  agent:setLearningRate(self.initial)
  self.next = self.initial * self.decay
end

---@param agent deer.NeuralAgent
function LearningRateController:onEpochEnd(agent)
  self.count = self.count + 1
  if self.due(self.count, self.periodicity) then
    agent:setLearningRate(self.next)
    self.next = self.next * self.decay
  end
end

return LearningRateController
