--- deerlua list: everything that can be named.
local core = require "deer.core"
local kinds = require "deer.kinds"

local list = {
  summary = "list environments, controllers, policies, algorithms, ...",
  usage = "usage: deerlua list",
}

local function show(title, names)
  print(title .. ":")
  for _, name in ipairs(names) do print("  " .. name) end
end

---@param args string[]
---@return integer status
function list.run(args)
  if args[1] then
    io.stderr:write(("deerlua list: expected no argument, got '%s'\n"):format(args[1]))
    return 2
  end
  show("environments", kinds.list "env")
  show("controllers", kinds.list "controller")
  show("policies", kinds.list "policy")
  show("algorithms", core.names "algo")
  show("replays", core.names "replay")
  show("layers", core.names "layer")
  show("optimisers", core.names "optimizer")
  return 0
end

return list
