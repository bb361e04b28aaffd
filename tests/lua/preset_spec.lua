-- deer.preset: options that are known to work, as tables that may be changed.
local child = require "child"
local deer = require "deer"
local raises = require "raises"
local Preset = require "deer.preset"

local function small(name)
  local preset = deer.preset(name)
  preset.algo_options.network = { { "dense", units = 8 } }
  preset.algo_options.batch_size = 8
  preset.agent_options.replay_start_size = 20
  return preset
end

describe("a preset", function()
  after_each(child.clean)

  it("gives a copy", function()
    local preset = deer.preset "cartpole/dqn"
    preset.algo_options.batch_size = 1
    preset.controllers[1] = nil
    local again = deer.preset "cartpole/dqn"
    assert.equal(128, again.algo_options.batch_size)
    assert.equal("EpsilonController", again.controllers[1][1])
    assert.is_nil(again.algo_options.double_q)
    assert.is_true(deer.preset("cartpole/double").algo_options.double_q)
  end)

  it("that is there is listed, and makes an agent that learns", function()
    local names = Preset.names()
    assert.is_true(#names >= 6)
    for _, name in ipairs(names) do
      local preset = deer.preset(name)
      assert.equal(name:find "^any/" and "nil" or "string", type(preset.environment))
      assert.is_true(preset.epochs * preset.epoch_length > 0)
    end
    for _, name in ipairs { "dqn", "noisy", "qr" } do
      local preset = small("cartpole/" .. name)
      local agent = preset:agent{ seed = 3 }
      agent:run(2, 100)
      assert.equal(180, agent.learning_algo:updates())
      local mean, episodes = preset:score(agent, 300)
      assert.is_true(mean >= 8 and episodes >= 1)
      assert.equal(mean, (preset:score(agent, 300)))
    end
  end)

  it("does the same with the same seed", function()
    local function values(seed)
      local agent = small("cartpole/noisy"):agent{ seed = seed }
      agent:run(1, 100)
      return agent.learning_algo:qValues { { { 0, 0, 0, 0 } } }
    end
    assert.same(values(4), values(4))
    assert.not_same(values(4), values(5))
  end)

  it("that is not there is refused with the nearest name", function()
    raises(function() deer.preset "cartpole/dqm" end,
      "^there is no preset 'cartpole/dqm'.*cartpole/dqn")
    raises(function() deer.preset(3) end, "^preset: expected a name .*, got 3")
  end)
end)

describe("a deep Q-network", function()
  local function network(options)
    options.environment, options.seed = deer.env "cartpole" { seed = 1 }, 1
    return deer.QNetwork(options)
  end

  it("explores by its noise, if it has any", function()
    assert.equal("StochasticPolicy", network{ noisy = true }:explorationPolicy().__name)
    assert.equal("EpsilonGreedyPolicy", network{}:explorationPolicy().__name)
  end)

  it("says what contradicts what", function()
    raises(function() network{ distribution = "categorical", v_min = 2, v_max = 1 } end,
      "^expected v_min below v_max, got 2 and 1")
    raises(function() network{ dueling_hidden = 4 } end, "^option 'dueling_hidden' is of dueling")
  end)
end)
