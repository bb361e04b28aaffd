--- Runs a test epoch between training epochs and prints its score.
---
--- A test epoch begins after the first training epoch and then after every `periodicity` of them.
--- It runs to its end before the next controller hears of the end of the training epoch, and the
--- environment's summary, if due, follows its score.
---
--- Launchers of DeeR 0.2 and 0.3 give controllers_to_disable, the positions of controllers that
--- must not hear the test. Then periodicity counts as it did there, the test epoch included: p
--- means one test epoch every p - 1 training epochs, and p below 2 is raised to 2. Stock
--- controllers do not listen to tests anyway; a controller of one's own says so with `modes =
--- {-1}`. An agent with epochs = "deer-0.2" runs the test epoch itself, after all controllers have
--- heard of the end of the training epoch, as DeeR 0.2 did.

local Controller = require "deer.controller"
local text = require "deer.text"

---@class deer.InterleavedTestEpochController: deer.Controller
---@field scores number[] the scores so far
---@overload fun(options: table): deer.InterleavedTestEpochController
local InterleavedTestEpochController = Controller:extend "InterleavedTestEpochController"

InterleavedTestEpochController.options = {
  id = { default = 0, type = "integer", range = { 0, 2 ^ 31 - 1 }, help = "mode of the test" },
  epoch_length = { default = 500, type = "integer", range = { 1, 2 ^ 53 },
    help = "steps of a test epoch" },
  controllers_to_disable = { type = "table", help = "positions of controllers, see above" },
  periodicity = { type = "integer", range = { 0, 2 ^ 53 },
    help = "training epochs per test epoch (1)" },
  start = { default = 0, type = "integer", range = { 0, 2 ^ 53 },
    help = "training epochs without a test epoch before the first that may have one" },
  show_score = { default = true, help = "print the score" },
  summarize_every = { default = 10, type = "integer",
    help = "test epochs per summary by the environment; none if below 1" },
}

function InterleavedTestEpochController:init(options)
  self.id, self.length = options.id, options.epoch_length
  self.show_score, self.summarize_every = options.show_score, options.summarize_every
  self.disabled = options.controllers_to_disable or {}
  self.turns = math.max(options.periodicity or 2, 2)
  if options.controllers_to_disable then
    self.periodicity = self.turns - 1
  else
    self.periodicity = options.periodicity or 1
  end
  self.start, self.tests, self.scores = options.start, 0, {}
end

function InterleavedTestEpochController:onStart()
  self.count = 0
end

---@param agent deer.NeuralAgent
function InterleavedTestEpochController:onEpochEnd(agent)
  if agent.in_turn then return self:takeTurn(agent) end
  if agent:mode() ~= -1 then return end
  local count = self.count - self.start
  if count >= 0 and self.due(count, self.periodicity) then
    self:begin(agent)
    agent:run(1, self.length)
    self:finish(agent)
  end
  self.count = self.count + 1
end

-- as in DeeR 0.2: of `turns` epochs the first is of training, its own test is the second
function InterleavedTestEpochController:takeTurn(agent)
  local count = self.count - self.start
  local turn = count < 0 and -1 or count % self.turns
  if agent:mode() ~= (turn == 1 and self.id or -1) then return end
  self.count = self.count + 1
  if turn == 0 then self:begin(agent) elseif turn == 1 then self:finish(agent) end
end

---@param agent deer.NeuralAgent
function InterleavedTestEpochController:begin(agent)
  agent:startMode(self.id, self.length)
  agent:setControllersActive(self.disabled, false)
end

---@param agent deer.NeuralAgent
function InterleavedTestEpochController:finish(agent)
  self.tests = self.tests + 1
  local score, episodes = agent:totalRewardOverLastTest()
  self.scores[#self.scores + 1] = score
  if self.show_score then
    text.say("Testing score per episode (id: %d) is %s%s", self.id, text.format(score),
      agent.in_turn and "" or (" (average over %d episode(s))"):format(episodes))
  end
  if self.summarize_every > 0 and self.tests % self.summarize_every == 0 then
    agent:summarizeTestPerformance()
  end
  agent:resumeTrainingMode()
  agent:setControllersActive(self.disabled, true)
end

return InterleavedTestEpochController
