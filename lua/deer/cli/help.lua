--- deerlua help [name]: what there is, how a subcommand is used, or which options a class has.
local cli = require "deer.cli"

local help = {
  summary = "list the subcommands; tell how one is used or which options a class has",
  usage = "usage: deerlua help [subcommand | name shown by deerlua list]",
}

local function overview()
  print "usage: deerlua script.lua [arguments]      run a script"
  print "       deerlua subcommand [arguments]      one of those below"
  print "       deerlua                             interactive prompt"
  print "       deerlua --help                      options\n"
  print "subcommands:"
  for _, name in ipairs(cli.names()) do
    print(("  %-10s %s"):format(name, cli.find(name).summary))
  end
  return 0
end

-- the options of a class, layer, ...; status 2 when there is no such name
local function describe(name)
  local manual = require "deer.manual"
  local about = manual.find(name)
  if not about then
    local names, known = cli.names(), manual.names()
    table.move(known, 1, #known, #names + 1, names)
    io.stderr:write(cli.unknown("subcommand", name, names))
    return 2
  end
  print(about.title .. (about.help and ": " .. about.help or ""))
  if about.paper then print(about.paper) end
  for _, line in ipairs(manual.lines(about.options)) do print(line) end
  return 0
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
