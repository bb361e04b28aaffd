--- As cartpole/dqn, over quantiles (QR-DQN, Dabney et al. 2018).
local preset = require("deer.preset").load "cartpole/dqn"
local options = preset.algo_options
options.distribution, options.atoms = "quantile", 16
options.clip_delta = 1
return preset
