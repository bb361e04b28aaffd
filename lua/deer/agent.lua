--- An agent that a script drives: a loop of one's own, over a game, a robot or a simulator, asks it
--- for actions and tells it what they led to. deer.NeuralAgent has a loop, and controllers.
---
---   local agent = deer.Agent{ learning_algo = dqn, seed = 1 }
---   local action = agent:getAction(state)
---   agent:observe{ reward = reward, next_state = next_state, terminal = terminal }
---   local loss = agent:update()
---
--- A state is what is observed at this moment, one entry per subject, as an environment's observe
--- gives it; of a single subject also that entry alone. The agent keeps the histories. With n_envs,
--- several episodes go on side by side, each in an environment with a number, from 0 on; getActions
--- chooses for all of them at once, in a fraction of the time.

local Environment = require "deer.environment"
local Learner = require "deer.learner"
local class = require "deer.class"
local core = require "deer.core"
local replay = require "deer.replay"
local seeds = require "deer.seeds"
local text = require "deer.text"

---@class deer.Agent: deer.Learner
---@overload fun(options: table): deer.Agent
local Agent = Learner:extend "Agent"

local BIG = { 1, 2 ^ 40 | 0 }

Agent.help = "an agent that a script drives: getAction, observe, update"

Agent.options = {
  learning_algo = { required = true, type = "any", alias = { "q_network", "learner" },
    help = "what learns: deer.QNetwork, deer.SAC or another deer.Algo, made with an environment \z
      or with input_dimensions and n_actions" },
  environment = { type = "any", help = "not needed; if given, that of the algorithm" },
  n_envs = { default = 1, type = "integer", range = { 1, 65536 },
    help = "environments or episodes that go on side by side" },
  replay_memory_size = { type = "integer", range = BIG, help = "samples remembered; if not given \z
    1000000, or what an algorithm needs that learns from fresh samples alone" },
  replay_start_size = { type = "integer", range = BIG,
    help = "samples gathered at random before learning; the longest history if not given" },
  train_policy = { type = "any", help = "by which it explores; that of the algo if not given" },
  replay = replay.KIND,
  replay_options = replay.OPTIONS,
  only_full_history = { default = true, help = "learn only from samples with a whole history" },
  seed = { type = "seed", alias = { "random_state" }, help = "same number, same run" },
}

local function check(options)
  Learner.checkParts("Agent", options)
  local environment = options.environment
  if environment ~= nil and not class.isObject(environment, Environment) then
    text.fail("Agent: option 'environment': expected an environment, got %s",
      text.describe(environment))
  end
end

function Agent:init(options)
  check(options)
  local algo, seed = options.learning_algo, options.seed or seeds.default()
  self.learning_algo = algo
  self.train_policy = options.train_policy or algo:explorationPolicy()
  self.train_policy:attached(algo, algo.environment:nActions(),
    core.Rng(seed):split "train_policy")
  local kind, replay_options =
    replay.check("Agent", options.replay, options.replay_options)
  self._handle = core.learner{
    environment = options.environment and options.environment:handle(),
    algo = algo:handle(),
    policy = self.train_policy:handle(),
    n_envs = options.n_envs,
    replay = kind,
    replay_options = replay_options,
    replay_memory_size = options.replay_memory_size,
    replay_start_size = options.replay_start_size,
    only_full_history = options.only_full_history,
    seed = seed,
  }
end

-- a dot for a colon is the commonest slip in Lua
local function check_self(self, method)
  if not class.isObject(self, Agent) then
    text.fail("agent.%s: expected an agent before the arguments, got %s; write agent:%s(...), \z
      with a colon", method, text.describe(self), method)
  end
end

local HOW = { getAction = { "explore", "env" }, getActions = { "explore" },
  actionProba = { "env" } }

-- the number of the environment in a table such as these, and whether to explore
local function read_how(method, how)
  if how == nil then return nil, true end
  if type(how) ~= "table" then
    text.fail("agent:%s: expected a table such as { explore = false }, got %s", method,
      text.describe(how))
  end
  for key in require "deer.spairs"(how) do
    local known = false
    for _, name in ipairs(HOW[method]) do known = known or name == key end
    if not known then
      text.fail("agent:%s: unknown option '%s'%s", method, tostring(key),
        text.meant(tostring(key), HOW[method]))
    end
  end
  if how.explore ~= nil and type(how.explore) ~= "boolean" then
    text.fail("agent:%s: explore: expected true or false, got %s", method,
      text.describe(how.explore))
  end
  return how.env, how.explore ~= false
end

--- The action for a state: the policy's, which explores, or, while the memory holds no more than
--- replay_start_size samples, one by chance; with `explore = false` the best one. What it leads to
--- must be observed, but for the best ones, which are there for tests as well.
---@param state? any what is observed; may be left out where observe told it as next_state
---@param how? { explore: boolean?, env: integer? }
---@return number|number[] action
function Agent:getAction(state, how)
  check_self(self, "getAction")
  local env, explore = read_how("getAction", how)
  return self._handle:getAction(state, env, explore)
end

--- The actions for the states of all environments, as getAction chooses each, but asking the
--- algorithm once for all.
---@param states? any[] what each observes, in their order; may be left out as in getAction, where
---  none begins an episode
---@param how? { explore: boolean? }
---@return (number|number[])[] actions
function Agent:getActions(states, how)
  check_self(self, "getActions")
  local _, explore = read_how("getActions", how)
  return self._handle:getActions(states, explore)
end

--- Tells what an action led to. Fields: `reward`; `next_state`, what was observed then, not needed
--- after a terminal state; `terminal`, nothing can follow; `truncated`, the episode was cut short,
--- so the value of what would have followed is taken from next_state; `env`, its number; `action`,
--- if another one was done than the agent has chosen; `state`, if it was not asked for one.
---@param outcome { reward: number, next_state: any, terminal: boolean?, truncated: boolean?,
---  action: number|number[]|nil, state: any, env: integer? }
function Agent:observe(outcome)
  check_self(self, "observe")
  if type(outcome) ~= "table" then
    text.fail("agent:observe: expected a table such as { reward = 1, next_state = state }, got %s",
      text.describe(outcome))
  end
  self._handle:observe(outcome)
end

--- One update of the algorithm, if it is time: to be called after every observe, or now and then
--- for algorithms that learn from samples of any age.
---@return number|nil loss nil when it did not learn
---@return string|nil message why not
function Agent:update()
  check_self(self, "update")
  return self._handle:update()
end

--- Begins a new episode in an environment, in all of them if no number is given. Needed where an
--- episode is given up, or one was played without observe.
---@param env? integer
---@param histories? any[] what was observed before, as an environment's reset gives it
function Agent:reset(env, histories)
  check_self(self, "reset")
  if env then return self._handle:reset(env, histories) end
  for i = 0, self._handle:lanes() - 1 do self._handle:reset(i, histories) end
end

--- The histories that the agent has of an environment, one entry per subject, oldest first: a state
--- as the methods of algorithms take it.
---@param env? integer
---@return any[]
function Agent:state(env)
  check_self(self, "state")
  return self._handle:state(env)
end

--- How probable actions are in a state by what has been learnt: a number for each discrete one; a
--- list of numbers for each of several choices; of continuous ones the means, then the standard
--- deviations.
---@param state? any as in getAction
---@param how? { env: integer? }
---@return table
---@return number[]|nil
function Agent:actionProba(state, how)
  check_self(self, "actionProba")
  local algo = self.learning_algo
  if not algo.actionProba then
    text.fail("agent:actionProba: the %s learns no distribution over actions", algo.__name)
  end
  local env = read_how("actionProba", how)
  self._handle:see(state, env)
  return algo:actionProba(self._handle:state(env))
end

--- What it remembers.
---@return deer.DataSet
function Agent:dataset()
  check_self(self, "dataset")
  return self._handle:dataset()
end

--- Every parameter that is learnt: { name =, shape =, data = bytes }.
---@return table[]
function Agent:getWeights()
  check_self(self, "getWeights")
  return self.learning_algo:getAllParams()
end

---@param weights table[] a list that getWeights gave
function Agent:setWeights(weights)
  check_self(self, "setWeights")
  self.learning_algo:setAllParams(weights)
end

return Agent
