--- The agent: it acts in an environment, remembers what happened, and lets controllers decide the
--- rest. The step loop itself is C; this is its face, with DeeR's methods.
---
---   local agent = deer.NeuralAgent{ environment = env, learning_algo = qnet, seed = 1 }
---   agent:attach(deer.controllers.TrainerController{})
---   agent:run(10, 1000) -- epochs, steps of each

local EpsilonGreedyPolicy = require "deer.policies.epsilon_greedy"
local Environment = require "deer.environment"
local Learner = require "deer.learner"
local Signals = require "deer.signals"
local class = require "deer.class"
local core = require "deer.core"
local replay = require "deer.replay"
local seeds = require "deer.seeds"
local text = require "deer.text"

---@class deer.NeuralAgent: deer.Learner
---@field environment deer.Environment
---@field test_policy deer.Policy
---@field n_epochs integer of the run that is under way
---@field epoch_length integer of the epochs that are under way
---@field folder string? where controllers write, if they are not told otherwise
---@field evaluation deer.Evaluation? the last one of an EvaluationController
---@field best_evaluation deer.Evaluation? its best one
---@field gathering_data boolean if false, an epoch of training is updates alone, from what there
---  is: onActionTaken at each of its steps, and no environment; may be set at any time, for the
---  episode that comes next
---@field sticky_action integer how often each action is done, its rewards summed; may be set at any
---  time
---@field in_turn boolean are epochs as in DeeR 0.2?
---@overload fun(options: table): deer.NeuralAgent
local NeuralAgent = Learner:extend "NeuralAgent"

local BIG = { 1, 2 ^ 40 | 0 }

NeuralAgent.help = "an agent with a loop: it acts, remembers, and lets controllers decide the rest"

NeuralAgent.options = {
  environment = { required = true, type = "any", help = "the environment to act in" },
  learning_algo = { required = true, type = "any", alias = { "q_network", "learner" },
    help = "what learns: deer.QNetwork, deer.SAC or another deer.Algo" },
  n_envs = { default = 1, type = "integer", range = { 1, 65536 },
    help = "copies of the environment to train in, which act in step; 1: just itself" },
  replay_memory_size = { type = "integer", range = BIG, help = "samples remembered; if not given \z
    1000000, or what an algorithm needs that learns from fresh samples alone" },
  replay_start_size = { type = "integer", range = BIG,
    help = "samples gathered at random before learning; the longest history if not given" },
  train_every = { default = 0, type = "integer", range = { 0, 2 ^ 40 | 0 },
    help = "learn after every so many training steps by itself; 0: when a controller asks" },
  batch_size = { type = "integer", range = BIG, help = "of the algo, which it must agree with" },
  train_policy = { type = "any", help = "that of the algo if not given, for deer.QNetwork \z
    epsilon-greedy with epsilon 0.1" },
  test_policy = { type = "any", help = "greedy if not given" },
  replay = replay.KIND,
  replay_options = replay.OPTIONS,
  exp_priority = { default = 0, type = "number", range = { 0, 2 },
    help = "above 0: DeeR's prioritised replay with this exponent of the squared error" },
  only_full_history = { default = true, help = "learn only from samples with a whole history" },
  gathering_data = { default = true, help = "false: training learns from what there is" },
  sticky_action = { default = 1, type = "integer", range = { 1, 2 ^ 31 - 1 },
    help = "how often each action is done" },
  epochs = { default = "deer", choices = { "deer", "deer-0.2" }, help = "what an epoch is: \z
    deer-0.2 has tests in turn with training and a step for each terminal state" },
  seed = { type = "seed", alias = { "random_state" }, help = "same number, same run" },
}

local function check_parts(options)
  local environment, algo = options.environment, options.learning_algo
  if not class.isObject(environment, Environment) then
    text.fail("NeuralAgent: option 'environment': expected an environment, got %s",
      text.describe(environment))
  end
  Learner.checkParts("NeuralAgent", options)
  if options.batch_size and options.batch_size ~= algo:batchSize() then
    text.fail("NeuralAgent: option 'batch_size': expected %d, that of the %s, or none; got %d",
      algo:batchSize(), algo.__name, options.batch_size)
  end
end

-- the environments to train in and which of them share a thread; nil where there is but one
local function make_copies(environment, n)
  if n == 1 then return end
  local ok, handles, groups = pcall(environment.copies, environment, n)
  if ok then return handles, groups end
  text.fail("NeuralAgent: option 'n_envs': the %s cannot be copied: %s", environment.__name,
    tostring(handles):match "^[^\n]*")
end

-- how samples are drawn, and with which options
local function choose_replay(options)
  if options.exp_priority == 0 then
    return replay.check("NeuralAgent", options.replay, options.replay_options)
  end
  if options.replay ~= "uniform" or options.replay_options then
    text.fail "NeuralAgent: expected exp_priority, which is DeeR's prioritised replay, or the \z
      options replay and replay_options, not both"
  end
  return replay.deer(options.exp_priority)
end

function NeuralAgent:init(options)
  check_parts(options)
  local seed = options.seed or seeds.default()
  self.environment, self.learning_algo = options.environment, options.learning_algo
  self.train_policy = options.train_policy or self.learning_algo:explorationPolicy()
  self.test_policy = options.test_policy or EpsilonGreedyPolicy{ epsilon = 0 }
  self.n_epochs, self.epoch_length = 0, 0
  self.gathering_data, self.sticky_action = options.gathering_data, options.sticky_action
  self.in_turn = options.epochs == "deer-0.2"
  local environment = self.environment:handle() -- checks its methods
  local kind, replay_options = choose_replay(options)
  local copies, groups = make_copies(self.environment, options.n_envs)
  local n_actions, rng = self.environment:nActions(), core.Rng(seed)
  self.train_policy:attached(self.learning_algo, n_actions, rng:split "train_policy")
  self.test_policy:attached(self.learning_algo, n_actions, rng:split "test_policy")
  self._handle = core.agent{
    environment = environment,
    copies = copies,
    groups = groups,
    algo = self.learning_algo:handle(),
    train_policy = self.train_policy:handle(),
    test_policy = self.test_policy:handle(),
    replay = kind,
    replay_options = replay_options,
    replay_memory_size = options.replay_memory_size,
    replay_start_size = options.replay_start_size,
    only_full_history = options.only_full_history,
    train_every = options.train_every,
    in_turn = self.in_turn,
    seed = seed,
  }
  self._signals = Signals.new(self, self._handle)
end

-- a dot for a colon is the commonest slip in Lua
local function check_self(self, method)
  if not class.isObject(self, NeuralAgent) then
    text.fail("agent.%s: expected an agent before the arguments, got %s; write agent:%s(...), \z
      with a colon", method, text.describe(self), method)
  end
end

-- ---- controllers -------------------------------------------------------------------------------

--- Controllers hear every signal in the order in which they were attached.
---@param controller deer.Controller
function NeuralAgent:attach(controller)
  check_self(self, "attach")
  self._signals:attach(controller)
end

--- Asks every controller whether it can work with this agent, before anything is written or run;
--- one that cannot raises an error.
function NeuralAgent:ready()
  for _, controller in ipairs(self._signals.controllers) do
    if controller.ready then controller:ready(self) end
  end
end

--- Takes the controller at a 0-based position away and returns it.
---@param index integer
---@return deer.Controller
function NeuralAgent:detach(index) return self._signals:detach(index) end

--- Makes the controllers at these 0-based positions hear signals, or not.
---@param indices integer[]
---@param active boolean
function NeuralAgent:setControllersActive(indices, active)
  self._signals:setActive(indices, active)
end

-- ---- running -----------------------------------------------------------------------------------

local function check_count(name, value, least)
  if type(value) ~= "number" or not math.tointeger(value) or value < least then
    text.fail("agent:run: %s: expected an integer of at least %d, got %s", name, least,
      text.describe(value))
  end
end

--- Runs epochs of `length` steps: training epochs, or, after startMode, test epochs.
---@param n_epochs integer
---@param length integer
function NeuralAgent:run(n_epochs, length)
  check_self(self, "run")
  check_count("n_epochs", n_epochs, 0)
  check_count("length", length, 1)
  self:applyAttributes()
  -- a run that failed or was stopped in a test has left it
  self._signals:setMode(self._handle:mode())
  local outer = self.epoch_length
  self.epoch_length = length
  if self._signals.mode == -1 then self.n_epochs, self._training_length = n_epochs, length end
  self._handle:run(n_epochs, length)
  self.epoch_length = outer
end

--- Lets gathering_data and sticky_action, as a script may have set them, count from now on. Done at
--- the start of a run and after each signal that a controller has heard.
function NeuralAgent:applyAttributes()
  local gathering, sticky = self.gathering_data, self.sticky_action
  if gathering ~= self._gathering then
    if type(gathering) ~= "boolean" then
      text.fail("agent.gathering_data: expected true or false, got %s", text.describe(gathering))
    end
    self._handle:setGathering(gathering)
    self._gathering = gathering
  end
  if sticky ~= self._sticky then
    if type(sticky) ~= "number" or not math.tointeger(sticky) or sticky < 1 then
      text.fail("agent.sticky_action: expected a whole number of at least 1, got %s",
        text.describe(sticky))
    end
    self._handle:setSticky(sticky)
    self._sticky = sticky
  end
end

--- Ends the run after the present step. The episode counts as cut short; controllers hear its end,
--- that of the epoch and that of the run.
function NeuralAgent:stop() self._handle:stop() end

--- One update of the algo; false while there is too little to learn from.
---@return boolean trained
function NeuralAgent:train()
  check_self(self, "train")
  return self._handle:train()
end

--- The mode: -1 is training, 0, 1, ... are validation and tests.
---@return integer
function NeuralAgent:mode() return self._handle:mode() end

--- Leaves training for a test mode, whose samples go to a data set of their own. With epochs as in
--- DeeR 0.2 the test epoch follows the present one by itself; otherwise agent:run runs it.
---@param mode integer at least 0
---@param length integer steps of the test epoch
function NeuralAgent:startMode(mode, length)
  self._handle:startMode(mode, length)
  self._signals:setMode(mode)
  if self.in_turn then self.epoch_length = length end
end

function NeuralAgent:resumeTrainingMode()
  self._handle:resumeTrainingMode()
  self._signals:setMode(-1)
  if self.in_turn then self.epoch_length = self._training_length or self.epoch_length end
end

--- Lets the environment look at the test epoch just run.
function NeuralAgent:summarizeTestPerformance()
  local environment = self.environment
  -- C itself calls the method of an object of the script, and says what is wrong with the mode
  if not environment:handle():alone() or self:mode() == -1 then
    return self._handle:summarizeTestPerformance()
  end
  environment:summarizePerformance(self:testDataset())
end

--- The next action is this one, whatever the policy says. Called in onActionChosen, it replaces the
--- action just chosen.
---@param action number|number[]
function NeuralAgent:overrideNextAction(action) self._handle:overrideNextAction(action) end

-- ---- how it goes -------------------------------------------------------------------------------

--- The mean loss of the updates of this epoch; -1 when there was none.
---@return number
function NeuralAgent:avgBellmanResidual() return self._handle:avgBellmanResidual() end

--- The mean value of the states in which the last episode's action was the best one; 0 if none was.
---@return number
function NeuralAgent:avgEpisodeVValue() return self._handle:avgEpisodeVValue() end

--- The reward per episode of the last test epoch, and its number of episodes. One that the end of
--- the epoch cuts short counts as one.
---@return number score
---@return integer n_episodes
function NeuralAgent:totalRewardOverLastTest() return self._handle:totalRewardOverLastTest() end

--- The sum of the rewards of the last episode, its number of steps, and whether the environment
--- ended it; if not, the epoch did.
---@return number sum
---@return integer steps
---@return boolean whole
function NeuralAgent:lastEpisode() return self._handle:lastEpisode() end

--- The state that the policy sees: one entry per subject, its history, oldest first.
---@return any[]
function NeuralAgent:state() return self._handle:state() end

--- The action that the algorithm thinks best in that state, and what it expects of it.
---@return number|number[] action
---@return number value
function NeuralAgent:bestAction() return self.learning_algo:chooseBestAction(self:state()) end

--- Of which of several environments to train in a controller has just heard, from 0 on; 0 where
--- there is but one. What a controller overrides in onActionChosen is the action of this one.
---@return integer
function NeuralAgent:environmentIndex() return self._handle:environmentIndex() end

--- Training steps done, those of all environments together.
---@return integer
function NeuralAgent:steps() return self._handle:steps() end

--- Training epochs completed.
---@return integer
function NeuralAgent:epochs() return self._handle:epochs() end

--- The replay memory of training.
---@return deer.DataSet
function NeuralAgent:dataset() return self._handle:dataset() end

--- The samples of the last test epoch, nil before the first.
---@return deer.DataSet|nil
function NeuralAgent:testDataset() return self._handle:testDataset() end

--- The number of the task, from 0; only a deer.MultiTaskAgent has several.
---@return integer
function NeuralAgent:task() return 0 end -- luacheck: no unused args

return NeuralAgent
