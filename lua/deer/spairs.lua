--- Walks a table in the order of its keys: numbers first, then everything else by its text.
--- `pairs` has another order in every process, so it must never decide anything that is computed,
--- printed, drawn or written.

local function before(a, b)
  local numbers = (type(a) == "number" and 1 or 0) - (type(b) == "number" and 1 or 0)
  if numbers ~= 0 then return numbers > 0 end
  if type(a) == "number" then return a < b end
  return tostring(a) < tostring(b)
end

--- `for key, value in deer.spairs(t) do ... end`
---@param t table
---@return fun(): any, any
local function spairs(t)
  if type(t) ~= "table" then error("deer.spairs: expected a table, got a " .. type(t), 2) end
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, before)
  local i = 0
  return function()
    i = i + 1
    local key = keys[i]
    if key ~= nil then return key, t[key] end
  end
end

return spairs
