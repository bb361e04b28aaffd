--- Plays whole episodes without exploration, after every `periodicity` epochs of training, in an
--- environment of its own with the same starts every time. In two stages: a result that beats the
--- best one so far is confirmed by more episodes before it counts. The result is agent.evaluation,
--- for the controllers that are attached behind.

local Controller = require "deer.controller"
local Judge = require "deer.judge"
local text = require "deer.text"

---@class deer.EvaluationController: deer.Controller
---@field results deer.Evaluation[] all so far
---@overload fun(options: table?): deer.EvaluationController
local EvaluationController = Controller:extend "EvaluationController"

---@class deer.Evaluation
---@field mean number of the returns
---@field deviation number
---@field mean_length number
---@field returns number[]
---@field best boolean better than all before
---@field epoch integer
---@field step integer

EvaluationController.modes = { -1 }

EvaluationController.options = {
  periodicity = { default = 1, type = "integer", range = { 1, 2 ^ 53 }, help = "epochs" },
  episodes = { default = 8, type = "integer", range = { 1, 2 ^ 31 }, help = "of the first stage" },
  all_episodes = { default = 16, type = "integer", range = { 1, 2 ^ 31 },
    help = "of both stages, when the first beats the best so far" },
  max_steps = { default = 10000, type = "integer", range = { 1, 2 ^ 53 },
    help = "an episode is cut after so many" },
  seed = { default = 0, type = "integer", help = "of the starts" },
  show = { default = false, help = "print the results" },
}

function EvaluationController:init(options)
  self.given, self.results, self.best = options, {}, -math.huge
end

---@param agent deer.NeuralAgent
---@return deer.Evaluation
function EvaluationController:evaluate(agent)
  local given = self.given
  local judge = Judge.new{ environment = agent.environment, learning_algo = agent.learning_algo,
    test_policy = agent.test_policy, max_steps = given.max_steps, seed = given.seed }
  judge:play(given.episodes)
  if judge:mean() > self.best then
    judge:play(math.max(given.all_episodes - given.episodes, 0))
  end
  local best = judge:mean() > self.best
  if best then self.best = judge:mean() end
  return { mean = judge:mean(), deviation = judge:deviation(), mean_length = judge:meanLength(),
    returns = judge.returns, best = best, epoch = agent:epochs(), step = agent:steps() }
end

---@param agent deer.NeuralAgent
function EvaluationController:onEpochEnd(agent)
  if not self.due(agent:epochs(), self.given.periodicity) then return end
  local result = self:evaluate(agent)
  agent.evaluation = result
  if result.best then agent.best_evaluation = result end
  self.results[#self.results + 1] = result
  if self.given.show then
    text.say("evaluation after epoch %d: %s +- %s, %d episodes", result.epoch,
      text.format(result.mean), text.format(result.deviation), #result.returns)
  end
end

return EvaluationController
