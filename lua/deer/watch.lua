--- Controllers that watch an agent play, for `deerlua enjoy`: watch.Terminal, Frames, Film, States,
--- Limit. After the last episode finish(say) is called.

local Controller = require "deer.controller"
local deer = require "deer"
local states = require "deer.states"
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
  states = { default = false, help = "show where the states lie" },
  fps = { default = 25, range = { 0.1, 1000 }, help = "pictures in a second" },
}

function watch.Terminal:init(options)
  self.picture, self.actions, self.pause = options.picture, options.actions, 1 / options.fps
  self.shown, self.next_shown = 0, sys.time()
  self.episode, self.step = 1, 0
  self.cloud = options.states and states.new()
end

function watch.Terminal:onEpisodeEnd() self.episode, self.step = self.episode + 1, 0 end

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

-- of a continuous action where each number lies in its range, and mean and deviation of what it is
-- drawn from
local function add_box(list, action, bounds, means, deviations)
  for i, x in ipairs(action) do
    local low, high = table.unpack(bounds[i])
    local drawn = means and (" (%.4g +- %.4g)"):format(means[i], deviations[i]) or ""
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

local function add_actions(lines, agent, action)
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

local function add_picture(lines, picture, columns, rows)
  local more = terminal.picture(picture, columns, rows)
  table.move(more, 1, #more, #lines + 1, lines)
end

-- the cloud, and below it what its axes are
local function add_states(lines, cloud, columns, rows)
  local height = math.max(rows - 1, 2)
  add_picture(lines, cloud:picture(columns, 2 * height), columns, height)
  local x, y, z = cloud:names()
  lines[#lines + 1] = ("across: %s%s%s"):format(x, y ~= "" and "; up: " .. y or "",
    z ~= "" and "; colour: " .. z or ""):sub(1, columns)
end

-- all that is shown, together no higher than the terminal
local function lines_of(self, agent, action)
  local lines, columns = {}, math.min(sys.columns(), 100) - 1
  if self.actions then add_actions(lines, agent, action) end
  if sys.isatty(1) then
    lines[#lines + 1] = ("episode %d, step %d"):format(self.episode, self.step)
  end
  local parts = (self.picture and 1 or 0) + (self.cloud and 1 or 0)
  local rows = math.max(4, math.min(24, (sys.rows() - 1 - #lines) // math.max(parts, 1)))
  local all = {}
  if self.picture then add_picture(all, agent.environment:render(), columns, rows) end
  if self.cloud and sys.isatty(1) then add_states(all, self.cloud, columns, rows) end
  return table.move(lines, 1, #lines, #all + 1, all)
end

---@param agent deer.NeuralAgent
---@param action number|number[]
function watch.Terminal:onActionChosen(agent, action)
  self.step = self.step + 1
  if self.cloud then self.cloud:add(agent:state()) end
  local lines = lines_of(self, agent, action)
  if #lines > 0 then self.shown = terminal.show(lines, self.shown) end
  if not sys.isatty(1) then return end
  self.next_shown = math.max(self.next_shown + self.pause, sys.time() - self.pause)
  sys.sleep(self.next_shown - sys.time())
end

-- elsewhere than on a terminal nothing moves: the states are shown once, when all are known
function watch.Terminal:finish()
  if not self.cloud or sys.isatty(1) then return end
  local lines = {}
  add_states(lines, self.cloud, math.min(sys.columns(), 100) - 1, 24)
  terminal.show(lines, 0)
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
watch.States.options = {
  file = { required = true, type = "string", help = "of the picture" },
  periodicity = { default = 1, range = { 0, math.huge }, help = "seconds between two pictures" },
}

function watch.States:init(options)
  self.file, self.periodicity = options.file, options.periodicity
  self.cloud, self.drawn = states.new(), sys.time()
end

---@param agent deer.NeuralAgent
function watch.States:onActionChosen(agent)
  self.cloud:add(agent:state())
  if sys.time() - self.drawn >= self.periodicity then self:draw() end
end

function watch.States:draw()
  local path, message = self.cloud:figure():save(self.file)
  if not path then text.fail("%s", message) end
  self.drawn = sys.time()
end

function watch.States:finish(say)
  self:draw()
  say("states: %s", self.file)
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
