--- Where the states of an agent lie, as a cloud of points: up to three numbers of a state as they
--- are, of more numbers the three directions in which the states differ most (principal component
--- analysis). The first two are the place of a point, the third is its colour.
---
---   local cloud = states.new()
---   cloud:add(agent:state())
---   cloud:figure():save "states.png"
---   cloud:picture(80, 48) -- for a terminal

local deer = require "deer"
local flatten = require "deer.flatten"
local plot = require "deer.plot"

local states = {}

---@class deer.Cloud
---@field rows number[][] the states that are kept
---@field points number[][] where they lie: { x, y, z }
local Cloud = {}
Cloud.__index = Cloud

local MOST = 4000 -- points: when there are more, every second one is left out
local WORK = 2e7 -- multiplications to find a direction at most

--- An empty cloud.
---@return deer.Cloud
function states.new()
  return setmetatable({ rows = {}, points = {}, stride = 1, seen = 0, fitted = 0 }, Cloud)
end

local function dot(a, b)
  local sum = 0
  for i, x in ipairs(a) do sum = sum + x * b[i] end
  return sum
end

-- ---- directions --------------------------------------------------------------------------------

local function mean_of(rows)
  local mean = {}
  for column = 1, #rows[1] do
    local sum = 0
    for _, row in ipairs(rows) do sum = sum + row[column] end
    mean[column] = sum / #rows
  end
  return mean
end

local function centered(rows, mean)
  local list = {}
  for i, row in ipairs(rows) do
    local copy = {}
    for column, x in ipairs(row) do copy[column] = x - mean[column] end
    list[i] = copy
  end
  return list
end

-- the direction in which centred rows differ most, by power iteration from where it was before
local function direction(rows, before)
  local at, known = {}, before and dot(before, before) > 0
  for i = 1, #rows[1] do at[i] = known and before[i] or 1 / i end
  for _ = 1, math.max(4, math.min(100, WORK // (#rows * #at))) do
    local sum = {}
    for i = 1, #at do sum[i] = 0 end
    for _, row in ipairs(rows) do
      local part = dot(row, at)
      for i, x in ipairs(row) do sum[i] = sum[i] + part * x end
    end
    local length = math.sqrt(dot(sum, sum))
    -- no difference is left: a direction of length 0
    for i, x in ipairs(sum) do at[i] = length > 0 and x / length or 0 end
    if length == 0 then break end
  end
  return at
end

-- takes what lies along a direction away
local function deflate(rows, along)
  for _, row in ipairs(rows) do
    local part = dot(row, along)
    for column, x in ipairs(row) do row[column] = x - part * along[column] end
  end
end

-- finds the directions anew; they keep their sense, lest the cloud turns over
local function fit(self)
  self.mean = mean_of(self.rows)
  local rest, before = centered(self.rows, self.mean), self.directions or {}
  self.directions = {}
  for axis = 1, 3 do
    local along = direction(rest, before[axis])
    if before[axis] and dot(along, before[axis]) < 0 then
      for i, x in ipairs(along) do along[i] = -x end
    end
    self.directions[axis] = along
    deflate(rest, along)
  end
end

-- ---- points ------------------------------------------------------------------------------------

--- Are the axes principal components?
---@return boolean
function Cloud:principal() return #self.rows > 0 and #self.rows[1] > 3 end

local function place(self, row)
  if not self:principal() then return { row[1], row[2] or 0, row[3] or 0 } end
  local point = {}
  for axis, along in ipairs(self.directions) do
    point[axis] = dot(row, along) - dot(self.mean, along)
  end
  return point
end

local function place_all(self)
  self.points = {}
  for i, row in ipairs(self.rows) do self.points[i] = place(self, row) end
end

local function thin_out(self)
  self.stride = 2 * self.stride
  local kept = {}
  for i = 2, #self.rows, 2 do kept[#kept + 1] = self.rows[i] end
  self.rows = kept
end

--- One state more. The directions are found again whenever there are twice as many.
---@param state any[] nested lists of numbers, always of the same form
function Cloud:add(state)
  self.seen = self.seen + 1
  local row, moved = flatten(state, {}), false
  local kept = self.seen % self.stride == 0
  if kept then self.rows[#self.rows + 1] = row end
  if #self.rows >= MOST then
    thin_out(self)
    moved = true
  end
  if self:principal() and self.seen >= 2 * self.fitted then
    self.fitted, moved = self.seen, true
    fit(self)
  end
  self.now = place(self, row)
  if moved then place_all(self) elseif kept then self.points[#self.rows] = self.now end
end

--- What stands along the three axes.
---@return string x
---@return string y
---@return string z "" where there is none
function Cloud:names()
  local form = self:principal() and "principal component %d" or "number %d of the state"
  local n = #(self.rows[1] or {})
  return form:format(1), n > 1 and form:format(2) or "", n > 2 and form:format(3) or ""
end

-- the least value and the extent of a coordinate
local function limits(points, axis)
  local low, high = math.huge, -math.huge
  for _, point in ipairs(points) do
    low, high = math.min(low, point[axis]), math.max(high, point[axis])
  end
  return low, math.max(high - low, 1e-12)
end

-- ---- pictures ----------------------------------------------------------------------------------

local SHADES = 8
local FROM, TO = { 0, 114, 178 }, { 213, 94, 0 } -- blue, vermilion

local function shade(part)
  local color = {}
  for i = 1, 3 do color[i] = math.floor(FROM[i] + part * (TO[i] - FROM[i]) + 0.5) end
  return ("#%02x%02x%02x"):format(table.unpack(color))
end

-- from 0 to SHADES - 1
local function shade_of(value, low, extent)
  return math.min(SHADES - 1, math.floor((value - low) / extent * SHADES))
end

--- The cloud in so many pixels, without words; where the agent is now is black.
---@param width integer
---@param height integer
---@return deer.Tensor
function Cloud:picture(width, height)
  local canvas <close> = deer.canvas(width, height)
  local x0, dx = limits(self.points, 1)
  local y0, dy = limits(self.points, 2)
  local z0, dz = limits(self.points, 3)
  local function dot_at(point, color)
    local x = math.floor((point[1] - x0) / dx * (width - 1) + 0.5)
    local y = math.floor((point[2] - y0) / dy * (height - 1) + 0.5)
    canvas:rect(x, height - 1 - y, 1, 1, color)
  end
  for _, point in ipairs(self.points) do
    dot_at(point, shade(shade_of(point[3], z0, dz) / (SHADES - 1)))
  end
  if self.now then dot_at(self.now, "#000000") end
  return canvas:picture()
end

--- The cloud as a chart.
---@return deer.plot.Figure
function Cloud:figure()
  local x, y, z = self:names()
  local title = ("%d states%s"):format(self.seen, z ~= "" and ", colour: " .. z or "")
  local fig = plot.figure{ width = 700, height = 600, title = title }
  local ax = fig:axes{ xlabel = x, ylabel = y }
  local xs, ys, groups = {}, {}, {}
  local low, extent = limits(self.points, 3)
  for i, point in ipairs(self.points) do
    xs[i], ys[i] = point[1], point[2]
    local k = shade_of(point[3], low, extent)
    groups[k] = groups[k] or { {}, {} }
    table.insert(groups[k][1], point[1])
    table.insert(groups[k][2], point[2])
  end
  if #xs > 1 then ax:line(xs, ys, { color = "grey", width = 0.5 }) end
  for k = 0, SHADES - 1 do
    if groups[k] then
      ax:markers(groups[k][1], groups[k][2], { size = 4, color = shade(k / (SHADES - 1)) })
    end
  end
  return fig
end

return states
