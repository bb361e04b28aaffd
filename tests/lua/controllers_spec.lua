-- The stock controllers: schedules against tables of DeeR's numbers, and a whole run against the
-- list of everything that happens in DeeR.
local lfs = require "lfs"

local child = require "child"
local deer = require "deer"
local golden = require("golden").read "trace_and_controllers"
local raises = require "raises"
local scripted = require "scripted"
local sys = require "deer.sys"
local text = require "deer.text"

local bc = deer.controllers
local tables = golden.controller_tables

-- what a schedule is given instead of an agent
local function fake_agent()
  local agent = {}
  function agent.setEpsilon(_, x) agent.e = x end
  function agent.setLearningRate(_, x) agent.lr = x end
  function agent.setDiscountFactor(_, x) agent.df = x end
  return agent
end

-- what f prints through text.say
local function said(f)
  local lines, say = {}, text.say
  text.say = function(format, ...) lines[#lines + 1] = format:format(...) end
  local ok, message = pcall(f, lines)
  text.say = say
  assert(ok, message)
  return lines
end

describe("schedules", function()
  for _, name in ipairs { "epsilon_toy", "epsilon_pend", "epsilon_mg", "epsilon_tiny" } do
    it("of epsilon are DeeR's: " .. name, function()
      local given = tables[name]["initialE,eDecays,eMin"]
      local c = bc.EpsilonController{ initialE = given[1], eDecays = given[2], eMin = given[3] }
      local agent, expected = fake_agent(), tables[name].after_k_actions
      c:onStart(agent)
      for k = 0, 12000 do
        local value = expected[tostring(k)]
        if value then assert.equal(value, agent.e, k) end
        c:onActionChosen(agent, 0)
      end
    end)
  end

  for _, name in ipairs { "lr_pend", "lr_per3" } do
    it("of the learning rate are DeeR's: " .. name, function()
      local given = tables[name].args
      local c = bc.LearningRateController{ initial_learning_rate = given[1],
        learning_rate_decay = given[2], periodicity = given[3] }
      local agent, expected = fake_agent(), tables[name]["lr_used_in_epoch_k(1-based)"]
      c:onStart(agent)
      for k = 1, 70 do
        local value = expected[tostring(k)]
        if value then assert.equal(value, agent.lr, k) end
        c:onEpochEnd(agent)
      end
    end)
  end

  for _, name in ipairs { "df_pend", "df_mg", "df_toy", "df_at_max" } do
    it("of the discount factor are DeeR's: " .. name, function()
      local given = tables[name].args
      local c = bc.DiscountFactorController{ initial_discount_factor = given[1],
        discount_factor_growth = given[2], discount_factor_max = given[3], periodicity = given[4] }
      local agent, expected = fake_agent(), tables[name]["df_used_in_epoch_k(1-based)"]
      c:onStart(agent)
      for k = 1, 200 do
        local value = expected[tostring(k)]
        if value then assert.equal(value, agent.df, k) end
        c:onEpochEnd(agent)
      end
    end)
  end

  it("of epsilon count what they are told to, and start anew", function()
    local agent = fake_agent()
    local c = bc.EpsilonController{ initial_e = 1, e_decays = 2, e_min = 0, evaluate_on = "epoch",
      periodicity = 2, reset_every = "episode" }
    assert.is_nil(c.onActionChosen)
    c:onStart(agent)
    for _, expected in ipairs { 1, 1, 1, 0.5, 0.5, 0 } do
      c:onEpochEnd(agent)
      assert.equal(expected, agent.e)
    end
    c:onEpisodeEnd(agent)
    assert.equal(1, agent.e)
    -- at the same event a reset comes instead of an update
    c = bc.EpsilonController{ evaluate_on = "episode", reset_every = "episode", e_decays = 1 }
    c:onStart(agent)
    for _ = 1, 5 do
      c:onEpisodeEnd(agent)
      assert.equal(1, agent.e)
    end
  end)
end)

describe("a deer.schedule", function()
  local function values(c, agent, field, signal, n)
    local seen = {}
    c:onStart(agent)
    for i = 0, n do
      seen[i + 1] = agent[field]
      c[signal](c, agent)
    end
    return seen
  end

  it("rules the learning rate", function()
    local c = bc.LearningRateController{ schedule = "linear(1, 0.5, 4)", periodicity = 2,
      initial_learning_rate = 77 }
    assert.same({ 1, 1, 0.75, 0.75, 0.5, 0.5, 0.5 },
      values(c, fake_agent(), "lr", "onEpochEnd", 6))
  end)

  it("rules the discount factor, beyond discount_factor_max too", function()
    local c = bc.DiscountFactorController{ discount_factor_max = 0.1,
      schedule = { kind = "piecewise", points = { { 0, 0.5 }, { 2, 0.75 }, { 2, 1 } } } }
    assert.same({ 0.5, 0.625, 1, 1 }, values(c, fake_agent(), "df", "onEpochEnd", 3))
  end)

  it("rules epsilon, and starts anew", function()
    local agent = fake_agent()
    local c = bc.EpsilonController{ schedule = deer.schedule "exponential(1, 0.25, 2)",
      reset_every = "episode" }
    assert.same({ 1, 0.5, 0.25, 0.25 }, values(c, agent, "e", "onActionChosen", 3))
    c:onEpisodeEnd(agent)
    assert.equal(1, agent.e)
    c:onActionChosen(agent)
    assert.equal(0.5, agent.e)
  end)

  it("is refused when it is none", function()
    raises(function() bc.EpsilonController{ schedule = "linear(1)" } end, "expected linear")
    raises(function() bc.LearningRateController{ schedule = false } end, "got false")
    raises(function() bc.DiscountFactorController{ schedule = {} } end, "'kind' is missing")
  end)
end)

-- DeeR's events without what ours does not reproduce: signals of start and end, and the
-- environment's stop, around each test epoch
local function wanted_events(name)
  local events, wanted = golden[name].events, {}
  for i, event in ipairs(events) do
    local nested = (event[1] == "OnStart" or event[1] == "OnEnd") and event[3] ~= -1
    local stop_of_test = event[1] == "env.end" and events[i + 1][3] ~= -1
      and events[i + 1][1] == "OnEnd"
    if not nested and not stop_of_test then wanted[#wanted + 1] = event end
  end
  return wanted
end

-- equal but for the rounding of numbers in the list
local function same(a, b)
  if type(a) == "number" and type(b) == "number" then return math.abs(a - b) < 1e-9 end
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  if #a ~= #b then return false end
  for i in ipairs(a) do
    if not same(a[i], b[i]) then return false end
  end
  return true
end

local function line(value)
  if type(value) ~= "table" then return tostring(value) end
  local words = {}
  for i, item in ipairs(value) do words[i] = line(item) end
  return "{" .. table.concat(words, " ") .. "}"
end

-- runs f in an empty folder
local function in_empty_folder(f)
  local before, folder = lfs.currentdir(), child.folder()
  assert(lfs.chdir(folder))
  local ok, message = pcall(f, folder)
  assert(lfs.chdir(before))
  assert(ok, message)
end

describe("a run with nine controllers", function()
  after_each(child.clean)

  for _, case in ipairs { { "vmaster_term4", 4 }, { "vmaster_term0", 0 } } do
    it("does everything in DeeR's order: " .. case[1], function()
      local log = {}
      local agent = scripted.agent(log, case[2], "scripted")
      in_empty_folder(function()
        local say = text.say
        text.say = function(format, ...) log[#log + 1] = { "stdout", format:format(...) } end
        local ok, message = pcall(agent.run, agent, 2, 9)
        text.say = say
        assert(ok, message)
        assert.same({ "scripted.epoch=1" }, sys.listdir "nnets")
        local scores = assert(io.open "scores/scripted_scores.csv"):read "a"
        local v, t = case[2] == 4 and 8 or 28, case[2] == 4 and 5.5 or 15
        assert.equal(("n,vs,ts\n1,%.1f,%.1f\n2,%.1f,%.1f\n"):format(v, t, v, t), scores)
      end)
      local wanted = wanted_events(case[1])
      for i = 1, math.max(#wanted, #log) do
        assert(same(wanted[i], log[i]), ("event %d: expected %s, came %s"):format(i,
          line(wanted[i]), line(log[i])))
      end
      -- the end of an epoch cuts an episode, it does not end it
      local set, expected = agent:dataset(), golden[case[1]].train_dataset
      assert.is_true(same(expected.rewards, set:rewards()))
      assert.is_true(same(expected.obs0, set:observations()[1]))
      local terminals, truncateds = set:terminals(), set:truncateds()
      for i, over in ipairs(expected.terminals) do
        local cut = over and set:rewards()[i] ~= 4
        assert.equal(over and not cut, terminals[i], i)
        assert.equal(cut, truncateds[i], i)
      end
      assert.equal(golden[case[1]].avgBellmanResidual, agent:avgBellmanResidual())
      assert.equal(golden[case[1]].avgEpisodeVValue, agent:avgEpisodeVValue())
    end)
  end
end)

describe("a run with epochs as in DeeR 0.2", function()
  after_each(child.clean)

  for _, case in ipairs { { "v0.2_term4", 4 }, { "v0.2_term0", 0 } } do
    it("does everything in its order: " .. case[1], function()
      local log = {}
      local agent = scripted.agent(log, case[2], "scripted", "deer-0.2")
      in_empty_folder(function()
        local say = text.say
        text.say = function(format, ...) log[#log + 1] = { "stdout", format:format(...) } end
        local ok, message = pcall(agent.run, agent, 2, 9)
        text.say = say
        assert(ok, message)
        assert.same({ "scripted.epoch=1" }, sys.listdir "nnets")
      end)
      -- environments had no end then
      for i = #log, 1, -1 do
        if log[i][1] == "env.end" then table.remove(log, i) end
      end
      local wanted = golden[case[1]].events
      for i = 1, math.max(#wanted, #log) do
        local event = wanted[i]
        if event and event[1] == "stdout" then
          -- the mean is that of the greedy steps, not that of all, of which some have no value
          local words = event[2]:gsub("value: 0%.16+$", "value: 1.5")
          event = { "stdout", (words:gsub("value: 0%.0$", "value: 0")) }
        end
        assert(same(event, log[i]), ("event %d: expected %s, came %s"):format(i, line(event),
          line(log[i])))
      end
      -- no two epochs are glued together: what the first one cut short is truncated
      local set, expected = agent:dataset(), golden[case[1]].train_dataset
      assert.is_true(same(expected.actions, set:actions()))
      assert.is_true(same(expected.rewards, set:rewards()))
      assert.is_true(same(expected.obs0, set:observations()[1]))
      assert.same(expected.terminals, set:terminals())
      for i, cut in ipairs(set:truncateds()) do assert.equal(i == 9 or i == 18, cut) end
      assert.equal(golden[case[1]].avgBellmanResidual, agent:avgBellmanResidual())
      assert.equal(golden[case[1]].avgEpisodeVValue, agent:avgEpisodeVValue())
    end)
  end

  it("needs no lists of controllers to disable", function()
    local log, environment = {}, scripted.environment({}, 3)
    local agent = deer.NeuralAgent{ environment = environment, epochs = "deer-0.2",
      learning_algo = scripted.algo({}, environment) }
    local one = bc.InterleavedTestEpochController{ id = 0, epoch_length = 4, periodicity = 3 }
    local two = bc.InterleavedTestEpochController{ id = 5, epoch_length = 3 }
    agent:attach(one)
    agent:attach(two)
    local Spy = deer.Controller:extend "Spy"
    function Spy.onEpochEnd(_, a) log[#log + 1] = ("%d:%d"):format(a:mode(), a.epoch_length) end
    agent:attach(Spy{})
    said(function() agent:run(4, 2) end)
    assert.equal("0:4 5:3 -1:2 5:3 -1:2 0:4 5:3 -1:2 5:3 -1:2", table.concat(log, " "))
    assert.same({ 2, 4 }, { #one.scores, #two.scores })
    assert.equal(4, agent:epochs())
  end)

  it("counts several test epochs as one, from the epoch it is told to", function()
    local log, environment = {}, scripted.environment({}, 0)
    local agent = deer.NeuralAgent{ environment = environment, epochs = "deer-0.2",
      learning_algo = scripted.algo({}, environment) }
    local test = bc.InterleavedTestEpochController{ id = 0, epoch_length = 4, number_tests = 2,
      start = 1 }
    agent:attach(test)
    local Spy = deer.Controller:extend "Spy"
    function Spy.onEpochEnd(_, a) log[#log + 1] = a:mode() end
    agent:attach(Spy{})
    said(function() agent:run(3, 2) end)
    assert.same({ -1, 0, 0, -1, 0, 0, -1 }, log)
    assert.same({ 10, 10 }, test.scores)
  end)

  it("is stopped and goes on", function()
    local agent = scripted.agent({}, 4, "scripted", "deer-0.2")
    local Stop, modes = deer.Controller:extend "Stop", {}
    function Stop.onActionTaken(_, a)
      modes[#modes + 1] = a:mode()
      if #modes == 12 then a:stop() end
    end
    agent:attach(Stop{})
    in_empty_folder(function()
      said(function() agent:run(5, 9) end)
      assert.equal(12, #modes)
      assert.same({ -1, 1 }, { agent:mode(), agent:epochs() })
      said(function() agent:run(1, 2) end)
    end)
    assert.same({ -1, 2 }, { agent:mode(), agent:epochs() })
  end)

  it("tells that a test mode was not left, and what cannot be", function()
    local environment = scripted.environment({}, 0)
    local agent = deer.NeuralAgent{ environment = environment, epochs = "deer-0.2",
      learning_algo = scripted.algo({}, environment) }
    local Forget = deer.Controller:extend "Forget"
    function Forget.onEpochEnd(_, a) if a:mode() == -1 then a:startMode(2, 3) end end
    agent:attach(Forget{})
    raises(function() agent:run(1, 4) end, "test mode 2 was not left at the end of its epoch")
    assert.equal(-1, agent:mode())
    local env = deer.env "cartpole" { seed = 1 }
    raises(function()
      deer.NeuralAgent{ environment = env, epochs = "deer-0.2", n_envs = 2,
        learning_algo = deer.QNetwork{ environment = env } }
    end, "epochs as in DeeR 0.2 are for one environment")
    raises(function()
      deer.NeuralAgent{ environment = env, epochs = "deer-0.3",
        learning_algo = deer.QNetwork{ environment = env } }
    end, "expected one of 'deer', 'deer%-0.2'")
  end)
end)

-- an agent whose epochs take no time: what controllers need to run test epochs
local function bare_agent()
  local environment = scripted.environment({}, 0)
  return deer.NeuralAgent{ environment = environment,
    learning_algo = scripted.algo({}, environment) }
end

describe("InterleavedTestEpochController", function()
  -- the training epochs after which a test was run
  local function tested_after(options, epochs)
    local agent, after = bare_agent(), {}
    local Spy = deer.Controller:extend "Spy"
    function Spy.onEpochEnd(_, a)
      if a:mode() == (options.id or 0) then after[#after + 1] = a:epochs() end
    end
    agent:attach(bc.InterleavedTestEpochController(options))
    agent:attach(Spy{})
    said(function() agent:run(epochs, 2) end)
    return after
  end

  it("tests after the first and then every p-th epoch", function()
    assert.same({ 1, 2, 3, 4 }, tested_after({ epoch_length = 3 }, 4))
    assert.same({ 1, 4, 7 }, tested_after({ epoch_length = 3, periodicity = 3 }, 7))
    assert.same({ 3, 5, 7 }, tested_after({ epoch_length = 3, periodicity = 2, start = 2 }, 7))
  end)

  it("counts its own epochs, as DeeR 0.2 did, when it has controllers to disable", function()
    local function options(p)
      return { epochLength = 3, controllersToDisable = {}, periodicity = p }
    end
    assert.same({ 1, 2, 3, 4 }, tested_after(options(nil), 4))
    assert.same({ 1, 2, 3, 4 }, tested_after(options(1), 4))
    assert.same({ 1, 2, 3, 4 }, tested_after(options(2), 4))
    assert.same({ 1, 3, 5 }, tested_after(options(3), 6))
  end)

  it("silences the controllers it is told to, during the test alone", function()
    local agent, heard = bare_agent(), {}
    local Spy = deer.Controller:extend "Spy"
    function Spy.onActionTaken(_, a) heard[#heard + 1] = a:mode() end
    agent:attach(Spy{})
    agent:attach(bc.InterleavedTestEpochController{ epoch_length = 3,
      controllers_to_disable = { 0 } })
    said(function() agent:run(2, 2) end)
    assert.same({ -1, -1, -1, -1 }, heard)
  end)

  it("prints scores and asks for summaries when told to", function()
    local log = {}
    local environment = scripted.environment(log, 0)
    local agent = deer.NeuralAgent{ environment = environment,
      learning_algo = scripted.algo({}, environment) }
    local test = bc.InterleavedTestEpochController{ id = 3, epoch_length = 2, summarize_every = 2 }
    agent:attach(test)
    local lines = said(function() agent:run(4, 2) end)
    assert.equal(4, #lines)
    assert.equal("Testing score per episode (id: 3) is 3.0 (average over 1 episode(s))", lines[1])
    assert.same({ 3, 3, 3, 3 }, test.scores)
    local summaries = 0
    for _, event in ipairs(log) do
      if event[1] == "env.summarizePerformance" then summaries = summaries + 1 end
    end
    assert.equal(2, summaries)
    agent:detach(0)
    agent:attach(bc.InterleavedTestEpochController{ epoch_length = 2, showScore = false })
    assert.same({}, said(function() agent:run(1, 2) end))
  end)
end)

describe("VerboseController", function()
  it("prints what is in force at every p-th event", function()
    local agent = bare_agent()
    agent:attach(bc.VerboseController{ evaluate_on = "action", periodicity = 3 })
    local lines = said(function() agent:run(1, 4) end)
    assert.same({ "action 1:", "Learning rate: 0.005", "Discount factor: 0.9", "Epsilon: 0.1",
      "action 4:", "Learning rate: 0.005", "Discount factor: 0.9", "Epsilon: 0.1" }, lines)
    agent = bare_agent()
    agent:attach(bc.VerboseController{ show_memory = true })
    lines = said(function() agent:run(1, 4) end)
    assert.same({ "Epsilon: 0.1", "Samples: 4" }, { lines[4], lines[5] })
  end)
end)

describe("TrainerController", function()
  local function trained(options, steps)
    local log = {}
    local environment = scripted.environment({}, 2)
    local agent = deer.NeuralAgent{ environment = environment, replay_start_size = 3,
      only_full_history = false, learning_algo = scripted.algo(log, environment) }
    agent:attach(bc.TrainerController(options))
    local lines = said(function() agent:run(2, steps) end)
    local n = 0
    for _, event in ipairs(log) do n = n + (event[1] == "learner.train" and 1 or 0) end
    return n, lines
  end

  it("learns at actions, episodes or epochs", function()
    assert.equal(2 * 10 - 3, (trained({}, 10)))
    assert.equal(2 * 5 - 1, (trained({ evaluate_on = "episode" }, 10)))
    assert.equal(2, (trained({ evaluate_on = "epoch" }, 10)))
    assert.equal(3 * 2, (trained({ evaluate_on = "epoch", training_repeat = 3 }, 10)))
  end)

  it("prints what it is told to", function()
    local _, lines = trained({ showEpisodeAvgVValue = false }, 2)
    assert.same({ "Average (on the epoch) training loss: -1",
      "Average (on the epoch) training loss: 0.5" }, lines)
    _, lines = trained({ show_avg_Bellman_residual = false, show_episode_avg_V_value = false }, 2)
    assert.same({}, lines)
  end)
end)

describe("FindBestController", function()
  after_each(child.clean)

  it("says so when nothing was validated", function()
    in_empty_folder(function()
      local agent = bare_agent()
      agent:attach(bc.FindBestController{})
      assert.same({ "No validation epoch was run, so there is no best neural net" },
        said(function() agent:run(1, 3) end))
      assert.is_false(sys.exists "scores")
    end)
  end)

  it("keeps the first of the best scores, and no file of another name goes", function()
    in_empty_folder(function()
      local agent = bare_agent()
      local scores, i = { 1.0, 3.0, 3.0, 2.0 }, 0
      agent:dumpNetwork("mynet", 7)
      agent:dumpNetwork("net2", 7)
      agent:dumpNetwork("net")
      agent.totalRewardOverLastTest = function()
        i = i + 1
        return scores[i], 1
      end
      agent:attach(bc.FindBestController{ validationID = 0, unique_fname = "net" })
      agent:attach(bc.InterleavedTestEpochController{ epoch_length = 2, show_score = false })
      -- both controllers ask for the score
      scores = { 1.0, 1.0, 3.0, 3.0, 3.0, 3.0, 2.0, 2.0 }
      local lines = said(function() agent:run(4, 2) end)
      assert.same({ "Best neural net obtained after 2 epochs, with validation score 3.0" }, lines)
      assert.same({ "mynet.epoch=7", "net", "net.epoch=2", "net2.epoch=7" }, sys.listdir "nnets")
      assert.equal("n,vs,ts\n1,1.0,\n2,3.0,\n3,3.0,\n4,2.0,\n",
        assert(io.open "scores/net_scores.csv"):read "a")
    end)
  end)
end)

describe("FindBestController with restore", function()
  it("puts the latest of the best parameters back at the end, and writes nothing", function()
    in_empty_folder(function()
      local agent, epoch, back = bare_agent(), 0, nil
      local scores = { 1.0, 3.0, 3.0, 2.0 }
      agent.learning_algo.getAllParams = function() return epoch end
      agent.learning_algo.setAllParams = function(_, params) back = params end
      agent.totalRewardOverLastTest = function() return scores[epoch], 1 end
      local Count = deer.Controller:extend "Count"
      function Count.onEpochEnd(_, a)
        if a:mode() == -1 then epoch = epoch + 1 end
        assert.is_nil(back)
      end
      agent:attach(Count{})
      agent:attach(bc.InterleavedTestEpochController{ epoch_length = 2, show_score = false })
      agent:attach(bc.FindBestController{ restore = true })
      assert.same({}, said(function() agent:run(4, 2) end))
      assert.equal(3, back)
      assert.is_false(sys.exists "nnets" or sys.exists "scores")
    end)
  end)
end)

describe("ProgressController", function()
  it("is silent when the standard error is no terminal, and costs nothing", function()
    local heard = 0
    local agent, c = bare_agent(), bc.ProgressController{}
    if sys.isatty(2) then return end
    c.onActionTaken = function() heard = heard + 1 end
    agent:attach(c)
    agent:run(1, 5)
    assert.equal(0, heard)
  end)

  it("shows on a terminal how far training and tests are", function()
    local agent, shown = bare_agent(), {}
    local isatty, status = sys.isatty, text.status
    sys.isatty = function() return true end
    local c = bc.ProgressController{ periodicity = 0 }
    sys.isatty = isatty
    c.onActionTaken = function(self, a)
      self.stride = 1
      bc.ProgressController.onActionTaken(self, a)
    end
    agent:attach(bc.InterleavedTestEpochController{ epoch_length = 4, show_score = false })
    agent:attach(c)
    text.status = function(words) shown[#shown + 1] = words or "none" end
    local ok, message = pcall(agent.run, agent, 2, 2)
    text.status = status
    assert(ok, message)
    for i, pattern in ipairs { "^epoch 1/2 train %[############%.+%]  50%%", "train .* 100%%",
      "^epoch 1/2 test  .*  25%%", "50%%", "75%%", "100%%", "none", "none",
      "^epoch 2/2 train .* 50%% .* steps/s  %d:%d%d left$", "100%%", "^epoch 2/2 test  .* 25%%",
      "50%%", "75%%", "100%%", "none", "none", "none" } do
      assert.matches(pattern, shown[i])
    end
    assert.equal(17, #shown)
  end)

  it("fits into narrow terminals", function()
    local agent, shown = bare_agent(), {}
    local isatty, status, columns, time = sys.isatty, text.status, sys.columns, sys.time
    local width, now = nil, 0
    sys.isatty, sys.columns = function() return true end, function() return width end
    -- at a thousand looks at the clock in a second the second step is too soon to be shown; on a
    -- busy machine the true time may be late enough
    sys.time = function()
      now = now + 0.001
      return now
    end
    text.status = function(words) shown[#shown + 1] = words end
    local c = bc.ProgressController{ periodicity = 0 }
    agent:attach(c)
    local ok, message = pcall(function()
      for w = 1, 90 do
        width = w
        agent:run(1, 2)
      end
    end)
    sys.isatty, text.status, sys.columns, sys.time = isatty, status, columns, time
    assert(ok, message)
    -- the first of two steps is shown
    assert.equal(90, #shown)
    for w, words in ipairs(shown) do assert.is_true(#words < w, words) end
    assert.matches("^epoch 1/1 train  50%%$", shown[22])
    assert.matches("^epoch 1/1 train %[##%.%.%]  50%%$", shown[28])
    assert.matches("^epoch 1/1 train %[#+%.+%]  50%%$", shown[36])
    assert.matches("^epoch 1/1 train %[#+%.+%]  50%%  %d+ steps/s  %d:%d%d left$", shown[60])
    assert.matches("%[############%.%.%.%.%.%.%.%.%.%.%.%.%]  50%%  %d+ steps/s", shown[90])
  end)

  it("tells the time", function()
    local clock = bc.ProgressController.clock
    assert.same({ "0:00", "1:05", "59:59", "1:00:00", "2:03:59" },
      { clock(0.4), clock(65), clock(3599), clock(3600), clock(7439) })
  end)
end)

describe("wrong options", function()
  it("are refused with the line of the script", function()
    raises(function() bc.VerboseController{ evaluateOn = "step" } end,
      "VerboseController: option 'evaluateOn': expected one of 'action', 'episode', 'epoch', got")
    raises(function() bc.EpsilonController{ initial_e = 2 } end, "expected a number from 0 to 1")
    raises(function() bc.EpsilonController{ e_decays = 0 } end, "expected an integer of at least 1")
    raises(function() bc.TrainerController{ period = 2 } end,
      "TrainerController: unknown option 'period'")
    raises(function() bc.InterleavedTestEpochController{ id = -1 } end, "option 'id'")
    raises(function() bc.FindBestController{ unique_fnam = "x" } end, "did you mean 'unique_fname'")
  end)
end)

describe("NoiseCoeffController", function()
  -- the noise after k actions, an episode ending after every tenth
  local function noise(options, n)
    local sigma, list = 0.5, {}
    local agent = { train_policy = {
      sigma = function() return sigma end,
      setSigma = function(_, x) sigma = x end,
    } }
    local c = bc.NoiseCoeffController(options)
    c:onStart(agent)
    list[0] = sigma
    for k = 1, n do
      if c.onActionChosen then c:onActionChosen(agent, { 0 }) end
      if k % 10 == 0 and c.onEpisodeEnd then c:onEpisodeEnd(agent) end
      list[k] = sigma
    end
    return list
  end

  local function near(expected, got) assert.is_true(math.abs(expected - got) < 1e-12, got) end

  it("follows its formulas", function()
    local list = noise({ coeff_decays = 20, coeff_min = 0.2 }, 30)
    for k = 0, 30 do near(0.5 * math.max(1 - k * 0.8 / 20, 0.2), list[k]) end
    list = noise({ decay = "multiplicative", factor = 0.9, initial_coeff = 2, coeff_min = 0.5 }, 30)
    for k = 0, 30 do near(0.5 * math.max(2 * 0.9 ^ k, 0.5), list[k]) end
    list = noise({ coeff_decays = 4, evaluate_on = "episode" }, 50)
    for k = 0, 50 do near(0.5 * math.max(1 - k // 10 / 4, 0), list[k]) end
    list = noise({ coeff_decays = 10, periodicity = 3 }, 30)
    for k = 0, 30 do near(0.5 * (1 - k // 3 / 10), list[k]) end
    list = noise({ coeff_decays = 20, reset_every = "episode" }, 30)
    for k = 0, 30 do near(0.5 * (1 - k % 10 / 20), list[k]) end
  end)

  it("refuses policies without noise, and bounds the wrong way round", function()
    local env = deer.env "cartpole" {}
    local agent = deer.NeuralAgent{ environment = env,
      learning_algo = deer.QNetwork{ environment = env } }
    agent:attach(bc.NoiseCoeffController{})
    raises(function() agent:ready() end, "an EpsilonGreedyPolicy, has no noise; expected one such")
    raises(function() bc.NoiseCoeffController{ initial_coeff = 0.1, coeff_min = 0.5 } end,
      "option 'coeff_min': expected at most 0.1, got 0.5")
  end)
end)

describe("tests in between, as LegoRL writes them down", function()
  after_each(child.clean)

  -- rewards 1 to 5 in an episode; the n-th test episode pays n times as much
  local function agent_with(controllers)
    local Walk, tests = deer.Environment:extend "Walk", 0
    function Walk:reset(mode)
      self.at, tests = 0, tests + (mode == 0 and 1 or 0)
      self.pay = mode == 0 and tests or 1
      return { 0 }
    end
    function Walk:act() self.at = self.at + 1 return self.pay * self.at end
    function Walk:observe() return { self.at } end
    function Walk:inTerminalState() return self.at == 5 end
    function Walk.inputDimensions() return { { 1 } } end
    function Walk.nActions() return 2 end
    local env = Walk{}
    local agent = deer.NeuralAgent{ environment = env,
      learning_algo = deer.QNetwork{ environment = env, batch_size = 4 } }
    for _, controller in ipairs(controllers) do agent:attach(controller) end
    return agent
  end

  it("are lines of a CSV file", function()
    local folder = child.folder()
    local agent = agent_with{ bc.InterleavedTestEpochController{ epoch_length = 10,
      number_tests = 2, periodicity = 2, out_prefix = "walk", folder = folder,
      show_score = false } }
    agent:run(4, 20)
    local csv = assert(io.open(folder .. "/walk_summary.csv")):read "a"
    -- episodes 1 to 4 after the first epoch, 5 to 8 after the third
    local spread = 15 * 15 * 1.25
    assert.equal(("epoch;nb_episodes;r_mean;r_var;r_std\n1;4;37.5;%s;%s\n3;4;97.5;%s;%s\n"):format(
      spread, deer.format(math.sqrt(spread)), spread, deer.format(math.sqrt(spread))), csv)
    assert.equal(80, agent:dataset():nElems()) -- nothing of the tests
  end)

  it("are filmed when the environment draws", function()
    local folder = child.folder()
    local env = deer.env "gridworld" {}
    local agent = deer.NeuralAgent{ environment = env,
      learning_algo = deer.QNetwork{ environment = env, batch_size = 4 } }
    agent:attach(bc.InterleavedTestEpochController{ epoch_length = 3, movie_every = 2,
      folder = folder, show_score = false })
    agent:run(2, 5)
    assert.same({ "epoch_2" }, sys.listdir(folder))
    local gif = assert(io.open(folder .. "/epoch_2/performance.gif", "rb")):read "a"
    assert.equal("GIF89a", gif:sub(1, 6))
  end)

  it("score less when their returns spread", function()
    local here, folder = lfs.currentdir(), child.folder()
    local best = bc.FindBestController{ deviations = 1, store = true, unique_fname = "walk" }
    local agent = agent_with{ best, bc.InterleavedTestEpochController{ epoch_length = 10,
      show_score = false } }
    assert(lfs.chdir(folder))
    said(function() agent:run(2, 20) end)
    lfs.chdir(here)
    -- returns 15 and 30, then 45 and 60
    assert.same({ { n = 1, vs = 22.5 - 7.5 }, { n = 2, vs = 52.5 - 7.5 } }, best.rows)
    agent:fetchNetwork "walk"
  end)
end)
