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

-- a row for each name
local function each(names, row_of)
  local rows = {}
  for i, name in ipairs(names) do rows[i] = row_of(name) end
  return rows
end

local function environments()
  return each(kinds.list "env", function(name)
    local Class = kinds.load("env", name)
    local row, variants = about("env", name, Class), kinds.variants("env", name)
    row.actions = actions_of(Class)
    if #variants > 0 then
      row.help = ("%s (%s)"):format(row.help, table.concat(variants, ", "))
    end
    return row
  end)
end

-- of which agents are made
local function main_classes()
  return each(manual.classes, function(name)
    local known = manual.find(name)
    return { name = name, kind = deer[name].native_name and "C" or "Lua", help = known.help,
      actions = known.actions, paper = known.paper }
  end)
end

local function algorithms()
  local rows = {}
  for _, row in ipairs(main_classes()) do
    if deer[row.name].native_name then rows[#rows + 1] = row end
  end
  local more = each(kinds.list "algo", function(name)
    local Class = kinds.load("algo", name)
    local row = about("algo", name, Class)
    row.name, row.actions = Class.native_name and Class.__name or name, Class.action_kinds
    return row
  end)
  return table.move(more, 1, #more, #rows + 1, rows)
end

local function classes(kind)
  return function()
    return each(kinds.list(kind), function(name)
      local row = about(kind, name, kinds.load(kind, name))
      row.name = kinds.className(kind, name)
      return row
    end)
  end
end

local function networks()
  return each(require("deer.network_spec").names(), function(name)
    if kinds.source("network", name) then
      return about("network", name, kinds.find("network", name))
    end
    return { name = name, kind = "C", help = "DeeR's default network" }
  end)
end

local function wrappers()
  return each(deer.wrappers.Wrapper.names(), function(name)
    local Class = deer.wrappers[name]
    return { name = name, kind = Class.native_name and "C" or "Lua", help = Class.help }
  end)
end

local function presets()
  local Preset = require "deer.preset"
  return each(Preset.names(), function(name)
    local help, paper = manual.wordsOfPreset(name)
    local preset = Preset.load(name)
    return { name = name, kind = preset.algo, help = help, paper = paper,
      actions = ("%d steps"):format(preset.epochs * preset.epoch_length) }
  end)
end

local function natives(kind)
  return function()
    return each(core.names(kind), function(name)
      local known = core.about(kind, name)
      return { name = name, kind = "C", help = known.help, paper = known.paper }
    end)
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
