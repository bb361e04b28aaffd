--- Saving a trained network and going on with it in another agent.
---   deerlua examples/05_save_and_load.lua
local deer = require "deer"
local bc = deer.controllers

-- a new agent with a network of its own
local function make(seed)
  local env = deer.env "toy_env" { seed = 1 }
  local qnetwork = deer.QNetwork{ environment = env, update_rule = "adam", learning_rate = 0.002,
    freeze_interval = 50, batch_size = 64, seed = seed }
  local agent = deer.NeuralAgent{ environment = env, learning_algo = qnetwork, seed = seed }
  agent:attach(bc.TrainerController{ show_episode_avg_V_value = false,
    show_avg_Bellman_residual = false })
  return agent
end

-- the score of 500 test steps, without exploration or learning
local function test(agent)
  agent:startMode(0, 500)
  agent:run(1, 500)
  local score = agent:totalRewardOverLastTest()
  agent:resumeTrainingMode()
  return score
end

local first = make(1)
first:run(4, 1000)
assert(first:dumpNetwork("toy_market")) -- nnets/toy_market, a safetensors file

local second = make(2)
print(("a new network:    %.1f"):format(test(second)))
assert(second:setNetwork("toy_market"))
print(("the saved one:    %.1f"):format(test(second)))
assert(test(first) == test(second))
second:run(4, 1000)
print(("trained further:  %.1f"):format(test(second)))
