--- Appends to a list the numbers in an observation, in whatever form it comes, one after the other.
---@param value any a number, a string of bytes, a deer.Tensor or a list of such
---@param list number[]
---@return number[] list
local function flatten(value, list)
  if type(value) == "string" then
    for i = 1, #value do list[#list + 1] = value:byte(i) end
  elseif type(value) == "table" then
    for _, item in ipairs(value) do flatten(item, list) end
  elseif type(value) == "userdata" then
    flatten(value:totable(), list)
  else
    list[#list + 1] = value
  end
  return list
end

return flatten
