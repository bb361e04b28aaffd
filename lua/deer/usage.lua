--- Mistakes in what a person asked for on the command line: one line on the standard error, status
--- 2, and no traceback, since no code is at fault.

local text = require "deer.text"

local usage = {}

local Mistake = {}
Mistake.__index = Mistake
Mistake.__name = "mistake"
function Mistake:__tostring() return self.message end

--- Raises one.
---@param format string as of string.format
---@param ... any
function usage.fail(format, ...)
  error(setmetatable({ message = format:format(...) }, Mistake), 0)
end

--- The text of a mistake, nil when the error is something else.
---@param err any
---@return string|nil
function usage.message(err)
  return getmetatable(err) == Mistake and err.message or nil
end

-- a complaint, without the line of deer's own that passed it on; nil when a person's code is
-- named, or when deer's own is at fault
local function complaint(err)
  -- a file that is no Lua has no line that is at fault for having been run
  if err:find "^[^\n]-:%d+: [^\n]* near [^\n]*$" then return err end
  local own = err:match "^[^\n]-lua/deer/[%w_/]+%.lua:%d+: (.*)$"
  if own then return not own:find "^attempt to" and own or nil end
  return not err:find "^[^\n]-:%d+: " and err or nil
end

--- Calls a function with what the command line says. What it complains about is a mistake of the
--- person, unless it names a line of code.
---@param f function
---@param ... any
---@return any ...
function usage.try(f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local err = results[2]
  local message = type(err) == "string" and complaint(err)
  if not message then error(err, 0) end
  usage.fail("%s", message)
end

--- Calls a function that may find such a mistake, for code that scripts use as well: there it is an
--- error that names their line.
---@param f function
---@param ... any
---@return any ...
function usage.plainly(f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local message = usage.message(results[2])
  if not message then error(results[2], 0) end
  text.fail("%s", message)
end

return usage
