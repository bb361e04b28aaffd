--- As breakout/dqn, in Freeway, where rewards are rare and cars are timed: two frames at once,
--- returns over three steps, an epsilon of 0.02 in the end, and a step size that falls. After 3.75
--- million frames (seed 1) the best actions cross 51 times, in training 49 times; with one frame
--- 49 and 47 after 5 million; with the paper's own options 44 and 41. A player who knew when each
--- car moves would cross 67 times.
local preset = require("deer.preset").load "breakout/dqn"
preset.environment = "freeway"
preset.wrappers = { { "FrameStack", { frames = 2 } } }
preset.algo_options.n_step = 3
preset.controllers = {
  { "EpsilonController", { initial_e = 1, e_min = 0.02, e_decays = 100000 } },
  { "LearningRateController", { initial_learning_rate = 0.00025, learning_rate_decay = 0.97 } },
}
return preset
