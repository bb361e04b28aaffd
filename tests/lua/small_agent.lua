--- A small agent for specs of the step loop: environment, algo and policies are plain tables, as
--- the C part of the library sees them.
local core = require "deer.core"

local small = {}

small.SIGNALS = { "onStart", "onActionChosen", "onActionTaken", "onEpisodeEnd", "onEpochEnd",
  "onEnd" }

-- f must raise an error whose text matches; luassert's own check cuts the place off
function small.fails(f, pattern)
  local ok, message = pcall(f)
  assert(not ok, "expected an error")
  assert(tostring(message):find(pattern), ("expected '%s' in: %s"):format(pattern, message))
end

-- a walk along a line: the observation is the step, the episode ends at step `length`
function small.walk(changes)
  local env = { at = 0, length = 5 }
  function env:reset() self.at = 0 return { 0 } end
  function env:act() self.at = self.at + 1 return self.at end
  function env:observe() return { self.at } end
  function env:inTerminalState() return self.at == self.length end
  function env.inputDimensions() return { { 1 } } end
  function env.nActions() return 2 end
  for name, value in pairs(changes or {}) do env[name] = value or nil end
  return env
end

function small.lua_algo(changes)
  local algo = { chooseBestAction = function() return 1, 0.5 end, train = function() return 1 end }
  for name, value in pairs(changes or {}) do algo[name] = value end
  return algo
end

-- an agent in the environment of a Lua object
function small.agent_in(object, options)
  options = options or {}
  local env = core.environment(object)
  return core.agent {
    environment = env,
    algo = core.luaalgo(options.algo or small.lua_algo(), { environment = env,
      batch_size = options.batch_size or 4 }),
    train_policy = options.train_policy or core.policy("epsilon_greedy", { epsilon = 1 }),
    test_policy = options.test_policy or core.policy("epsilon_greedy", { epsilon = 0 }),
    replay_memory_size = options.replay_memory_size or 1000,
    replay_start_size = options.replay_start_size,
    only_full_history = options.only_full_history,
    seed = 1,
  }
end

-- a list of what the agent's signals say
function small.record(agent, log)
  log = log or {}
  for _, signal in ipairs(small.SIGNALS) do
    agent:listen(signal, function(...) log[#log + 1] = { signal, agent:mode(), ... } end)
  end
  return log
end

function small.names(log)
  local list = {}
  for i, entry in ipairs(log) do list[i] = entry[1] end
  return table.concat(list, " ")
end

-- who may be called by a run
small.CALLED = { "reset", "act", "observe", "inTerminalState", "isTruncated", "stop", "action",
  "chooseBestAction", "train" }
for _, signal in ipairs(small.SIGNALS) do small.CALLED[#small.CALLED + 1] = signal end

-- an agent in which everything works, unless `broken` gives a function for a name
function small.fragile(broken)
  local env = small.walk { isTruncated = function() return false end, stop = function() end }
  local algo = small.lua_algo()
  local policy = { action = function(_, state) return algo:chooseBestAction(state) end }
  for _, object in ipairs { env, algo, policy } do
    for name in pairs(object) do
      local method = object[name]
      if type(method) == "function" and name ~= "nActions" and name ~= "inputDimensions" then
        object[name] = function(...)
          if broken[name] then return broken[name](...) end
          return method(...)
        end
      end
    end
  end
  local agent = small.agent_in(env, { algo = algo, train_policy = core.luapolicy(policy) })
  local log = {}
  for _, signal in ipairs(small.SIGNALS) do
    agent:listen(signal, function()
      log[#log + 1] = { signal }
      if signal == "onActionTaken" then agent:train() end
      if broken[signal] then broken[signal]() end
    end)
  end
  return agent, log
end

return small
