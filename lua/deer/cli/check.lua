--- deerlua check env: does an environment of one's own do what every one must?
local class = require "deer.class"
local deer = require "deer"
local kinds = require "deer.kinds"
local settings = require "deer.settings"
local text = require "deer.text"
local usage = require "deer.usage"

-- "{4}, {2 x 8 x 8}": what is observed, with the histories
local function observations(environment)
  local words = {}
  for i, subject in ipairs(environment:inputDimensions()) do
    words[i] = "{" .. table.concat(subject, " x ") .. "}"
  end
  return table.concat(words, ", ")
end

local function actions(environment)
  local n = environment:nActions()
  if type(n) ~= "table" then return text.format(n) .. " actions" end
  return type(n[1]) == "table" and ("%d continuous actions"):format(#n)
    or table.concat(n, " x ") .. " actions"
end

-- what went wrong, without what is deer's own
local function complaint(err)
  local message = tostring(err):gsub("\nstack traceback:.*$", "")
  return (message:gsub("deer%.test%.environment: ", ""):gsub("^[^\n]-lua/deer/[%w_/]+%.lua:%d+: ",
    ""))
end

-- The complaint with a place in front. Of what is missing or superfluous none is known: then it is
-- the line with the first word that is quoted, or that where the class begins.
local function placed(name, message)
  if message:find "^[^\n]-%.lua:%d+" then return message end
  local file = (name:find "/" or name:find "%.lua$") and name or kinds.fileName("env", name)
  local source, path = kinds.source("env", file)
  if not source then return name .. ": " .. message end
  local word, number, begins = message:match "'([%w_]+)'", 0, 1
  for line in (source .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    if word and line:find("%f[%w_]" .. word .. "%f[^%w_]") then
      begins = number
      break
    end
    if line:find "Environment:extend" then begins = number end
  end
  return ("%s:%d: %s"):format(path, begins, message)
end

-- the class, or what is wrong with its file
local function find(name)
  local file = (name:find "/" or name:find "%.lua$") and name or kinds.fileName("env", name)
  local found, Class = pcall(kinds.find, "env", file)
  if found and Class then return Class end
  if not found then return nil, complaint(Class) end
  usage.fail("%s", kinds.absent("env", name, kinds.list "env"))
end

local function report(name, Class, given, said)
  local result = deer.test.environment(Class, given, { steps = said.steps, seed = said.seed })
  local environment = Class(given)
  print(("%s: nothing is wrong"):format(name))
  print(("  observes %s; %s"):format(observations(environment), actions(environment)))
  print(("  %d episodes ended in %d steps with random actions, in training and in tests"):format(
    result.episodes, result.steps))
  if result.episodes == 0 then
    print "  no episode ended; is that meant? (inTerminalState, isTruncated)"
  end
end

return {
  summary = "check an environment of one's own",
  synopsis = "deerlua check env NAME|FILE [key=value]...",
  options = {
    { name = "what", positional = true, choices = { "env" }, place = "env",
      help = "what is checked" },
    { name = "name", positional = true, type = "string", place = "NAME|FILE",
      names = function() return kinds.list "env" end, help = "an environment" },
    { name = "options", positional = true, many = true, place = "key=value...",
      help = "options of it, or a configuration" },
    { name = "steps", type = "integer", range = { 1, 2 ^ 31 }, default = 200,
      help = "of each run" },
    { name = "seed", type = "integer", range = { 0, 2 ^ 31 - 1 }, default = 3,
      help = "of the environment and of the actions" },
    { name = "help", letter = "h", flag = true, help = "print this" },
  },
  notes = "Shapes and types, finite numbers, that a seed repeats itself, that two of them do not \z
    disturb\neach other, and what else an agent relies on. Status 1 when something is wrong.",
  run = function(said)
    if not said.what or not said.name then
      usage.fail "expected 'env' and a name, as in `deerlua check env cartpole`"
    end
    local Class, wrong = find(said.name)
    local done = wrong == nil
    if done then
      local owner = { who = Class.__name, kind = "env", name = said.name,
        rows = class.options(Class) }
      local given = settings.read(owner, said.options or {})
      done, wrong = pcall(report, said.name, Class, given, said)
    end
    if done then return 0 end
    io.stderr:write(("deerlua check: %s\n"):format(placed(said.name, complaint(wrong))))
    return 1
  end,
}
