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
---
--- With `out_prefix` each test is a line of <out_prefix>_summary.csv: the epoch, the number of
--- episodes, and mean, variance and deviation of their returns; with `movie_every` one more episode
--- is filmed now and then, as epoch_<n>/performance.gif.

local Controller = require "deer.controller"
local Recorder = require "deer.recorder"
local sys = require "deer.sys"
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
  number_tests = { default = 1, type = "integer", range = { 1, 2 ^ 31 },
    help = "test epochs in a row, which count as one" },
  out_prefix = { type = "string", help = "what the name of the CSV file begins with" },
  movie_every = { default = 0, type = "integer", range = { 0, 2 ^ 53 },
    help = "tests per film; 0: none" },
  folder = Recorder.options.folder,
}

InterleavedTestEpochController.path = Recorder.path
InterleavedTestEpochController.check = Recorder.check

function InterleavedTestEpochController:init(options)
  self.id, self.length = options.id, options.epoch_length
  self.number, self.prefix, self.folder = options.number_tests, options.out_prefix, options.folder
  self.movie_every, self.lines = options.movie_every, {}
  -- only for the file is it of interest how single episodes went
  if not self.prefix then self.onEpisodeEnd = false end
  self.modes = self.modes or { -1, options.id }
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

-- an episode of its test
---@param agent deer.NeuralAgent
function InterleavedTestEpochController:onEpisodeEnd(agent)
  if self.returns and agent:mode() == self.id then
    self.returns[#self.returns + 1] = agent:lastEpisode()
  end
end

---@param agent deer.NeuralAgent
function InterleavedTestEpochController:onEpochEnd(agent)
  if agent.in_turn then return self:takeTurn(agent) end
  if agent:mode() ~= -1 then return end
  local count = self.count - self.start
  if count >= 0 and self.due(count, self.periodicity) then self:test(agent) end
  self.count = self.count + 1
end

-- mean and variance (of the population) of a list
local function moments(list)
  local sum, squares = 0, 0
  for _, x in ipairs(list) do sum = sum + x end
  local mean = sum / math.max(#list, 1)
  for _, x in ipairs(list) do squares = squares + (x - mean) ^ 2 end
  return mean, squares / math.max(#list, 1)
end

-- The whole file is written each time, so that it is never half there.
---@param agent deer.NeuralAgent
function InterleavedTestEpochController:write(agent)
  local mean, variance = moments(self.returns)
  self.lines[#self.lines + 1] = ("%d;%d;%s;%s;%s\n"):format(agent:epochs(), #self.returns,
    text.format(mean), text.format(variance), text.format(math.sqrt(variance)))
  local path = self.prefix .. "_summary.csv"
  if not path:find "/" then path = self:path(agent, path) end
  self:check(sys.write_file(path, "epoch;nb_episodes;r_mean;r_var;r_std\n"
    .. table.concat(self.lines)))
end

-- an episode more, of an agent of its own, for a film
---@param agent deer.NeuralAgent
function InterleavedTestEpochController:film(agent)
  local folder = self:path(agent, ("epoch_%d"):format(agent:epochs()))
  self:check(sys.mkdir(folder))
  local film = require("deer.watch").Film{ file = folder .. "/performance.gif" }
  local judge = require("deer.judge").new{ environment = agent.environment,
    learning_algo = agent.learning_algo, test_policy = agent.test_policy, max_steps = self.length,
    watchers = { film } }
  judge:play(1)
  film:finish(function() end)
end

-- a test begins, of one epoch or several
---@param agent deer.NeuralAgent
function InterleavedTestEpochController:begin(agent)
  self.returns, self.played, self.score, self.episodes = {}, 0, 0, 0
  agent:setControllersActive(self.disabled, false)
end

-- one of its epochs is over
---@param agent deer.NeuralAgent
function InterleavedTestEpochController:add(agent)
  local mean, n = agent:totalRewardOverLastTest()
  self.score = self.played == 0 and mean
    or (self.score * self.episodes + mean * n) / (self.episodes + n)
  self.played, self.episodes = self.played + 1, self.episodes + n
end

---@param agent deer.NeuralAgent
function InterleavedTestEpochController:test(agent)
  self:begin(agent)
  for _ = 1, self.number do
    agent:startMode(self.id, self.length)
    agent:run(1, self.length)
    self:add(agent)
  end
  self:finish(agent)
end

-- As in DeeR 0.2: of `turns` epochs the first is one of training; its own test, which the agent
-- runs once it is asked for, is the second.
---@param agent deer.NeuralAgent
function InterleavedTestEpochController:takeTurn(agent)
  local count = self.count - self.start
  local turn = count < 0 and -1 or count % self.turns
  if agent:mode() ~= (turn == 1 and self.id or -1) then return end
  if turn == 0 then self:begin(agent) elseif turn == 1 then self:add(agent) end
  local ask = (turn == 0 or turn == 1) and self.played < self.number
  if ask then agent:startMode(self.id, self.length) end
  if turn == 1 and ask then return end -- one more of the same test
  if turn == 1 then self:finish(agent) end
  self.count = self.count + 1
end

---@param agent deer.NeuralAgent
function InterleavedTestEpochController:finish(agent)
  self.tests = self.tests + 1
  self.scores[#self.scores + 1] = self.score
  if self.show_score then
    text.say("Testing score per episode (id: %d) is %s%s", self.id, text.format(self.score),
      agent.in_turn and "" or (" (average over %d episode(s))"):format(self.episodes))
  end
  if self.summarize_every > 0 and self.tests % self.summarize_every == 0 then
    agent:summarizeTestPerformance()
  end
  agent:resumeTrainingMode()
  agent:setControllersActive(self.disabled, true)
  if self.prefix then self:write(agent) end
  if self.movie_every > 0 and self.tests % self.movie_every == 0 then self:film(agent) end
end

return InterleavedTestEpochController
