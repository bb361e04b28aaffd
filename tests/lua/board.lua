--- Reads the observation of a game on a board: channels, rows and columns of bytes.
local board = {}

--- Options without sticky actions, if they say nothing of them.
---@param options? table
---@return table
function board.calm(options)
  local given = { sticky = 0 }
  for key, value in pairs(options or {}) do given[key] = value end
  return given
end

--- A channel as text, row by row from the top: '#' where something is.
---@param env deer.Environment
---@param channel integer counted from 1
---@return string[]
function board.rows(env, channel)
  local rows = {}
  for r, row in ipairs(env:observe()[1][channel]) do
    local marks = {}
    for c, x in ipairs(row) do marks[c] = x == 0 and "." or "#" end
    rows[r] = table.concat(marks)
  end
  return rows
end

--- Where something is: "row,column", counted from 0, in that order.
---@param env deer.Environment
---@param channel integer
---@return string
function board.places(env, channel)
  local places = {}
  for r, row in ipairs(env:observe()[1][channel]) do
    for c, x in ipairs(row) do
      if x ~= 0 then places[#places + 1] = ("%d,%d"):format(r - 1, c - 1) end
    end
  end
  return table.concat(places, " ")
end

return board
