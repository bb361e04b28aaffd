--- As breakout/dqn, in Asterix.
local preset = require("deer.preset").load "breakout/dqn"
preset.environment = "asterix"
return preset
