--- Plays whole episodes without learning, in an environment of its own whose starts are always the
--- same: what an agent reaches in training can be reached again from its parameters alone.
---
---   local judge = Judge.new{ environment = env, learning_algo = algo }
---   judge:play(8) -- judge.returns, judge.lengths, judge:mean(), judge:deviation()

local NeuralAgent = require "deer.neural_agent"
local Controller = require "deer.controller"

---@class deer.Judge
---@field returns number[] the sum of rewards of each episode played
---@field lengths integer[]
---@field stopped? { reward: number, steps: integer } one that is not among them
---@field environment deer.Environment
---@field agent deer.NeuralAgent the one that acts
local Judge = {}
Judge.__index = Judge

-- hears the end of the only episode of each epoch
local Counter = Controller:extend "JudgeCounter"

function Counter:onEpisodeEnd(agent)
  local judge = self.judge
  local reward, steps, whole = agent:lastEpisode()
  judge.returns[#judge.returns + 1], judge.lengths[#judge.lengths + 1] = reward, steps
  judge.is_stopped = not whole and steps < judge.max_steps
  agent:stop()
end

--- A judge of what an algorithm has learnt. The environment is copied; an episode ends after
--- max_steps at the latest.
---@param given { environment: deer.Environment, learning_algo: deer.Algo,
---  test_policy: deer.Policy?, max_steps: integer?, seed: integer?, watchers: deer.Controller[]? }
---@return deer.Judge
function Judge.new(given)
  local seed = given.seed or 0
  local environment, longest = given.environment:copy(seed), 1
  for _, subject in ipairs(environment:inputDimensions()) do
    longest = math.max(longest, subject[1])
  end
  local self = setmetatable({ returns = {}, lengths = {}, environment = environment }, Judge)
  -- nothing is learnt from what it remembers
  self.agent = NeuralAgent{ environment = environment, learning_algo = given.learning_algo,
    test_policy = given.test_policy, replay_memory_size = 2 * longest + 2, seed = seed }
  self.max_steps = given.max_steps or 10000
  local counter = Counter{}
  counter.judge = self
  self.agent:attach(counter)
  for _, watcher in ipairs(given.watchers or {}) do self.agent:attach(watcher) end
  return self
end

--- Plays n episodes more.
---@param n integer
function Judge:play(n)
  for _ = 1, n do
    self.agent:startMode(0, self.max_steps)
    self.agent:run(1, self.max_steps)
  end
end

--- Leaves the last episode out of what is judged where a watcher stopped it and there is another;
--- it is `self.stopped` then.
function Judge:leaveOutStopped()
  if not self.is_stopped or #self.returns < 2 then return end
  self.stopped = { reward = table.remove(self.returns), steps = table.remove(self.lengths) }
  self.is_stopped = false
end

local function mean(list)
  local sum = 0
  for _, x in ipairs(list) do sum = sum + x end
  return sum / math.max(#list, 1)
end

---@return number
function Judge:mean() return mean(self.returns) end

---@return number
function Judge:meanLength() return mean(self.lengths) end

--- The standard deviation of the returns (of the population, as numpy has it).
---@return number
function Judge:deviation()
  local squares, middle = {}, self:mean()
  for i, x in ipairs(self.returns) do squares[i] = (x - middle) ^ 2 end
  return math.sqrt(mean(squares))
end

return Judge
