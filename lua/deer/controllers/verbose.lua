--- Prints the learning rate, discount factor and epsilon that are in force. Attached first, it
--- prints those of the epoch that ends, before others change them.

local Controller = require "deer.controller"
local text = require "deer.text"

---@class deer.VerboseController: deer.Controller
---@overload fun(options: table?): deer.VerboseController
local VerboseController = Controller:extend "VerboseController"

VerboseController.modes = { -1 }

VerboseController.options = {
  evaluate_on = { default = "epoch", choices = { "action", "episode", "epoch" },
    help = "what is counted" },
  periodicity = { default = 1, type = "integer", range = { 0, 2 ^ 53 },
    help = "print at every so many of them" },
  show_memory = { default = false, help = "also print how many samples are remembered" },
}

function VerboseController:init(options)
  self.evaluate_on, self.periodicity = options.evaluate_on, options.periodicity
  self.show_memory = options.show_memory
  self[Controller.events[options.evaluate_on]] = self.report
end

function VerboseController:onStart()
  self.count = 0
end

---@param agent deer.NeuralAgent
function VerboseController:report(agent)
  if self.due(self.count, self.periodicity) then
    local epsilon = agent:epsilon()
    text.say("%s %d:", self.evaluate_on, self.count + 1)
    text.say("Learning rate: %s", text.format(agent:learningRate()))
    text.say("Discount factor: %s", text.format(agent:discountFactor()))
    if epsilon then text.say("Epsilon: %s", text.format(epsilon)) end
    if self.show_memory then text.say("Samples: %d", agent:dataset():nElems()) end
  end
  self.count = self.count + 1
end

return VerboseController
