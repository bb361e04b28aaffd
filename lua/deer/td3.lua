--- Twin delayed DDPG (Fujimoto et al. 2018, arXiv:1802.09477) for continuous actions.
--- src/algo/td3.c does the learning and lists the options. Explores by Gaussian noise.
---
---   deer.TD3{ environment = env, learning_rate = 1e-3, batch_size = 100 }

local NativeAlgo = require "deer.native_algo"

---@class deer.TD3: deer.NativeAlgo
---@overload fun(options: table): deer.TD3
local TD3 = NativeAlgo.define("TD3", "td3")

return TD3
