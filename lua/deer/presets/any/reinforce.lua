--- REINFORCE for an environment about which nothing is known.
return {
  algo = "REINFORCE",
  algo_options = { discount = 0.99 },
  agent_options = { train_every = 1 },
  epochs = 50,
  epoch_length = 2000,
}
