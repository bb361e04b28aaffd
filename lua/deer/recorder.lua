--- The base of controllers that write down how training goes: it keeps the numbers, and once per
--- epoch calls self:write(agent, row) of the class that extends it. A row is a list of { tag, value
--- } whose tags are those of Stable-Baselines3; what there is no number for is left out.

local Controller = require "deer.controller"
local sys = require "deer.sys"
local text = require "deer.text"

---@class deer.Recorder: deer.Controller
---@field write fun(self, agent: deer.NeuralAgent, row: table[])
local Recorder = Controller:extend "Recorder"

Recorder.modes = { -1 }

Recorder.options = {
  folder = { type = "string", help = "where files are written; that of the run if not given" },
  window = { default = 100, type = "integer", range = { 1, 2 ^ 31 },
    help = "latest episodes of which means are taken" },
}

--- Every tag that a row may have, in order.
Recorder.tags = {
  "rollout/ep_rew_mean", "rollout/ep_len_mean", "rollout/exploration_rate", "time/episodes",
  "time/fps", "time/iterations", "time/time_elapsed", "time/total_timesteps", "train/learning_rate",
  "train/loss", "train/value", "eval/mean_reward", "eval/std_reward", "eval/mean_ep_length",
}

function Recorder:prepare(options)
  Controller.prepare(self, options)
  self.folder, self.window = options.folder, options.window
  self.returns, self.lengths, self.n_episodes = {}, {}, 0
end

--- The path of a file of this controller.
---@param agent deer.NeuralAgent
---@param name string
---@return string
function Recorder:path(agent, name)
  local folder = self.folder or agent.folder or "."
  local done, message = sys.mkdir(folder)
  if not done then text.fail("%s: %s", self.__name, message) end
  return folder .. "/" .. name
end

--- Raises what went wrong with a file; returns what it got when nothing did.
---@generic T
---@param result T|nil
---@param message string|nil
---@return T
function Recorder:check(result, message)
  if result == nil or result == false then text.fail("%s: %s", self.__name, message) end
  return result
end

---@param agent deer.NeuralAgent
function Recorder:onStart(agent)
  self.started, self.first_step = sys.time(), agent:steps()
  if self.open then self:open(agent) end
end

-- the last values of a list that is as long as the window, in a ring
local function push(self, list, value)
  list[(self.n_episodes - 1) % self.window + 1] = value
end

---@param agent deer.NeuralAgent
function Recorder:onEpisodeEnd(agent)
  local reward, steps, whole = agent:lastEpisode()
  if not whole then return end
  self.n_episodes = self.n_episodes + 1
  push(self, self.returns, reward)
  push(self, self.lengths, steps)
end

local function mean(list)
  if #list == 0 then return nil end
  local sum = 0
  for _, x in ipairs(list) do sum = sum + x end
  return sum / #list
end

--- The numbers of this moment.
---@param agent deer.NeuralAgent
---@return table<string, number>
function Recorder:numbers(agent)
  local elapsed = sys.time() - self.started
  local loss, evaluation = agent:avgBellmanResidual(), agent.evaluation or {}
  local value = agent:avgEpisodeVValue()
  local fresh = evaluation.epoch == agent:epochs()
  return {
    ["rollout/ep_rew_mean"] = mean(self.returns),
    ["rollout/ep_len_mean"] = mean(self.lengths),
    ["rollout/exploration_rate"] = agent:epsilon(),
    ["time/episodes"] = self.n_episodes,
    ["time/fps"] = math.floor((agent:steps() - self.first_step) / math.max(elapsed, 1e-9)),
    ["time/iterations"] = agent:epochs(),
    ["time/time_elapsed"] = elapsed,
    ["time/total_timesteps"] = agent:steps(),
    ["train/learning_rate"] = agent:learningRate(),
    ["train/loss"] = math.type(loss) == "float" and loss or nil, -- a whole -1: no update
    ["train/value"] = value ~= 0 and value or nil, -- 0: the policy knows none
    ["eval/mean_reward"] = fresh and evaluation.mean or nil,
    ["eval/std_reward"] = fresh and evaluation.deviation or nil,
    ["eval/mean_ep_length"] = fresh and evaluation.mean_length or nil,
  }
end

---@param agent deer.NeuralAgent
function Recorder:onEpochEnd(agent)
  local numbers, row = self:numbers(agent), {}
  for _, tag in ipairs(Recorder.tags) do
    if numbers[tag] then row[#row + 1] = { tag, numbers[tag] } end
  end
  self:write(agent, row, numbers)
end

return Recorder
