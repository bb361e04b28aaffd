-- The step loop seen from Lua, without the classes of lua/deer: what is called when, and with what.
-- core_spec.lua tests the parts on their own, agent_errors_spec.lua what goes wrong.
local core = require "deer.core"
local golden = require("golden").read "trace_and_controllers"
local raises = require "raises"
local small = require "small_agent"

local fails = small.fails
local walk = small.walk
local lua_algo = small.lua_algo
local agent_in = small.agent_in
local record = small.record
local names = small.names

-- the environment and the learner of the golden trace
local function scripted(log, terminal_at)
  local episode, step, trained = 0, 0, 0
  local env = {
    reset = function(_, mode)
      log[#log + 1] = { "env.reset", mode }
      episode, step = episode + 1, 0
      return { { -1, -2, -3 }, 0 }
    end,
    act = function(_, action)
      step = step + 1
      log[#log + 1] = { "env.act", action, "reward", step }
      return step
    end,
    observe = function() return { 100 * episode + step, 10 * step } end,
    inTerminalState = function() return step == terminal_at end,
    inputDimensions = function() return { { 3 }, { 1 } } end,
    nActions = function() return 1 end,
    summarizePerformance = function(_, set)
      log[#log + 1] = { "env.summarizePerformance", "test dataset actions", #set:actions() }
    end,
    stop = function() log[#log + 1] = { "env.end" } end,
  }
  local algo = {
    chooseBestAction = function(_, state)
      log[#log + 1] = { "learner.chooseBestAction", "state", state }
      return 0, 1.5
    end,
    train = function(_, states, actions, rewards, next_states, terminals)
      assert(#states == 2 and #states[1] == 4 and #states[1][1] == 3 and #states[2][1] == 1)
      assert(#next_states == 2 and #actions == 4 and #rewards == 4 and #terminals == 4)
      trained = trained + 1
      log[#log + 1] = { "learner.train", trained }
      return 0.5 * trained
    end,
  }
  return env, algo
end

-- what the controllers of the golden run do to the agent, and the log of the signals
local function control(agent, log, epsilon)
  local actions, upcoming = 0, epsilon[1]
  local function note(name, ...)
    log[#log + 1] = { name, "mode", agent:mode(), "n", agent:dataset():nElems(), "args", { ... } }
  end
  local function test(id, length, summarize)
    agent:startMode(id, length)
    agent:run(1, length)
    if summarize then agent:summarizeTestPerformance() end
    agent:resumeTrainingMode()
  end
  agent:listen("onStart", function() note "OnStart" end)
  agent:listen("onActionChosen", function(action)
    if agent:mode() == -1 then
      epsilon[1] = upcoming
      upcoming = math.max(0.2, upcoming - 0.08)
    end
    note("OnActionChosen", action)
  end)
  agent:listen("onActionTaken", function()
    if agent:mode() == -1 then
      if actions % 2 == 0 then agent:train() end
      actions = actions + 1
    end
    note "OnActionTaken"
  end)
  agent:listen("onEpisodeEnd", function(...) note("OnEpisodeEnd", ...) end)
  agent:listen("onEpochEnd", function()
    if agent:mode() == -1 then
      test(0, 7, true)
      test(1, 5)
    end
    note "OnEpochEnd"
  end)
  agent:listen("onEnd", function() note "OnEnd" end)
end

-- DeeR's events without those that tests inside a run should not have, and without what is said of
-- controllers and printed
local function wanted_events(events)
  local wanted = {}
  for i, event in ipairs(events) do
    local name, next_one = event[1], events[i + 1]
    local nested = (name == "OnStart" or name == "OnEnd") and event[3] ~= -1
    if name == "env.end" then nested = next_one[1] == "OnEnd" and next_one[3] ~= -1 end
    if name:find "^On" then
      event = { name, "mode", event[3], "n", event[11], "args", event[13] }
    elseif name == "learner.train" then
      event = { name, event[2] }
    elseif name == "env.summarizePerformance" then
      event = { name, event[2], event[3] }
    end
    if name ~= "stdout" and not nested then wanted[#wanted + 1] = event end
  end
  return wanted
end

describe("the step loop", function()
  for _, case in ipairs { { "vmaster_term4", 4 }, { "vmaster_term0", 0 } } do
    it("does what DeeR does: " .. case[1], function()
      local log, epsilon, expected = {}, { 1 }, golden[case[1]]
      local env, algo = scripted(log, case[2])
      local half = core.luapolicy {
        action = function(_, state)
          if epsilon[1] > 0.5 then return 0, 0, false end
          return 0, select(2, algo:chooseBestAction(state)), true
        end,
      }
      local agent = agent_in(env, { algo = algo, train_policy = half, replay_start_size = 4 })
      control(agent, log, epsilon)
      agent:run(2, 9)
      local wanted = wanted_events(expected.events)
      for i = 1, #wanted do assert.same(wanted[i], log[i]) end
      assert.equal(#wanted, #log)

      -- an epoch that ends cuts the episode short, it does not end it
      local set = agent:dataset()
      assert.same(expected.train_dataset.rewards, set:rewards())
      assert.same(expected.train_dataset.actions, set:actions())
      assert.same(expected.train_dataset.obs0, set:observations()[1])
      local terminals, truncateds = set:terminals(), set:truncateds()
      for i, over in ipairs(expected.train_dataset.terminals) do
        local terminal = over and set:rewards()[i] == case[2]
        assert.equal(terminal, terminals[i])
        assert.equal(over and not terminal, truncateds[i])
      end
      assert.equal(expected.avgBellmanResidual, agent:avgBellmanResidual())
      assert.equal(expected.avgEpisodeVValue, agent:avgEpisodeVValue())
      assert.same({ 18, 2 }, { agent:steps(), agent:epochs() })
      assert.same(case[2] == 4 and { 5.5, 2 } or { 15.0, 1 }, { agent:totalRewardOverLastTest() })
    end)
  end

  it("starts with nothing", function()
    local agent = agent_in(walk())
    assert.same({ 0, 0, -1, 0, nil }, { agent:steps(), agent:epochs(), agent:mode(),
      agent:dataset():nElems(), agent:testDataset() })
    assert.equal("integer", math.type(agent:avgBellmanResidual()))
    assert.same({ -1, 0 }, { agent:avgBellmanResidual(), agent:avgEpisodeVValue() })
    assert.same({ 0.0, 0 }, { agent:totalRewardOverLastTest() })
    assert.is_false(agent:train())
    local log = record(agent)
    agent:run(0, 5)
    assert.equal("onStart onEnd", names(log))
  end)

  it("hears only what it is asked to hear", function()
    local agent, heard = agent_in(walk()), 0
    local function count() heard = heard + 1 end
    agent:run(1, 10)
    agent:listen("onActionTaken", count)
    agent:run(1, 10)
    assert.equal(10, heard)
    agent:listen("onActionTaken", nil)
    agent:run(1, 10)
    assert.equal(10, heard)
    -- a listener may replace itself
    agent:listen("onActionTaken", function()
      agent:listen("onActionTaken", count)
      collectgarbage()
    end)
    agent:run(1, 10)
    assert.equal(19, heard)
  end)

  it("does the actions it is told to do", function()
    local acted = {}
    local agent = agent_in(walk { act = function(self, action)
      self.at = self.at + 1
      acted[#acted + 1] = action
      return 0
    end })
    agent:overrideNextAction(1)
    agent:listen("onActionChosen", function() agent:overrideNextAction(0.0) end)
    agent:run(1, 5)
    assert.same({ 0, 0, 0, 0, 0 }, acted)
    assert.equal("integer", math.type(acted[1]))
    raises(function() agent:overrideNextAction(2) end, "expected an action of 0..1, got 2")
    raises(function() agent:overrideNextAction() end, "value expected")
  end)

  it("repeats itself for the same seed", function()
    local function actions()
      local agent = agent_in(walk())
      agent:run(1, 100)
      return agent:dataset():actions()
    end
    assert.same(actions(), actions())
  end)
end)

-- ---- environments ------------------------------------------------------------------------------

describe("an environment in a run", function()
  it("has its methods looked up at each reset", function()
    local env, by = walk { length = 2 }, {}
    local function act(name)
      return function(self)
        self.at = self.at + 1
        by[#by + 1] = name
        return 0
      end
    end
    env.act = act "first"
    function env:reset()
      self.at = 0
      return { 0 }
    end
    local agent = agent_in(env)
    agent:listen("onActionTaken", function() env.act = act "second" end)
    agent:run(1, 4)
    assert.same({ "first", "first", "second", "second" }, by)
    env.act = nil
    local ok, message = pcall(agent.run, agent, 1, 4)
    assert.is_false(ok)
    assert.matches("expected a method 'act', the environment has none", message)
  end)

  it("may be cut short by itself", function()
    local env = walk { length = 0, isTruncated = function(self) return self.at == 3 end }
    local agent = agent_in(env)
    local log = record(agent)
    agent:run(1, 7)
    assert.same({ false, false, true, false, false, true, true }, agent:dataset():truncateds())
    assert.same({ false, false, false, false, false, false, false }, agent:dataset():terminals())
    local ends = {}
    for _, entry in ipairs(log) do
      if entry[1] == "onEpisodeEnd" then ends[#ends + 1] = { entry[3], entry[4] } end
    end
    assert.same({ { false, 3 }, { false, 3 }, { false, 1 } }, ends)
    -- what came last is known to the learner
    local _, _, rewards, next_states, terminals = agent:dataset():randomBatch(50)
    for i, reward in ipairs(rewards) do
      assert.is_false(terminals[i])
      assert.same({ reward }, next_states[1][i])
    end
  end)

  it("may do a step in one call", function()
    local calls = {}
    local env = walk { act = false, inTerminalState = false }
    function env:step(action)
      calls[#calls + 1] = action
      self.at = self.at + 1
      return 0.5, self.at == 3, self.at == 9, self.at
    end
    local observed = 0
    function env:observe()
      observed = observed + 1
      return { self.at }
    end
    local agent = agent_in(env)
    agent:run(1, 5)
    assert.equal(5, #calls)
    assert.equal(2, observed) -- at the start of each episode
    assert.same({ { 0, 1, 2, 0, 1 } }, agent:dataset():observations())
    assert.same({ false, false, true, false, false }, agent:dataset():terminals())
    assert.same({ false, false, false, false, true }, agent:dataset():truncateds())
    function env.step() return 1, false, false, 1, 2 end
    fails(function() agent:run(1, 1) end, "%(step%): .*1 more value, one per subject, got 2")
    -- wrong results are told of as those of step
    function env.step() return 1, true, nil, "far" end
    fails(function() agent:run(1, 1) end,
      "%(step%): subject 0: expected a number, got the string 'far'")
    function env.step() return 1, 0 end
    fails(function() agent:run(1, 1) end, "%(step%): .*%(terminal%), got 0")
    function env.step() return 1, false, "no" end
    fails(function() agent:run(1, 1) end, "%(step%): .*%(truncated%), got the")
    function env.step() end
    fails(function() agent:run(1, 1) end, "%(step%): .*the reward, got nil")
  end)

  it("may do a step that tells the numbers of a vector one after the other", function()
    local env = walk { inputDimensions = function() return { { 1, 3 } } end,
      reset = function(self)
        self.at = 0
        return { { 0, 0, 0 } }
      end,
      observe = function(self) return { { self.at, 2, 3 } } end }
    function env:step()
      self.at = self.at + 1
      return 1, false, false, self.at, 2, 3.5
    end
    local agent = agent_in(env)
    agent:run(1, 3)
    assert.same({ { { 0, 2, 3 }, { 1, 2, 3.5 }, { 2, 2, 3.5 } } }, agent:dataset():observations())
    function env.step() return 1, false, false, 1, 2 end
    fails(function() agent:run(1, 1) end, "expected 3 numbers of the observation, got 2 values")
    function env.step() return 1, false, false, 1, 2, 3, 4 end
    fails(function() agent:run(1, 1) end, "expected 3 numbers of the observation, got 4 values")
    function env.step() return 1, false, false, 1, 0 / 0, 3 end
    fails(function() agent:run(1, 1) end, "expected a finite number, got nan at number 2")
    function env.step() return 1, false, false, 1, "2", 3 end
    fails(function() agent:run(1, 1) end, "expected a finite number, got the string '2' at num")
    function env.step() return 1, false, false end
    fails(function() agent:run(1, 1) end, "expected reward, terminal, truncated and 1 more value")
  end)

  it("hands over what observations can be written into, always the same", function()
    local lists = {}
    local env = walk { inputDimensions = function() return { { 1 }, { 2, 2 }, { 1, 2, 3 } } end,
      observationType = function(_, s) return s == 2 and "uint8" or "float32" end,
      reset = function(self)
        self.at = 0
        return { 0, { { 0, 0 }, { 0, 0 } }, { { 0, 0, 0 }, { 0, 0, 0 } } }
      end }
    local function fill(self, into)
      assert(#into == 3 and #into[2] == 2 and into[3]:dtype() == "uint8")
      assert.same({ 2, 3 }, into[3]:shape())
      lists[#lists + 1] = into
      into[1], into[2][1], into[2][2] = self.at, 2 * self.at, 3
      into[3]:fill(self.at)
      return into
    end
    env.observe = fill
    local agent = agent_in(env)
    agent:run(1, 3)
    for _, list in ipairs(lists) do assert.equal(lists[1], list) end
    local function all(x) return { { x, x, x }, { x, x, x } } end
    local expected = { { 0, 1, 2 }, { { 0, 3 }, { 2, 3 }, { 4, 3 } }, { all(0), all(1), all(2) } }
    assert.same(expected, agent:dataset():observations())
    function env:step(_, into)
      self.at = self.at + 1
      return 1, false, false, table.unpack(fill(self, into))
    end
    local stepping = agent_in(env)
    stepping:run(1, 3)
    assert.same(expected, stepping:dataset():observations())
  end)

  it("observes in many forms", function()
    local frame = core.Tensor("uint8", { 2, 2 })
    local env = walk {
      inputDimensions = function() return { { 2 }, { 1, 3 }, { 2, 2, 2 }, { 1, 2, 2 } } end,
      observationType = function(_, s) return s >= 2 and "uint8" or "float32" end,
      reset = function(self)
        self.at = 0
        return { { 0, 7 }, { 0, 0, 0 }, { { { 1, 1 }, { 1, 1 } }, { { 2, 2 }, { 2, 2 } } }, "abcd" }
      end,
      observe = function(self)
        local x = self.at
        return { x, { x, 2 * x, 3.5 }, frame:fill(x), string.char(x, x, 0, 255) }
      end,
    }
    local states = {}
    local algo = lua_algo { chooseBestAction = function(_, state)
      states[#states + 1] = state
      return 0
    end }
    local greedy = core.policy("epsilon_greedy", { epsilon = 0 })
    local agent = agent_in(env, { algo = algo, train_policy = greedy })
    agent:run(1, 5)
    local o = agent:dataset():observations()
    assert.same({ 0, 1, 2, 3, 4 }, o[1])
    assert.same({ 4, 8, 3.5 }, o[2][5])
    assert.same({ { 4, 4 }, { 4, 4 } }, o[3][5])
    assert.same({ { 4, 4 }, { 0, 255 } }, o[4][5])
    -- after the start the policy is asked: step 3 is the first
    assert.same({ { 2, 3 }, { { 3, 6, 3.5 } }, { { { 2, 2 }, { 2, 2 } }, { { 3, 3 }, { 3, 3 } } },
      { { { 3, 3 }, { 0, 255 } } } }, states[1])
    -- the history before the first observation is that of reset
    agent:startMode(0, 1)
    agent:run(1, 1)
    assert.same({ 7, 0 }, states[#states][1])
    assert.same({ { { 2, 2 }, { 2, 2 } }, { { 0, 0 }, { 0, 0 } } }, states[#states][3])
  end)

  it("receives continuous actions as lists, a new one each time", function()
    local lists = {}
    local env = walk {
      nActions = function() return { { -1, 1 }, { 2, 4 } } end,
      act = function(self, action)
        self.at = self.at + 1
        lists[#lists + 1] = action
        return 0
      end,
    }
    local agent, chosen = agent_in(env), {}
    agent:listen("onActionChosen", function(action) chosen[#chosen + 1] = action end)
    agent:run(1, 10)
    assert.same(chosen, lists)
    assert.same(agent:dataset():actions(), lists)
    assert.not_equal(lists[1], lists[2])
    for _, a in ipairs(lists) do
      assert(#a == 2 and a[1] >= -1 and a[1] < 1 and a[2] >= 2 and a[2] < 4)
    end
    agent:overrideNextAction { 0.5, 3 }
    agent:run(1, 1)
    assert.same({ 0.5, 3 }, lists[11])
    raises(function() agent:overrideNextAction { 0.5, 5 } end, "action: number 1 is 5")
    raises(function() agent:overrideNextAction(0.5) end, "a list of 2 numbers, got 0.5")
  end)

  it("sees the test samples", function()
    local seen
    local env = walk { summarizePerformance = function(_, set) seen = set end }
    local agent = agent_in(env)
    raises(function() agent:summarizeTestPerformance() end, "no test epoch to summarize")
    agent:run(1, 3)
    agent:startMode(2, 4)
    agent:run(1, 4)
    agent:summarizeTestPerformance()
    assert.equal(agent:testDataset(), seen)
    assert.same({ 1, 2, 3, 4 }, seen:rewards())
    agent:resumeTrainingMode()
    raises(function() agent:summarizeTestPerformance() end, "no test epoch to summarize")
    -- the same object shows the next test, and does without the agent's variable
    agent:startMode(2, 2)
    assert.equal(0, seen:nElems())
    agent:run(1, 2)
    agent = nil -- luacheck: ignore 311
    collectgarbage()
    assert.same({ 1, 2 }, seen:rewards())
  end)

  it("needs neither stop nor summarizePerformance, but they must be functions", function()
    local env = walk()
    local agent = agent_in(env)
    agent:run(1, 3)
    agent:startMode(0, 1)
    agent:summarizeTestPerformance()
    env.summarizePerformance = 3
    fails(function() agent:summarizeTestPerformance() end, "attempt to call a number value")
    agent:resumeTrainingMode()
    env.stop = {}
    fails(function() agent:run(1, 1) end, "attempt to call a table value")
  end)
end)

-- ---- what learns and decides -------------------------------------------------------------------

describe("a policy written in Lua", function()
  it("sees the state and the mode, and tells value and greed", function()
    local seen, value, greedy = {}, 2, true
    local policy = core.luapolicy { action = function(self, state, mode)
      assert(self.action)
      seen[#seen + 1] = { state[1][1], mode }
      return 1.0, value, greedy
    end }
    local agent = agent_in(walk { length = 0 }, { train_policy = policy, test_policy = policy })
    agent:run(1, 4)
    assert.same({ { 2, -1 }, { 3, -1 } }, seen) -- the first steps are random
    assert.equal(2, agent:avgEpisodeVValue())
    greedy = false
    agent:run(1, 2)
    assert.equal("integer", math.type(agent:avgEpisodeVValue()))
    -- without the third result, an action with a value is greedy
    greedy = nil
    agent:run(1, 2)
    assert.equal(2, agent:avgEpisodeVValue())
    value = nil
    agent:run(1, 2)
    assert.equal(0, agent:avgEpisodeVValue())
    agent:startMode(3, 1)
    agent:run(1, 1)
    assert.same({ 0, 3 }, seen[#seen])
  end)
end)

describe("an algo written in Lua", function()
  it("learns from batches", function()
    local batches = {}
    local algo = lua_algo { train = function(_, states, actions, rewards, next_states, terminals)
      batches[#batches + 1] = true
      for i = 1, 4 do
        assert.same({ rewards[i] - 1 }, states[1][i])
        assert.equal(rewards[i] == 5, terminals[i])
        assert.same({ terminals[i] and 0 or rewards[i] }, next_states[1][i])
        assert(actions[i] == 0 or actions[i] == 1)
      end
      return #batches
    end }
    local agent = agent_in(walk(), { algo = algo })
    local trained = 0
    agent:listen("onActionTaken", function() trained = trained + (agent:train() and 1 or 0) end)
    agent:run(1, 20)
    assert.same({ 19, 19 }, { trained, #batches })
    assert.equal(10, agent:avgBellmanResidual())
    agent:listen("onActionTaken", nil)
    agent:run(1, 5)
    assert.equal(-1, agent:avgBellmanResidual())
  end)

  it("does not learn when nothing can be drawn", function()
    -- histories of three never fit into episodes of two
    local env = walk { length = 2, inputDimensions = function() return { { 3 } } end,
      reset = function(self) self.at = 0 return { { 0, 0, 0 } } end }
    local agent = agent_in(env)
    agent:listen("onActionTaken", function() assert.is_false(agent:train()) end)
    agent:run(1, 20)
    assert.is_nil((agent:dataset():randomBatch(3)))
  end)
end)

describe("stopping", function()
  local function stopped_at(signal, count)
    local agent = agent_in(walk {}, {})
    local log = record(agent)
    local seen = 0
    agent:listen(signal, function()
      log[#log + 1] = { signal }
      seen = seen + 1
      if seen == count then agent:stop() end
    end)
    agent:run(3, 12)
    return agent, names(log):gsub("onActionChosen onActionTaken", "step")
  end

  it("ends the episode, the epoch and the run after the present step", function()
    local agent, log = stopped_at("onActionTaken", 7)
    assert.equal("onStart " .. ("step "):rep(5) .. "onEpisodeEnd " .. ("step "):rep(2)
      .. "onEpisodeEnd onEpochEnd onEnd", log)
    assert.equal(7, agent:steps())
    assert.same({ 3.0, 2, false }, { agent:lastEpisode() }) -- rewards 1 and 2
  end)

  it("between episodes, epochs and before the first step begins nothing more", function()
    local agent, log = stopped_at("onEpisodeEnd", 1)
    assert.equal("onStart " .. ("step "):rep(5) .. "onEpisodeEnd onEpochEnd onEnd", log)
    assert.same({ 15.0, 5, true }, { agent:lastEpisode() })
    assert.equal(12, (stopped_at("onEpochEnd", 1)):steps())
    assert.equal(0, (stopped_at("onStart", 1)):steps())
  end)

  it("is forgotten by the next run, and reaches the training run around a test", function()
    local agent = agent_in(walk {}, {})
    agent:stop()
    agent:run(1, 4)
    assert.equal(4, agent:steps())
    agent:listen("onEpochEnd", function()
      if agent:mode() == 0 then return agent:stop() end
      agent:startMode(0, 3)
      agent:run(2, 3)
      agent:resumeTrainingMode()
    end)
    agent:run(5, 4)
    assert.equal(8, agent:steps())
  end)
end)
