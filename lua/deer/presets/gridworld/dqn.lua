--- A deep Q-network that walks RLgraph's map of 8 by 8 fields the shortest way.
return {
  environment = "gridworld",
  environment_options = { map = "8x8" },
  algo = "QNetwork",
  algo_options = {
    network = { { "dense", units = 64 } },
    update_rule = "adam",
    batch_size = 32,
    batch_accumulator = "mean",
    discount = 0.95,
    double_q = true,
    tau = 0.02,
  },
  agent_options = {
    train_every = 1,
    replay_start_size = 500,
    replay_memory_size = 20000,
  },
  controllers = {
    { "EpsilonController", { initial_e = 1, e_min = 0.1, e_decays = 10000 } },
    { "LearningRateController", { schedule = "linear(0.001, 0.0001, 20)" } },
  },
  epochs = 20,
  epoch_length = 1000,
}
