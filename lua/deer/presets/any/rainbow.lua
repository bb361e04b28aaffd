--- All at once (Rainbow, Hessel et al. 2018): any/c51 with double Q-learning, a dueling and noisy
--- network, prioritised replay and returns over three steps.
local preset = require("deer.preset").load "any/c51"
local options = preset.algo_options
options.double_q, options.dueling, options.noisy, options.n_step = true, true, true, 3
preset.agent_options.replay = "prioritized"
preset.agent_options.replay_options = { beta_updates = 50000 }
table.remove(preset.controllers, 1) -- there is no epsilon
return preset
