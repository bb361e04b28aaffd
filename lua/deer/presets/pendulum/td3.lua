--- As pendulum/sac, by TD3.
local preset = require("deer.preset").load "pendulum/sac"
preset.algo = "TD3"
return preset
