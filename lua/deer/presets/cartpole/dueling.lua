--- As cartpole/dqn, with a dueling network (Wang et al. 2016).
local preset = require("deer.preset").load "cartpole/dqn"
local options = preset.algo_options
options.dueling, options.dueling_hidden = true, 64
return preset
