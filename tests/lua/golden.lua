--- Reads the golden numbers in tests/golden, for specs.
local json = require "dkjson"

local golden = {}

local folder = debug.getinfo(1, "S").source:match "^@(.*)lua/[^/]*$" .. "golden/"

---@param name string "toy_env"
---@return table
function golden.read(name)
  local file = assert(io.open(folder .. name .. ".json"))
  local value, _, message = json.decode(file:read "a")
  file:close()
  return assert(value, message)
end

return golden
