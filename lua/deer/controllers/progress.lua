--- A progress line on the terminal: epoch, part of it done, steps per second, the mean return of
--- the latest episodes, loss, time left. When the standard error is not a terminal it stays silent,
--- or, with the option lines, writes a plain line now and then.

local Controller = require "deer.controller"
local sys = require "deer.sys"
local text = require "deer.text"

---@class deer.ProgressController: deer.Controller
---@overload fun(options: table?): deer.ProgressController
local ProgressController = Controller:extend "ProgressController"

ProgressController.options = {
  periodicity = { default = 0.1, range = { 0, 3600 }, help = "seconds between two pictures" },
  lines = { default = false, help = "plain lines where there is no terminal" },
  line_gap = { default = 2, range = { 0, 3600 }, help = "seconds between two such lines" },
  steps = { type = "integer", range = { 1, 2 ^ 53 },
    help = "steps of the whole run; those of its epochs if not given" },
}

local WIDTH, LEAST = 24, 4 -- of the bar
local RECENT = 10 -- episodes
local PACE = 0.3 -- how fast the shown speed follows the present one

function ProgressController:init(options)
  self.periodicity, self.total = options.periodicity, options.steps
  if sys.isatty(2) then return end
  -- hears no mode at all: costs nothing
  if not options.lines and not self.modes then self.modes = {} end
  -- from epoch to epoch
  if options.lines then
    self.line_gap, self.onActionTaken = options.line_gap, false
  end
end

--- "1:05" or "2:03:59"
---@param seconds number
---@return string
function ProgressController.clock(seconds)
  local s = math.floor(seconds + 0.5)
  if s < 3600 then return ("%d:%02d"):format(s // 60, s % 60) end
  return ("%d:%02d:%02d"):format(s // 3600, s // 60 % 60, s % 60)
end

---@param agent deer.NeuralAgent
function ProgressController:onStart(agent)
  self.started, self.shown, self.before = sys.time(), -math.huge, agent:epochs()
  self.mode, self.steps, self.counted, self.stride = -1, 0, 0, 1
  self.measured, self.speed = self.started, nil
  self.first_step, self.returns = agent:steps(), {}
end

-- the returns of the latest episodes of training
---@param agent deer.NeuralAgent
function ProgressController:onEpisodeEnd(agent)
  local reward, _, whole = agent:lastEpisode()
  if not whole or agent:mode() ~= -1 then return end
  if #self.returns == RECENT then table.remove(self.returns, 1) end
  table.insert(self.returns, reward)
end

-- "  return 21.3" and "  loss 0.0123", as far as they are known, else ""
local function results(self, agent)
  local sum, loss = 0, agent:avgBellmanResidual()
  for _, x in ipairs(self.returns) do sum = sum + x end
  return #self.returns > 0 and ("  return %.4g"):format(sum / #self.returns) or "",
    math.type(loss) == "float" and ("  loss %.3g"):format(loss) or ""
end

---@param agent deer.NeuralAgent
function ProgressController:onActionTaken(agent)
  -- a test epoch begins or ends
  if agent:mode() ~= self.mode then self.mode, self.steps = agent:mode(), 0 end
  self.steps = self.steps + 1
  self.counted = self.counted + 1
  -- the clock is asked about a hundred times a second
  if self.counted % self.stride ~= 0 then return end
  local now = sys.time()
  if now - self.shown >= self.periodicity then self:show(agent, now) end
end

-- steps per second, smoothed
local function measure(self, now)
  local seconds = now - self.measured
  if self.counted == 0 or seconds <= 0 then return end
  local speed = self.counted / seconds
  self.speed = self.speed and self.speed + PACE * (speed - self.speed) or speed
  self.stride = math.max(1, math.floor(self.speed / 100))
  self.measured, self.counted = now, 0
end

-- The line in so many columns: first the bar gets shorter, then the end of the line goes, the least
-- important part of it first, then the bar.
local function fit(head, part, parts, columns)
  local percent = (" %3.0f%%"):format(100 * part)
  local room = columns - #head - #percent - 2
  local tail = table.concat(parts)
  for _, i in ipairs { 3, 2, 1, 4 } do -- the loss, the return, the speed, the time left
    if #tail + LEAST > room then parts[i] = "" end
    tail = table.concat(parts)
  end
  local width = math.min(WIDTH, room - #tail)
  if width < LEAST then return (head:gsub(" $", "") .. percent):sub(1, math.max(columns, 0)) end
  local full = math.floor(part * width + 0.5)
  return ("%s[%s%s]%s%s"):format(head, ("#"):rep(full), ("."):rep(width - full), percent, tail)
end

---@param agent deer.NeuralAgent
---@param now number
function ProgressController:show(agent, now)
  measure(self, now)
  self.shown = now
  local part = math.min(1, self.steps / math.max(1, agent.epoch_length))
  local training, epochs = self.mode == -1, agent:epochs() - self.before
  local done = epochs + (training and part or 0)
  local left = done > 0 and (now - self.started) / done * (agent.n_epochs - done)
  local head = ("epoch %d/%d %s "):format(epochs + (training and 1 or 0), agent.n_epochs,
    training and "train" or "test ")
  local score, loss = results(self, agent)
  local tail = { ("  %.0f steps/s"):format(self.speed or 0), score, loss,
    left and "  " .. self.clock(left) .. " left" or "" }
  -- a line that fills the last column would break into two
  text.status(fit(head, part, tail, sys.columns() - 1))
end

-- "step 2000 of 50000  1234 steps/s  return 21.3  loss 0.01  1:05 left"
local function write_line(self, agent)
  local now, epochs = sys.time(), agent:epochs() - self.before
  if epochs < agent.n_epochs and now - math.max(self.shown, self.started) < self.line_gap then
    return
  end
  self.shown = now
  local steps, seconds = agent:steps() - self.first_step, now - self.started
  local left = seconds / math.max(epochs, 1) * (agent.n_epochs - epochs)
  local score, loss = results(self, agent)
  io.stderr:write(("step %d of %d  %.0f steps/s%s%s  %s left\n"):format(steps,
    self.total or agent.n_epochs * agent.epoch_length, steps / math.max(seconds, 1e-9), score, loss,
    self.clock(left)))
end

-- others may print now
---@param agent deer.NeuralAgent
function ProgressController:onEpochEnd(agent)
  self.steps = 0
  text.status(nil)
  if self.line_gap and agent:mode() == -1 then write_line(self, agent) end
end

function ProgressController.onEnd()
  text.status(nil)
end

return ProgressController
