--- JSON as text, with the keys of objects in order, so that equal values give equal bytes. A table
--- is a list when it has an element 1 or is empty and came from json.list.

local core = require "deer.core"
local spairs = require "deer.spairs"
local text = require "deer.text"

local json = {}

--- The value that a JSON text stands for; nil and what is wrong where.
---@type fun(source: string): any, string?
json.decode = core.json

local List = { __name = "list" }

--- Makes an empty table a list.
---@param table_ table
---@return table
function json.list(table_) return setmetatable(table_, List) end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quote(word)
  return '"' .. word:gsub('[%c"\\]', function(c)
    return ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local encode

-- the items of a table between brackets, on one line or each on its own
local function brackets(items, open, close, indent)
  if #items == 0 then return open .. close end
  if not indent then return open .. table.concat(items, ", ") .. close end
  local inner = "\n" .. indent .. "  "
  return open .. inner .. table.concat(items, "," .. inner) .. "\n" .. indent .. close
end

local function encode_table(value, indent)
  local items, inner = {}, indent and indent .. "  "
  if value[1] ~= nil or getmetatable(value) == List then
    local flat = true
    for _, item in ipairs(value) do flat = flat and type(item) ~= "table" end
    -- a list of numbers stays on one line
    for i, item in ipairs(value) do items[i] = encode(item, inner) end
    return brackets(items, "[", "]", not flat and indent or nil)
  end
  for key, item in spairs(value) do
    items[#items + 1] = quote(tostring(key)) .. ": " .. encode(item, inner)
  end
  return brackets(items, "{", "}", indent)
end

function encode(value, indent)
  local kind = type(value)
  if kind == "table" then return encode_table(value, indent) end
  if kind == "string" then return quote(value) end
  if kind == "boolean" or kind == "nil" then return kind == "nil" and "null" or tostring(value) end
  if kind == "number" and value == value and math.abs(value) ~= math.huge then
    return text.format(value)
  end
  text.fail("json: %s has no form in JSON", text.describe(value))
end

--- The text of a value; with `pretty` on several lines.
---@param value any
---@param pretty? boolean
---@return string
function json.encode(value, pretty) return encode(value, pretty and "" or nil) end

return json
