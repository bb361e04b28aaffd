--- deerlua list: everything that can be named, or all of a kind with what there is to say about
--- each in a line.
local catalogue = require "deer.catalogue"
local manual = require "deer.manual"
local usage = require "deer.usage"

local WORDS = catalogue.words()

return {
  summary = "list environments, controllers, policies, algorithms, ...",
  synopsis = "deerlua list [" .. table.concat(WORDS, "|") .. "]",
  options = {
    { name = "what", positional = true, choices = WORDS, place = "WHAT",
      help = "these alone: name, where it comes from, actions or steps, what it does, its paper" },
    { name = "help", letter = "h", flag = true, help = "print this" },
  },
  notes = "`deerlua help NAME` tells the options of one.",
  run = function(said)
    if said.what then
      local rows = usage.try(catalogue.rows, said.what)
      for _, line in ipairs(catalogue.lines(rows)) do print(line) end
      return 0
    end
    for _, group in ipairs(manual.groups()) do
      print(group.title .. ":")
      for _, name in ipairs(group.names) do print("  " .. name) end
    end
    print "`deerlua help NAME` tells the options of one"
    return 0
  end,
}
