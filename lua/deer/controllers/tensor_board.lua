--- Writes an event file that TensorBoard shows, with the tags of Stable-Baselines3.

local EventFile = require "deer.event_file"
local Recorder = require "deer.recorder"
local sys = require "deer.sys"

---@class deer.TensorBoardController: deer.Recorder
---@overload fun(options: table?): deer.TensorBoardController
local TensorBoardController = Recorder:extend "TensorBoardController"

---@param agent deer.NeuralAgent
function TensorBoardController:open(agent)
  local now = sys.date()
  local name = ("events.out.tfevents.%d.deerlua.%06d.0"):format(now // 1, now % 1 * 1e6 // 1)
  self.file = self:check(EventFile.create(self:path(agent, name), now))
end

---@param agent deer.NeuralAgent
---@param row table[]
function TensorBoardController:write(agent, row)
  self:check(self.file:add(sys.date(), agent:steps(), row))
end

function TensorBoardController:onEnd()
  if self.file then self.file:close() end
  self.file = nil
end

return TensorBoardController
