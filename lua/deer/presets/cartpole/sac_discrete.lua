--- As cartpole/dqn, by the soft actor-critic for discrete actions (Christodoulou 2019), which
--- explores by itself.
local preset = require("deer.preset").load "cartpole/dqn"
preset.algo = "DiscreteSAC"
preset.algo_options = {
  network = { { "dense", units = 64 }, { "dense", units = 64 } },
  batch_size = 128,
  normalize_observations = true,
  discount = 0.99,
  tau = 0.01,
  target_entropy = 0.3,
}
table.remove(preset.controllers, 1) -- there is no epsilon
return preset
