--- What was learnt elsewhere: two deep Q-networks drive a car up hills that are easier, each in its
--- own way. Put side by side, so that they begin with the mean of both, they learn the real hill.
---   deerlua examples/16_two_networks_as_one.lua [epochs]
local deer = require "deer"

local epochs, seed = tonumber(arg[1]) or 20, tonumber(arg[2]) or 1
local Car = deer.env "mountain_car"

local function network(env, description)
  return deer.QNetwork{ environment = env, update_rule = "adam", learning_rate = 0.001,
    discount = 0.98, batch_size = 64, freeze_interval = 200, double_q = true, clip_delta = 1,
    batch_accumulator = "mean", seed = seed,
    network = description or { { "dense", units = 64 }, { "dense", units = 64 } } }
end

-- learns for some epochs and ends with the parameters that did best in a test
local function learn(algo, most_random)
  local agent = deer.NeuralAgent{ environment = algo.environment, learning_algo = algo, seed = seed,
    train_every = 1, replay_start_size = 1000, replay_memory_size = 50000,
    train_policy = deer.policies.LongerExplorationPolicy{ length = 10 } }
  local bc = deer.controllers
  agent:attach(bc.EpsilonController{ initial_e = most_random, e_min = 0.05,
    e_decays = epochs * 500 })
  agent:attach(bc.FindBestController{ restore = true })
  agent:attach(bc.InterleavedTestEpochController{ epoch_length = 4000, show_score = false })
  agent:run(epochs, 1000)
  return algo
end

-- the mean return on the real hill, without exploration
local function score(algo)
  local judge = deer.NeuralAgent{ environment = Car{ seed = 99 }, learning_algo = algo, seed = 99 }
  judge:startMode(0, 20000)
  judge:run(1, 20000)
  return (judge:totalRewardOverLastTest())
end

local strong = learn(network(Car{ power = 2, seed = seed }), 1)
local low = learn(network(Car{ height = 0.5, seed = seed }), 1)
local both = network(Car{ seed = seed }, deer.fusion.network(strong:description(),
  low:description()))
both:setAllParams(deer.fusion.join(both:getAllParams(), strong:getAllParams(), low:getAllParams()))

print(("an engine twice as strong: %.1f on the real hill"):format(score(strong)))
print(("a hill half as high:       %.1f"):format(score(low)))
print(("the mean of both:          %.1f"):format(score(both)))
learn(both, 0.3)
print(("both, after learning:      %.1f"):format(score(both)))
