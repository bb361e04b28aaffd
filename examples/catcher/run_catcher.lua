--- A deep Q-network learns to catch a falling block from what it looks like, 36 x 36 pixels; see
--- envs/catcher.c. The score of an episode is 1 or -1.
---
---   deerlua examples/catcher/run_catcher.lua --seed 1
---   deerlua examples/catcher/run_catcher.lua --help

local deer = require "deer"

local params = deer.launcher(arg, {
  -- experiment
  steps_per_epoch = 1000,
  epochs = 10,
  steps_per_test = 450,
  period_btw_summary_perfs = 5,
  -- environment
  frame_skip = 1,
  higher_dim_obs = true, -- 36 x 36 pixels, else a grid of 10 x 10
  reverse = false, -- all pixels are negated
  -- learning
  update_rule = "adam",
  batch_accumulator = "mean",
  learning_rate = 0.001,
  learning_rate_decay = 0.8,
  discount = 0.9,
  discount_inc = 1.0,
  discount_max = 0.99,
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
  epsilon_decay = 3000,
  update_frequency = 2,
  replay_memory_size = 20000,
  batch_size = 32,
  network_type = "pixels",
  seed = 123456,
}, {
  help = { higher_dim_obs = "36 x 36 pixels, else a grid of 10 x 10",
    reverse = "all pixels are negated" },
})

local pixels = {
  branches = { { { "conv", filters = 8, rows = 4, columns = 4, stride_rows = 2,
    stride_columns = 2 }, { "conv", filters = 16, rows = 3, columns = 3, stride_rows = 2,
    stride_columns = 2 } } },
  trunk = { { "dense", units = 64 } },
}

local name = deer.saveParameters(params, "catcher_")
local env = deer.env "catcher" {
  seed = params.seed,
  higher_dim_obs = params.higher_dim_obs,
  reverse = params.reverse,
  path = params.period_btw_summary_perfs > 0 and name .. ".mp4" or nil,
}
local qnetwork = deer.QNetwork{
  environment = env,
  network = params.network_type == "pixels" and pixels or params.network_type,
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
  sticky_action = params.frame_skip,
  seed = params.seed,
}
local best = deer.experiment.attach(agent, params, { name = name, show_episodes = false })
agent:run(params.epochs, params.steps_per_epoch)
deer.experiment.finish(agent, best, 900)
