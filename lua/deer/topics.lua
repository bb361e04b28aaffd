--- What `deerlua help NAME` prints of the parts of the library, deer.graph, deer.Controller and so
--- on: the comments of their sources, which lie in the program.

local sys = require "deer.sys"

local topics = {}

-- the names that are not those of their modules
local MODULES = {
  opt = "graph.optimizers", rl = "graph.formulas", network = "graph.network", env = "environment",
  saveParameters = "parameters", DataSet = "data_set", NeuralAgent = "neural_agent",
  MultiTaskAgent = "multi_task_agent", Environment = "environment", Controller = "controller",
  Policy = "policy", Algo = "algo",
}

local NAMES = {
  "algo", "controller", "csv", "env", "environment", "experiment", "fusion", "graph", "json",
  "kinds", "launcher", "MultiTaskAgent", "network", "opt", "plot", "policy", "preset", "recorder",
  "replay", "rl", "saveParameters", "test", "video", "wrappers",
}

--- All parts that there is something to say about.
---@return string[]
function topics.names() return table.move(NAMES, 1, #NAMES, 1, {}) end

-- "name(self, x)" of a field that is a function, "name: type" of another
local function field(text)
  local name, optional, rest = text:match "^([%w_]+)(%??) (.*)$"
  if not name then return text end
  local is_function = rest:find "^fun%("
  return (optional ~= "" and "optional " or "") .. name
    .. (is_function and rest:sub(#"fun" + 1) or ": " .. rest)
end

-- what follows the head: classes, fields, and functions with the comment above them
local function read_part(parts, state, comment)
  local tag, rest = comment:match "^@(%w+) ?(.*)$"
  if tag == "class" then
    parts[#parts + 1] = ""
    parts[#parts + 1] = rest:match "^[%w_.]+" .. ":"
  elseif tag == "field" then
    parts[#parts + 1] = "  " .. field(rest)
  elseif not tag and state.tag == "field" then
    parts[#parts + 1] = "      " .. comment:gsub("^ *", "")
  elseif not tag and not state.tag then
    state[#state + 1] = "      " .. comment
  end
  state.tag = tag or state.tag
end

-- the comment that a source begins with, and what it says about fields and functions
local function read(source)
  local head, parts, state, at_head = {}, {}, {}, true
  for line in (source .. "\n"):gmatch "(.-)\n" do
    local comment = line:match "^%-%-%- ?(.*)$"
    if comment and at_head then
      head[#head + 1] = comment
    elseif comment then
      read_part(parts, state, comment)
    else
      local called = #state > 0 and line:match "^function ([%w_.:]+%b())"
      if called then
        parts[#parts + 1] = "  " .. called
        table.move(state, 1, #state, #parts + 1, parts)
      end
      at_head, state = false, {}
    end
  end
  return head, parts
end

--- The lines about a part, nil when there is none of that name.
---@param name string "graph", "deer.graph", "Controller"
---@return string[]|nil
function topics.find(name)
  name = name:gsub("^deer%.", "")
  local known = MODULES[name] ~= nil
  for _, topic in ipairs(NAMES) do known = known or topic == name end
  if not known then return nil end
  local module = "deer." .. (MODULES[name] or name)
  local head, parts = read(sys.source(module) or sys.source(module .. ".init"))
  return table.move(parts, 1, #parts, #head + 1, head)
end

return topics
