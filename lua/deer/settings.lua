--- Options of a class as words of the command line: [config] [key=value]... The config is the name
--- of a file with a table in Lua or an object in JSON, or the name of a variant of the class, which
--- lies beside it: cartpole.moon.lua is the variant moon of cartpole.

local core = require "deer.core"
local json = require "deer.json"
local kinds = require "deer.kinds"
local options = require "deer.options"
local read_file = require "deer.read_file"
local spairs = require "deer.spairs"
local text = require "deer.text"
local usage = require "deer.usage"

local settings = {}

-- the table that a text in JSON or Lua stands for; Lua sees nothing but itself
local function evaluate(source, path)
  local value, message
  if path:find "%.json$" then
    value, message = json.decode(source)
    if message then message = path .. ": " .. message end
  else
    local chunk
    chunk, message = load(source, "@" .. path, "t", { math = math })
    if chunk then value = chunk() end
  end
  if message then usage.fail("%s", message) end
  if type(value) ~= "table" then
    usage.fail("%s: expected a table of options, got %s", path, text.describe(value))
  end
  return value
end

-- What a config says of an option, which must take its value. What there is no option for is left
-- out, with a warning: a config may be older or newer than the class.
local function read_entry(values, rows, key, value, path)
  local option = options.find(rows, key)
  if not option then
    core.warning(("%s: unknown option '%s' is left out%s"):format(path, key,
      text.meant(key, options.names(rows))))
    return
  end
  local accepted = options.accept(option, value)
  if accepted == nil then
    usage.fail("%s: option '%s': expected %s, got %s", path, key, options.expected(option),
      text.describe(value))
  end
  values[option.name] = accepted
end

-- the values of a config by the names of the options
local function checked(rows, given, path)
  local values = {}
  for key, value in spairs(given) do read_entry(values, rows, tostring(key), value, path) end
  return values
end

-- what a config is called by its class: { kind = "env", name = "cartpole" }
local function file_of(owner, word) return owner.name:gsub("%.lua$", "") .. "." .. word end

local function read_config(owner, word)
  if word:find "/" or word:find "%.lua$" or word:find "%.json$" then
    local source = read_file(word)
    if not source then usage.fail("%s: cannot read the file '%s'", owner.who, word) end
    return checked(owner.rows, evaluate(source, word), word)
  end
  local source, path = kinds.source(owner.kind, file_of(owner, word))
  if source then return checked(owner.rows, evaluate(source, path), path) end
  if word:lower() == "default" then return {} end -- what the class itself says
  local variants = kinds.variants(owner.kind, owner.name)
  usage.fail("%s: there is no configuration '%s'%s", owner.who, word, #variants == 0
    and "; expected a file, or key=value" or text.meant(word, variants))
end

--- One value of an option.
---@param who string for messages
---@param rows deer.Option[]
---@param key string
---@param word string
---@return string name
---@return any value nil for the word none, where the option does not take it
function settings.value(who, rows, key, word)
  local option = options.find(rows, key)
  if not option then
    local near = text.meant(key, options.names(rows))
    if near == "" and #rows > 0 then
      near = "; known are " .. table.concat(options.names(rows), ", ")
    end
    usage.fail("%s: unknown option '%s'%s", who, key, near)
  end
  local value = options.parse(option, word)
  if value == nil and word ~= "none" then
    local near = option.choices and text.meant(word, option.choices) or ""
    usage.fail("%s: option '%s': expected %s, got '%s'%s", who, key, options.expected(option), word,
      near)
  end
  return option.name, value
end

--- What the configuration `default` of a class says, nothing where there is none.
---@param owner { who: string, kind: string, name: string, rows: deer.Option[] }
---@return table<string, any>
function settings.default(owner)
  local source, path = kinds.source(owner.kind, file_of(owner, "default"))
  return source and checked(owner.rows, evaluate(source, path), path) or {}
end

--- The table of options that words stand for, later ones winning. Where they name no configuration
--- it is the one called default, if there is one.
---@param owner { who: string, kind: string?, name: string?, rows: deer.Option[] } whose they are;
---  without a kind there are no configs
---@param words string[]
---@return table<string, any>
function settings.read(owner, words)
  local values = {}
  local named = words[1] and not words[1]:find "^[%w_-]+[=:]"
  if owner.kind and not named then values = settings.default(owner) end
  for i, word in ipairs(words) do
    local key, value = word:match "^([%w_-]+)[=:](.*)$"
    if key then
      local name, parsed = settings.value(owner.who, owner.rows, key, value)
      values[name] = parsed
    elseif i == 1 and owner.kind then
      values = read_config(owner, word)
    else
      usage.fail("%s: expected key=value, got '%s'", owner.who, word)
    end
  end
  return values
end

return settings
