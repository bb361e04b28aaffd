--- Options of classes and of the command line. An option table says what there is:
---
---   { length = { default = 7, range = {3, 1000}, help = "number of cells" } }
---
--- A row may hold `default`, `required`, `range = {low, high}` (inclusive), `choices = {...}`,
--- `type` ("number", "integer", "boolean", "string", "table", "list" (of numbers), "wholes" (a list
--- of whole ones), "function", "seed", "generator", "any"; that of the default if absent), `parts =
--- {...}` (what the numbers of a list are), `search = {low, high}` (where a search for good values
--- looks), `alias = {...}` (other names) and `help`. In names, letter case and "_" do not count:
--- evaluateOn is evaluate_on.

local core = require "deer.core"
local spairs = require "deer.spairs"
local text = require "deer.text"

local options = {}

---@class deer.Option
---@field name string
---@field type? string
---@field default? any
---@field required? boolean
---@field range? number[]
---@field choices? any[]
---@field parts? string[]
---@field search? number[]
---@field alias? string[]
---@field help? string

--- The form in which two spellings of a name are the same.
---@param name string
---@return string
function options.key(name)
  return (tostring(name):lower():gsub("[_-]", ""))
end

local NOUNS = {
  number = "a number", integer = "an integer", boolean = "true or false", string = "a string",
  table = "a table", list = "a list of numbers",
  wholes = "a list of whole numbers", ["function"] = "a function",
  seed = "a seed (an integer or a generator)",
  generator = "a seed (an integer or a generator)",
  any = "a value",
}

-- what a row may hold, and of which type
local ROW = { name = "string", type = "string", integer = "boolean", required = "boolean",
  range = "table", choices = "table", parts = "table", search = "table", alias = "table",
  help = "string" }

local function check_row(name, given)
  if type(given) ~= "table" then
    text.fail("options.%s: expected a table such as { default = %s }, got %s", name,
      type(given) == "string" and "..." or tostring(given), text.describe(given))
  end
  for key, value in spairs(given) do
    if key ~= "default" and not ROW[key] then
      text.fail("options.%s: there is no '%s' in the table of an option%s", name, tostring(key),
        text.meant(tostring(key), { "default", "required", "range", "choices", "search", "alias",
          "help" }))
    end
    if key ~= "default" and type(value) ~= ROW[key] then
      text.fail("options.%s: %s: expected %s, got %s", name, key, NOUNS[ROW[key]],
        text.describe(value))
    end
  end
  if given.type and not NOUNS[given.type] then
    text.fail("options.%s: there is no type '%s'%s", name, given.type,
      text.meant(given.type, { "number", "integer", "boolean", "string", "table", "function" }))
  end
end

local function row(name, given)
  check_row(name, given)
  local option = { name = name }
  for key, value in spairs(given) do option[key] = value end
  if option.integer then option.type = "integer" end
  if not option.type then
    option.type = option.default ~= nil and not option.choices and type(option.default) or "any"
  end
  if option.default ~= nil and options.accept(option, option.default) == nil then
    text.fail("options.%s: default: expected %s, got %s", name, options.expected(option),
      text.describe(option.default))
  end
  return option
end

--- Puts option tables together, the later ones winning, into one list, each table's rows sorted by
--- name. Rows with a position instead of a name name themselves and keep their order.
---@param ... table|nil
---@return deer.Option[]
function options.list(...)
  local list, position = {}, {}
  for i = 1, select("#", ...) do
    local rows = select(i, ...)
    if rows ~= nil and type(rows) ~= "table" then
      text.fail("options: expected a table such as { size = { default = 3 } }, got %s",
        text.describe(rows))
    end
    for key, given in spairs(rows or {}) do
      local option = row(type(key) == "number" and given.name or key, given)
      local at = position[option.name] or #list + 1
      list[at], position[option.name] = option, at
    end
  end
  return list
end

local FIELD_TYPES = { real = "number", int = "integer", bool = "boolean", choice = "any",
  list = "list", wholes = "wholes" }

--- The option table of a class written in C, from core.fields.
---@param fields table[]
---@return table[]
function options.fromFields(fields)
  local rows = {}
  for i, field in ipairs(fields) do
    local kind = FIELD_TYPES[field.type]
    rows[i] = {
      name = field.name, type = kind, default = field.default, choices = field.choices,
      range = field.min and { field.min, field.max }, parts = field.parts, search = field.search,
      help = field.help,
    }
  end
  return rows
end

-- a bound of a range: whole ones without ".0"
local function bound(x)
  return math.tointeger(x) and ("%d"):format(x) or text.format(x)
end

--- What an option takes, in words: "a number from 3 to 1000".
---@param option deer.Option
---@return string
function options.expected(option)
  if option.choices then
    local words = {}
    for i, choice in ipairs(option.choices) do words[i] = ("'%s'"):format(tostring(choice)) end
    return "one of " .. table.concat(words, ", ")
  end
  local noun, range = NOUNS[option.type] or text.a(option.type), option.range
  if option.parts then
    noun = ("{%s}%s"):format(table.concat(option.parts, ", "),
      option.type == "wholes" and ", whole numbers" or "")
  end
  if not range then return noun end
  local low, high = range[1] or -math.huge, range[2] or math.huge
  if high >= 2 ^ 53 and low <= -2 ^ 53 then return noun end
  if high >= 2 ^ 53 then return ("%s of at least %s"):format(noun, bound(low)) end
  if low <= -2 ^ 53 then return ("%s of at most %s"):format(noun, bound(high)) end
  return ("%s from %s to %s"):format(noun, bound(low), bound(high))
end

--- Where a search for good values looks, in words: "searched from 0.8 to 0.999"; or nil.
---@param option deer.Option
---@return string|nil
function options.searched(option)
  local range = option.search
  return range and ("searched from %s to %s"):format(bound(range[1]), bound(range[2]))
end

-- "deer.Rng", "deer.RandomState", or nil for what is no generator
local function generator_kind(value)
  local name = type(value) == "userdata" and (getmetatable(value) or {}).__name
  return (name == "deer.Rng" or name == "deer.RandomState") and name or nil
end

-- a seed is an integer, or drawn from a generator
local function as_seed(value)
  if math.type(value) == "integer" then return value end
  local kind = generator_kind(value)
  if kind == "deer.Rng" then return value:int(0, 0x7fffffff) end
  if kind == "deer.RandomState" then return value:randint(0, 0x7fffffff) end
end

-- the same for classes that draw from a RandomState themselves, as DeeR's do
local function as_generator(value)
  return generator_kind(value) == "deer.RandomState" and value or as_seed(value)
end

-- a list of as many numbers in the range as the option wants
local function as_list(value, option)
  if type(value) ~= "table" or option.parts and #value ~= #option.parts then return nil end
  local low, high = table.unpack(option.range or {})
  for _, x in ipairs(value) do
    if type(x) ~= "number" or x ~= x or x < (low or x) or x > (high or x) then return nil end
  end
  return value
end

-- the same of integers
local function as_wholes(value, option)
  local list, whole = as_list(value, option), {}
  for i, x in ipairs(list or {}) do
    whole[i] = math.tointeger(x)
    if not whole[i] then return nil end
  end
  return list and whole
end

local CONVERT = {
  any = function(value) return value end,
  list = as_list,
  wholes = as_wholes,
  integer = function(value) return type(value) == "number" and math.tointeger(value) or nil end,
  number = function(value) return type(value) == "number" and value == value and value or nil end,
  seed = as_seed,
  generator = as_generator,
}

--- The value as the option wants it, or nil when it is not one the option takes.
---@param option deer.Option
---@param value any
---@return any
function options.accept(option, value)
  if option.choices then
    for _, choice in ipairs(option.choices) do
      if value == choice then return value end
    end
    return nil
  end
  local convert, range = CONVERT[option.type], option.range
  if convert then
    value = convert(value, option)
  elseif type(value) ~= option.type then
    return nil
  end
  if range and type(value) == "number" then
    if value < (range[1] or -math.huge) or value > (range[2] or math.huge) then return nil end
  end
  return value
end

local WORDS = {
  ["true"] = true, yes = true, ["1"] = true, ["false"] = false, no = false, ["0"] = false,
}

-- a table in JSON, or a list as 1,2,3 or {1,2,3}
local function read_table(word)
  word = word:match '^%s*{([^{}:"]*)}%s*$' or word
  if word:find "^%s*[%[{]" then return (core.json(word)) end
  local list = {}
  for item in word:gmatch "[^,%s]+" do list[#list + 1] = tonumber(item) or item end
  return list
end

--- Reads the value of an option from a word of the command line; nil when it is not one.
---@param option deer.Option
---@param word string
---@return any
function options.parse(option, word)
  local kind = option.type
  if kind == "boolean" then return WORDS[word:lower()] end
  if kind == "number" or kind == "integer" or kind == "seed" or kind == "generator" then
    local number = tonumber(word)
    return number and options.accept(option, kind == "number" and number or math.tointeger(number))
  end
  if kind == "table" then return read_table(word) end
  if kind == "list" or kind == "wholes" then return options.accept(option, read_table(word)) end
  return options.accept(option, word)
end

--- The option called `name` in any spelling, or nil.
---@param list deer.Option[]
---@param name string
---@return deer.Option|nil
function options.find(list, name)
  local key = options.key(name)
  for _, option in ipairs(list) do
    if options.key(option.name) == key then return option end
    for _, alias in ipairs(option.alias or {}) do
      if options.key(alias) == key then return option end
    end
  end
end

--- The names of the options, in their order.
---@param list deer.Option[]
---@return string[]
function options.names(list)
  local names = {}
  for i, option in ipairs(list) do names[i] = option.name end
  return names
end

local function unknown(who, list, key)
  if type(key) ~= "string" then
    text.fail("%s: options have names, as in %s{ name = value }; got a value without one (%s)",
      who, who, text.describe(key))
  end
  local near = text.meant(key, options.names(list))
  text.fail("%s: unknown option '%s'%s", who, key,
    near ~= "" and near or #list == 0 and "; it has none"
      or "; known are " .. table.concat(options.names(list), ", "))
end

-- plain tables given as defaults must not be shared between instances
local function copy(value)
  if type(value) ~= "table" or getmetatable(value) then return value end
  local own = {}
  for key, item in spairs(value) do own[key] = item end
  return own
end

-- what was given instead of what is expected; of a list also how long it is
local function describe(option, value)
  local said = text.describe(value)
  if not option.parts or said ~= "a table" then return said end
  return ("%s with %d %s"):format(said, #value, #value == 1 and "entry" or "entries")
end

--- Checks given options and fills in the defaults. A wrong one raises an error that names the
--- script's line, what was expected and what came.
---@param who string whose options they are, for messages
---@param list deer.Option[]
---@param given table|nil
---@return table<string, any> checked by name
function options.check(who, list, given)
  if given ~= nil and (type(given) ~= "table" or getmetatable(given)) then
    text.fail("%s: expected a table of options, as in %s{ name = value }, got %s%s", who, who,
      text.describe(given), text.describe(given) == "a table" and " with a metatable" or "")
  end
  local checked = {}
  for key, value in spairs(given or {}) do
    local option = type(key) == "string" and options.find(list, key) or unknown(who, list, key)
    if checked[option.name] ~= nil then
      text.fail("%s: option '%s' is given twice", who, option.name)
    end
    local accepted = options.accept(option, value)
    if accepted == nil then
      text.fail("%s: option '%s': expected %s, got %s", who, key, options.expected(option),
        describe(option, value))
    end
    checked[option.name] = accepted
  end
  for _, option in ipairs(list) do
    if checked[option.name] == nil then
      if option.required then text.fail("%s: option '%s' is missing", who, option.name) end
      checked[option.name] = copy(option.default)
    end
  end
  return checked
end

return options
