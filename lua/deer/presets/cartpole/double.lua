--- As cartpole/dqn, with double Q-learning (van Hasselt et al. 2016).
local preset = require("deer.preset").load "cartpole/dqn"
preset.algo_options.double_q = true
return preset
