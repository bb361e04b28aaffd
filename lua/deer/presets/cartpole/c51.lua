--- As cartpole/dqn, over categorical distributions (C51, Bellemare et al. 2017).
local preset = require("deer.preset").load "cartpole/dqn"
local options = preset.algo_options
options.distribution, options.atoms = "categorical", 21
-- a pole that never falls earns 1 / (1 - discount)
options.v_min, options.v_max = 0, 100
return preset
