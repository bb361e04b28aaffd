--- Learning in four environments in step: as many steps and updates teach as much as in one. With
--- one, seeds 1 to 3 score -202, -121, -275 in the pendulum and 217, 167, 179 with the pole; with
--- four -274, -121, -151 and 208, 185, 217.
local deer = require "deer"

describe("four environments in step #learn", function()
  -- chance gives -1200
  it("swing the pendulum up", function()
    local env = deer.env "pendulum" { seed = 2 }
    local algo = deer.SAC{ environment = env, discount = 0.98, seed = 2 }
    local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, seed = 2,
      train_every = 1, n_envs = 4, replay_start_size = 1000, replay_memory_size = 20000 }
    agent:run(1, 6000)
    agent:startMode(0, 4000)
    agent:run(1, 4000)
    local mean = agent:totalRewardOverLastTest()
    assert.is_true(mean >= -200, ("SAC: %.1f"):format(mean))
  end)

  -- chance gives 22
  it("balance the pole for a while", function()
    local env = deer.env "cartpole" { seed = 1 }
    local algo = deer.QNetwork{ environment = env, seed = 1, update_rule = "adam", discount = 0.99,
      learning_rate = 1e-3, batch_accumulator = "mean", batch_size = 64, tau = 0.01,
      network = { { "dense", units = 64 }, { "dense", units = 64 } } }
    local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, seed = 1,
      train_every = 1, n_envs = 4, replay_start_size = 1000, replay_memory_size = 50000 }
    agent:run(5, 1000)
    agent:startMode(0, 5000)
    agent:run(1, 5000)
    local mean = agent:totalRewardOverLastTest()
    assert.is_true(mean >= 120, ("DQN: %.1f"):format(mean))
  end)
end)
