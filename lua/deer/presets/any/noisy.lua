--- As any/dqn, exploring by a noisy network.
local preset = require("deer.preset").load "any/dqn"
preset.algo_options.noisy = true
table.remove(preset.controllers, 1) -- there is no epsilon
return preset
