--- As cartpole/dqn, with double Q-learning (van Hasselt et al. 2016), which is slower to find out
--- how much a pole that stands is worth: so steps are larger.
local preset = require("deer.preset").load "cartpole/dqn"
preset.algo_options.double_q = true
preset.controllers[2][2].schedule = "linear(0.002, 0.0001, 30)"
return preset
