--- Draws the learning curve to plots/plot_<episodes>E_<steps>T_<seconds>s.png, in place of the one
--- before. Above: returns with exploration (blue), those of evaluations (red, with their
--- deviation), and the steps of episodes (grey area). Below: the value of states (green) and the
--- loss (green area).

local Recorder = require "deer.recorder"
local plot = require "deer.plot"
local sys = require "deer.sys"

---@class deer.LearningCurveController: deer.Recorder
---@overload fun(options: table?): deer.LearningCurveController
local LearningCurveController = Recorder:extend "LearningCurveController"

LearningCurveController.options = {
  periodicity = { default = 60, range = { 0, math.huge }, help = "seconds between two pictures" },
  width = { default = 900, type = "integer", range = { 300, 4096 }, help = "pixels" },
  height = { default = 700, type = "integer", range = { 300, 4096 }, help = "pixels" },
}

local MOST = 2000 -- points of a line: more cannot be seen

function LearningCurveController:init(options)
  self.periodicity, self.size = options.periodicity, { options.width, options.height }
end

local function series() return { x = {}, y = {}, stride = 1, skipped = 0 } end

-- every point at first, then every second, every fourth ...
local function add(s, x, ...)
  s.skipped = s.skipped + 1
  if s.skipped < s.stride then return end
  s.skipped = 0
  local point = { x, ... }
  for i = 1, #point do
    s[i] = s[i] or {}
    table.insert(s[i], point[i])
  end
  if #s[1] < MOST then return end
  s.stride = 2 * s.stride
  for _, list in ipairs(s) do
    for i = 1, #list // 2 do list[i] = list[2 * i] end
    for i = #list, #list // 2 + 1, -1 do list[i] = nil end
  end
end

function LearningCurveController:open()
  self.explore, self.judged, self.learnt = series(), series(), series()
  self.drawn, self.file = sys.time(), nil
end

---@param agent deer.NeuralAgent
function LearningCurveController:onEpisodeEnd(agent)
  Recorder.onEpisodeEnd(self, agent)
  local reward, steps, whole = agent:lastEpisode()
  if whole then add(self.explore, agent:steps(), reward, steps) end
end

---@param agent deer.NeuralAgent
function LearningCurveController:write(agent, _, numbers)
  local evaluation = numbers["eval/mean_reward"]
  if evaluation then add(self.judged, agent:steps(), evaluation, numbers["eval/std_reward"]) end
  add(self.learnt, agent:steps(), numbers["train/value"] or 0 / 0, numbers["train/loss"] or 0 / 0)
  if sys.time() - self.drawn >= self.periodicity then self:draw(agent) end
end

-- a band around or below a line
local function shifted(list, by, factor)
  local all = {}
  for i, x in ipairs(list) do all[i] = x + factor * (by and by[i] or -x) end
  return all
end

-- a line needs two points to be seen
local function line(ax, s, column, options)
  if #(s[1] or {}) == 1 then ax:markers(s[1], s[column], options) end
  if #(s[1] or {}) > 1 then ax:line(s[1], s[column], options) end
end

local function upper(self, fig)
  local explore, judged = self.explore, self.judged
  local ax = fig:axes{ ylabel = "return" }
  local right = ax:twin{ ylabel = "steps of an episode", color = "grey" }
  if #(explore[1] or {}) > 1 then
    right:band(explore[1], shifted(explore[3], nil, 1), explore[3], { color = "grey",
      opacity = 0.3, label = "steps" })
  end
  line(ax, explore, 2, { color = "blue", label = "with exploration" })
  if #(judged[1] or {}) > 1 then
    ax:band(judged[1], shifted(judged[2], judged[3], -1), shifted(judged[2], judged[3], 1),
      { color = "red" })
  end
  line(ax, judged, 2, { color = "red", label = "evaluation" })
end

-- whether a column has a number
local function has(s, column)
  for _, x in ipairs(s[column] or {}) do
    if x == x then return true end
  end
  return false
end

local function lower(self, fig)
  local learnt = self.learnt
  local values = has(learnt, 2) -- not every algorithm asks for them while it plays
  local ax = fig:axes{ xlabel = "steps", ylabel = values and "value of states" or "loss" }
  local right = values and ax:twin{ ylabel = "loss", color = "green" } or ax
  if #(learnt[1] or {}) > 1 then
    right:band(learnt[1], shifted(learnt[3], nil, 1), learnt[3], { color = "green",
      label = "loss" })
  end
  if values then line(ax, learnt, 2, { color = "green", label = "value" }) end
end

--- The picture of this moment.
---@param agent deer.NeuralAgent
---@return deer.plot.Figure
function LearningCurveController:figure(agent)
  local title = ("%s, %s: %.0f s"):format(agent.learning_algo.__name, agent.environment.__name,
    sys.time() - self.started)
  local fig = plot.figure{ width = self.size[1], height = self.size[2], rows = 2, title = title }
  upper(self, fig)
  lower(self, fig)
  return fig
end

---@param agent deer.NeuralAgent
function LearningCurveController:draw(agent)
  self.drawn = sys.time()
  local path = self:path(agent, ("plots/plot_%04dE_%dT_%.0fs.png"):format(self.n_episodes,
    agent:steps(), self.drawn - self.started))
  self:check(sys.mkdir(path:match "^(.*)/"))
  self:check(self:figure(agent):save(path))
  if self.file and self.file ~= path then os.remove(self.file) end
  self.file = path
end

---@param agent deer.NeuralAgent
function LearningCurveController:onEnd(agent)
  if self.explore[1] or self.learnt[1] then self:draw(agent) end
end

return LearningCurveController
