--- As any/dqn, the value of a state apart from the advantages of the actions.
local preset = require("deer.preset").load "any/dqn"
preset.algo_options.dueling = true
return preset
