--- Controllers that watch an agent play, for `deerlua enjoy`: watch.Terminal, Frames, Film, States,
--- Limit. After the last episode finish(say) is called.

local Controller = require "deer.controller"
local deer = require "deer"
local flatten = require "deer.flatten"
local plot = require "deer.plot"
local sys = require "deer.sys"
local terminal = require "deer.terminal"
local text = require "deer.text"

local watch = {}

---@class deer.Watcher: deer.Controller
local Watcher = Controller:extend "Watcher"

function Watcher.finish() end

-- ---- the terminal ------------------------------------------------------------------------------

watch.Terminal = Watcher:extend "TerminalWatcher"

watch.Terminal.options = {
  picture = { default = false, help = "show what the environment draws" },
  actions = { default = false, help = "show the actions' probabilities or values" },
  fps = { default = 25, range = { 0.1, 1000 }, help = "pictures in a second" },
}

function watch.Terminal:init(options)
  self.picture, self.actions, self.pause = options.picture, options.actions, 1 / options.fps
  self.shown, self.due = 0, sys.time()
end

-- a bar for each number: { label =, part = between 0 and 1, word = what stands beside it }
local function add_bars(list, numbers, chosen, probable, prefix)
  local low, high = math.min(table.unpack(numbers)), math.max(table.unpack(numbers))
  for i, x in ipairs(numbers) do
    list[#list + 1] = {
      label = prefix .. i - 1,
      part = probable and x or (x - low) / math.max(high - low, 1e-9),
      word = ("%.4g%s"):format(x, i - 1 == chosen and "  <" or ""),
    }
  end
end

-- of a continuous action where each number lies in its range, and what it is drawn from
local function add_box(list, action, bounds, means, deviations)
  for i, x in ipairs(action) do
    local low, high = table.unpack(bounds[i])
    local drawn = means and (", mean %.4g, deviation %.4g"):format(means[i], deviations[i]) or ""
    list[i] = { label = tostring(i - 1), part = (x - low) / (high - low),
      word = ("%.4g%s"):format(x, drawn) }
  end
end

-- what the algorithm says about the actions in the present state, else what was chosen
local function bars(agent, action)
  local learnt, n_actions, list = agent.learning_algo, agent.environment:nActions(), {}
  local proba, deviations
  if learnt.actionProba then proba, deviations = learnt:actionProba(agent:state()) end
  if type(action) ~= "table" then
    local numbers = proba or learnt.qValues and learnt:qValues(agent:state())
    if numbers then add_bars(list, numbers, action, proba, "") end
  elseif type(n_actions[1]) == "table" then
    add_box(list, action, n_actions, proba, deviations)
  elseif proba then
    for i, chosen in ipairs(action) do add_bars(list, proba[i], chosen, true, i - 1 .. ".") end
  end
  return list
end

---@param agent deer.NeuralAgent
---@param action number|number[]
function watch.Terminal:onActionChosen(agent, action)
  local lines = {}
  if self.picture then
    lines = terminal.picture(agent.environment:render(), math.min(sys.columns(), 100) - 1, 24)
  end
  if self.actions then
    local list = bars(agent, action)
    -- an algorithm that tells neither probabilities nor values
    if #list == 0 then
      local chosen = type(action) == "table" and table.concat(action, " ") or action
      lines[#lines + 1] = ("action %s"):format(chosen)
    end
    for _, bar in ipairs(list) do
      lines[#lines + 1] =
        ("action %2s [%s] %s"):format(bar.label, terminal.bar(bar.part, 30), bar.word)
    end
  end
  self.shown = terminal.show(lines, self.shown)
  if not sys.isatty(1) then return end
  self.due = math.max(self.due + self.pause, sys.time() - self.pause)
  sys.sleep(self.due - sys.time())
end

-- ---- files -------------------------------------------------------------------------------------

watch.Frames = Watcher:extend "FramesWatcher"
watch.Frames.options = { folder = { required = true, type = "string", help = "of the pictures" } }

function watch.Frames:init(options)
  self.folder, self.n = options.folder, 0
  local done, message = sys.mkdir(self.folder)
  if not done then text.fail("%s", message) end
end

---@param agent deer.NeuralAgent
function watch.Frames:onActionChosen(agent)
  self.n = self.n + 1
  -- a film of one picture is a picture
  local film = deer.video(("%s/frame%06d.png"):format(self.folder, self.n))
  film:add(agent.environment:render())
  local path, message = film:close()
  if not path then text.fail("%s", message) end
end

function watch.Frames:finish(say) say("%d pictures in %s", self.n, self.folder) end

watch.Film = Watcher:extend "FilmWatcher"
watch.Film.options = {
  file = { required = true, type = "string", help = "of the film" },
  fps = { default = 25, range = { 0.1, 1000 }, help = "pictures in a second" },
}

function watch.Film:init(options)
  self.film = deer.video(options.file, { fps = math.min(options.fps, 240) })
end

---@param agent deer.NeuralAgent
function watch.Film:onActionChosen(agent) self.film:add(agent.environment:render()) end

function watch.Film:finish(say)
  local path, note = self.film:close()
  if not path then text.fail("%s", note) end
  say("film: %s%s", path, note and (" (%s)"):format(note) or "")
end

-- ---- states ------------------------------------------------------------------------------------

watch.States = Watcher:extend "StatesWatcher"
watch.States.options = { file = { required = true, type = "string", help = "of the picture" } }

local MOST = 5000 -- states in the picture

function watch.States:init(options) self.file, self.states, self.rewards = options.file, {}, {} end

---@param agent deer.NeuralAgent
function watch.States:onActionChosen(agent)
  if #self.states < MOST then self.states[#self.states + 1] = flatten(agent:state(), {}) end
end

-- takes the mean away from every column
local function center(rows)
  for column = 1, #rows[1] do
    local sum = 0
    for _, row in ipairs(rows) do sum = sum + row[column] end
    for _, row in ipairs(rows) do row[column] = row[column] - sum / #rows end
  end
end

local function dot(a, b)
  local sum = 0
  for i, x in ipairs(a) do sum = sum + x * b[i] end
  return sum
end

-- the direction in which centred rows differ most, by power iteration
local function direction(rows)
  local at = {}
  for i = 1, #rows[1] do at[i] = 1 / i end
  for _ = 1, 100 do
    local sum = {}
    for i = 1, #at do sum[i] = 0 end
    for _, row in ipairs(rows) do
      local part = dot(row, at)
      for i, x in ipairs(row) do sum[i] = sum[i] + part * x end
    end
    local length = math.sqrt(dot(sum, sum))
    if length == 0 then return at end
    for i, x in ipairs(sum) do at[i] = x / length end
  end
  return at
end

--- The two columns of rows, or, where there are more, their first two principal components.
---@param rows number[][] are changed
---@return number[] xs
---@return number[] ys
---@return boolean principal
function watch.States.project(rows)
  local lists, principal = { {}, {} }, #rows[1] > 2
  if principal then center(rows) end
  for axis = 1, 2 do
    local along = principal and direction(rows)
    for i, row in ipairs(rows) do
      lists[axis][i] = along and dot(row, along) or row[axis] or 0
      if along then
        for column, x in ipairs(row) do row[column] = x - lists[axis][i] * along[column] end
      end
    end
  end
  return lists[1], lists[2], principal
end

function watch.States:finish(say)
  if #self.states == 0 then return end
  local xs, ys, principal = self.project(self.states)
  local what = principal and "principal component %d" or "number %d of the state"
  local fig = plot.figure{ width = 700, height = 600, title = ("%d states"):format(#xs) }
  local ax = fig:axes{ xlabel = what:format(1), ylabel = what:format(2) }
  if #xs > 1 then ax:line(xs, ys, { color = "grey", width = 0.5 }) end
  ax:markers(xs, ys, { size = 4 })
  local path, message = fig:save(self.file)
  if not path then text.fail("%s", message) end
  say("states: %s", path)
end

-- ---- length ------------------------------------------------------------------------------------

watch.Limit = Watcher:extend "LimitWatcher"
watch.Limit.options = { steps = { required = true, type = "integer", help = "in all episodes" } }

function watch.Limit:init(options) self.left, self.spent = options.steps, false end

---@param agent deer.NeuralAgent
function watch.Limit:onActionTaken(agent)
  self.left = self.left - 1
  if self.left > 0 then return end
  self.spent = true
  agent:stop()
end

return watch
