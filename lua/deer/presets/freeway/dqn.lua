--- As breakout/dqn, in Freeway.
local preset = require("deer.preset").load "breakout/dqn"
preset.environment = "freeway"
return preset
