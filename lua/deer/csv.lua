--- Tables in text files:
---
---   local data, names = assert(deer.csv "prices.csv")
---   print(#data.close, data.close[1], data[2] == data[names[2]])
---
--- A column is a list of numbers when the first of its cells that is not empty is a number; then
--- all must be, and an empty one is not a number (x ~= x). Else it is a list of strings.

local core = require "deer.core"
local options = require "deer.options"
local text = require "deer.text"

local LIST = options.list{
  separator = { default = ",", help = "what stands between cells" },
  header = { type = "boolean", help = "the first line holds names; if not given, it does unless \z
    one of its cells is a number" },
}

-- a column that is not there is a mistake in the script or another file than expected
local Columns = {}
function Columns.__index(columns, name)
  if type(name) ~= "string" then return nil end
  local names = {}
  for key in require("deer.spairs")(columns) do names[#names + 1] = tostring(key) end
  text.fail("the file has no column '%s'%s", name, text.meant(name, names))
end

--- The columns of a file by position and, with a header, by name; and the names.
---@param path string
---@param given? { separator: string?, header: boolean? }
---@return table<string|integer, any[]>|nil columns nil when the file cannot be read or is malformed
---@return string[]|string names or why not, with line and column
return function(path, given)
  if type(path) ~= "string" then
    text.fail("csv: expected the name of a file, got %s", text.describe(path))
  end
  local checked = options.check("csv", LIST, given or {})
  if #checked.separator ~= 1 or checked.separator:find '["\r\n]' then
    text.fail("csv: option 'separator': expected one character, got %s",
      text.describe(checked.separator))
  end
  local columns, names = core.csv(path, checked.separator, checked.header)
  if not columns then return nil, names end
  return setmetatable(columns, Columns), names
end
