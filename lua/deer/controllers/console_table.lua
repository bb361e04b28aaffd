--- Prints a table of how training goes: a line when an evaluation beats the best so far, and every
--- show_gap seconds. Its columns: epoch, steps, best mean return; mean and deviation of the last
--- evaluation's returns; mean return with exploration, mean value of states, loss.

local Recorder = require "deer.recorder"
local sys = require "deer.sys"
local text = require "deer.text"

---@class deer.ConsoleTableController: deer.Recorder
---@overload fun(options: table?): deer.ConsoleTableController
local ConsoleTableController = Recorder:extend "ConsoleTableController"

ConsoleTableController.options = {
  show_gap = { default = 256, range = { 0, math.huge }, help = "seconds" },
  target_reward = { type = "number", help = "what solves the task" },
}

local HEAD = "%5s %9s %9s | %9s %9s | %9s %9s %9s"

-- a number in nine columns
local function short(x)
  if not x then return "" end
  local size = math.abs(x)
  return (size >= 1e7 or size > 0 and size < 1e-3) and ("%.2e"):format(x)
    or size >= 1000 and ("%.1f"):format(x) or ("%.4g"):format(x)
end

function ConsoleTableController:init(options)
  self.show_gap, self.target = options.show_gap, options.target_reward
end

function ConsoleTableController:open()
  text.say("%s", HEAD:format("ID", "Step", "MaxR", "avgR", "stdR", "ExpR", "LossA", "LossC"))
  self.shown, self.best, self.solved = sys.time(), nil, false
end

-- bold, where that can be seen
local function strong(line)
  if not sys.isatty(1) or (os.getenv "NO_COLOR" or "") ~= "" then return line end
  return "\27[1m" .. line .. "\27[0m"
end

local function line_of(self, numbers)
  return HEAD:format(("%d"):format(numbers["time/iterations"]),
    ("%d"):format(numbers["time/total_timesteps"]), short(self.best),
    short(numbers["eval/mean_reward"]), short(numbers["eval/std_reward"]),
    short(numbers["rollout/ep_rew_mean"]), short(numbers["train/value"]),
    short(numbers["train/loss"]))
end

---@param agent deer.NeuralAgent
function ConsoleTableController:write(agent, _, numbers)
  local evaluation = agent.evaluation
  local best = evaluation and evaluation.best and evaluation ~= self.seen
  self.seen = evaluation
  if best then self.best = evaluation.mean end
  if best or sys.time() - self.shown >= self.show_gap then
    self.shown = sys.time()
    local line = line_of(self, numbers)
    text.say("%s", best and strong(line) or line)
  end
  if self.target and best and self.best >= self.target and not self.solved then
    self.solved = true
    text.say("%s", HEAD:format("ID", "Step", "TargetR", "avgR", "stdR", "ExpR", "UsedTime", ""))
    text.say("%s", HEAD:format(("%d"):format(agent:epochs()), ("%d"):format(agent:steps()),
      short(self.target), short(evaluation.mean), short(evaluation.deviation),
      short(numbers["rollout/ep_rew_mean"]), ("%.0f s"):format(numbers["time/time_elapsed"]), ""))
  end
end

return ConsoleTableController
