--- A deep Q-network learns to swing a car out of a valley; see envs/mountain_car.c. The score is
--- minus the moves of the car until it is up; -110 counts as solved, -200 is never.
---
--- As in DeeR an action lasts for several moves of the car, and training begins anywhere in the
--- valley, so that reaching the top is not left to chance.
---
---   deerlua examples/mountain_car/run_mountain_car.lua --seed 1
---   deerlua examples/mountain_car/run_mountain_car.lua --help

local deer = require "deer"

local params = deer.launcher(arg, {
  -- experiment
  steps_per_epoch = 1000,
  epochs = 40,
  steps_per_test = 2000,
  period_btw_summary_perfs = 10,
  -- environment
  frame_skip = 4,
  max_moves = 200, -- of the car in an episode
  bonus = 0.0,
  reward_scale = 1.0,
  start_anywhere = true,
  split = true, -- two subjects of one number each, not one of two
  -- learning
  update_rule = "adam",
  batch_accumulator = "mean",
  learning_rate = 0.003,
  learning_rate_decay = 0.95,
  discount = 0.99,
  discount_inc = 1.0,
  discount_max = 0.999,
  rms_decay = 0.9,
  rms_epsilon = 0.0001,
  momentum = 0.0,
  clip_delta = 0.0,
  clip_norm = 0.0,
  double_q = true,
  exp_priority = 0.0,
  exploration_length = 10,
  tau = 0.01, -- the target network follows slowly; 0: it is copied every freeze_interval updates
  freeze_interval = 100,
  epsilon_start = 1.0,
  epsilon_min = 0.1,
  epsilon_decay = 5000,
  update_frequency = 1,
  replay_memory_size = 1000000,
  batch_size = 128,
  network_type = "scaled",
  seed = 12345,
}, {
  help = {
    bonus = "reward at the goal", max_moves = "of the car in an episode",
    exploration_length = "actions of an exploring sequence",
    reward_scale = "rewards are multiplied by it", split = "two subjects of one number each",
    start_anywhere = "training episodes begin anywhere in the valley",
  },
  presets = {
    -- what versions of DeeR were shipped with
    ["deer-0.2"] = {
      steps_per_epoch = 200,
      epochs = 200,
      steps_per_test = 200,
      frame_skip = 5,
      update_rule = "sgd",
      batch_accumulator = "sum",
      learning_rate = 0.0005,
      learning_rate_decay = 0.99,
      discount = 0.9,
      discount_inc = 0.99,
      discount_max = 0.95,
      clip_delta = 1.0,
      exp_priority = 1.0,
      exploration_length = 1,
      tau = 0.0,
      epsilon_min = 0.2,
      epsilon_decay = 10000,
      batch_size = 32,
      network_type = "deer-0.2",
    },
    ["deer-0.3"] = {
      steps_per_epoch = 200,
      epochs = 200,
      steps_per_test = 200,
      frame_skip = 5,
      update_rule = "rmsprop",
      batch_accumulator = "mean",
      learning_rate = 0.005,
      learning_rate_decay = 0.99,
      discount = 0.9,
      discount_inc = 0.99,
      discount_max = 0.95,
      clip_delta = 1.0,
      exp_priority = 1.0,
      exploration_length = 1,
      tau = 0.0,
      epsilon_min = 0.2,
      epsilon_decay = 10000,
      batch_size = 32,
      network_type = "deer-0.2",
    },
    ["deer-0.4"] = {
      steps_per_epoch = 200,
      epochs = 200,
      steps_per_test = 200,
      frame_skip = 10,
      max_moves = 500,
      bonus = 30.0,
      reward_scale = 0.1,
      start_anywhere = false,
      update_rule = "rmsprop",
      batch_accumulator = "mean_outputs",
      learning_rate = 0.005,
      learning_rate_decay = 0.99,
      discount = 0.9,
      discount_inc = 0.99,
      discount_max = 0.95,
      clip_norm = 1.0,
      exp_priority = 1.0,
      tau = 0.0,
      epsilon_min = 0.2,
      epsilon_decay = 10000,
      batch_size = 32,
      network_type = "deer",
    },
  },
})

-- position and speed, brought near 1
local hidden = { "dense", units = 128 }
local scaled = {
  branches = { { { "scale", factor = 1, offset = -0.5 } }, { { "scale", factor = 15 } } },
  trunk = { hidden, hidden },
}

local env_steps = math.max(1, params.max_moves // params.frame_skip)
local name = deer.saveParameters(params, "mountain_car_")
local env = deer.env "mountain_car" {
  seed = params.seed,
  frame_skip = params.frame_skip,
  max_steps = env_steps,
  bonus = params.bonus,
  reward_scale = params.reward_scale,
  start_anywhere = params.start_anywhere,
  split = params.split,
  path = params.period_btw_summary_perfs > 0 and name .. ".mp4" or nil,
}
local qnetwork = deer.QNetwork{
  environment = env,
  network = params.network_type == "scaled" and scaled or params.network_type,
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
  exp_priority = params.exp_priority,
  train_policy = deer.policies.LongerExplorationPolicy{ epsilon = 1,
    length = params.exploration_length },
  seed = params.seed,
}
local best = deer.experiment.attach(agent, params, { name = name, show_episodes = false })
agent:run(params.epochs, params.steps_per_epoch)
deer.experiment.finish(agent, best, 100 * env_steps)
