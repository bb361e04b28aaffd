--- How a memory draws its samples: `replay` is the name of a kind ("uniform", "prioritized"), and
--- `replay_options` is a table of the options of that kind; `deerlua help prioritized` lists them.

local core = require "deer.core"
local options = require "deer.options"
local text = require "deer.text"

local replay = {}

--- The rows of both options in a class's table.
replay.KIND = { default = "uniform", help = "how samples are drawn: uniform, prioritized" }
replay.OPTIONS = { type = "table", help = "options of that replay" }

--- Checks what was given.
---@param who string whose options they are, for messages
---@param kind string
---@param given table|nil
---@return string kind
---@return table<string, any> options
function replay.check(who, kind, given)
  local known = core.names "replay"
  for _, name in ipairs(known) do
    if name == kind then
      local rows = options.fromFields(core.fields("replay", kind))
      return kind, options.check(who .. ": replay_options", rows, given)
    end
  end
  text.fail("%s: option 'replay': expected one of %s, got %s", who, table.concat(known, ", "),
    text.describe(kind))
end

--- DeeR's prioritised replay: the squared error to the power of alpha, and no importance weights.
---@param alpha number
---@return string kind
---@return table<string, any> options
function replay.deer(alpha)
  return "prioritized", { alpha = alpha, beta = 0, beta_updates = 0, priority = "squared" }
end

return replay
