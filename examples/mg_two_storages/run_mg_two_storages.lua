--- A deep Q-network runs a house with solar panels, a battery and a hydrogen storage; see
--- envs/mg_two_storages.lua. After each epoch, a year of training, the policy is tried on a year of
--- validation and one of tests. The network with the best validation score is kept, and in the end
--- its test year is drawn: plot_winter.png, plot_summer.png, plot_winter2.png and plot_year.png.
---
---   deerlua examples/mg_two_storages/run_mg_two_storages.lua --seed 1
---   deerlua examples/mg_two_storages/run_mg_two_storages.lua --pred yes --data-dir FOLDER
---   deerlua examples/mg_two_storages/run_mg_two_storages.lua --help

local deer = require "deer"
local MGTwoStorages = deer.env "mg_two_storages"
local bc = deer.controllers

local VALIDATION, TEST = 0, 1 -- modes

local params = deer.launcher(arg, {
  -- experiment
  steps_per_epoch = 8759,
  epochs = 30,
  steps_per_test = 8759,
  period_btw_summary_perfs = -1,
  -- environment
  frame_skip = 1,
  data_dir = "none",
  dist_equinox = false,
  pred = false,
  reduce_qty_data = 1,
  length_history = 12,
  start_history = 0,
  -- learning
  update_rule = "adam",
  batch_accumulator = "mean",
  learning_rate = 0.001,
  learning_rate_decay = 0.9,
  discount = 0.95,
  discount_inc = 0.99,
  discount_max = 0.98,
  rms_decay = 0.9,
  rms_epsilon = 0.0001,
  momentum = 0.0,
  clip_delta = 1.0,
  clip_norm = 0.0,
  epsilon_start = 1.0,
  epsilon_min = 0.1,
  epsilon_decay = 50000,
  update_frequency = 1,
  replay_memory_size = 1000000,
  batch_size = 32,
  network_type = "dense",
  freeze_interval = 1000,
  double_q = true,
  seed = 123456,
}, {
  help = {
    data_dir = "folder of DeeR's .npy files; none: years are drawn",
    dist_equinox = "observe the distance from midsummer",
    pred = "observe forecasts of the production",
  },
  presets = {
    -- what versions of DeeR were shipped with
    ["deer-0.2"] = {
      epochs = 200,
      update_rule = "deepmind_rmsprop",
      batch_accumulator = "sum",
      learning_rate = 0.0002,
      learning_rate_decay = 0.99,
      discount = 0.9,
      discount_inc = 0.99,
      discount_max = 0.98,
      rms_decay = 0.9,
      rms_epsilon = 0.0001,
      momentum = 0.0,
      clip_delta = 1.0,
      epsilon_start = 1.0,
      epsilon_min = 0.3,
      epsilon_decay = 500000,
      update_frequency = 1,
      batch_size = 32,
      network_type = "deer-0.2",
      freeze_interval = 1000,
      double_q = false,
    },
    ["deer-0.3"] = {
      epochs = 200,
      update_rule = "rmsprop",
      batch_accumulator = "mean",
      learning_rate = 0.005,
      learning_rate_decay = 0.99,
      discount = 0.9,
      epsilon_min = 0.3,
      epsilon_decay = 500000,
      network_type = "deer-0.2",
      double_q = false,
    },
    ["deer-0.4"] = {
      epochs = 200,
      update_rule = "rmsprop",
      batch_accumulator = "mean_outputs",
      learning_rate = 0.0002,
      learning_rate_decay = 0.99,
      discount = 0.9,
      clip_delta = 0.0,
      clip_norm = 1.0,
      epsilon_min = 0.3,
      epsilon_decay = 500000,
      network_type = "deer",
      double_q = false,
    },
  },
})
local fname = deer.saveParameters(params, "MG2S_")

-- the task
local env = MGTwoStorages{
  data_dir = params.data_dir ~= "none" and params.data_dir or nil,
  dist_equinox = params.dist_equinox,
  pred = params.pred,
  reduce_qty_data = params.reduce_qty_data,
  length_history = params.length_history,
  start_history = params.start_history,
  seed = params.seed,
}
for mode, name in deer.spairs { [-1] = "training", [VALIDATION] = "validation", [TEST] = "test" } do
  print(("A day of the %s year: %.2f kWh consumed, %.2f kWh produced"):format(name,
    env:daily(mode)))
end

-- what learns
local NETWORKS = { dense = { { "dense", units = 64 }, { "dense", units = 64 } } }
local qnetwork = deer.QNetwork{
  environment = env,
  rms_decay = params.rms_decay,
  rms_epsilon = params.rms_epsilon,
  momentum = params.momentum,
  clip_delta = params.clip_delta,
  clip_norm = params.clip_norm,
  freeze_interval = params.freeze_interval,
  batch_size = params.batch_size,
  network = NETWORKS[params.network_type] or params.network_type,
  update_rule = params.update_rule,
  batch_accumulator = params.batch_accumulator,
  double_q = params.double_q,
  seed = params.seed,
}

-- what acts and remembers
local agent = deer.NeuralAgent{
  environment = env,
  q_network = qnetwork,
  replay_memory_size = params.replay_memory_size,
  replay_start_size = params.length_history, -- the longest history of the observations
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

-- keeps the network of the best validation score in nnets/, all scores in scores/
local find_best = bc.FindBestController{
  validation_id = VALIDATION,
  test_id = TEST,
  unique_fname = fname,
}
agent:attach(find_best)

-- after each epoch: a year of validation, then one of tests
agent:attach(bc.InterleavedTestEpochController{
  id = VALIDATION,
  epoch_length = params.steps_per_test,
  periodicity = 1,
  show_score = true,
  summarize_every = -1,
})
agent:attach(bc.InterleavedTestEpochController{
  id = TEST,
  epoch_length = params.steps_per_test,
  periodicity = 1,
  show_score = true,
  summarize_every = params.period_btw_summary_perfs,
})

-- on a terminal: how far it is
agent:attach(bc.ProgressController{})

agent:run(params.epochs, params.steps_per_epoch)

-- the scores of all epochs, and the test year of the best network
if find_best.best then
  local epochs, validation, test = {}, {}, {}
  for i, row in ipairs(find_best.rows) do
    epochs[i], validation[i], test[i] = row.n, row.vs, row.ts
  end
  local figure = deer.plot.figure{ title = "Two storages" }
  figure:axes{ xlabel = "Number of epochs", ylabel = "Score" }
    :line(epochs, validation, { label = "Validation", color = "blue" })
    :line(epochs, test, { label = "Test", color = "red" })
  assert(figure:save(("scores/%s_scores.png"):format(fname)))

  assert(agent:setNetwork(fname, find_best.best.n))
  agent:startMode(TEST, params.steps_per_test)
  agent:run(1, params.steps_per_test)
  agent:summarizeTestPerformance()
end
