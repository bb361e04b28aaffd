--- Prints a line of JSON per epoch, for machines: on the standard output, whatever others say.

local Recorder = require "deer.recorder"
local json = require "deer.json"
local spairs = require "deer.spairs"
local text = require "deer.text"

---@class deer.JsonLinesController: deer.Recorder
---@overload fun(options: table?): deer.JsonLinesController
local JsonLinesController = Recorder:extend "JsonLinesController"

function JsonLinesController:write(_, _, numbers)
  for tag, value in spairs(numbers) do
    if value ~= value or math.abs(value) == math.huge then numbers[tag] = nil end
  end
  text.status(nil)
  io.stdout:write(json.encode(numbers), "\n")
  io.stdout:flush()
end

return JsonLinesController
