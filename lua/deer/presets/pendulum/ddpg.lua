--- As pendulum/sac, by DDPG.
local preset = require("deer.preset").load "pendulum/sac"
preset.algo = "DDPG"
return preset
