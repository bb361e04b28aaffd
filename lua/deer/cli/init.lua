--- Subcommands: every file of this folder but this one is a subcommand of the program. It returns
--- { summary = one line, usage = text or nil, run = function(args) -> exit status }.
local core = require "deer.core"
local sys = require "deer.sys"

---@class deer.cli.Command
---@field summary string
---@field usage string?
---@field run fun(args: string[]): integer?

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

--- Runs the subcommand `word`; nil when it is none but a file of that name exists.
---@param word string
---@param ... string
---@return integer? status
function cli.main(word, ...)
  local command = cli.find(word)
  if command then
    local status = command.run { ... }
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
