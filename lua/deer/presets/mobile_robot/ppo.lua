--- PPO drives the robot in two dimensions, seen from its target, with steps in four directions. The
--- option continuous of the environment needs no other options here.
return {
  environment = "mobile_robot",
  algo = "PPO",
  algo_options = { horizon = 1024, batch_size = 64, epochs = 10, discount = 0.99 },
  agent_options = { train_every = 1, n_envs = 4 },
  controllers = { { "LearningRateController", { schedule = "linear(0.001, 0.00005, 20)" } } },
  epochs = 20,
  epoch_length = 5000,
}
