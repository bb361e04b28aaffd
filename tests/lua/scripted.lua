--- The scripted experiment whose every event DeeR was made to write down, for specs: an
--- environment, an algo and policies without any chance in them, and a log of what happens.
local deer = require "deer"

local scripted = {}

-- a state belongs to the agent, which may use the table again
local function copy(value)
  if type(value) ~= "table" then return value end
  local items = {}
  for i, item in ipairs(value) do items[i] = copy(item) end
  return items
end

---@param log table[]
---@param terminal_at integer the step that ends an episode; 0 for none
---@param old? boolean as DeeR 0.2, which did not call the end of an epoch terminal
function scripted.environment(log, terminal_at, old)
  local Env = deer.Environment:extend "Scripted"
  local episode, step = 0, 0
  function Env.reset(_, mode)
    log[#log + 1] = { "env.reset", mode }
    episode, step = episode + 1, 0
    return { { -1, -2, -3 }, 0 }
  end
  function Env.act(_, action)
    step = step + 1
    log[#log + 1] = { "env.act", action, "reward", step + 0.0 }
    return step
  end
  function Env.observe() return { 100 * episode + step, 10 * step } end
  function Env.inTerminalState() return step == terminal_at end
  function Env.inputDimensions() return { { 3 }, { 1 } } end
  function Env.nActions() return 1 end
  function Env.summarizePerformance(_, set)
    local over = set:terminals()
    for i, cut in ipairs(set:truncateds()) do over[i] = over[i] or cut and not old end
    log[#log + 1] = { "env.summarizePerformance", "test dataset actions", #set:actions(),
      "terminals", over }
  end
  function Env.stop() log[#log + 1] = { "env.end" } end
  return Env{}
end

---@param log table[]
function scripted.algo(log, environment)
  local Learner = deer.Algo:extend "Learner"
  local trained = 0
  function Learner.chooseBestAction(_, state)
    log[#log + 1] = { "learner.chooseBestAction", "state", copy(state) }
    return 0, 1.5
  end
  function Learner:train(states, actions, rewards, next_states, terminals)
    assert(#states == 2 and #next_states == 2 and #states[1] == 4 and #states[1][1] == 3)
    assert(#actions == 4 and #rewards == 4 and #terminals == 4)
    trained = trained + 1
    log[#log + 1] = { "learner.train", trained, "lr", self:learningRate(), "df",
      self:discountFactor() }
    return 0.5 * trained
  end
  function Learner.getAllParams()
    return { { name = "w", shape = { 1 }, data = string.pack("<f", trained) } }
  end
  return Learner{ environment = environment, batch_size = 4 }
end

--- Explores when epsilon is above one half, by action 0.
function scripted.policy(epsilon)
  local Half = deer.Policy:extend "Half"
  function Half.epsilon() return epsilon end
  function Half.setEpsilon(_, e) epsilon = e end
  function Half:action(state)
    if epsilon > 0.5 then return 0, 0, false end
    local action, value = self:bestAction(state)
    return action, value, true
  end
  return Half{}
end

--- Hears everything.
---@param log table[]
function scripted.logger(log)
  local Logger = deer.Controller:extend "Logger"
  for _, signal in ipairs(deer.Controller.signals) do
    local name = "O" .. signal:sub(2) -- as DeeR 0.2 spells it
    Logger[name] = function(_, agent, ...)
      log[#log + 1] = { name, "mode", agent:mode(), "eps", agent:epsilon(),
        "lr", agent:learningRate(), "df", agent:discountFactor(),
        "n", agent:dataset():nElems(), "args", { ... } }
    end
  end
  return Logger{}
end

--- The agent of the experiment with its nine controllers; with epochs as in DeeR 0.2, they are
--- attached as its launchers did.
---@param log table[]
---@param epochs? string
function scripted.agent(log, terminal_at, fname, epochs)
  local bc, old = deer.controllers, epochs == "deer-0.2"
  local environment = scripted.environment(log, terminal_at, old)
  local agent = deer.NeuralAgent{
    environment = environment,
    learning_algo = scripted.algo(log, environment),
    replay_memory_size = 1000, replay_start_size = 4, batch_size = 4,
    train_policy = scripted.policy(1), test_policy = scripted.policy(0), epochs = epochs,
  }
  agent:attach(bc.VerboseController{ evaluate_on = "epoch", periodicity = 1 })
  agent:attach(bc.TrainerController{ evaluate_on = "action", periodicity = 2 })
  agent:attach(bc.LearningRateController{ initial_learning_rate = 0.1, learning_rate_decay = 0.5,
    periodicity = 1 })
  agent:attach(bc.DiscountFactorController{ initial_discount_factor = 0.9,
    discount_factor_growth = 0.5, discount_factor_max = 0.98, periodicity = 1 })
  agent:attach(bc.EpsilonController{ initial_e = 1, e_decays = 10, e_min = 0.2,
    evaluate_on = "action", periodicity = 1, reset_every = "none" })
  agent:attach(bc.FindBestController{ validation_id = 0, test_id = 1, unique_fname = fname })
  local periodicity = not old and 1 or nil
  agent:attach(bc.InterleavedTestEpochController{ id = 0, epoch_length = 7,
    controllers_to_disable = old and { 0, 1, 2, 3, 4, 7 } or nil, periodicity = periodicity,
    show_score = true, summarize_every = 1 })
  agent:attach(bc.InterleavedTestEpochController{ id = 1, epoch_length = 5,
    controllers_to_disable = old and { 0, 1, 2, 3, 4, 6 } or nil, periodicity = periodicity,
    show_score = true, summarize_every = -1 })
  agent:attach(scripted.logger(log))
  return agent
end

return scripted
