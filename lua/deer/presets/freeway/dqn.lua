--- As breakout/dqn, in Freeway, where rewards are rare: returns over three steps, an epsilon of
--- 0.02 in the end, and a step size that falls. After 5 million frames (seed 1) the best actions
--- cross 49.5 times, the last 100 episodes of training 47.0 times; with the paper's own options
--- 43.6 and 41.0. A player who knew when each car moves would cross 67 times.
local preset = require("deer.preset").load "breakout/dqn"
preset.environment = "freeway"
preset.algo_options.n_step = 3
preset.controllers = {
  { "EpsilonController", { initial_e = 1, e_min = 0.02, e_decays = 100000 } },
  { "LearningRateController", { initial_learning_rate = 0.00025, learning_rate_decay = 0.97 } },
}
return preset
