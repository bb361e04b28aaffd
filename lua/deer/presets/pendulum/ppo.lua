--- PPO swings up Pendulum-v1.
return {
  environment = "pendulum",
  algo = "PPO",
  -- what matters comes soon
  algo_options = { horizon = 1024, batch_size = 64, epochs = 10, discount = 0.95 },
  agent_options = { train_every = 1, n_envs = 4 },
  controllers = { { "LearningRateController", { schedule = "linear(0.001, 0.00005, 40)" } } },
  epochs = 40,
  epoch_length = 5000,
}
