--- PPO balances CartPole-v1 for 500 steps.
return {
  environment = "cartpole",
  algo = "PPO",
  algo_options = { horizon = 1024, batch_size = 64, epochs = 10, discount = 0.99 },
  agent_options = { train_every = 1, n_envs = 4 },
  controllers = { { "LearningRateController", { schedule = "linear(0.001, 0.00005, 20)" } } },
  epochs = 20,
  epoch_length = 5000,
}
