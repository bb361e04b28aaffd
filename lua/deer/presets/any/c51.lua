--- As any/dqn, the distribution of the return as a histogram from -10 to 10, which is wide enough
--- for rewards in units of the deviation of returns.
local preset = require("deer.preset").load "any/dqn"
preset.algo_options.distribution = "categorical"
preset.algo_options.normalize_rewards = true
return preset
