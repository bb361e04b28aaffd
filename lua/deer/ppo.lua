--- Proximal policy optimisation (Schulman et al. 2017, arXiv:1707.06347) for any kind of action.
--- src/algo/ppo.c does the learning and lists the options. Explores by the actions that it draws,
--- and learns from the newest `horizon` samples of each environment, then never again.
---
---   deer.PPO{ environment = env, horizon = 128, batch_size = 128, epochs = 4 }

local NativeAlgo = require "deer.native_algo"

---@class deer.PPO: deer.NativeAlgo
---@overload fun(options: table): deer.PPO
local PPO = NativeAlgo.define("PPO", "ppo")

return PPO
