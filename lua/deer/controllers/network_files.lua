--- Writes the parameters with the best evaluation to best.safetensors and, at the end, the last
--- ones to last.safetensors. Their headers hold what else is needed to use them.

local Controller = require "deer.controller"
local Recorder = require "deer.recorder"
local run_folder = require "deer.run_folder"

---@class deer.NetworkFilesController: deer.Controller
---@overload fun(options: table?): deer.NetworkFilesController
local NetworkFilesController = Controller:extend "NetworkFilesController"

NetworkFilesController.modes = { -1 }

NetworkFilesController.options = {
  folder = Recorder.options.folder,
  config = { type = "string", help = "configuration of the run, for the headers" },
}

NetworkFilesController.path, NetworkFilesController.check = Recorder.path, Recorder.check

function NetworkFilesController:init(options)
  self.folder, self.config = options.folder, options.config
end

---@param agent deer.NeuralAgent
---@param name string
function NetworkFilesController:save(agent, name)
  local score = agent.evaluation and agent.evaluation.mean
  self:check(run_folder.save(self:path(agent, name), agent.learning_algo, { config = self.config,
    score = score, epochs = agent:epochs(), steps = agent:steps() }))
end

---@param agent deer.NeuralAgent
function NetworkFilesController:onEpochEnd(agent)
  local evaluation = agent.evaluation
  if evaluation == self.seen then return end
  self.seen = evaluation
  if evaluation.best then self:save(agent, "best.safetensors") end
end

---@param agent deer.NeuralAgent
function NetworkFilesController:onEnd(agent) self:save(agent, "last.safetensors") end

return NetworkFilesController
