--- The soft actor-critic for discrete actions (Christodoulou 2019, arXiv:1910.07207).
--- src/algo/sac_discrete.c does the learning and lists the options. Explores by the actions that
--- it draws.
---
---   deer.DiscreteSAC{ environment = env, learning_rate = 1e-3, target_entropy = 0.5 }

local NativeAlgo = require "deer.native_algo"

---@class deer.DiscreteSAC: deer.NativeAlgo
---@overload fun(options: table): deer.DiscreteSAC
local DiscreteSAC = NativeAlgo.define("DiscreteSAC", "sac_discrete")

return DiscreteSAC
