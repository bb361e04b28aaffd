--- A deep Q-network that balances CartPole-v1 for 500 steps after 50 000 steps of training.
--- Of seeds 1 to 5 the fifth holds it for 417.
return {
  environment = "cartpole",
  algo = "QNetwork",
  algo_options = {
    network = { { "dense", units = 128 }, { "dense", units = 128 } },
    update_rule = "adam",
    batch_size = 64,
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
    { "EpsilonController", { initial_e = 1, e_min = 0.05, e_decays = 10000 } },
    -- the policy of the last step counts, so steps become small
    { "LearningRateController", { schedule = "linear(0.001, 0.00005, 50)" } },
  },
  epochs = 50,
  epoch_length = 1000,
}
