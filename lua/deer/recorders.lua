--- The controllers that `deerlua train` attaches around those of the plan: evaluation before them,
--- so that they know its result; behind them files, what is shown on the way, and what ends a run
--- early.

local deer = require "deer"
local json = require "deer.json"
local plan = require "deer.plan"
local run_folder = require "deer.run_folder"

local recorders = {}

-- name of the class, options; in the order of attaching
local function list(made, said)
  local all = {}
  local function add(name, options) all[#all + 1] = { name, options } end
  -- a step budget is only looked at where epochs do not add up to it
  local budget = made.num_timesteps
  if budget == made.epochs * made.epoch_length then budget = nil end
  add("NetworkFilesController", { config = json.encode(run_folder.config(made)) })
  add("MonitorController", { env_id = made.environment })
  add("ProgressCsvController", { window = said.episode_window })
  if not said.no_vis then
    add("TensorBoardController", { window = said.episode_window })
    add("LearningCurveController", {})
  end
  if said.json then add("JsonLinesController", { window = said.episode_window }) end
  if not (said.json or said.quiet) then
    add("ConsoleTableController", { window = said.episode_window,
      target_reward = said.target_reward })
    add("ProgressController", { lines = true, steps = budget })
  end
  add("StopController", { target_reward = said.target_reward, steps = budget,
    show = not (said.json or said.quiet) and budget == nil })
  return all
end

-- has the plan one of its class?
local function is_present(made, name)
  for _, entry in ipairs(made.controllers) do
    if plan.controllerClass(entry) == deer.controllers[name] then return true end
  end
  return false
end

--- Those that stand before the controllers of the plan.
---@param made deer.Preset
---@param said table<string, any>
---@return deer.Controller[]
function recorders.before(made, said)
  if said.eval_every == 0 or is_present(made, "EvaluationController") then return {} end
  return { deer.controllers.EvaluationController{ periodicity = said.eval_every,
    episodes = said.eval_episodes, all_episodes = said.eval_episodes and 2 * said.eval_episodes } }
end

--- Attaches those that stand behind them, but for those of a class that the plan has already.
---@param agent deer.NeuralAgent
---@param made deer.Preset
---@param said table<string, any>
function recorders.attach(agent, made, said)
  for _, entry in ipairs(list(made, said)) do
    if not is_present(made, entry[1]) then agent:attach(deer.controllers[entry[1]](entry[2])) end
  end
end

return recorders
