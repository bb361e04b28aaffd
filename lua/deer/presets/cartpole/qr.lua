--- As cartpole/dqn, over quantiles (QR-DQN, Dabney et al. 2018).
local preset = require("deer.preset").load "cartpole/dqn"
local options = preset.algo_options
options.distribution, options.atoms = "quantile", 16
-- of returns up to 100; of seeds 1 to 5 the last two stay below 250
options.clip_delta = 10
return preset
