--- What a chart is given: colours, options and lists of numbers, checked and copied.
local check = {}

--- Colours that colour-blind people can tell apart (Okabe and Ito 2008), by name.
---@type table<string, string>
check.colors = {
  black = "#000000", orange = "#e69f00", sky = "#56b4e9", green = "#009e73", yellow = "#f0e442",
  blue = "#0072b2", red = "#d55e00", purple = "#cc79a7", grey = "#7f7f7f", white = "#ffffff",
}

--- Raises at the nearest line that is not part of the plot module: the one that gave the value.
---@param message string a format
function check.fail(message, ...)
  local level = 2
  while true do
    local info = debug.getinfo(level, "S")
    if not info or not info.source:find("lua/deer/plot[./]") then break end
    level = level + 1
  end
  error(message:format(...), level)
end

---@param value any
---@return string
function check.show(value)
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

---@param v number
---@return boolean
function check.finite(v) return v == v and v ~= math.huge and v ~= -math.huge end

local fail, show, finite = check.fail, check.show, check.finite

-- each kind takes a value and returns what it stands for, or nil and what was expected
local kinds = {}

function kinds.text(v)
  if type(v) == "string" then return v end
  return nil, "a string"
end

function kinds.flag(v)
  if type(v) == "boolean" then return v end
  return nil, "true or false"
end

function kinds.positive(v)
  if type(v) == "number" and v > 0 and finite(v) then return v end
  return nil, "a positive number"
end

function kinds.opacity(v)
  if type(v) == "number" and v >= 0 and v <= 1 then return v end
  return nil, "a number from 0 to 1"
end

function kinds.pixels(v)
  if math.type(v) == "integer" and v >= 64 and v <= 8192 then return v end
  return nil, "a whole number from 64 to 8192"
end

function kinds.count(v)
  if math.type(v) == "integer" and v >= 1 and v <= 32 then return v end
  return nil, "a whole number from 1 to 32"
end

function kinds.shape(v)
  if v == "circle" or v == "square" or v == "triangle" or v == "diamond" then return v end
  return nil, '"circle", "square", "triangle" or "diamond"'
end

function kinds.limits(v)
  if type(v) == "table" and #v == 2 and type(v[1]) == "number" and type(v[2]) == "number"
    and finite(v[1]) and finite(v[2]) and v[1] < v[2] then
    return { v[1] + 0.0, v[2] + 0.0 }
  end
  return nil, "{low, high} with low < high"
end

-- is it a list of 3 or 4 bytes
local function is_rgba(v)
  for i = 1, #v do
    if math.type(v[i]) ~= "integer" or v[i] < 0 or v[i] > 255 then return false end
  end
  return #v == 3 or #v == 4
end

-- colours become {r, g, b, a}
function kinds.color(v)
  if type(v) == "table" and is_rgba(v) then return { v[1], v[2], v[3], v[4] or 255 } end
  local digits = type(v) == "string" and (check.colors[v] or v):match("^#(%x%x%x%x%x%x)$")
  if digits then
    local n = tonumber(digits, 16)
    return { n >> 16, n >> 8 & 255, n & 255, 255 }
  end
  return nil, 'a colour ("blue", "#rrggbb" or {r, g, b, a} of 0 to 255)'
end

-- the keys of a table as sorted text, for messages that are the same every time
local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

--- A copy of the options, after every value passed the check of the kind that `known` names for it.
---@param what string the function they were given to
---@param options any
---@param known table<string, string>
---@return table
function check.options(what, options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then
    fail("%s: a table of options expected, got %s", what, show(options))
  end
  local checked = {}
  for _, name in ipairs(sorted_keys(options)) do
    if not known[name] then
      local all = table.concat(sorted_keys(known), ", ")
      fail("%s: unknown option %s (known: %s)", what, show(name), all)
    end
    local value, expected = kinds[known[name]](options[name])
    if value == nil then
      fail("%s: %s: %s expected, got %s", what, name, expected, show(options[name]))
    end
    checked[name] = value
  end
  return checked
end

--- A copy of a list of numbers.
---@param what string
---@param name string
---@param list any
---@return number[]
function check.list(what, name, list)
  if type(list) ~= "table" then
    fail("%s: %s: a list of numbers expected, got %s", what, name, show(list))
  end
  local copy = {}
  for i = 1, #list do
    if type(list[i]) ~= "number" then
      fail("%s: %s[%d]: number expected, got %s", what, name, i, show(list[i]))
    end
    copy[i] = list[i] + 0.0
  end
  return copy
end

---@param name string of check.colors
---@return integer[]
function check.color(name) return (kinds.color(name)) end

return check
