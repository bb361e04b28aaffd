--- As any/dqn, from a prioritised replay (Schaul et al. 2016).
local preset = require("deer.preset").load "any/dqn"
preset.agent_options.replay = "prioritized"
preset.agent_options.replay_options = { beta_updates = 50000 }
return preset
