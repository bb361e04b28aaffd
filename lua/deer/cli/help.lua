--- deerlua help [subcommand]: what there is, or how one subcommand is used.
local cli = require "deer.cli"

local help = {
  summary = "list the subcommands, or tell how one is used",
  usage = "usage: deerlua help [subcommand]",
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

---@param args string[]
---@return integer status
function help.run(args)
  local name = args[1]
  if not name then return overview() end
  if args[2] then
    io.stderr:write(("deerlua help: expected one subcommand, got '%s' after it\n"):format(args[2]))
    return 2
  end
  local command = cli.find(name)
  if not command then
    io.stderr:write(cli.unknown("subcommand", name, cli.names()))
    return 2
  end
  print(("deerlua %s: %s"):format(name, command.summary))
  if command.usage then print(command.usage) end
  return 0
end

return help
