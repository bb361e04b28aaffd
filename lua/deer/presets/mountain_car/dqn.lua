--- A deep Q-network that drives MountainCar-v0 up. A random walk never gets there; one action for
--- thirty steps, then another, gets there in one of five episodes.
return {
  environment = "mountain_car",
  algo = "QNetwork",
  algo_options = {
    network = { { "dense", units = 128 }, { "dense", units = 128 } },
    update_rule = "adam",
    batch_size = 128,
    batch_accumulator = "mean",
    discount = 0.99,
    double_q = true,
    n_step = 3,
    tau = 0.01,
  },
  train_policy = { "LongerExplorationPolicy", { length = 30, hold = true } },
  agent_options = {
    train_every = 2,
    replay_start_size = 1000,
    replay_memory_size = 100000,
  },
  controllers = {
    { "EpsilonController", { initial_e = 1, e_min = 0.05, e_decays = 30000 } },
    { "LearningRateController", { schedule = "linear(0.001, 0.0001, 100)" } },
    { "InterleavedTestEpochController",
      { start = 79, epoch_length = 1000, show_score = false, summarize_every = 0 } },
    { "FindBestController", { restore = true } },
  },
  epochs = 100,
  epoch_length = 1000,
}
