--- A deep Q-network that swings Acrobot-v1 up.
return {
  environment = "acrobot",
  algo = "QNetwork",
  algo_options = {
    network = { { "dense", units = 128 }, { "dense", units = 128 } },
    update_rule = "adam",
    batch_size = 128,
    batch_accumulator = "mean",
    discount = 0.99,
    double_q = true,
    tau = 0.01,
  },
  agent_options = {
    train_every = 1,
    replay_start_size = 1000,
    replay_memory_size = 100000,
  },
  controllers = {
    { "EpsilonController", { initial_e = 1, e_min = 0.02, e_decays = 20000 } },
    { "LearningRateController", { schedule = "linear(0.001, 0.0001, 80)" } },
    { "InterleavedTestEpochController",
      { start = 70, epoch_length = 2000, show_score = false, summarize_every = 0 } },
    { "FindBestController", { restore = true } },
  },
  epochs = 80,
  epoch_length = 1000,
}
