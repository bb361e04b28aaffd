--- Writes progress.csv: a line per epoch, with the columns of Stable-Baselines3.

local Recorder = require "deer.recorder"
local text = require "deer.text"

---@class deer.ProgressCsvController: deer.Recorder
---@overload fun(options: table?): deer.ProgressCsvController
local ProgressCsvController = Recorder:extend "ProgressCsvController"

---@param agent deer.NeuralAgent
function ProgressCsvController:open(agent)
  self.file = self:check(io.open(self:path(agent, "progress.csv"), "w"))
  self:check(self.file:write(table.concat(Recorder.tags, ","), "\n"))
end

function ProgressCsvController:write(_, _, numbers)
  local cells = {}
  for i, tag in ipairs(Recorder.tags) do
    cells[i] = numbers[tag] and text.format(numbers[tag]) or ""
  end
  self:check(self.file:write(table.concat(cells, ","), "\n"))
  self:check(self.file:flush())
end

function ProgressCsvController:onEnd()
  if self.file then self.file:close() end
  self.file = nil
end

return ProgressCsvController
