--- As space_invaders/dqn, in Seaquest. After 1.8 million frames (seed 1) it earns 32 in training.
local preset = require("deer.preset").load "space_invaders/dqn"
preset.environment = "seaquest"
return preset
