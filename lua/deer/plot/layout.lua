--- Where everything in a chart goes: limits, ticks, boxes and legends, from the sizes of the texts.
--- lay_out leaves its results in the panels: box, x_low, x_high, x_ticks, entries, legend_box; and
--- in each of their y axes: y_low, y_high, ticks.
local finite = require("deer.plot.check").finite

local layout = {
  pad = 12,    -- empty border of the figure, space between panels
  gap = 6,     -- between labels
  tick = 4,    -- length of tick marks
  line = 13,   -- height of small text; its digits are centred in row 5
  sample = 24, -- width of a legend's sample of a line
}
local PAD, GAP, TICK, LINE = layout.pad, layout.gap, layout.tick, layout.line

--- The y axes of a panel, left first.
function layout.both(panel) return { panel, panel.right } end

local both = layout.both

-- ---- scales and ticks --------------------------------------------------------------------------

-- limits far enough apart to be told apart, and near enough to subtract
local function widen(low, high, margin)
  local most = 4e307
  low, high = math.max(math.min(low, most), -most), math.max(math.min(high, most), -most)
  local size = math.max(math.abs(low), math.abs(high))
  if high - low <= size * 1e-12 or high - low < 1e-290 then
    local by = size < 1e-290 and 0.5 or size * 0.05
    return low - by, high + by
  end
  return low - margin * (high - low), high + margin * (high - low)
end

-- the limits of the values in the lists `columns` of every series: a margin around the data
local function limits_of(all, columns)
  local low, high = math.huge, -math.huge
  for _, series in ipairs(all) do
    for _, column in ipairs(columns) do
      for _, v in ipairs(series[column] or {}) do
        if finite(v) then low, high = math.min(low, v), math.max(high, v) end
      end
    end
  end
  if low > high then return 0, 1 end
  return widen(low, high, 0.05)
end

local function set_limits(panel)
  local all = {}
  for _, ax in ipairs(both(panel)) do
    table.move(ax.series, 1, #ax.series, #all + 1, all)
    if ax.ylim then
      ax.y_low, ax.y_high = widen(ax.ylim[1], ax.ylim[2], 0)
    else
      ax.y_low, ax.y_high = limits_of(ax.series, { 2, 3 })
    end
  end
  if panel.xlim then
    panel.x_low, panel.x_high = widen(panel.xlim[1], panel.xlim[2], 0)
  else
    panel.x_low, panel.x_high = limits_of(all, { 1 })
  end
end

-- the smallest of 1, 2, 5 times a power of ten that is not under `raw`
local function nice_step(raw)
  local power = 10.0 ^ math.floor(math.log(raw, 10))
  for _, factor in ipairs { 1, 2, 5 } do
    if raw <= factor * power * (1 + 1e-9) then return factor * power end
  end
  return 10 * power
end

--- At most `most` + 1 round values from low to high, each {value, label}. Large and small numbers
--- are written without their common power of ten, which is then the field `exponent`, as "1e6".
---@param low number
---@param high number
---@param most integer
function layout.ticks(low, high, most)
  local step = nice_step((high - low) / most)
  local size = math.max(math.abs(low), math.abs(high))
  local exponent = (size >= 1e6 or size < 1e-4) and math.floor(math.log(size, 10)) or 0
  local unit = 10.0 ^ exponent
  local decimals = math.ceil(-math.log(step / unit, 10) - 1e-9)
  local format = ("%%.%df"):format(math.min(math.max(decimals, 0), 15))
  local ticks = { exponent = exponent ~= 0 and ("1e%d"):format(exponent) or nil }
  for k = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) do
    -- adding 0.0 makes zero of minus zero
    ticks[#ticks + 1] = { value = k * step, label = format:format(k * step / unit + 0.0) }
  end
  return ticks
end

--- The width of the widest label.
function layout.widest(c, ticks)
  local width = 0
  for _, tick in ipairs(ticks) do width = math.max(width, (c:textWidth(tick.label))) end
  return width
end

local widest = layout.widest

-- as many x ticks as fit without their labels touching
local function fit_x_ticks(c, low, high, width)
  local most = math.max(1, width // 60)
  while true do
    local ticks = layout.ticks(low, high, most)
    if most == 1 or #ticks * (widest(c, ticks) + 16) <= width then return ticks end
    most = most - 1
  end
end

local function set_ticks(fig, c)
  for _, panel in ipairs(fig.panels) do
    local box = panel.box
    for _, ax in ipairs(both(panel)) do
      -- in a low box they may stand closer: a single one says little
      local most = math.max(math.min(box.h // 32, 10), math.min(box.h // 20, 3), 1)
      ax.ticks = layout.ticks(ax.y_low, ax.y_high, most)
    end
    panel.x_ticks = fit_x_ticks(c, panel.x_low, panel.x_high, box.w)
  end
end

-- ---- from values to pixels ---------------------------------------------------------------------

--- The place of a value along an axis. The ends of a scale are the middles of the frame's lines.
function layout.x(panel, v)
  local b = panel.box
  return b.x + 0.5 + (v - panel.x_low) / (panel.x_high - panel.x_low) * b.w
end

function layout.y(panel, ax, v)
  local b = panel.box
  return b.y + b.h + 0.5 - (v - ax.y_low) / (ax.y_high - ax.y_low) * b.h
end

--- The pixels of a series: its list `column` (2 or 3) over the x values, steps with their corners.
---@return number[] px
---@return number[] py
function layout.path(panel, ax, series, column)
  local px, py, n = {}, {}, 0
  local xs, ys = series[1], series[column]
  for i = 1, #xs do
    n = n + 1
    px[n], py[n] = layout.x(panel, xs[i]), layout.y(panel, ax, ys[i])
    if series.kind == "step" and i < #xs then
      n = n + 1
      px[n], py[n] = layout.x(panel, xs[i + 1]), py[n - 1]
    end
  end
  return px, py
end

-- ---- legends -----------------------------------------------------------------------------------

-- the segments of all series of a panel as lists {ax, ay, bx, by}; gaps are left out
local function all_segments(panel)
  local segments = {}
  local function join(ax, ay, bx, by)
    if finite(ax) and finite(ay) and finite(bx) and finite(by) then
      segments[#segments + 1] = { ax, ay, bx, by }
    end
  end
  for _, ax in ipairs(both(panel)) do
    for _, series in ipairs(ax.series) do
      local px, py = layout.path(panel, ax, series, 2)
      local high = series.kind == "band" and select(2, layout.path(panel, ax, series, 3))
      for i = 1, #px do
        -- a band is the verticals between its lines, a mark is a point
        if high then
          join(px[i], py[i], px[i], high[i])
          if i < #px then join(px[i], high[i], px[i + 1], high[i + 1]) end
        end
        local j = (series.kind == "markers" or i == #px) and i or i + 1
        join(px[i], py[i], px[j], py[j])
      end
    end
  end
  return segments
end

-- does a segment touch the rectangle: if not, an axis or the segment itself separates the two
local function touches(r, s)
  local ax, ay, bx, by = s[1], s[2], s[3], s[4]
  if math.max(ax, bx) < r.x or math.min(ax, bx) > r.x + r.w
    or math.max(ay, by) < r.y or math.min(ay, by) > r.y + r.h then
    return false
  end
  local above, below = false, false
  for corner = 0, 3 do
    local x, y = r.x + corner % 2 * r.w, r.y + corner // 2 * r.h
    local side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    above, below = above or side >= 0, below or side <= 0
  end
  return above and below
end

-- a place inside the box, w x h, that no data touches; nil when there is none
local function free_place(panel, w, h)
  local b, inset = panel.box, GAP + 2
  local left, right, middle = b.x + inset, b.x + b.w - w - inset, b.x + (b.w - w) // 2
  local top, bottom = b.y + inset, b.y + b.h - h - inset
  if right < left or bottom < top then return nil end
  local segments = all_segments(panel)
  for _, at in ipairs { { right, top }, { left, top }, { right, bottom }, { left, bottom },
    { middle, top }, { middle, bottom } } do
    local r = { x = at[1] - GAP, y = at[2] - GAP, w = w + 2 * GAP, h = h + 2 * GAP }
    local free = true
    for i = 1, #segments do
      if touches(r, segments[i]) then free = false; break end
    end
    if free then return { x = at[1], y = at[2], w = w, h = h } end
  end
end

-- breaks the entries into centred rows above the box; returns the height of all
local function place_above(panel, entries)
  local rows, x = { { width = 0 } }, 0
  for _, entry in ipairs(entries) do
    if x > 0 and x + entry.width > panel.box.w then rows[#rows + 1], x = { width = 0 }, 0 end
    local row = rows[#rows]
    row[#row + 1], entry.x = entry, x
    row.width = x + entry.width
    x = row.width + 3 * GAP
  end
  local height = #rows * (LINE + GAP)
  for i, row in ipairs(rows) do
    for _, entry in ipairs(row) do
      entry.x = entry.x + panel.box.x + (panel.box.w - row.width) // 2
      entry.y = panel.box.y - GAP // 2 - height + (i - 1) * (LINE + GAP)
    end
  end
  return height + GAP // 2
end

-- the series with a label, in the order they were added
local function legend_entries(c, panel)
  local entries = {}
  if panel.legend == false then return entries end
  for _, ax in ipairs(both(panel)) do
    for _, series in ipairs(ax.series) do
      local width = series.label and layout.sample + GAP + c:textWidth(series.label)
      if width then entries[#entries + 1] = { series = series, width = width } end
    end
  end
  return entries
end

-- inside the box where no data is, above it if there is no such place
local function place_legend(c, panel)
  local entries = legend_entries(c, panel)
  panel.entries, panel.legend_box = entries, nil
  if #entries == 0 then return end
  local w, h = 0, #entries * (LINE + GAP) + GAP
  for _, entry in ipairs(entries) do w = math.max(w, entry.width + 2 * GAP + 2) end
  local place = panel.above == 0 and free_place(panel, w, h)
  if not place then
    panel.above = place_above(panel, entries)
    return
  end
  panel.legend_box = place
  for i, entry in ipairs(entries) do
    entry.x, entry.y = place.x + GAP + 1, place.y + GAP + (i - 1) * (LINE + GAP)
  end
end

-- ---- boxes -------------------------------------------------------------------------------------

-- margins left and right are the widest any panel needs, so that panels line up
local function side_margins(c, panels)
  local left, right = PAD, PAD
  for _, panel in ipairs(panels) do
    for i, ax in ipairs(both(panel)) do
      local need = PAD + (ax.ylabel and LINE + GAP or 0) + widest(c, ax.ticks) + GAP + TICK
      if i == 1 then left = math.max(left, need) else right = math.max(right, need) end
    end
    -- half of the last x label may stand out
    right = math.max(right, PAD + widest(c, panel.x_ticks) // 2)
  end
  return left, right
end

-- the heights that a panel needs above and below its box
local function outer_heights(panel)
  local exponent = panel.ticks.exponent or panel.right and panel.right.ticks.exponent
  local above = (panel.title and LINE + GAP or 0) + panel.above
  -- the power of ten stands in the corners, which a legend in the middle leaves free
  if exponent and panel.above == 0 then above = above + LINE + GAP // 2 end
  local below = TICK + GAP // 2 + LINE
  if panel.xlabel or panel.x_ticks.exponent then below = below + GAP + LINE end
  return above, below
end

local function place_boxes(fig, c)
  local n = fig.rows or #fig.panels
  local left, right = side_margins(c, fig.panels)
  local top = PAD + (fig.title and 18 + GAP or 0)
  local height = (fig.height - top - PAD - (n - 1) * PAD) // n
  for i, panel in ipairs(fig.panels) do
    local above, below = outer_heights(panel)
    panel.top = top + (i - 1) * (height + PAD)
    panel.box = { x = left, y = panel.top + above, w = math.max(fig.width - left - right, 8),
      h = math.max(height - above - below, 8) }
  end
end

--- Finds the place of everything in the figure.
---@param fig deer.plot.Figure
---@param c deer.Canvas measures texts
function layout.arrange(fig, c)
  for _, panel in ipairs(fig.panels) do
    set_limits(panel)
    panel.above = 0 -- height of a legend above the box
    panel.box = { w = fig.width - 100, h = fig.height // #fig.panels - 60 }
  end
  -- ticks need the size of the box, the box the width of the labels, a legend above needs room:
  -- each round settles one of them
  for round = 1, 4 do
    set_ticks(fig, c)
    place_boxes(fig, c)
    if round > 1 then
      for _, panel in ipairs(fig.panels) do place_legend(c, panel) end
    end
  end
end

return layout
