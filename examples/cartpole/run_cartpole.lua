--- A deep Q-network learns to balance CartPole-v1; see envs/cartpole.c. A score is the steps until
--- the pole falls, 500 at most.
---
---   deerlua examples/cartpole/run_cartpole.lua --seed 1
---   deerlua examples/cartpole/run_cartpole.lua --help

local deer = require "deer"

local params = deer.launcher(arg, {
  -- experiment
  steps_per_epoch = 1000,
  epochs = 50,
  steps_per_test = 5000,
  period_btw_summary_perfs = 10,
  -- environment
  frame_skip = 1,
  max_steps = 500,
  split = false, -- four subjects of one number each
  -- learning
  update_rule = "adam",
  batch_accumulator = "mean",
  learning_rate = 0.001,
  learning_rate_decay = 0.94,
  discount = 0.99,
  discount_inc = 1.0,
  discount_max = 0.999,
  rms_decay = 0.9,
  rms_epsilon = 0.0001,
  momentum = 0.0,
  clip_delta = 0.0,
  clip_norm = 0.0,
  double_q = false,
  dueling = true,
  tau = 0.01, -- the target network follows slowly; 0: it is copied every freeze_interval updates
  freeze_interval = 500,
  epsilon_start = 1.0,
  epsilon_min = 0.05,
  epsilon_decay = 10000,
  update_frequency = 1,
  replay_memory_size = 50000,
  replay_start_size = 1000,
  batch_size = 64,
  network_type = "two layers",
  seed = 12345,
}, {
  help = {
    max_steps = "steps of an episode", split = "four subjects of one number each",
  },
  presets = {
    -- what versions of DeeR were shipped with, for CartPole-v0 in tests of 100 steps
    ["deer-0.2"] = {
      steps_per_epoch = 100,
      epochs = 200,
      steps_per_test = 100,
      max_steps = 200,
      split = true,
      update_rule = "sgd",
      batch_accumulator = "sum",
      learning_rate = 0.0001,
      learning_rate_decay = 0.99,
      discount = 0.9,
      discount_max = 0.95,
      clip_delta = 1.0,
      double_q = true,
      dueling = false,
      tau = 0.0,
      freeze_interval = 100,
      epsilon_min = 0.2,
      replay_memory_size = 1000000,
      replay_start_size = 1,
      batch_size = 32,
      network_type = "deer-0.2",
    },
    ["deer-0.3"] = {
      steps_per_epoch = 100,
      epochs = 200,
      steps_per_test = 100,
      max_steps = 200,
      split = true,
      update_rule = "sgd",
      batch_accumulator = "mean",
      learning_rate = 0.005,
      learning_rate_decay = 0.99,
      discount = 0.9,
      discount_max = 0.95,
      clip_delta = 1.0,
      double_q = true,
      dueling = false,
      tau = 0.0,
      freeze_interval = 100,
      epsilon_min = 0.2,
      replay_memory_size = 1000000,
      replay_start_size = 1,
      batch_size = 32,
      network_type = "deer-0.2",
    },
    ["deer-0.4"] = {
      steps_per_epoch = 100,
      epochs = 200,
      steps_per_test = 100,
      max_steps = 200,
      split = true,
      update_rule = "rmsprop",
      batch_accumulator = "mean_outputs",
      learning_rate = 0.0002,
      learning_rate_decay = 0.99,
      discount = 0.9,
      discount_max = 0.95,
      clip_norm = 1.0,
      double_q = true,
      dueling = false,
      tau = 0.0,
      epsilon_min = 0.2,
      replay_memory_size = 1000000,
      replay_start_size = 1,
      batch_size = 32,
      network_type = "deer",
    },
  },
})

local hidden = { "dense", units = 128 }

local name = deer.saveParameters(params, "cartpole_")
local env = deer.env "cartpole" {
  seed = params.seed,
  max_steps = params.max_steps,
  split = params.split,
  path = params.period_btw_summary_perfs > 0 and name .. ".mp4" or nil,
}
local qnetwork = deer.QNetwork{
  environment = env,
  network = params.network_type == "two layers" and { hidden, hidden } or params.network_type,
  dueling = params.dueling,
  dueling_hidden = params.dueling and 64 or 0,
  update_rule = params.update_rule,
  batch_accumulator = params.batch_accumulator,
  rms_decay = params.rms_decay,
  rms_epsilon = params.rms_epsilon,
  momentum = params.momentum,
  clip_delta = params.clip_delta,
  clip_norm = params.clip_norm,
  double_q = params.double_q,
  tau = params.tau,
  freeze_interval = params.freeze_interval,
  batch_size = params.batch_size,
  seed = params.seed,
}
local agent = deer.NeuralAgent{
  environment = env,
  learning_algo = qnetwork,
  replay_memory_size = params.replay_memory_size,
  replay_start_size = params.replay_start_size,
  sticky_action = params.frame_skip,
  seed = params.seed,
}
local best = deer.experiment.attach(agent, params, { name = name, show_episodes = false })
agent:run(params.epochs, params.steps_per_epoch)
deer.experiment.finish(agent, best, 100 * params.max_steps)
