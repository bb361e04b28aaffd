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
  local self = setmetatable({ path = FOLDER .. "learn_report.md", n_seeds = n_seeds }, report)
  local heads, rules = {}, {}
  for seed = 1, n_seeds do heads[seed], rules[seed] = "seed " .. seed, "---:" end
  self:write("w", "# What the presets learn\n\nMean rewards of at least 100 episodes without "
    .. "exploration, after training with each seed; a preset is lua/deer/presets/NAME.lua. Of the "
    .. "mobile robot, in how many of 100 episodes it reaches its target; of breakout and freeway, "
    .. "mean rewards of the last 100 episodes of training, and at least what the figure of Young "
    .. "and Tian 2019 (arXiv:1903.03176) shows.\n\n"
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

-- the rewards of episodes, and the mean of those that ended in each epoch
local Curve = deer.Controller:extend "Curve"
Curve.modes = { -1 }

function Curve:init() self.steps, self.means, self.rewards, self.before = {}, {}, {}, 0 end

-- of the last n episodes, of fewer when there were fewer; and how many these are
function Curve:mean(n)
  local first, sum = math.max(#self.rewards - n, 0) + 1, 0
  for i = first, #self.rewards do sum = sum + self.rewards[i] end
  n = #self.rewards - first + 1
  return sum / n, n
end

function Curve:onEpisodeEnd(agent)
  local reward, _, whole = agent:lastEpisode()
  if whole then self.rewards[#self.rewards + 1] = reward end
end

function Curve:onEpochEnd(agent)
  local n = #self.rewards - self.before
  if n == 0 then return end
  self.steps[#self.steps + 1], self.means[#self.means + 1] = agent:steps(), (self:mean(n))
  self.before = #self.rewards
end

-- what a goal may be measured by: function(preset, agent, steps, curve) -> score, episodes
local measures = {}

function measures.mean(preset, agent, steps) return preset:score(agent, steps) end

function measures.training(_, _, _, curve) return curve:mean(100) end

-- an environment that knows in how many episodes it paid 1, as the robot is for being at its target
local function watched(preset)
  local Robot = deer.env(preset.environment)
  local Watched = Robot:extend "Watched"
  function Watched:init(options)
    Robot.init(self, options)
    self.episodes, self.reached = 0, 0
  end
  function Watched:reset(mode)
    self.episodes, self.there = self.episodes + 1, false
    return Robot.reset(self, mode)
  end
  function Watched:act(action)
    local reward = Robot.act(self, action)
    if reward == 1 and not self.there then self.there, self.reached = true, self.reached + 1 end
    return reward
  end
  local options = { seed = 0 }
  for key, value in deer.spairs(preset.environment_options or {}) do options[key] = value end
  return Watched(options)
end

function measures.reached(preset, agent, steps)
  local env = watched(preset)
  local judge = deer.NeuralAgent{ environment = env, seed = 0,
    learning_algo = agent.learning_algo }
  judge:startMode(0, steps)
  judge:run(1, steps)
  return env.reached, env.episodes
end

--- How good an agent is after training by a preset, or before.
---@param goal { steps: integer, measure: string? }
---@param preset deer.Preset
---@param agent deer.NeuralAgent
---@param curve? table
---@return number score
---@return integer episodes
function report.score(goal, preset, agent, curve)
  return measures[goal.measure or "mean"](preset, agent, goal.steps, curve)
end

--- Trains with one seed.
---@param goal { name: string, steps: integer, measure: string? }
---@param seed integer
---@return { score: number, episodes: integer, seconds: number, curve: table }
function report.train(goal, seed)
  local preset, curve, start = deer.preset(goal.name), Curve{}, sys.time()
  local agent = preset:agent{ seed = seed }
  agent:attach(curve)
  agent:run(preset.epochs, preset.epoch_length)
  local result = { seconds = sys.time() - start, curve = curve }
  result.score, result.episodes = report.score(goal, preset, agent, curve)
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
  for seed = #results + 1, self.n_seeds do scores[seed] = "" end
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
