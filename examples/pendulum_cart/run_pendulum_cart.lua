--- A deep Q-network learns to swing up the pole of a cart and to keep both where they belong; see
--- envs/pendulum_cart.c. A policy that hangs scores about -3000 in 1000 steps, one that balances
--- more than -150.
---
---   deerlua examples/pendulum_cart/run_pendulum_cart.lua --seed 1
---   deerlua examples/pendulum_cart/run_pendulum_cart.lua --help

local deer = require "deer"

local params = deer.launcher(arg, {
  -- experiment
  steps_per_epoch = 1000,
  epochs = 30,
  steps_per_test = 10000,
  period_btw_summary_perfs = 10,
  -- environment
  frame_skip = 1,
  training_steps = 200, -- of an episode: many starts, as swinging up is the hardest part
  -- learning
  update_rule = "adam",
  batch_accumulator = "mean",
  learning_rate = 0.003,
  learning_rate_decay = 0.88,
  discount = 0.98,
  discount_inc = 1.0,
  discount_max = 0.999,
  rms_decay = 0.9,
  rms_epsilon = 0.0001,
  momentum = 0.0,
  clip_delta = 0.0,
  clip_norm = 0.0,
  double_q = true,
  tau = 0.01, -- the target network follows slowly; 0: it is copied every freeze_interval updates
  freeze_interval = 100,
  epsilon_start = 1.0,
  epsilon_min = 0.1,
  epsilon_decay = 5000,
  update_frequency = 1,
  updates = 3, -- at a time
  replay_memory_size = 1000000,
  replay_start_size = 1000,
  batch_size = 64,
  network_type = "three layers",
  seed = 12345,
}, {
  help = {
    training_steps = "of an episode in training; 0: no limit", updates = "at a time",
  },
  presets = {
    -- what versions of DeeR were shipped with
    ["deer-0.2"] = {
      epochs = 200,
      steps_per_test = 1000,
      training_steps = 0,
      update_rule = "deepmind_rmsprop",
      batch_accumulator = "sum",
      learning_rate = 0.001,
      learning_rate_decay = 0.99,
      discount = 0.9,
      discount_inc = 0.99,
      discount_max = 0.95,
      clip_delta = 1.0,
      double_q = false,
      tau = 0.0,
      epsilon_min = 0.2,
      epsilon_decay = 10000,
      updates = 1,
      replay_start_size = 1,
      batch_size = 32,
      network_type = "deer-0.2",
    },
    ["deer-0.3"] = {
      epochs = 200,
      steps_per_test = 1000,
      training_steps = 0,
      update_rule = "rmsprop",
      batch_accumulator = "mean",
      learning_rate = 0.005,
      learning_rate_decay = 0.99,
      discount = 0.9,
      discount_inc = 0.99,
      discount_max = 0.95,
      clip_delta = 1.0,
      double_q = false,
      tau = 0.0,
      epsilon_min = 0.2,
      epsilon_decay = 10000,
      updates = 1,
      replay_start_size = 1,
      batch_size = 32,
      network_type = "deer-0.2",
    },
  },
})

-- position, speed, angle and turning speed, brought near 1
local function scaled(factor) return { { "scale", factor = factor } } end
local hidden = { "dense", units = 128 }
local three_layers = {
  branches = { scaled(1), scaled(0.2), scaled(1), scaled(0.2) },
  trunk = { hidden, hidden, hidden },
}

local name = deer.saveParameters(params, "pendulum_cart_")
local env = deer.env "pendulum_cart" {
  seed = params.seed,
  training_steps = params.training_steps,
  max_steps = 1000, -- so that a test has several starts
  path = params.period_btw_summary_perfs > 0 and name .. ".mp4" or nil,
  curves = { { "Position (m)", 0 }, { "Angle (rad)", 2 } }, -- below the film
}
local qnetwork = deer.QNetwork{
  environment = env,
  network = params.network_type == "three layers" and three_layers or params.network_type,
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
local best = deer.experiment.attach(agent, params, { name = name, updates = params.updates })
agent:run(params.epochs, params.steps_per_epoch)
deer.experiment.finish(agent, best, 20000)
