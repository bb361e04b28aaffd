--- As breakout/dqn, in Space Invaders.
local preset = require("deer.preset").load "breakout/dqn"
preset.environment = "space_invaders"
return preset
