--- Lets the agent learn, after every action unless told otherwise, and prints how the episode went.

local Controller = require "deer.controller"
local text = require "deer.text"

---@class deer.TrainerController: deer.Controller
---@overload fun(options: table): deer.TrainerController
local TrainerController = Controller:extend "TrainerController"

TrainerController.modes = { -1 }

TrainerController.options = {
  evaluate_on = { default = "action", choices = { "action", "episode", "epoch" },
    help = "what is counted" },
  periodicity = { default = 1, type = "integer", range = { 0, 2 ^ 53 },
    help = "learn at every so many of them, the first included" },
  training_repeat = { default = 1, type = "integer", range = { 1, 2 ^ 31 }, help = "updates then" },
  show_episode_avg_V_value = { default = true, help = "print the mean value of the episode" },
  show_avg_Bellman_residual = { default = true, help = "print the mean loss of the epoch so far" },
}

function TrainerController:init(options)
  self.periodicity, self.repeats = options.periodicity, options.training_repeat
  self.show_value = options.show_episode_avg_V_value
  self.show_loss = options.show_avg_Bellman_residual
  self.on_episode = options.evaluate_on == "episode"
  if options.evaluate_on == "action" then self.onActionTaken = self.train end
  if options.evaluate_on == "epoch" then self.onEpochEnd = self.train end
end

function TrainerController:onStart()
  self.count = 0
end

---@param agent deer.NeuralAgent
function TrainerController:train(agent)
  if self.due(self.count, self.periodicity) then
    for _ = 1, self.repeats do agent:train() end
  end
  self.count = self.count + 1
end

---@param agent deer.NeuralAgent
function TrainerController:onEpisodeEnd(agent)
  if self.on_episode then self:train(agent) end
  if self.show_loss then
    text.say("%s: %s", agent.in_turn and "Episode average bellman residual" -- as DeeR 0.2 says it
      or "Average (on the epoch) training loss", text.format(agent:avgBellmanResidual()))
  end
  if self.show_value then
    text.say("Episode average V value: %s", text.format(agent:avgEpisodeVValue()))
  end
end

return TrainerController
