--- A deep Q-network that stores hydrogen in summer and uses it in winter, after ten to thirty years
--- of training; examples/mg_two_storages/run_mg_two_storages.lua besides keeps the best network.
return {
  environment = "mg_two_storages",
  algo = "QNetwork",
  algo_options = {
    network = { { "dense", units = 64 }, { "dense", units = 64 } },
    update_rule = "adam",
    batch_size = 32,
    batch_accumulator = "mean",
    clip_delta = 1,
    freeze_interval = 1000,
    double_q = true,
  },
  agent_options = { train_every = 1, replay_memory_size = 1000000 },
  controllers = {
    { "EpsilonController", { initial_e = 1, e_min = 0.1, e_decays = 50000 } },
    -- a year is worth about the cost of a few dark days: only small steps tell policies apart
    { "LearningRateController", { initial_learning_rate = 0.001, learning_rate_decay = 0.9 } },
    { "DiscountFactorController", { initial_discount_factor = 0.95, discount_factor_growth = 0.99,
      discount_factor_max = 0.98 } },
  },
  epochs = 30,
  epoch_length = 8759,
}
