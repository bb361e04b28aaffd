--- A deep Q-network that balances CartPole-v1 for 500 steps after 50 000 steps, 10 000 of which
--- validate: what is learnt is good in most of the last epochs, not in all, and the last is no
--- better than others.
return {
  environment = "cartpole",
  algo = "QNetwork",
  algo_options = {
    network = { { "dense", units = 64 }, { "dense", units = 64 } },
    update_rule = "adam",
    batch_size = 128,
    -- the angle is at most 0.2 where the place is at most 2.4
    normalize_observations = true,
    batch_accumulator = "mean",
    discount = 0.99,
    -- the target network follows slowly; to copy it now and then gives no steadier policy
    tau = 0.01,
  },
  agent_options = {
    train_every = 1,
    replay_start_size = 1000,
    -- everything that was ever seen: a smaller memory forgets how episodes fail
    replay_memory_size = 50000,
  },
  controllers = {
    -- more noise than that at the end, and no episode lasts until the cart has drifted away
    { "EpsilonController", { initial_e = 1, e_min = 0.02, e_decays = 10000 } },
    { "LearningRateController", { schedule = "linear(0.001, 0.0001, 40)" } },
    { "InterleavedTestEpochController",
      { start = 31, periodicity = 2, epoch_length = 2000, show_score = false,
        summarize_every = 0 } },
    { "FindBestController", { restore = true } },
  },
  epochs = 40,
  epoch_length = 1000,
}
