--- Descriptions of networks: a name, a table of layers, or JSON that says the same, as text or as
--- the path of a file.
---
---   { { "dense", units = 64 }, { "dense", units = 64 } }
---   '[{"type": "dense", "units": 64}, {"type": "dense", "units": 64}]'
---   "networks/two_layers.json"

local core = require "deer.core"
local text = require "deer.text"

local network_spec = {}

-- DeeR's words for its networks
local ALIASES = { General_DQN_0 = "deer-0.2" }

local function read(path)
  local file, message = io.open(path, "rb")
  local content = file and file:read "a"
  if file then file:close() end
  if not content then text.fail("option 'network': %s", message or path .. " cannot be read") end
  return content
end

--- What the core takes as a network: a name or a table, whose layers it checks.
---@param given string|table|nil the option of the user
---@return string|table|nil
function network_spec.resolve(given)
  if type(given) ~= "string" then return given end
  local json = given:find "^%s*[%[{]" and given
  local where = json and "JSON" or given
  if not json and not given:find "%.json$" then return ALIASES[given] or given end
  local value, message = core.json(json or read(given))
  if value == nil then text.fail("option 'network': %s: %s", where, message or "null") end
  return value
end

return network_spec
