--- Reads a whole file.
---@param path string
---@return string|nil content
---@return string|nil message
return function(path)
  local file, message = io.open(path, "rb")
  local content = file and file:read "a"
  if file then file:close() end
  if content then return content end
  return nil, message or path .. ": it is a folder"
end
