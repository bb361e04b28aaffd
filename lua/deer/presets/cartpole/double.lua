--- As cartpole/dqn, with double Q-learning (van Hasselt et al. 2016).
local preset = require("deer.preset").load "cartpole/dqn"
-- of seeds 1 to 5 the fourth stays at 370
preset.algo_options.double_q = true
return preset
