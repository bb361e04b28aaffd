--- SAC drives MountainCarContinuous-v0 up. Its own noise never gets there and learns that to stand
--- still is best; exploration that goes one way for a while gets there.
return {
  environment = "mountain_car_continuous",
  algo = "SAC",
  algo_options = {
    network = { { "dense", units = 64 }, { "dense", units = 64 } },
    learning_rate = 0.001,
    batch_size = 128,
    discount = 0.99,
  },
  train_policy = { "LongerExplorationPolicy", { length = 40 } },
  agent_options = {
    train_every = 2,
    replay_start_size = 1000,
    replay_memory_size = 50000,
  },
  controllers = {
    { "EpsilonController", { initial_e = 1, e_min = 0.05, e_decays = 20000 } },
    { "LearningRateController", { schedule = "linear(0.001, 0.0001, 45)" } },
    { "InterleavedTestEpochController",
      { start = 40, epoch_length = 1000, show_score = false, summarize_every = 0 } },
    { "FindBestController", { restore = true } },
  },
  epochs = 45,
  epoch_length = 1000,
}
