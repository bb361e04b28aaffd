--- Ends the run when an evaluation reaches the target, when the budget of steps is spent, or when
--- a file of a certain name appears.

local Controller = require "deer.controller"
local sys = require "deer.sys"
local text = require "deer.text"

---@class deer.StopController: deer.Controller
---@field reason string? why the run was ended
---@overload fun(options: table?): deer.StopController
local StopController = Controller:extend "StopController"

StopController.modes = { -1 }

StopController.options = {
  target_reward = { type = "number", help = "an EvaluationController's mean that is good enough" },
  steps = { type = "integer", range = { 1, 2 ^ 53 }, help = "steps of training" },
  file = { default = "stop", type = "string", help = "its name, in the folder of the run or here" },
  show = { default = true, help = "print why" },
}

function StopController:init(options)
  self.target, self.file, self.show = options.target_reward, options.file, options.show
  if not options.steps then return end
  -- heard at every step, which is not for nothing
  function self:onActionTaken(agent)
    if agent:steps() == options.steps then self:stop(agent, "the budget of steps is spent") end
  end
end

---@param agent deer.NeuralAgent
---@param reason string
function StopController:stop(agent, reason)
  if self.reason then return end
  self.reason = reason
  if self.show then text.say("stopped after %d steps: %s", agent:steps(), reason) end
  agent:stop()
end

---@param agent deer.NeuralAgent
function StopController:onStart(agent)
  self.asked, self.reason = sys.time(), nil
  self.paths = { self.file, agent.folder and agent.folder .. "/" .. self.file }
end

---@param agent deer.NeuralAgent
function StopController:look(agent)
  for _, path in ipairs(self.paths) do
    if sys.exists(path) then self:stop(agent, ("there is a file '%s'"):format(path)) end
  end
end

-- the disk is asked once a second
---@param agent deer.NeuralAgent
function StopController:onEpisodeEnd(agent)
  if sys.time() - self.asked < 1 then return end
  self.asked = sys.time()
  self:look(agent)
end

---@param agent deer.NeuralAgent
function StopController:onEpochEnd(agent)
  local evaluation = agent.evaluation
  if self.target and evaluation and evaluation.mean >= self.target then
    self:stop(agent, ("the target of %s is reached: %s"):format(text.format(self.target),
      text.format(evaluation.mean)))
  end
  self:look(agent)
end

return StopController
