--- The options of everything that has options, as text: what `deerlua help NAME` prints.

local class = require "deer.class"
local core = require "deer.core"
local deer = require "deer"
local kinds = require "deer.kinds"
local options = require "deer.options"
local sys = require "deer.sys"
local text = require "deer.text"

local manual = {}

-- the kinds written in C, and the word for one of them
local NATIVE = {
  { kind = "algo", noun = "algorithm" }, { kind = "layer", noun = "layer" },
  { kind = "replay", noun = "replay" }, { kind = "optimizer", noun = "optimiser" },
}

manual.classes = { "NeuralAgent", "Agent", "QNetwork", "DDPG", "ActorCritic", "TD3", "SAC",
  "REINFORCE", "A2C", "PPO", "DiscreteSAC" }

-- "controllers", "FindBestController", ... as scripts write them
local function class_names(kind)
  local names = kinds.list(kind)
  for i, name in ipairs(names) do names[i] = kinds.className(kind, name) end
  return names
end

-- those written in C, and those in files of one's own
local function algorithms()
  local names = core.names "algo"
  for _, name in ipairs(kinds.list "algo") do
    if kinds.source("algo", name) then names[#names + 1] = name end
  end
  return names
end

--- The first sentence of the comment that a file begins with, and the paper in brackets behind it.
---@param source string|nil
---@return string
---@return string|nil
function manual.firstWords(source)
  local words = {}
  for line in (source or ""):gmatch "[^\n]*" do
    local comment = line:match "^%-%-+%s*(.*)$"
    if not comment or comment == "" then break end
    words[#words + 1] = comment
  end
  local comment = table.concat(words, " ")
  local brackets = comment:match "%s*%(%a[^()]* %d%d%d%d[^()]*%)"
  if brackets then
    local from, to = comment:find(brackets, 1, true)
    comment = comment:sub(1, from - 1) .. comment:sub(to + 1)
  end
  return (comment .. " "):match "^(.-)[.:] " or comment, brackets and brackets:match "%((.*)%)"
end

--- The same of a preset.
---@param name string "cartpole/dqn"
---@return string help
---@return string? paper
function manual.wordsOfPreset(name)
  return manual.firstWords((sys.source("deer.presets." .. name:gsub("/", "."))))
end

--- What there is, in groups: { title = "controllers", names = {...} }.
---@return table[]
function manual.groups()
  return {
    { title = "classes", names = manual.classes },
    { title = "environments", names = kinds.list "env" },
    { title = "controllers", names = class_names "controller" },
    { title = "policies", names = class_names "policy" },
    { title = "wrappers", names = deer.wrappers.Wrapper.names() },
    { title = "algorithms", names = algorithms() },
    { title = "replays", names = core.names "replay" },
    { title = "layers", names = core.names "layer" },
    { title = "optimisers", names = core.names "optimizer" },
  }
end

--- Every name that manual.find knows.
---@return string[]
function manual.names()
  local names = {}
  for _, group in ipairs(manual.groups()) do
    table.move(group.names, 1, #group.names, #names + 1, names)
  end
  return names
end

local function native(name)
  for _, row in ipairs(NATIVE) do
    for _, known in ipairs(core.names(row.kind)) do
      if known == name then
        local about = core.about(row.kind, name)
        return { title = row.noun .. " " .. name, help = about.help, paper = about.paper,
          actions = about.actions, options = options.fromFields(core.fields(row.kind, name)) }
      end
    end
  end
end

local function lua_class(name)
  for _, known in ipairs(manual.classes) do
    if known == name then return deer[name] end
  end
  for _, known in ipairs(deer.wrappers.Wrapper.names()) do
    if known == name then return deer.wrappers[name] end
  end
  for _, kind in ipairs { "controller", "policy", "env", "algo" } do
    local file = kind == "env" and name or kinds.fileName(kind, name)
    local found = kinds.find(kind, file)
    if found then return found, kinds.source(kind, file) end
  end
end

-- one in a file
local function network(name)
  local source = kinds.source("network", name)
  if not source then return nil end
  local known, help, paper = kinds.find("network", name), manual.firstWords(source)
  return { title = "network " .. name, help = known.help or help, paper = known.paper or paper,
    options = options.list(known.options) }
end

-- what --algo takes besides: the options of the algorithm, whose defaults are the preset's
local function preset(name)
  local Preset = require "deer.preset"
  for _, known in ipairs(Preset.names()) do
    if known == name or known == "any/" .. name then
      local made, rows = Preset.load(known), {}
      for i, row in ipairs(class.options(deer[made.algo])) do
        local own = (made.algo_options or {})[row.name]
        rows[i] = own == nil and row or setmetatable({ default = own }, { __index = row })
      end
      local help, paper = manual.wordsOfPreset(known)
      return { title = ("preset %s of %s"):format(known, made.algo), help = help, paper = paper,
        actions = deer[made.algo].action_kinds, options = rows }
    end
  end
end

--- What is known about a name: { title =, help =, paper =, options = {...} }, of an algorithm also
--- which actions it can use; or nil.
---@param name string
---@return table?
function manual.find(name)
  local known = native(name)
  if known then return known end
  local found, source = lua_class(name)
  if not found then return network(name) or preset(name) end
  local help, paper = manual.firstWords(source)
  return { title = found.__name, help = found.help or help ~= "" and help or nil,
    paper = found.paper or paper, actions = found.action_kinds, options = class.options(found) }
end

local function default_of(option)
  if option.required then return "needed" end
  if option.default == nil then return "none" end
  return type(option.default) == "number" and text.format(option.default)
    or tostring(option.default)
end

--- One line for each option: name, default, what it takes, help.
---@param rows deer.Option[]
---@return string[]
function manual.lines(rows)
  local lines, name_width, default_width = {}, 0, 0
  for _, option in ipairs(rows) do
    name_width = math.max(name_width, #option.name)
    default_width = math.max(default_width, #default_of(option))
  end
  local form = ("  %%-%ds  %%-%ds  %%s; %%s"):format(name_width, default_width)
  for i, option in ipairs(rows) do
    local searched = options.searched(option)
    lines[i] = form:format(option.name, default_of(option), options.expected(option),
      option.help or "") .. (searched and ("; %s"):format(searched) or "")
  end
  return lines
end

return manual
