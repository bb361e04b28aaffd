--- A2C balances CartPole-v1 for 500 steps.
return {
  environment = "cartpole",
  algo = "A2C",
  -- one step of the optimiser for each rollout, along its gradient as RMSprop scales it: with the
  -- momentum of Adam the policy breaks down on one seed of five
  algo_options = { horizon = 16, discount = 0.99, update_rule = "rmsprop" },
  agent_options = { train_every = 1, n_envs = 8 },
  controllers = { { "LearningRateController", { schedule = "linear(0.003, 0.0003, 60)" } } },
  epochs = 60,
  epoch_length = 5000,
}
