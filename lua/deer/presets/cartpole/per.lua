--- As cartpole/dqn, from a prioritised replay (Schaul et al. 2016).
local preset = require("deer.preset").load "cartpole/dqn"
preset.agent_options.replay = "prioritized"
preset.agent_options.replay_options = { beta_updates = 40000 }
return preset
