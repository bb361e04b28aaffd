-- What DeeR's agent can do beside running epochs: training from what there is, actions that stick,
-- and every method of its documentation.
local lfs = require "lfs"

local child = require "child"
local deer = require "deer"
local raises = require "raises"
local sys = require "deer.sys"

-- counts what is done to it; the n-th act since the reset earns n; over for good after `limit`
local Tally = deer.Environment:extend "Tally"
Tally.options = { limit = { default = 0, type = "integer", help = "acts until the end; 0: none" } }
function Tally:init(options) self.limit, self.n, self.resets, self.acts = options.limit, 0, 0, 0 end
function Tally:reset() self.n, self.resets = 0, self.resets + 1; return { { 0, 0 } } end
function Tally:act() self.n, self.acts = self.n + 1, self.acts + 1; return self.n end
function Tally:observe() return { self.n } end
function Tally:inTerminalState() return self.n == self.limit end
function Tally.inputDimensions() return { { 2 } } end
function Tally.nActions() return 2 end

-- what happens, in words
local function listen(agent)
  local log = {}
  local Log = deer.Controller:extend "Log"
  function Log.onActionChosen() log[#log + 1] = "chosen" end
  function Log.onActionTaken() log[#log + 1] = "taken" end
  function Log.onEpisodeEnd(_, _, terminal, reward) log[#log + 1] = ("end %s %g"):format(terminal,
    reward) end
  function Log.onEpochEnd(_, a) log[#log + 1] = ("epoch %d"):format(a:mode()) end
  agent:attach(Log{})
  return function()
    local words = table.concat(log, ", ")
    for i in ipairs(log) do log[i] = nil end
    return words
  end
end

local function make(env, options)
  local given = { environment = env, seed = 1,
    learning_algo = deer.QNetwork{ environment = env, seed = 1, batch_size = 4 } }
  for name, value in pairs(options or {}) do given[name] = value end
  return deer.NeuralAgent(given)
end

describe("an agent that gathers no data", function()
  it("learns for an epoch without its environment", function()
    local env = Tally{}
    local agent = make(env)
    agent:attach(deer.controllers.TrainerController{ periodicity = 2,
      show_episode_avg_V_value = false, show_avg_Bellman_residual = false })
    agent:run(1, 40)
    local said = listen(agent)
    agent.gathering_data = false
    assert.same({ 40, 1 }, { env.acts, env.resets })
    local updates = 0
    function agent:train() updates = updates + 1; return deer.NeuralAgent.train(self) end
    agent:run(2, 3)
    assert.equal("taken, taken, taken, end false 0, epoch -1, taken, taken, taken, end false 0, \z
      epoch -1", said())
    assert.same({ 40, 1, 40 }, { env.acts, env.resets, agent:dataset():nElems() })
    assert.equal(3, updates)
    assert.is_true(agent:avgBellmanResidual() > 0)
    assert.same({ 3, 46 }, { agent:epochs(), agent:steps() })
    -- tests act all the same
    agent:startMode(0, 2)
    agent:run(1, 2)
    agent:resumeTrainingMode()
    assert.equal(42, env.acts)
    said()
    agent.gathering_data = true
    agent:run(1, 2)
    assert.equal("chosen, taken, chosen, taken, end false 2, epoch -1", said())
    assert.equal(42, agent:dataset():nElems())
  end)

  it("may begin and end so at any time", function()
    local env = Tally{ limit = 3 }
    local agent = make(env, { gathering_data = false, train_every = 2 })
    local said, n = listen(agent), 0
    local Switch = deer.Controller:extend "Switch"
    function Switch.onActionTaken(_, a)
      n = n + 1
      -- off in the middle of an episode, which goes on to its end
      a.gathering_data = n >= 2 and n ~= 4
      if n == 7 then a.gathering_data = false end
    end
    agent:attach(Switch{})
    agent:run(1, 10)
    assert.equal("taken, taken, end false 0, chosen, taken, chosen, taken, chosen, taken, \z
      end true 3, chosen, taken, chosen, taken, chosen, taken, end true 3, chosen, taken, \z
      chosen, taken, end false 2, epoch -1", said())
    assert.equal(10, n)
  end)

  it("does so with several environments", function()
    local agent = make(deer.env "cartpole" { seed = 1 }, { n_envs = 3 })
    agent:run(1, 30)
    local said = listen(agent)
    agent.gathering_data = false
    agent:run(1, 2)
    assert.equal("taken, taken, end false 0, epoch -1", said())
    assert.equal(30, agent:dataset():nElems())
  end)

  it("is refused when it is neither true nor false", function()
    local agent = make(Tally{})
    agent.gathering_data = 0
    raises(function() agent:run(1, 1) end, "agent.gathering_data: expected true or false, got 0")
  end)
end)

describe("actions that stick", function()
  it("are done several times, until the episode is over", function()
    local env = Tally{ limit = 7 }
    local agent = make(env, { sticky_action = 3 })
    local said = listen(agent)
    agent:run(1, 4)
    -- 1 + 2 + 3, 4 + 5 + 6, 7; then the next episode
    assert.same({ 6, 15, 7, 6 }, agent:dataset():rewards())
    assert.same({ { 0, 3, 6, 0 } }, agent:dataset():observations())
    assert.same({ false, false, true, false }, agent:dataset():terminals())
    assert.equal("chosen, taken, chosen, taken, chosen, taken, end true 7, chosen, taken, \z
      end false 6, epoch -1", said())
    assert.equal(10, env.acts)
    agent.sticky_action = 1
    agent:run(1, 2)
    assert.equal(12, env.acts)
    agent.sticky_action = 2
    agent:startMode(0, 1)
    agent:run(1, 1)
    assert.equal(3, (agent:totalRewardOverLastTest()))
  end)

  it("are done in each of several environments, whatever they are written in", function()
    local pole = deer.env "cartpole" { seed = 1 }
    local agent = make(pole, { n_envs = 3, sticky_action = 2 })
    agent:run(1, 300)
    local ends = 0
    for i, reward in ipairs(agent:dataset():rewards()) do
      local over = agent:dataset():terminals()[i]
      assert.is_true(reward == 2 or over and reward == 1)
      ends = ends + (over and 1 or 0)
    end
    assert.is_true(ends > 3)
  end)

  it("count steps of the time limit", function()
    local pole = deer.env "cartpole" { seed = 1, max_steps = 5 }
    local agent = make(pole, { sticky_action = 2, train_policy = deer.policies.EpsilonGreedyPolicy{
      epsilon = 0 } })
    agent:run(1, 30)
    for i, cut in ipairs(agent:dataset():truncateds()) do
      if cut and i < 30 then assert.equal(1, agent:dataset():rewards()[i]) end
    end
  end)

  it("are refused when they would not be done", function()
    local agent = make(Tally{})
    raises(function() make(Tally{}, { sticky_action = 0 }) end, "sticky_action")
    agent.sticky_action = 0
    raises(function() agent:run(1, 1) end, "agent.sticky_action: expected a whole number of at \z
      least 1, got 0")
    agent.sticky_action = "2"
    raises(function() agent:run(1, 1) end, "agent.sticky_action: expected a whole number")
  end)
end)

describe("the methods of DeeR's documentation", function()
  after_each(child.clean)

  it("are all there", function()
    for _, name in ipairs { "setControllersActive", "setLearningRate", "learningRate",
      "setDiscountFactor", "discountFactor", "overrideNextAction", "avgBellmanResidual",
      "avgEpisodeVValue", "totalRewardOverLastTest", "attach", "detach", "mode", "startMode",
      "resumeTrainingMode", "summarizeTestPerformance", "train", "dumpNetwork", "setNetwork", "run",
      "epsilon", "setEpsilon", "bestAction" } do
      assert.equal("function", type(deer.NeuralAgent[name]), name)
    end
    local set = deer.DataSet{ env = Tally{} }
    for _, name in ipairs { "actions", "rewards", "terminals", "observations", "nElems",
      "addSample", "randomBatch", "updatePriorities" } do
      assert.equal("function", type(set[name]), name)
    end
  end)

  it("do what they say", function()
    local env, said = Tally{}, {}
    local agent = make(env, { train_every = 1 })
    function env.summarizePerformance(_, set) said[#said + 1] = set:nElems() end
    local Mark = deer.Controller:extend "Mark"
    Mark.options = { name = { default = "" } }
    function Mark:init(options) self.name = options.name end
    function Mark:onEpochEnd() said[#said + 1] = self.name end
    local a, b, c = Mark{ name = "a" }, Mark{ name = "b" }, Mark{ name = "c" }
    for _, mark in ipairs { a, b, c } do agent:attach(mark) end
    assert.equal(b, agent:detach(1))
    agent:run(1, 20)
    agent:setControllersActive({ 0 }, false)
    agent:run(1, 20)
    agent:setControllersActive({ 0 }, true)
    agent:run(1, 20)
    assert.equal("a c c a c", table.concat(said, " "))
    raises(function() agent:detach(2) end, "0 to 1")

    agent:setLearningRate(0.25)
    agent:setDiscountFactor(0.5)
    agent:setEpsilon(0.75)
    assert.same({ 0.25, 0.5, 0.75 }, { agent:learningRate(), agent:discountFactor(),
      agent:epsilon() })
    raises(function() agent:setDiscountFactor(1.5) end, "1.5")

    assert.is_true(agent:avgBellmanResidual() > 0)
    raises(function() agent:summarizeTestPerformance() end, "no test epoch")
    raises(function() agent:startMode(-1, 5) end, "at least 0")
    agent:startMode(3, 6)
    assert.equal(3, agent:mode())
    agent:run(1, 6)
    agent:summarizeTestPerformance()
    assert.equal(6, said[#said])
    assert.same({ 21, 1 }, { agent:totalRewardOverLastTest() })
    assert.is_true(math.abs(agent:avgEpisodeVValue()) > 0)
    agent:resumeTrainingMode()
    assert.equal(-1, agent:mode())
    local action, value = agent:bestAction()
    local values = agent.learning_algo:qValues(agent:state())
    assert.equal(values[action + 1], value)
    assert.equal(math.max(table.unpack(values)), value)
    -- the mean of the epoch before stays until the next one begins
    assert.is_true(agent:train())
  end)

  it("override the next action, and keep the network", function()
    local agent = make(Tally{})
    agent:setEpsilon(0)
    agent:run(1, 10)
    for _, action in ipairs { 0, 1 } do
      agent:overrideNextAction(action)
      agent:run(1, 1)
      local actions = agent:dataset():actions()
      assert.equal(action, actions[#actions])
    end
    raises(function() agent:overrideNextAction(2) end, "0%.%.1")
    local before, folder = lfs.currentdir(), child.folder()
    assert(lfs.chdir(folder))
    local ok, message = pcall(function()
      local path = assert(agent:dumpNetwork("mine", 3))
      assert.equal("nnets/mine.epoch=3", path)
      local q = agent.learning_algo:qValues { { 1, 2 } }
      local other = make(Tally{}, { seed = 5 })
      other.learning_algo:setAllParams(agent.learning_algo:getAllParams())
      agent.learning_algo:setLearningRate(0.1)
      for _ = 1, 20 do agent:train() end
      assert.are_not.same(q, agent.learning_algo:qValues { { 1, 2 } })
      assert(agent:setNetwork("mine", 3))
      assert.same(q, agent.learning_algo:qValues { { 1, 2 } })
      assert.same(q, other.learning_algo:qValues { { 1, 2 } })
      assert.is_nil((agent:setNetwork "mine"))
      assert.same({ "mine.epoch=3" }, sys.listdir "nnets")
    end)
    assert(lfs.chdir(before))
    assert(ok, message)
  end)
end)
