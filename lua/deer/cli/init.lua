--- Subcommands: every file of this folder but this one is a subcommand of the program. It returns
---
---   summary    one line
---   synopsis   its command line, as "deerlua train [options]"
---   options    the rows of deer.commandline, from which come the help and the completion
---   notes      text below the options
---   run        function(values) -> exit status; values by the names of the options
local commandline = require "deer.commandline"
local core = require "deer.core"
local sys = require "deer.sys"
local usage = require "deer.usage"

---@class deer.cli.Command
---@field summary string
---@field synopsis string
---@field options deer.commandline.Option[]
---@field notes string?
---@field run fun(values: table): integer?

local cli = {}

--- The names of all subcommands, sorted.
---@return string[]
function cli.names()
  local seen, names = { init = true }, {}
  local function add(name)
    if not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  for _, module in ipairs(sys.embedded "deer.cli.") do add(module:sub(#"deer.cli." + 1)) end
  -- in a source tree, also those written since the program was built
  local folder = sys.root() and sys.listdir(sys.root() .. "/lua/deer/cli") or {}
  for _, file in ipairs(folder) do
    local name = file:match "^([%w_]+)%.lua$"
    if name then add(name) end
  end
  table.sort(names)
  return names
end

--- The subcommand of that name, or nil.
---@param name string
---@return deer.cli.Command?
function cli.find(name)
  for _, known in ipairs(cli.names()) do
    if known == name then return require("deer.cli." .. name) end
  end
  return nil
end

--- One line for stderr about a name that is none, with the nearest valid one.
---@param what string
---@param word string
---@param valid string[]
---@return string
function cli.unknown(what, word, valid)
  local nearest = core.nearest(word, valid)
  local hint = nearest and ("did you mean '%s'?"):format(nearest)
    or "`deerlua help` lists the subcommands, `deerlua list` what else has a name"
  return ("deerlua: no %s '%s'; %s\n"):format(what, word, hint)
end

--- What `deerlua help NAME` prints of a subcommand.
---@param name string
---@return string
function cli.help(name)
  local command = cli.find(name)
  local lines = { ("deerlua %s: %s"):format(name, command.summary), "usage: " .. command.synopsis }
  local rows = commandline.lines(command.options, commandline.defaults(command.options))
  table.move(rows, 1, #rows, #lines + 1, lines)
  lines[#lines + 1] = command.notes
  return table.concat(lines, "\n") .. "\n"
end

local function refuse(name, message, status)
  io.stderr:write(("deerlua %s: %s\n"):format(name, message))
  return status or 2
end

-- the status of a subcommand for what its options say
local function run_with_options(name, command, args)
  for _, word in ipairs(args) do
    if word == "--help" or word == "-h" then
      io.write(cli.help(name))
      return 0
    end
  end
  local values, message = commandline.read(command.options, args)
  if not values then return refuse(name, message) end
  for key, value in pairs(commandline.defaults(command.options)) do
    if values[key] == nil then values[key] = value end
  end
  return command.run(values)
end

-- Is there nothing but deer's own code in a traceback?
local function is_ours(trace)
  for line in trace:gmatch "\n\t([^\n]+)" do
    if line:find "%.lua:%d+:" and not line:find "lua/deer/[%w_/]+%.lua:%d+:" then return false end
  end
  return true
end

-- What is said of an error. A complaint of deer's own, as that a disk is full, is a line without a
-- place in it; everything else is somebody's mistake in a script, and a traceback helps to find it.
local function explain(err)
  local said = tostring(err)
  local message, trace = said:match "^(.-)(\nstack traceback:.*)$"
  -- what crossed C has its traceback
  if not message then message, trace = said, debug.traceback("", 3) end
  if type(err) == "string" and not message:find "^[^\n]-:%d+: " and is_ours(trace) then
    return message, true
  end
  return message .. trace, false
end

-- its status, also when it finds a mistake in what it was asked for
local function run(name, command, args)
  local function call() return run_with_options(name, command, args) end
  local mistake, plain
  local results = table.pack(xpcall(call, function(err)
    local said
    mistake = usage.message(err)
    said, plain = explain(err)
    return said
  end))
  if mistake then return refuse(name, mistake) end
  if plain then return refuse(name, results[2], 1) end
  if not results[1] then error(results[2], 0) end
  return results[2]
end

--- Runs the subcommand `word`; nil when it is none but a file of that name exists.
---@param word string
---@param ... string
---@return integer? status
function cli.main(word, ...)
  local command = cli.find(word)
  if command then
    local status = run(word, command, { ... })
    return math.type(status) == "integer" and status or (status == false and 1 or 0)
  end
  if sys.exists(word) then return nil end
  local valid = cli.names()
  for _, file in ipairs(sys.listdir "." or {}) do
    if file:find "%.lua$" then valid[#valid + 1] = file end
  end
  io.stderr:write(cli.unknown("subcommand or file", word, valid))
  return 2
end

return cli
