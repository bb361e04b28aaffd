--- Descriptions of networks: a name, a table of layers, or JSON that says the same, as text or as
--- the path of a file.
---
---   { { "dense", units = 64 }, { "dense", units = 64 } }
---   '[{"type": "dense", "units": 64}, {"type": "dense", "units": 64}]'
---   "networks/two_layers.json"
---   "two_layers"
---
--- The last is one of DeeR's default networks, or the file networks/two_layers.lua, found where
--- every kind is looked for. It returns a description, or a table with `layers`, a description or a
--- function(environment, options) that returns one; `options`, the table of its options, as that of
--- any class; `algos`, the classes that can use it; and `help`.

local class = require "deer.class"
local core = require "deer.core"
local kinds = require "deer.kinds"
local options = require "deer.options"
local read_file = require "deer.read_file"
local text = require "deer.text"

local network_spec = {}

-- DeeR's words for its networks, and those that are known without a file
local ALIASES = { General_DQN_0 = "deer-0.2" }
local NAMES = { "deer", "deer-0.2", "deer-lstm", "General_DQN_0" }

local function read(path)
  local content, message = read_file(path)
  return content or text.fail("option 'network': %s", message)
end

--- The names that the option takes, sorted.
---@return string[]
function network_spec.names()
  local names = kinds.list "network"
  table.move(NAMES, 1, #NAMES, #names + 1, names)
  table.sort(names)
  return names
end

local function is_name(word)
  for _, name in ipairs(NAMES) do
    if name == word then return true end
  end
  return false
end

-- is the class, or one that it extends, among the names?
local function is_among(names, Class)
  for _, name in ipairs(names) do
    local at = Class
    while at do
      if at.__name == name then return true end
      at = class.parent(at)
    end
  end
  return false
end

--- The rows of the options that a network takes: those that its file names.
---@param name string as resolve takes it
---@return deer.Option[]
function network_spec.options(name)
  local is_text = name:find "^%s*[%[{]" or name:find "%.json$" or is_name(name)
  local found = not is_text and kinds.find("network", name)
  return options.list(found and found.options or nil)
end

-- the description in the file of that name
local function find(name, Class, environment, given)
  local found = kinds.find("network", name)
  if not found then
    text.fail("%s", kinds.absent("network", name, network_spec.names()))
  end
  if found.algos and Class and not is_among(found.algos, Class) then
    text.fail("the network '%s' is for %s, not for %s", name, table.concat(found.algos, " and "),
      Class.__name)
  end
  local layers = found.layers
  if type(layers) == "function" then
    local rows = options.list(found.options)
    layers = layers(environment, options.check("network " .. name, rows, given))
  end
  return layers or found
end

--- What the core takes as a network: one of DeeR's names or a table, whose layers it checks.
---@param given string|table|nil the option of the user
---@param Class? deer.Algo what shall use it
---@param environment? deer.Environment where
---@param values? table<string, any> options of a network in a file
---@return string|table|nil
function network_spec.resolve(given, Class, environment, values)
  if type(given) ~= "string" then return given end
  local json = given:find "^%s*[%[{]" and given
  local where = json and "JSON" or given
  if not json and not given:find "%.json$" then
    return ALIASES[given] or is_name(given) and given
      or find(given, Class, environment, values)
  end
  local value, message = core.json(json or read(given))
  if value == nil then text.fail("option 'network': %s: %s", where, message or "null") end
  return value
end

return network_spec
