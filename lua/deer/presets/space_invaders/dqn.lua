--- As breakout/dqn, in Space Invaders, with returns over three steps, an epsilon of 0.02 at last,
--- and a step size that falls. After 5 million frames (seed 1) it earns 99 in training, over the
--- last 100 episodes, and 123 without exploration; with the options of the paper training is at 26
--- after 500 000 frames, with these at 75.
local preset = require("deer.preset").load "breakout/dqn"
preset.environment = "space_invaders"
preset.algo_options.n_step = 3
preset.controllers = {
  { "EpsilonController", { initial_e = 1, e_min = 0.02, e_decays = 100000 } },
  { "LearningRateController", { initial_learning_rate = 0.00025, learning_rate_decay = 0.97 } },
}
return preset
