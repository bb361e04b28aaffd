--- Deep deterministic policy gradient (Lillicrap et al. 2016, arXiv:1509.02971) for continuous
--- actions. src/algo/ddpg.c does the learning and lists the options. Explores by the noise of
--- Ornstein and Uhlenbeck.
---
---   deer.DDPG{ environment = env, learning_rate = 1e-3, actor_rate = 0.1 }

local NativeAlgo = require "deer.native_algo"

---@class deer.DDPG: deer.NativeAlgo
---@overload fun(options: table): deer.DDPG
local DDPG = NativeAlgo.define("DDPG", "ddpg")

---@return deer.Policy
function DDPG.explorationPolicy() return require "deer.policies.ornstein_uhlenbeck" {} end

return DDPG
