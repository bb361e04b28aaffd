--- Charts as PNG pictures: lines, steps, markers and bands on one or more panels, each with a
--- second y axis if wanted. Nothing is drawn before draw or save is called.
---
---     local fig = plot.figure{ title = "Policy" }
---     local ax = fig:axes{ xlabel = "Time", ylabel = "Price" }
---     ax:step(times, prices, { label = "Price" })
---     ax:twin{ ylabel = "Investment" }:markers(times, actions, { label = "Investment" })
---     fig:save("policy.png")
local check = require "deer.plot.check"
local draw = require "deer.plot.draw"
local layout = require "deer.plot.layout"

local plot = {}

--- Colours that colour-blind people can tell apart (Okabe and Ito 2008), by name: black, orange,
--- sky, green, yellow, blue, red, purple; and grey, white.
plot.colors = check.colors

--- The colours that series without a colour of their own get, in turn.
---@type string[]
plot.cycle = { "blue", "red", "green", "purple", "orange", "sky", "black" }

---@class deer.plot.Figure
local Figure = {}
Figure.__index = Figure

---@class deer.plot.Axes
local Axes = {}
Axes.__index = Axes

-- the kinds of the options of each function, see check.lua
local FIGURE = { width = "pixels", height = "pixels", title = "text", rows = "count" }
local AXES = { xlabel = "text", ylabel = "text", title = "text", xlim = "limits", ylim = "limits",
  grid = "flag", legend = "flag", color = "color" }
local TWIN = { ylabel = "text", ylim = "limits", color = "color" }
local LINE = { color = "color", width = "positive", label = "text" }
local MARKERS = { color = "color", shape = "shape", size = "positive", label = "text" }
local BAND = { color = "color", opacity = "opacity", label = "text" }

--- A new figure. Options: width and height in pixels (800 x 450), title, rows (the number of panels
--- there is room for; as many as there are axes when not given).
---@param options? {width: integer, height: integer, title: string, rows: integer}
---@return deer.plot.Figure
function plot.figure(options)
  local fig = check.options("figure", options, FIGURE)
  fig.width, fig.height = fig.width or 800, fig.height or 450
  fig.panels = {}
  return setmetatable(fig, Figure)
end

--- A new panel below those already there. Options: xlabel, ylabel, title, xlim and ylim ({low,
--- high}; from the data when not given), grid (true), legend (true), color (of the y axis).
---@param options? table
---@return deer.plot.Axes
function Figure:axes(options)
  local ax = check.options("axes", options, AXES)
  if self.rows and #self.panels == self.rows then
    check.fail("axes: rows = %d of the figure leaves no room for more axes", self.rows)
  end
  ax.series = {}
  self.panels[#self.panels + 1] = ax
  return setmetatable(ax, Axes)
end

--- A second y axis, on the right, over the same x axis. Options: ylabel, ylim, color.
---@param options? table
---@return deer.plot.Axes
function Axes:twin(options)
  if self.right or self.left then check.fail("twin: these axes have a second y axis already") end
  local ax = check.options("twin", options, TWIN)
  ax.series, ax.left = {}, self
  self.right = ax
  return setmetatable(ax, Axes)
end

-- adds a series; `lists` is name, list, name, list ...
local function add(ax, kind, known, options, lists)
  local series = check.options(kind, options, known)
  for i = 1, #lists // 2 do
    series[i] = check.list(kind, lists[2 * i - 1], lists[2 * i] or nil)
    if #series[i] ~= #series[1] then
      check.fail("%s: %s has %d values, xs has %d", kind, lists[2 * i - 1], #series[i], #series[1])
    end
  end
  -- both y axes of a panel take their colours from one cycle
  local panel = ax.left or ax
  if not series.color then
    panel.cycled = (panel.cycled or 0) + 1
    series.color = check.color(plot.cycle[(panel.cycled - 1) % #plot.cycle + 1])
  end
  series.kind = kind
  ax.series[#ax.series + 1] = series
  return ax
end

--- A line through points; a point that is not finite is a gap. Options: color, width (1.5), label.
---@param xs number[]
---@param ys number[]
---@param options? table
---@return deer.plot.Axes self
function Axes:line(xs, ys, options)
  return add(self, "line", LINE, options, { "xs", xs or false, "ys", ys or false })
end

--- A line that keeps each value until the next x. Options: color, width (1.5), label.
---@param xs number[]
---@param ys number[]
---@param options? table
---@return deer.plot.Axes self
function Axes:step(xs, ys, options)
  return add(self, "step", LINE, options, { "xs", xs or false, "ys", ys or false })
end

--- A mark at each point. Options: color, shape (circle, square, triangle, diamond), size (7),
--- label.
---@param xs number[]
---@param ys number[]
---@param options? table
---@return deer.plot.Axes self
function Axes:markers(xs, ys, options)
  return add(self, "markers", MARKERS, options, { "xs", xs or false, "ys", ys or false })
end

--- The area between two lines. Options: color, opacity (0.2), label.
---@param xs number[]
---@param low number[]
---@param high number[]
---@param options? table
---@return deer.plot.Axes self
function Axes:band(xs, low, high, options)
  local lists = { "xs", xs or false, "low", low or false, "high", high or false }
  return add(self, "band", BAND, options, lists)
end

--- Where x lies on the canvas on which the figure was drawn last.
---@param x number
---@return number column in pixels from the left
---@return integer top of the panel's box, in pixels from above
---@return integer height of it
function Axes:column(x)
  local panel = self.left or self
  if not panel.box then check.fail "column: expected axes of a figure that was drawn" end
  return layout.x(panel, x), panel.box.y, panel.box.h
end

--- Draws the figure on a new canvas, which the caller may draw more on, save and close.
---@return deer.Canvas
function Figure:draw() return draw(self) end

--- Draws the figure and writes it as a PNG file, whole or not at all.
---@param path string
---@return string? path nil when it could not be written
---@return string? message why not
function Figure:save(path)
  if type(path) ~= "string" then
    check.fail("save: a file name expected, got %s", check.show(path))
  end
  local c <close> = self:draw()
  local saved, message = c:save(path)
  if not saved then return nil, message end
  return path
end

return plot
