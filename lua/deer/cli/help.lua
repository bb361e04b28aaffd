--- deerlua help [name]: what there is, how a subcommand is used, or which options a class has.
local cli = require "deer.cli"
local manual = require "deer.manual"
local topics = require "deer.topics"

local help = {
  summary = "list the subcommands; tell how one is used or which options a class has",
  usage = "usage: deerlua help [subcommand | name shown by deerlua list | part of the library]",
}

-- in this order, from nothing to something of one's own
local FIRST_STEPS = [[
  deerlua train --env cartpole --algo ppo      train an agent; a second or two
  deerlua enjoy runs --render                  watch what the newest run has learnt
  deerlua new env my_maze                      an environment of one's own, envs/my_maze.lua
  deerlua new controller my_own                a controller of one's own, controllers/my_own.lua
  deerlua train --env my_maze --algo ppo --attach my_own
  deerlua list                                 what has a name; `deerlua help NAME` tells about it
  deerlua help environment                     what one is made of; so too controller, policy,
                                               algo, network, graph, plot ...]]

local function overview()
  print "usage: deerlua script.lua [arguments]      run a script"
  print "       deerlua subcommand [arguments]      one of those below"
  print "       deerlua                             interactive prompt"
  print "       deerlua --help                      options\n"
  print "subcommands:"
  for _, name in ipairs(cli.names()) do
    print(("  %-10s %s"):format(name, cli.find(name).summary))
  end
  print "\nto begin with:"
  print(FIRST_STEPS)
  return 0
end

local function unknown(name)
  local names = cli.names()
  for _, more in ipairs { manual.names(), topics.names() } do
    table.move(more, 1, #more, #names + 1, names)
  end
  io.stderr:write(cli.unknown("subcommand or name", name, names))
  return 2
end

-- the options of a class, layer, ..., or what a part of the library is; status 2 when there is no
-- such name
local function describe(name)
  local about, topic = manual.find(name), topics.find(name)
  if about then
    print(about.title .. (about.help and ": " .. about.help or ""))
    if about.paper then print(about.paper) end
    if about.actions then print(("actions: %s"):format(about.actions)) end
    for _, line in ipairs(manual.lines(about.options)) do print(line) end
  end
  for _, line in ipairs(topic or {}) do print(line) end
  return (about or topic) and 0 or unknown(name)
end

---@param args string[]
---@return integer status
function help.run(args)
  local name = args[1]
  if not name then return overview() end
  if args[2] then
    io.stderr:write(("deerlua help: expected one name, got '%s' after it\n"):format(args[2]))
    return 2
  end
  local command = cli.find(name)
  if not command then return describe(name) end
  io.write(cli.help(name))
  return 0
end

return help
