--- A table of episodes in a file: a line for each, its return, its length and when it ended, in
--- seconds since the file was begun. It is the file of Stable-Baselines3's Monitor to the byte,
--- line ends of two kinds included, so that what reads those reads it too.

local json = require "deer.json"
local sys = require "deer.sys"
local text = require "deer.text"

---@class deer.MonitorFile
---@field file file*
---@field started number
local MonitorFile = {}
MonitorFile.__index = MonitorFile

--- Begins the file; one that was there is lost.
---@param path string
---@param environment deer.Environment
---@param env_id? string what to call it; by the name of its class if not given
---@return deer.MonitorFile|nil
---@return string|nil message
function MonitorFile.open(path, environment, env_id)
  local file, message = io.open(path, "w")
  if not file then return nil, message end
  local inside = environment:unwrapped()
  env_id = env_id or inside.native_name or inside.__name
  local self = setmetatable({ file = file, started = sys.date(), path = path }, MonitorFile)
  return self:put(('#{"t_start": %s, "env_id": %s}\nr,l,t\r\n'):format(text.format(self.started),
    json.encode(env_id)))
end

-- itself, or nil and why not
function MonitorFile:put(line)
  local done, message = self.file:write(line)
  if done then return self end
  return nil, self.path .. ": " .. message
end

-- Python's round(x, 6), as its repr prints it
local function rounded(x)
  return text.format(tonumber(("%.6f"):format(x)) + 0.0)
end

--- Adds an episode.
---@param reward number
---@param steps integer
---@return deer.MonitorFile|nil
---@return string|nil message
function MonitorFile:add(reward, steps)
  return self:put(("%s,%d,%s\r\n"):format(rounded(reward), steps,
    rounded(sys.date() - self.started)))
end

--- Sees to it that others can read what was added.
---@return deer.MonitorFile|nil
---@return string|nil message
function MonitorFile:flush()
  local done, message = self.file:flush()
  if done then return self end
  return nil, self.path .. ": " .. message
end

function MonitorFile:close() self.file:close() end

return MonitorFile
