--- As cartpole/dqn, exploring by a noisy network (Fortunato et al. 2018).
local preset = require("deer.preset").load "cartpole/dqn"
preset.algo_options.noisy = true
table.remove(preset.controllers, 1) -- there is no epsilon
return preset
