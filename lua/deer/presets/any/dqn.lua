--- A deep Q-network for an environment about which nothing is known.
return {
  algo = "QNetwork",
  algo_options = {
    update_rule = "adam",
    learning_rate = 0.0005,
    batch_accumulator = "mean",
    discount = 0.99,
    tau = 0.01,
  },
  agent_options = { train_every = 1, replay_start_size = 500, replay_memory_size = 100000 },
  controllers = {
    { "EpsilonController", { initial_e = 1, e_min = 0.05, e_decays = 10000 } },
  },
  epochs = 50,
  epoch_length = 1000,
}
