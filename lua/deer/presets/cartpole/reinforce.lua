--- REINFORCE balances CartPole-v1 for 500 steps.
return {
  environment = "cartpole",
  algo = "REINFORCE",
  -- one step of the optimiser for each eight episodes
  algo_options = { episodes = 8, discount = 0.99 },
  agent_options = { train_every = 1 },
  controllers = { { "LearningRateController", { schedule = "linear(0.005, 0.00025, 60)" } } },
  epochs = 60,
  epoch_length = 5000,
}
