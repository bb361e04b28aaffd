--- Advantage actor-critic (Mnih et al. 2016, arXiv:1602.01783) for any kind of action.
--- src/algo/a2c.c does the learning and lists the options. Explores by the actions that it draws;
--- an update after every `horizon` steps of each environment.
---
---   deer.A2C{ environment = env, horizon = 16 }

local NativeAlgo = require "deer.native_algo"

---@class deer.A2C: deer.NativeAlgo
---@overload fun(options: table): deer.A2C
local A2C = NativeAlgo.define("A2C", "a2c")

return A2C
