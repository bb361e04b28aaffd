--- Pictures on a terminal: two pixels in a character, the upper half block in one colour on
--- another. Where $NO_COLOR asks for none, characters of different weight.

local sys = require "deer.sys"

local terminal = {}

--- May colours be shown?
---@return boolean
function terminal.colors() return (os.getenv "NO_COLOR" or "") == "" end

local SAMPLES = 3 -- in each direction, of which a pixel is the mean

-- the mean colour of a part of the picture: columns x0 to x1, rows y0 to y1, counted from 0
local function mean(bytes, width, x0, x1, y0, y1)
  local r, g, b, n = 0, 0, 0, 0
  for i = 0, SAMPLES - 1 do
    local y = math.floor(y0 + (y1 - y0) * (i + 0.5) / SAMPLES)
    for j = 0, SAMPLES - 1 do
      local x = math.floor(x0 + (x1 - x0) * (j + 0.5) / SAMPLES)
      local red, green, blue = bytes:byte(3 * (y * width + x) + 1, 3 * (y * width + x) + 3)
      r, g, b, n = r + red, g + green, b + blue, n + 1
    end
  end
  return r // n, g // n, b // n
end

local WEIGHTS = " .:-=+*#%@"

-- the colours of a character, and the character
local function character(top, bottom)
  if terminal.colors() then
    return ("\27[38;2;%d;%d;%d;48;2;%d;%d;%dm"):format(top[1], top[2], top[3], bottom[1],
      bottom[2], bottom[3]), "\u{2580}"
  end
  local sum = 0
  for i = 1, 3 do sum = sum + top[i] + bottom[i] end
  -- white paper, dark ink
  local i = math.floor((1530 - sum) / 1531 * #WEIGHTS) + 1
  return "", WEIGHTS:sub(i, i)
end

--- A picture as lines of text, as large as fits into the columns and rows.
---@param picture deer.Tensor bytes {rows, columns, 3}
---@param columns integer
---@param rows integer
---@return string[]
function terminal.picture(picture, columns, rows)
  local shape, bytes = picture:shape(), picture:bytes()
  local height, width = shape[1], shape[2]
  -- a character is about twice as high as it is wide, so that its halves are squares
  local scale = math.max(width / columns, height / (2 * rows))
  local wide, high = math.max(1, width // scale), math.max(1, height / scale // 2)
  local dx, dy, lines = width / wide, height / (2 * high), {}
  for line = 0, high - 1 do
    local cells, before = {}, ""
    for column = 0, wide - 1 do
      local x0, x1 = column * dx, (column + 1) * dx
      local function half(y) return { mean(bytes, width, x0, x1, y * dy, (y + 1) * dy) } end
      local colors, block = character(half(2 * line), half(2 * line + 1))
      cells[#cells + 1] = colors == before and block or colors .. block
      before = colors
    end
    lines[#lines + 1] = table.concat(cells) .. (terminal.colors() and "\27[0m" or "")
  end
  return lines
end

--- A bar of characters for a part from 0 to 1.
---@param part number
---@param width integer
---@return string
function terminal.bar(part, width)
  local full = math.floor(math.max(0, math.min(1, part)) * width + 0.5)
  return ("#"):rep(full) .. ("."):rep(width - full)
end

--- Shows lines in place of those shown before; where there is no terminal, below them.
---@param lines string[]
---@param before integer lines shown before, 0 at first
---@return integer before for the next call
function terminal.show(lines, before)
  local out = table.concat(lines, "\27[K\n") .. "\27[K\n"
  if not sys.isatty(1) then
    out, before = table.concat(lines, "\n") .. "\n", 0
  end
  io.stdout:write(before > 0 and ("\27[%dA\r"):format(before) or "", out)
  io.stdout:flush()
  return #lines
end

return terminal
