--- Writes monitor.csv, a line per whole episode: its return, its length and when it ended, in
--- seconds since the start. It is the file of Stable-Baselines3's Monitor to the byte, line ends of
--- two kinds included, so that what reads those reads it too.

local Controller = require "deer.controller"
local Recorder = require "deer.recorder"
local json = require "deer.json"
local sys = require "deer.sys"
local text = require "deer.text"

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

-- Python's round(x, 6), as its repr prints it
local function rounded(x)
  return text.format(tonumber(("%.6f"):format(x)) + 0.0)
end

---@param agent deer.NeuralAgent
function MonitorController:onStart(agent)
  self.started = sys.date()
  self.file = self:check(io.open(self:path(agent, "monitor.csv"), "w"))
  local id = self.env_id or agent.environment.native_name or agent.environment.__name
  self:check(self.file:write(('#{"t_start": %s, "env_id": %s}\nr,l,t\r\n'):format(
    text.format(self.started), json.encode(id))))
end

---@param agent deer.NeuralAgent
function MonitorController:onEpisodeEnd(agent)
  local reward, steps, whole = agent:lastEpisode()
  if not whole then return end
  self:check(self.file:write(("%s,%d,%s\r\n"):format(rounded(reward), steps,
    rounded(sys.date() - self.started))))
end

function MonitorController:onEpochEnd() self:check(self.file:flush()) end

function MonitorController:onEnd()
  if self.file then self.file:close() end
  self.file = nil
end

return MonitorController
