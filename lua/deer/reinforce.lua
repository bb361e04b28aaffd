--- REINFORCE with a baseline (Williams 1992) for any kind of action. src/algo/reinforce.c does the
--- learning and lists the options. Explores by the actions that it draws; an update when some
--- episodes have ended.
---
---   deer.REINFORCE{ environment = env, episodes = 8 }

local NativeAlgo = require "deer.native_algo"

---@class deer.REINFORCE: deer.NativeAlgo
---@overload fun(options: table): deer.REINFORCE
local REINFORCE = NativeAlgo.define("REINFORCE", "reinforce")

return REINFORCE
