--- PPO finds the shortest way over the map of eight by eight.
return {
  environment = "gridworld",
  environment_options = { map = "8x8" },
  algo = "PPO",
  -- smaller and fewer steps: a policy that is sure too early ends in the hole that is nearest
  algo_options = { horizon = 512, batch_size = 64, epochs = 4, discount = 0.99,
    entropy_coefficient = 0.01 },
  agent_options = { train_every = 1, n_envs = 4 },
  controllers = { { "LearningRateController", { schedule = "linear(0.0003, 0.00002, 20)" } } },
  epochs = 20,
  epoch_length = 5000,
}
