-- An agent that trains in several copies of its environment.

local child = require "tests.lua.child"
local deer = require "deer"

-- learns nothing and remembers what it was asked
local Counter = deer.Controller:extend "Counter"
function Counter:init() self.chosen, self.taken, self.episodes = {}, 0, {} end
function Counter:onActionChosen(agent)
  local i = agent:environmentIndex()
  self.chosen[i + 1] = (self.chosen[i + 1] or 0) + 1
end
function Counter:onActionTaken() self.taken = self.taken + 1 end
function Counter:onEpisodeEnd(agent, _, _)
  local _, steps = agent:lastEpisode()
  table.insert(self.episodes, { agent:environmentIndex(), steps })
end

-- an environment of one's own, in this script: a walk that ends at either end
local Walk = deer.Environment:extend "Walk"
Walk.options = { length = { default = 5, help = "cells to either side" } }
function Walk:init(options) self.length, self.rng = options.length, options.rng end
function Walk:reset() self.at = 0; return { { 0 } } end
function Walk:act(action)
  self.at = self.at + (action == 1 and 1 or -1)
  return self.at == self.length and 1 or 0
end
function Walk:observe() return { self.at } end
function Walk:inTerminalState() return math.abs(self.at) == self.length end
function Walk:inputDimensions() return { { 1 } } end
function Walk:nActions() return 2 end

local function make(env, options)
  local given = { environment = env, seed = 1, replay_start_size = 20, replay_memory_size = 1000,
    learning_algo = deer.QNetwork{ environment = env, seed = 1, batch_size = 8 } }
  for name, value in pairs(options) do given[name] = value end
  return deer.NeuralAgent(given)
end

local function samples(agent)
  local set, text = agent:dataset(), {}
  for i, action in ipairs(set:actions()) do
    text[i] = ("%d %.9g %s"):format(action, set:rewards()[i], tostring(set:terminals()[i]))
  end
  return table.concat(text, "\n")
end

describe("an agent with n_envs", function()
  it("tells each signal once for each environment and step", function()
    local agent, counter = make(deer.env "cartpole" { seed = 3 }, { n_envs = 4 }), Counter{}
    agent:attach(counter)
    agent:run(1, 402)
    assert.same({ 101, 101, 100, 100 }, counter.chosen)
    assert.equal(402, counter.taken)
    assert.equal(402, agent:steps())
    assert.equal(402, #agent:dataset():actions())
    local steps, of = 0, {}
    for _, episode in ipairs(counter.episodes) do
      steps, of[episode[1]] = steps + episode[2], true
    end
    assert.equal(402, steps)
    assert.same({ [0] = true, true, true, true }, of)
  end)

  it("trains, tests and overrides as with one", function()
    local agent = make(deer.env "cartpole" { seed = 3 }, { n_envs = 3 })
    local Overrider = deer.Controller:extend "Overrider"
    function Overrider:onActionChosen(at) -- luacheck: no self
      if at:environmentIndex() == 1 then at:overrideNextAction(1) end
    end
    agent:attach(deer.controllers.TrainerController{ evaluate_on = "action", periodicity = 3,
      show_avg_bellman_residual = false, show_episode_avg_v_value = false })
    agent:attach(Overrider{})
    local tests = 0
    local Tester = deer.Controller:extend "Tester"
    function Tester:onEpochEnd(at) -- luacheck: no self
      if at:mode() ~= -1 then return end
      at:startMode(0, 50)
      at:run(1, 50)
      at:resumeTrainingMode()
      tests = tests + #at:testDataset():actions()
    end
    agent:attach(Tester{})
    agent:run(2, 300)
    assert.equal(100, tests)
    assert.is_true(agent:avgBellmanResidual() > 0)
    local set, ones = agent:dataset(), 0
    for _, action in ipairs(set:actions()) do ones = ones + action end
    assert.equal(600, #set:actions())
    assert.is_true(ones >= 200)
  end)

  it("steps environments written in Lua, also those of the script itself", function()
    local agent, counter = make(Walk{ seed = 2, length = 3 }, { n_envs = 5,
      train_policy = deer.policies.EpsilonGreedyPolicy{ epsilon = 1 } }), Counter{}
    agent:attach(counter)
    agent:run(1, 500)
    assert.same({ 100, 100, 100, 100, 100 }, counter.chosen)
    assert.is_true(#counter.episodes > 25)
    local set = agent:dataset()
    for i, terminal in ipairs(set:terminals()) do
      if set:rewards()[i] == 1 then assert.is_true(terminal) end
    end
  end)

  it("repeats itself", function()
    local function once(seed)
      local agent = make(deer.env "cartpole" { seed = seed }, { n_envs = 3, train_every = 2 })
      agent:run(2, 150)
      return samples(agent)
    end
    assert.equal(once(4), once(4))
    assert.not_equal(once(4), once(5))
  end)

  it("does the same on two threads", function()
    local folder = child.tree{ ["two.lua"] = [[
local deer = require "deer"
local env = deer.env "pendulum" { seed = 3 }
local algo = deer.SAC{ environment = env, seed = 1, batch_size = 16,
  network = { { "dense", units = 8 } } }
local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, n_envs = 8, seed = 1,
  train_every = 1, replay_start_size = 20 }
agent:run(2, 100)
print(("%.17g"):format(agent:avgBellmanResidual()))
]] }
    local _, one = child.run { folder .. "/two.lua" }
    local _, two = child.run { "--threads", "2", folder .. "/two.lua" }
    child.clean()
    assert.is_truthy(tonumber(one))
    assert.equal(one, two)
  end)

  it("refuses what cannot be copied", function()
    local walk = Walk{ seed = 2 }
    walk.act = function() return 0 end
    assert.has_error(function() make(walk, { n_envs = 2 }) end)
    local _, message = pcall(make, walk, { n_envs = 2 })
    assert.matches("NeuralAgent: option 'n_envs': the Walk cannot be copied: ", message, 1, true)
    assert.matches("has a 'act' of its own", message, 1, true)
    _, message = pcall(make, Walk{}, { n_envs = 0 })
    assert.matches("'n_envs'", tostring(message))
  end)
end)
