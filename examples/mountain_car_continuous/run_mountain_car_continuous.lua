--- An actor-critic learns to swing a car out of a valley with pushes of any strength; see
--- envs/mountain_car_continuous.c. The score is near 1 for being up with few and weak pushes.
---
--- As in DeeR an action lasts for several moves of the car, the rewards are divided by 100, and
--- exploring actions come in sequences that lean to one side.
---
---   deerlua examples/mountain_car_continuous/run_mountain_car_continuous.lua --seed 1
---   deerlua examples/mountain_car_continuous/run_mountain_car_continuous.lua --help

local deer = require "deer"

local params = deer.launcher(arg, {
  -- experiment
  steps_per_epoch = 1000,
  epochs = 20,
  steps_per_test = 1000,
  period_btw_summary_perfs = 10,
  -- environment
  frame_skip = 10,
  max_moves = 1000, -- of the car in an episode
  reward_scale = 0.01,
  start_anywhere = true,
  split = true, -- two subjects of one number each, not one of two
  -- learning
  update_rule = "adam",
  learning_rate = 0.001,
  learning_rate_decay = 0.9,
  discount = 0.97,
  discount_inc = 1.0,
  discount_max = 0.99,
  clip_norm = 0.0,
  exp_priority = 0.0,
  epsilon_start = 1.0,
  epsilon_min = 0.2,
  epsilon_decay = 5000,
  update_frequency = 1,
  replay_memory_size = 1000000,
  batch_size = 64,
  network_type = "scaled",
  seed = 12345,
}, {
  help = {
    max_moves = "of the car in an episode", reward_scale = "rewards are multiplied by it",
    split = "two subjects of one number each",
    start_anywhere = "training episodes begin anywhere in the valley",
  },
  presets = {
    -- what versions of DeeR were shipped with
    ["deer-0.3"] = {
      steps_per_epoch = 200,
      epochs = 200,
      steps_per_test = 200,
      frame_skip = 5,
      start_anywhere = false,
      update_rule = "rmsprop",
      learning_rate = 0.005,
      learning_rate_decay = 0.99,
      discount = 0.9,
      discount_inc = 0.99,
      discount_max = 0.95,
      exp_priority = 1.0,
      epsilon_decay = 10000,
      batch_size = 32,
      network_type = "deer",
    },
    ["deer-0.4"] = {
      steps_per_epoch = 200,
      epochs = 200,
      steps_per_test = 200,
      start_anywhere = false,
      update_rule = "rmsprop",
      learning_rate = 0.002,
      learning_rate_decay = 0.99,
      discount = 0.9,
      discount_inc = 0.99,
      discount_max = 0.95,
      clip_norm = 1.0,
      exp_priority = 1.0,
      epsilon_decay = 10000,
      batch_size = 32,
      network_type = "deer",
    },
  },
})

-- position and speed, brought near 1
local hidden = { "dense", units = 64 }
local scaled = {
  branches = { { { "scale", factor = 1, offset = -0.5 } }, { { "scale", factor = 15 } } },
  trunk = { hidden, hidden },
}

local env_steps = math.max(1, params.max_moves // params.frame_skip)
local name = deer.saveParameters(params, "mountain_car_continuous_")
local env = deer.env "mountain_car_continuous" {
  seed = params.seed,
  frame_skip = params.frame_skip,
  max_steps = env_steps,
  reward_scale = params.reward_scale,
  start_anywhere = params.start_anywhere,
  split = params.split,
  path = params.period_btw_summary_perfs > 0 and name .. ".mp4" or nil,
}
local actor_critic = deer.ActorCritic{
  environment = env,
  network = params.network_type == "scaled" and scaled or params.network_type,
  update_rule = params.update_rule,
  clip_norm = params.clip_norm,
  batch_size = params.batch_size,
  seed = params.seed,
}
local agent = deer.NeuralAgent{
  environment = env,
  learning_algo = actor_critic,
  replay_memory_size = params.replay_memory_size,
  exp_priority = params.exp_priority,
  train_policy = deer.policies.LongerExplorationPolicy{ epsilon = 1, length = 10 },
  seed = params.seed,
}
local best = deer.experiment.attach(agent, params, { name = name, show_episodes = false })
agent:run(params.epochs, params.steps_per_epoch)
deer.experiment.finish(agent, best, 100 * env_steps)
