--- The deep Q-network of the MinAtar paper (Young and Tian 2019, arXiv:1903.03176) in Breakout,
--- with its options: 5 million frames, an update after each. By the paper's learning curves the
--- return of the last 100 episodes of training, with an epsilon of 0.1, is then about 10 in
--- Breakout, 50 in Freeway, 17 in Asterix, 20 in Seaquest (whose rules had a mistake about oxygen
--- then) and 45 in Space Invaders. Here it is 11.0 (seed 1; 10.1 over 500 episodes), and 19.4
--- without exploration. Less of it at the end does better in training (17) and worse in play: what
--- happens when few bricks are left is seen too seldom, and the last one is never hit.
return {
  environment = "breakout",
  algo = "QNetwork",
  algo_options = {
    network = { { "conv", filters = 16, rows = 3, columns = 3 }, { "dense", units = 128 } },
    update_rule = "deepmind_rmsprop",
    learning_rate = 0.00025,
    rho = 0.95,
    rms_epsilon = 0.01,
    epsilon_inside_sqrt = false,
    clip_delta = 1,
    batch_size = 32,
    batch_accumulator = "mean",
    discount = 0.99,
    freeze_interval = 1000,
  },
  agent_options = {
    train_every = 1,
    replay_start_size = 5000,
    replay_memory_size = 100000,
  },
  controllers = {
    { "EpsilonController", { initial_e = 1, e_min = 0.1, e_decays = 100000 } },
  },
  epochs = 100,
  epoch_length = 50000,
}
