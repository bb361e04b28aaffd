--- As any/dqn, the distribution of the return as a histogram.
local preset = require("deer.preset").load "any/dqn"
preset.algo_options.distribution = "categorical"
return preset
