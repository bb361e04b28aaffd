--- Writes monitor.csv, a line per whole episode of training, as deer.monitor_file describes it; the
--- episodes of all environments in step go into one file.

local Controller = require "deer.controller"
local MonitorFile = require "deer.monitor_file"
local Recorder = require "deer.recorder"

---@class deer.MonitorController: deer.Recorder
---@overload fun(options: table?): deer.MonitorController
local MonitorController = Controller:extend "MonitorController"

MonitorController.modes = { -1 }

MonitorController.options = {
  folder = Recorder.options.folder,
  env_id = { type = "string", help = "name of the environment; that of its class if not given" },
}

MonitorController.path, MonitorController.check = Recorder.path, Recorder.check

function MonitorController:init(options)
  self.folder, self.env_id = options.folder, options.env_id
end

---@param agent deer.NeuralAgent
function MonitorController:onStart(agent)
  self.file = self:check(MonitorFile.open(self:path(agent, "monitor.csv"), agent.environment,
    self.env_id))
end

---@param agent deer.NeuralAgent
function MonitorController:onEpisodeEnd(agent)
  local reward, steps, whole = agent:lastEpisode()
  if whole then self:check(self.file:add(reward, steps)) end
end

function MonitorController:onEpochEnd() self:check(self.file:flush()) end

function MonitorController:onEnd()
  if self.file then self.file:close() end
  self.file = nil
end

return MonitorController
