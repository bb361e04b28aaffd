--- deerlua help [name]: what there is, how a subcommand is used, or which options a class has.
local cli = require "deer.cli"
local manual = require "deer.manual"
local topics = require "deer.topics"

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

-- every name that help takes
local function all_names()
  local names = cli.names()
  for _, more in ipairs { manual.names(), topics.names() } do
    table.move(more, 1, #more, #names + 1, names)
  end
  return names
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
  if about or topic then return 0 end
  io.stderr:write(cli.unknown("subcommand or name", name, all_names()))
  return 2
end

return {
  summary = "list the subcommands; tell how one is used or which options a class has",
  synopsis = "deerlua help [NAME]",
  options = {
    { name = "name", positional = true, type = "string", place = "NAME", names = all_names,
      help = "a subcommand, a name shown by `deerlua list`, or a part of the library" },
    { name = "help", letter = "h", flag = true, help = "print this" },
  },
  run = function(said)
    if not said.name then return overview() end
    if not cli.find(said.name) then return describe(said.name) end
    io.write(cli.help(said.name))
    return 0
  end,
}
