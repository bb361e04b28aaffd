--- As breakout/dqn, in Seaquest.
local preset = require("deer.preset").load "breakout/dqn"
preset.environment = "seaquest"
return preset
