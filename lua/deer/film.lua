--- The film of a test epoch: what the environment draws of each observation and, if wanted, curves
--- of its numbers below, with a bar where the film is.

local canvas = require("deer.core").canvas
local core = require "deer.core"
local plot = require "deer.plot"
local video = require "deer.video"

local film = {}

local MOST = 500   -- steps that a film shows
local SMOOTH = 25  -- pictures a second; more cost time and show no more
local PANEL = 130  -- rows of a curve
local BAR = "#d5500099"

-- the figure of the curves of the first n observations, and its axes
local function draw_curves(curves, subjects, n, look)
  local figure = plot.figure{ width = look.width, height = PANEL * #curves }
  local times, panels = {}, {}
  for i = 1, n do times[i] = (i - 1) / look.rate end
  for k, curve in ipairs(curves) do
    local values = subjects[curve[2] + 1]
    panels[k] = figure:axes{ ylabel = curve[1], xlabel = k == #curves and "Time (s)" or nil,
      xlim = { 0, math.max(times[n], 1 / look.rate) } }
    panels[k]:line(times, table.move(values, 1, n, 1, {}))
  end
  local drawn <close> = figure:draw()
  local pixels = core.Tensor("uint8", { PANEL * #curves, look.width, 3 }, drawn:rgb())
  return pixels, panels, times
end

-- a function that puts the curves below a picture
local function with_curves(curves, subjects, n, look)
  local pixels, panels, times = draw_curves(curves, subjects, n, look)
  local page = canvas.new(look.width, look.height + PANEL * #curves)
  return function(picture, i)
    page:image(0, 0, picture)
    page:image(0, look.height, pixels)
    for _, panel in ipairs(panels) do
      local x, top, height = panel:column(times[i])
      page:rect(x - 1, look.height + top, 2, height, BAR)
    end
    return core.Tensor("uint8", { look.height + PANEL * #curves, look.width, 3 }, page:rgb())
  end
end

--- Writes the film of a test epoch, or of its first 500 steps.
---@param environment deer.Environment one whose `render` draws an observation
---@param test_data_set deer.DataSet
---@param options { path: string, rate: number, curves: table[]? } where to, steps a second, and of
---  each curve { name, position of the subject }
---@return string path
---@return string|nil note why it is another one
function film.write(environment, test_data_set, options)
  local subjects, observation, rate = test_data_set:observations(), {}, options.rate
  local every, n = math.max(rate // SMOOTH, 1), math.min(#subjects[1], MOST)
  local reel = video(options.path, { fps = rate / every })
  local compose = function(picture) return picture end
  for i = 1, n, every do
    for s, values in ipairs(subjects) do observation[s] = values[i] end
    local picture = environment:render(observation)
    if i == 1 and options.curves and #options.curves > 0 then
      local height, width = table.unpack(picture:shape())
      compose = with_curves(options.curves, subjects, n,
        { width = width, height = height, rate = rate })
    end
    reel:add(compose(picture, i))
  end
  local path, note = reel:close()
  if not path then error(note, 0) end
  return path, note
end

return film
