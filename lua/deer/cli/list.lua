--- deerlua list: everything that can be named.
local manual = require "deer.manual"

local list = {
  summary = "list environments, controllers, policies, algorithms, ...",
  usage = "usage: deerlua list",
}

---@param args string[]
---@return integer status
function list.run(args)
  if args[1] then
    io.stderr:write(("deerlua list: expected no argument, got '%s'\n"):format(args[1]))
    return 2
  end
  for _, group in ipairs(manual.groups()) do
    print(group.title .. ":")
    for _, name in ipairs(group.names) do print("  " .. name) end
  end
  print "`deerlua help NAME` tells the options of one"
  return 0
end

return list
