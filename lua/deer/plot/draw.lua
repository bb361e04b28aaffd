--- Draws a figure that layout.lua has arranged.
local canvas = require("deer.core").canvas
local finite = require("deer.plot.check").finite
local layout = require "deer.plot.layout"

local INK, FRAME, GRID = "#262626", "#8c8c8c", "#e8e8e8"
local GAP, TICK, LINE, SAMPLE = layout.gap, layout.tick, layout.line, layout.sample

-- the colour of a band: what is below shows through
local function see_through(series)
  local r, g, b, a = table.unpack(series.color)
  return { r, g, b, math.floor(a * (series.opacity or 0.2) + 0.5) }
end

local function draw_band(c, px, low, high, color)
  local i = 1
  while i <= #px do
    -- one outline for each run of finite points: along the low line and back along the high one
    local xs, ys, first = {}, {}, i
    while i <= #px and finite(px[i]) and finite(low[i]) and finite(high[i]) do
      xs[#xs + 1], ys[#ys + 1] = px[i], low[i]
      i = i + 1
    end
    for k = i - 1, first, -1 do
      xs[#xs + 1], ys[#ys + 1] = px[k], high[k]
    end
    c:polygon(xs, ys, color)
    i = i + 1
  end
end

local function draw_mark(c, series, x, y)
  -- a thin white edge tells marks that touch apart
  local size = (series.size or 7) + 1.5
  c:marker(series.shape or "circle", x, y, size, series.color, "#ffffff", 0.75)
end

local function draw_series(c, panel, ax, series)
  local b = panel.box
  local px, py = layout.path(panel, ax, series, 2)
  if series.kind == "markers" then
    -- whole or not at all: a mark on the frame is not cut
    for i = 1, #px do
      local x, y = px[i], py[i]
      if x > b.x - 1 and x < b.x + b.w + 1 and y > b.y - 1 and y < b.y + b.h + 1 then
        draw_mark(c, series, x, y)
      end
    end
    return
  end
  c:clip(b.x, b.y, b.w + 1, b.h + 1)
  if series.kind == "band" then
    local _, high = layout.path(panel, ax, series, 3)
    draw_band(c, px, py, high, see_through(series))
  else
    c:polyline(px, py, series.color, series.width or 1.5)
  end
  c:clip()
end

local function draw_grid(c, panel)
  local b = panel.box
  if panel.grid == false then return end
  for _, tick in ipairs(panel.x_ticks) do
    c:rect(math.floor(layout.x(panel, tick.value)), b.y, 1, b.h, GRID)
  end
  for _, tick in ipairs(panel.ticks) do
    c:rect(b.x, math.floor(layout.y(panel, panel, tick.value)), b.w, 1, GRID)
  end
end

local function draw_frame(c, panel)
  local b = panel.box
  c:rect(b.x, b.y, b.w + 1, 1, FRAME)
  c:rect(b.x, b.y + b.h, b.w + 1, 1, FRAME)
  c:rect(b.x, b.y + 1, 1, b.h - 1, FRAME)
  c:rect(b.x + b.w, b.y + 1, 1, b.h - 1, FRAME)
end

local function draw_x_axis(c, panel)
  local b, bottom = panel.box, panel.box.y + panel.box.h
  local y = bottom + TICK + GAP // 2
  for _, tick in ipairs(panel.x_ticks) do
    local x = math.floor(layout.x(panel, tick.value))
    c:rect(x, bottom + 1, 1, TICK, FRAME)
    c:text(x - c:textWidth(tick.label) // 2, y, tick.label, { color = INK })
  end
  -- the name in the middle of the next row, the power of ten at its end
  y = y + LINE + GAP
  local name, exponent = panel.xlabel or "", panel.x_ticks.exponent or ""
  c:text(b.x + (b.w - c:textWidth(name)) // 2, y, name, { color = INK })
  c:text(b.x + b.w - c:textWidth(exponent), y, exponent, { color = INK })
end

-- the left y axis, or the right one
local function draw_y_axis(c, panel, ax)
  local b, style = panel.box, { color = ax.color or INK }
  local right = ax ~= panel
  local edge = right and b.x + b.w + 1 or b.x - TICK
  for _, tick in ipairs(ax.ticks) do
    local y = math.floor(layout.y(panel, ax, tick.value))
    c:rect(edge, y, TICK, 1, FRAME)
    local shift = right and TICK + GAP - 2 or 2 - GAP - c:textWidth(tick.label)
    c:text(edge + shift, y - 5, tick.label, style)
  end
  local exponent = ax.ticks.exponent or ""
  local x = right and b.x + b.w - c:textWidth(exponent) or b.x
  c:text(x, b.y - LINE - GAP // 2, exponent, style)
  -- the name along the border of the picture
  local name = ax.ylabel or ""
  x = right and c:size() - layout.pad - LINE or layout.pad
  style.vertical = true
  c:text(x, math.max(b.y + (b.h - c:textWidth(name)) // 2, 2), name, style)
end

-- a small sample of the series, 24 x 11 pixels
local function draw_sample(c, series, x, y)
  if series.kind == "markers" then
    draw_mark(c, series, x + SAMPLE / 2, y + 5.5)
  elseif series.kind == "band" then
    c:rect(x, y + 1, SAMPLE, 9, see_through(series))
  else
    local width = math.min(series.width or 1.5, 9)
    c:line(x + 2, y + 5.5, x + SAMPLE - 2, y + 5.5, series.color, width)
  end
end

local function draw_legend(c, panel)
  local b = panel.legend_box
  if b then
    c:rect(b.x, b.y, b.w, b.h, "#cccccc")
    c:rect(b.x + 1, b.y + 1, b.w - 2, b.h - 2, "#ffffff")
  end
  for _, entry in ipairs(panel.entries) do
    draw_sample(c, entry.series, entry.x, entry.y)
    c:text(entry.x + SAMPLE + GAP, entry.y, entry.series.label, { color = INK })
  end
end

local function draw_panel(c, panel)
  draw_grid(c, panel)
  draw_frame(c, panel)
  for _, ax in ipairs(layout.both(panel)) do
    draw_y_axis(c, panel, ax)
    for _, series in ipairs(ax.series) do draw_series(c, panel, ax, series) end
  end
  draw_x_axis(c, panel)
  draw_legend(c, panel)
  local b, title = panel.box, panel.title or ""
  c:text(b.x + (b.w - c:textWidth(title)) // 2, panel.top, title, { color = INK })
end

-- the title of the figure, in the larger face if it fits
local function draw_title(c, fig)
  local style, y = { color = INK, font = "large" }, layout.pad
  if c:textWidth(fig.title, style) > fig.width - 2 * layout.pad then
    style.font, y = "small", y + 3
  end
  c:text((fig.width - c:textWidth(fig.title, style)) // 2, y, fig.title, style)
end

--- Draws a figure on a new canvas of its size.
---@param fig deer.plot.Figure
---@return deer.Canvas
return function(fig)
  local c = canvas.new(fig.width, fig.height)
  if #fig.panels > 0 then layout.arrange(fig, c) end
  if fig.title then draw_title(c, fig) end
  for _, panel in ipairs(fig.panels) do draw_panel(c, panel) end
  return c
end
