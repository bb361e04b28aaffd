--- PPO for an environment about which nothing is known.
return {
  algo = "PPO",
  algo_options = { learning_rate = 0.0003, discount = 0.99 },
  agent_options = { train_every = 1 },
  epochs = 100,
  epoch_length = 5000,
}
