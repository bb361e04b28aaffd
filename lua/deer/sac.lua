--- The soft actor-critic (Haarnoja et al. 2018, arXiv:1812.05905) for continuous actions: a
--- stochastic actor that is rewarded for entropy. src/algo/sac.c does the learning and lists the
--- options. Explores by the actions that it draws.
---
---   deer.SAC{ environment = env, learning_rate = 1e-3, batch_size = 100 }

local NativeAlgo = require "deer.native_algo"

---@class deer.SAC: deer.NativeAlgo
---@overload fun(options: table): deer.SAC
local SAC = NativeAlgo.define("SAC", "sac")

return SAC
