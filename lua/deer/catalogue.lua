--- What there is to say in a line about everything of a kind: for `deerlua list envs`.

local core = require "deer.core"
local deer = require "deer"
local kinds = require "deer.kinds"
local manual = require "deer.manual"
local sys = require "deer.sys"
local text = require "deer.text"

local catalogue = {}

---@class deer.catalogue.Row
---@field name string
---@field kind string "C", "Lua", or the file of one's own
---@field actions string? which actions it has, or can use
---@field help string
---@field paper string?

-- what its class and its file say
local function about(kind, name, Class)
  local source, path = kinds.source(kind, name)
  local help, paper = manual.firstWords(source)
  local ours = source and sys.source(kinds.module(kind, name)) == source
  local where = not source and "C" or ours and "Lua" or path
  return { name = name, kind = where, help = Class.help or help, paper = Class.paper or paper }
end

-- "3", "2 x 4", "2 continuous"
local function actions_of(Class)
  local made, environment = pcall(Class, {})
  if not made then return "?" end
  local asked, n = pcall(environment.nActions, environment)
  if not asked then return "?" end
  if type(n) ~= "table" then return text.format(n) end
  if type(n[1]) == "table" then return ("%d continuous"):format(#n) end
  return table.concat(n, " x ")
end

local function environments()
  local rows = {}
  for i, name in ipairs(kinds.list "env") do
    local Class = kinds.load("env", name)
    rows[i] = about("env", name, Class)
    rows[i].actions = actions_of(Class)
    local variants = kinds.variants("env", name)
    if #variants > 0 then
      rows[i].help = ("%s (%s)"):format(rows[i].help, table.concat(variants, ", "))
    end
  end
  return rows
end

local function algorithms()
  local rows = {}
  for _, class_name in ipairs(manual.classes) do
    local native = deer[class_name].native_name
    if native then
      local known = core.about("algo", native)
      rows[#rows + 1] = { name = class_name, kind = "C", actions = known.actions,
        help = known.help, paper = known.paper }
    end
  end
  for _, name in ipairs(kinds.list "algo") do
    local Class = kinds.load("algo", name)
    rows[#rows + 1] = about("algo", name, Class)
    rows[#rows].name, rows[#rows].actions = Class.native_name and Class.__name or name,
      Class.action_kinds
  end
  return rows
end

local function classes(kind)
  return function()
    local rows = {}
    for i, name in ipairs(kinds.list(kind)) do
      rows[i] = about(kind, name, kinds.load(kind, name))
      rows[i].name = kinds.className(kind, name)
    end
    return rows
  end
end

local function networks()
  local rows = {}
  for i, name in ipairs(require("deer.network_spec").names()) do
    rows[i] = { name = name, kind = "C", help = "DeeR's default network" }
    if kinds.source("network", name) then
      rows[i] = about("network", name, kinds.find("network", name))
    end
  end
  return rows
end

local function wrappers()
  local rows = {}
  for i, name in ipairs(deer.wrappers.Wrapper.names()) do
    local Class = deer.wrappers[name]
    rows[i] = { name = name, kind = Class.native_name and "C" or "Lua", help = Class.help }
  end
  return rows
end

local function presets()
  local Preset, rows = require "deer.preset", {}
  for i, name in ipairs(Preset.names()) do
    local help, paper = manual.wordsOfPreset(name)
    local preset = Preset.load(name)
    rows[i] = { name = name, kind = preset.algo, help = help, paper = paper,
      actions = ("%d steps"):format(preset.epochs * preset.epoch_length) }
  end
  return rows
end

-- of which agents are made
local function main_classes()
  local rows = {}
  for i, name in ipairs(manual.classes) do
    local known = manual.find(name)
    rows[i] = { name = name, kind = deer[name].native_name and "C" or "Lua", help = known.help,
      actions = known.actions, paper = known.paper }
  end
  return rows
end

local function natives(kind)
  return function()
    local rows = {}
    for i, name in ipairs(core.names(kind)) do
      local known = core.about(kind, name)
      rows[i] = { name = name, kind = "C", help = known.help, paper = known.paper }
    end
    return rows
  end
end

local ROWS = { classes = main_classes, envs = environments, algos = algorithms,
  controllers = classes "controller", policies = classes "policy", networks = networks,
  wrappers = wrappers, presets = presets, replays = natives "replay", layers = natives "layer",
  optimisers = natives "optimizer", environments = environments, algorithms = algorithms }

--- What can be listed; the words in full are understood besides.
---@return string[]
function catalogue.words()
  return { "classes", "envs", "algos", "controllers", "policies", "networks", "wrappers", "presets",
    "replays", "layers", "optimisers", "environments", "algorithms" }
end

--- A row for each one.
---@param what string one of the words
---@return deer.catalogue.Row[]
function catalogue.rows(what) return ROWS[what]() end

--- The rows as lines, in columns.
---@param rows deer.catalogue.Row[]
---@return string[]
function catalogue.lines(rows)
  local widths, lines = { name = 0, kind = 0, actions = 0 }, {}
  for _, row in ipairs(rows) do
    for key, width in pairs(widths) do widths[key] = math.max(width, #(row[key] or "")) end
  end
  for i, row in ipairs(rows) do
    local function column(key)
      if widths[key] == 0 then return "" end
      return ("%-" .. widths[key] + 2 .. "s"):format(row[key] or "")
    end
    local help = (row.help or ""):gsub("%.$", "")
    lines[i] = column "name" .. column "kind" .. column "actions" .. help
      .. (row.paper and (" [%s]"):format(row.paper) or "")
  end
  return lines
end

return catalogue
