--- SAC drives the robot in two dimensions, seen from its target, with steps of any length.
return {
  environment = "mobile_robot",
  environment_options = { continuous = true },
  algo = "SAC",
  algo_options = {
    network = { { "dense", units = 64 }, { "dense", units = 64 } },
    learning_rate = 0.001,
    batch_size = 64,
    discount = 0.98,
  },
  agent_options = {
    train_every = 1,
    replay_start_size = 2000,
    replay_memory_size = 20000,
  },
  epochs = 20,
  epoch_length = 1000,
}
