--- Trains by presets and writes what became of it: runs/learn_report.md, and beside it a picture of
--- the learning curves of each preset.
local deer = require "deer"
local sys = require "deer.sys"

local report = {}
report.__index = report

local FOLDER = "runs/"

--- Starts a new report.
---@param n_seeds integer
function report.new(n_seeds)
  assert(sys.mkdir(FOLDER:sub(1, -2)))
  local self = setmetatable({ path = FOLDER .. "learn_report.md" }, report)
  local heads, rules = {}, {}
  for seed = 1, n_seeds do heads[seed], rules[seed] = "seed " .. seed, "---:" end
  self:write("w", "# What the presets learn\n\nMean rewards of at least 100 episodes without "
    .. "exploration, after training with each seed; a preset is lua/deer/presets/NAME.lua.\n\n"
    .. "| preset | steps | at least | " .. table.concat(heads, " | ")
    .. " | seconds each | learning curves |\n|---|---:|---:|" .. table.concat(rules, "|")
    .. "|---:|---|\n")
  return self
end

function report:write(mode, text)
  local file = assert(io.open(self.path, mode))
  assert(file:write(text))
  assert(file:close())
end

-- the mean reward of the episodes that ended in each epoch
local Curve = deer.Controller:extend "Curve"
Curve.modes = { -1 }

function Curve:init() self.steps, self.means, self.sum, self.n = {}, {}, 0, 0 end

function Curve:onEpisodeEnd(agent)
  local reward, _, whole = agent:lastEpisode()
  if whole then self.sum, self.n = self.sum + reward, self.n + 1 end
end

function Curve:onEpochEnd(agent)
  if self.n == 0 then return end
  self.steps[#self.steps + 1], self.means[#self.means + 1] = agent:steps(), self.sum / self.n
  self.sum, self.n = 0, 0
end

--- Trains with one seed.
---@param name string of a preset
---@param seed integer
---@param steps integer of the test
---@return { score: number, episodes: integer, seconds: number, curve: table }
function report.train(name, seed, steps)
  local preset, curve, start = deer.preset(name), Curve{}, sys.time()
  local agent = preset:agent{ seed = seed }
  agent:attach(curve)
  agent:run(preset.epochs, preset.epoch_length)
  local result = { seconds = sys.time() - start, curve = curve }
  result.score, result.episodes = preset:score(agent, steps)
  return result
end

--- Draws the curves of a preset and adds its line.
---@param goal { name: string, least: number }
---@param results table[] what train gave for each seed
function report:add(goal, results)
  local preset, picture = deer.preset(goal.name), "learn_" .. goal.name:gsub("/", "_") .. ".png"
  local figure = deer.plot.figure{ title = goal.name }
  local axes = figure:axes{ xlabel = "steps", ylabel = "reward of episodes in training" }
  local scores, seconds = {}, 0
  for seed, result in ipairs(results) do
    local curve = result.curve
    if #curve.steps > 1 then axes:line(curve.steps, curve.means, { label = "seed " .. seed }) end
    scores[seed], seconds = ("%.1f"):format(result.score), seconds + result.seconds / #results
  end
  figure:save(FOLDER .. picture)
  self:write("a", ("| %s | %d | %g | %s | %.1f | [picture](%s) |\n"):format(goal.name,
    report.steps(preset), goal.least, table.concat(scores, " | "), seconds, picture))
end

--- Steps of the environment that a preset takes, those that validate included.
---@param preset deer.Preset
---@return integer
function report.steps(preset)
  local steps = preset.epochs * preset.epoch_length
  for _, entry in ipairs(preset.controllers or {}) do
    local options = entry[2]
    if entry[1] == "InterleavedTestEpochController" then
      local epochs = preset.epochs - (options.start or 0)
      steps = steps + (epochs + (options.periodicity or 1) - 1) // (options.periodicity or 1)
        * options.epoch_length
    end
  end
  return steps
end

return report
