--- As any/dqn, one network choosing the action that the other values.
local preset = require("deer.preset").load "any/dqn"
preset.algo_options.double_q = true
return preset
