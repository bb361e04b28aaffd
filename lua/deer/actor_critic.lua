--- DDPG under DeeR's name, exploring as DeeR does: by random actions, so that an EpsilonController
--- can lower their share.

local DDPG = require "deer.ddpg"

---@class deer.ActorCritic: deer.DDPG
---@overload fun(options: table): deer.ActorCritic
local ActorCritic = DDPG:extend "ActorCritic"

---@return deer.Policy
function ActorCritic.explorationPolicy() return require "deer.policies.epsilon_greedy" {} end

return ActorCritic
