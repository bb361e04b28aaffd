--- SAC swings Pendulum-v1 up.
return {
  environment = "pendulum",
  algo = "SAC",
  algo_options = {
    network = { { "dense", units = 64 }, { "dense", units = 64 } },
    learning_rate = 0.001,
    batch_size = 100,
    discount = 0.98,
  },
  agent_options = {
    train_every = 1,
    replay_start_size = 1000,
    replay_memory_size = 20000,
  },
  epochs = 20,
  epoch_length = 1000,
}
