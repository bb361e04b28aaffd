--- An agent for several environments with the same observations and actions: one network learns in
--- all of them, but each has its own replay memory, policies and episodes, which are as they were
--- left when the agent comes back.
---
---   local agent = deer.MultiTaskAgent{ environments = { easy, hard }, learning_algo = qnet }
---   agent:run(10, 1000)          -- in the first
---   agent:setEnvironment(1)      -- tasks count from 0
---   agent:run(10, 1000)
---
--- Everything else is as in deer.NeuralAgent, and is about the present task.

local NeuralAgent = require "deer.neural_agent"
local class = require "deer.class"
local options = require "deer.options"
local text = require "deer.text"

---@class deer.MultiTaskAgent: deer.NeuralAgent
---@field environments deer.Environment[]
---@overload fun(options: table): deer.MultiTaskAgent
local MultiTaskAgent = NeuralAgent:extend "MultiTaskAgent"

MultiTaskAgent.options = {
  environments = { required = true, type = "table", help = "the tasks; the first is begun with" },
  environment = { type = "any", help = "not used: environments" },
  train_policy = { type = "any", help = "a list of policies, one for each task; those of the algo \z
    if not given" },
  test_policy = { type = "any", help = "the same; greedy if not given" },
}

-- what belongs to a task: set by NeuralAgent's init and methods
local OWN = { "environment", "train_policy", "test_policy", "n_epochs", "epoch_length",
  "evaluation", "_handle" }

local function check(given)
  if #given.environments == 0 then
    text.fail "MultiTaskAgent: option 'environments': expected a list of environments"
  end
  for _, name in ipairs { "train_policy", "test_policy" } do
    local list = given[name]
    if list ~= nil and (class.isObject(list, require "deer.policy") or type(list) ~= "table"
      or #list ~= #given.environments) then
      text.fail("MultiTaskAgent: option '%s': expected a list of %d policies, one for each \z
        environment, got %s", name, #given.environments, text.describe(list))
    end
  end
end

-- makes everything that belongs to task number `task`
local function make(self, task)
  local given = {}
  for key, value in pairs(self._options) do given[key] = value end
  given.environment = self.environments[task + 1]
  given.train_policy = given.train_policy and given.train_policy[task + 1]
  given.test_policy = given.test_policy and given.test_policy[task + 1]
  local signals = self._signals
  self.evaluation = nil
  NeuralAgent.init(self, given)
  self._signals = signals or self._signals
end

local function put_away(self)
  local kept = {}
  for _, name in ipairs(OWN) do kept[name] = rawget(self, name) end
  self._tasks[self._task] = kept
end

local function take_out(self, task)
  for _, name in ipairs(OWN) do self[name] = self._tasks[task][name] end
  self._task = task
  self._signals:setHandle(self._handle)
end

function MultiTaskAgent:init(given)
  check(given)
  self.environments, self._options, self._tasks = given.environments, given, {}
  for task = 0, #given.environments - 1 do
    make(self, task)
    self._task = task
    put_away(self)
  end
  take_out(self, 0)
end

--- The number of the present task, from 0.
---@return integer
function MultiTaskAgent:task() return self._task end

--- Goes over to another task. With `reset` what it remembers of it is forgotten: its samples, and
--- how many steps were done.
---@param task integer from 0
---@param reset? boolean
function MultiTaskAgent:setEnvironment(task, reset)
  local option = options.list { { name = "task", type = "integer",
    range = { 0, #self.environments - 1 } } }[1]
  if options.accept(option, task) == nil then
    text.fail("agent:setEnvironment: expected %s, got %s", options.expected(option),
      text.describe(task))
  end
  if self._running then text.fail "agent:setEnvironment: not while the agent runs" end
  put_away(self)
  if reset then
    make(self, task)
    self._task = task
    put_away(self)
  end
  take_out(self, task)
end

function MultiTaskAgent:run(n_epochs, length)
  local outer <const> = self._running
  local _ <close> = setmetatable({}, { __close = function() self._running = outer end })
  self._running = true
  NeuralAgent.run(self, n_epochs, length)
end

return MultiTaskAgent
