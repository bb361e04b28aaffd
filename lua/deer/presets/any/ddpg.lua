--- Deep deterministic policy gradient for an environment about which nothing is known.
return {
  algo = "DDPG",
  algo_options = { learning_rate = 0.001, batch_size = 100, discount = 0.99 },
  agent_options = { train_every = 1, replay_start_size = 1000, replay_memory_size = 100000 },
  epochs = 50,
  epoch_length = 1000,
}
