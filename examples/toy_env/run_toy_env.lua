--- A deep Q-network learns to trade on a toy market; see envs/toy_env.lua for its rules. After each
--- epoch of training the policy is tested on prices it has never seen, and after the last one a
--- picture of it is drawn. The parameters are kept in params/.
---
---   deerlua examples/toy_env/run_toy_env.lua --epochs 20 --seed 1
---   deerlua examples/toy_env/run_toy_env.lua --help

local deer = require "deer"
local ToyEnv = deer.env "toy_env"
local bc = deer.controllers

local params = deer.launcher(arg, {
  -- experiment
  steps_per_epoch = 1000,
  epochs = 10,
  steps_per_test = 500,
  period_btw_summary_perfs = 10,
  -- environment
  frame_skip = 1,
  -- learning
  update_rule = "adam",
  batch_accumulator = "mean",
  learning_rate = 0.002,
  learning_rate_decay = 0.8,
  discount = 0.9,
  discount_inc = 1.0,
  discount_max = 0.99,
  rms_decay = 0.9,
  rms_epsilon = 0.0001,
  momentum = 0.0,
  clip_delta = 0.0,
  clip_norm = 0.0,
  epsilon_start = 1.0,
  epsilon_min = 0.3,
  epsilon_decay = 10000,
  update_frequency = 1,
  replay_memory_size = 1000000,
  batch_size = 96,
  network_type = "deer",
  freeze_interval = 50,
  seed = 123456,
}, {
  presets = {
    -- what versions of DeeR were shipped with
    ["deer-0.2"] = {
      epochs = 50,
      update_rule = "deepmind_rmsprop",
      batch_accumulator = "sum",
      learning_rate = 0.0002,
      learning_rate_decay = 1.0,
      discount = 0.9,
      discount_inc = 1.0,
      discount_max = 0.99,
      rms_decay = 0.9,
      rms_epsilon = 0.0001,
      momentum = 0.0,
      clip_delta = 1.0,
      epsilon_start = 1.0,
      epsilon_min = 0.1,
      epsilon_decay = 10000,
      update_frequency = 1,
      batch_size = 32,
      network_type = "deer-0.2",
      freeze_interval = 1000,
      period_btw_summary_perfs = 10,
    },
    ["deer-0.3"] = {
      epochs = 50,
      update_rule = "rmsprop",
      batch_accumulator = "mean",
      learning_rate = 0.005,
      learning_rate_decay = 1.0,
      clip_delta = 1.0,
      epsilon_min = 0.1,
      batch_size = 32,
      network_type = "deer-0.2",
      freeze_interval = 1000,
    },
    ["deer-0.4"] = {
      epochs = 50,
      period_btw_summary_perfs = 1,
      update_rule = "rmsprop",
      batch_accumulator = "mean_outputs",
      learning_rate = 0.005,
      learning_rate_decay = 1.0,
      clip_norm = 1.0,
      epsilon_min = 0.1,
      batch_size = 32,
      network_type = "deer",
      freeze_interval = 1000,
    },
  },
})

deer.saveParameters(params, "toy_env_")

-- as in DeeR, one generator gives the prices and then the first weights
local rng = deer.RandomState(params.seed)

-- the task
local env = ToyEnv{ random_state = rng }

-- what learns
local qnetwork = deer.QNetwork{
  environment = env,
  rms_decay = params.rms_decay,
  rms_epsilon = params.rms_epsilon,
  momentum = params.momentum,
  clip_delta = params.clip_delta,
  clip_norm = params.clip_norm,
  freeze_interval = params.freeze_interval,
  batch_size = params.batch_size,
  network_type = params.network_type,
  update_rule = params.update_rule,
  batch_accumulator = params.batch_accumulator,
  random_state = rng,
}

-- what acts and remembers
local agent = deer.NeuralAgent{
  environment = env,
  q_network = qnetwork,
  replay_memory_size = params.replay_memory_size,
  replay_start_size = 6, -- the longest history of the observations
  batch_size = params.batch_size,
  sticky_action = params.frame_skip,
  seed = params.seed,
}

-- before each epoch's changes: what was in force
agent:attach(bc.VerboseController{ evaluate_on = "epoch", periodicity = 1 })

-- after each action: learn from a batch
agent:attach(bc.TrainerController{
  evaluate_on = "action",
  periodicity = params.update_frequency,
  show_episode_avg_V_value = true,
  show_avg_Bellman_residual = true,
})

-- after each epoch: other learning rates and discount factors
agent:attach(bc.LearningRateController{
  initial_learning_rate = params.learning_rate,
  learning_rate_decay = params.learning_rate_decay,
  periodicity = 1,
})
agent:attach(bc.DiscountFactorController{
  initial_discount_factor = params.discount,
  discount_factor_growth = params.discount_inc,
  discount_factor_max = params.discount_max,
  periodicity = 1,
})

-- after each action: explore a little less
agent:attach(bc.EpsilonController{
  initial_e = params.epsilon_start,
  e_decays = params.epsilon_decay,
  e_min = params.epsilon_min,
  evaluate_on = "action",
  periodicity = 1,
  reset_every = "none",
})

-- after each epoch: a test on the other half of the prices
agent:attach(bc.InterleavedTestEpochController{
  id = 0,
  epoch_length = params.steps_per_test,
  periodicity = 1,
  show_score = true,
  summarize_every = params.period_btw_summary_perfs,
})

-- on a terminal: how far it is
agent:attach(bc.ProgressController{})

agent:run(params.epochs, params.steps_per_epoch)
