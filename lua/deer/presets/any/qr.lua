--- As any/dqn, the distribution of the return as quantiles.
local preset = require("deer.preset").load "any/dqn"
preset.algo_options.distribution = "quantile"
return preset
