--- What is said to people: numbers, lines, the progress line, and errors that name the line of the
--- script at fault.

local core = require "deer.core"
local sys = require "deer.sys"

local text = {}

--- A number as Python prints it: 8.0, 0.1, 1e-05, -1 for a Lua integer.
---@type fun(number: number): string
text.format = core.format

--- A number for people: without the last digits, in which only rounding is to be seen.
---@param number number
---@return string
function text.brief(number)
  if math.type(number) == "integer" then return text.format(number) end
  local rounded = tonumber(("%.9g"):format(number)) -- nil for what is not finite
  return text.format(rounded and rounded + 0.0 or number)
end

local status_shown = false

--- Shows `line` as the last line of the terminal, in place of the one before; nil takes it away.
---@param line string|nil
function text.status(line)
  if line == nil and not status_shown then return end
  io.stderr:write("\r\27[K", line or "")
  status_shown = line ~= nil
end

local listener -- nil: whoever reads the standard output; false: nobody

--- Where text.say writes from now on: a file, or nil for nowhere.
---@param file file*|nil
function text.sayTo(file) listener = file or false end

--- Prints one line; a progress line that is on the terminal makes room for it.
---@param format string as of string.format
---@param ... any
function text.say(format, ...)
  if listener == false then return end
  text.status(nil)
  local out = listener or io.stdout
  out:write(format:format(...), "\n")
  out:flush()
end

--- What a value is, for messages: `a table`, `the string "abc"`, `7`, `nothing`, `a Walk`.
---@param value any
---@return string
function text.describe(value)
  local kind = type(value)
  if value == nil then return "nothing" end
  if kind == "number" then return text.format(value) end
  if kind == "boolean" then return tostring(value) end
  if kind == "string" then
    local short = #value > 40 and value:sub(1, 37) .. "..." or value
    return (("the string %q"):format(short):gsub("\n", "n")) -- always one line
  end
  local meta = getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  return text.a(type(name) == "string" and name or kind)
end

--- A word with the article it takes.
---@param word string
---@return string
function text.a(word)
  return (word:find("^[aeioAEIO]") and "an " or "a ") .. word
end

-- "@/where/deerlua/lua/deer/": the folder of this file and of everything that is not the user's
local own = debug.getinfo(1, "S").source:match("^.*/") or "@lua/deer/"
-- the same in full, for what is found by its kind
local tree = sys.root() and ("@%s/lua/deer/"):format(sys.root()) or own

--- "script.lua:12: ": the innermost running line that is not deer's own, "" if there is none.
---@return string
function text.where()
  local level = 2
  while true do
    local info = debug.getinfo(level, "Sl")
    if not info then return "" end
    local deers = info.source:sub(1, #own) == own or info.source:sub(1, #tree) == tree
    if info.currentline > 0 and not deers then
      return ("%s:%d: "):format(info.short_src, info.currentline)
    end
    level = level + 1
  end
end

--- Raises an error that names the line of the script at fault.
---@param format string as of string.format
---@param ... any
function text.fail(format, ...)
  error(text.where() .. format:format(...), 0)
end

--- "; did you mean 'epochs'?" when one of the names is near to the word, else "".
---@param word string
---@param names string[]
---@param prefix? string what stands before the name
---@return string
function text.meant(word, names, prefix)
  local near = core.nearest(word, names)
  return near and ("; did you mean '%s%s'?"):format(prefix or "", near) or ""
end

return text
