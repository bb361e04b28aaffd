--- The toy market with selling short: an agent may owe a unit, sold before it is bought, as well as
--- own one. Only what is new is written down; the rest is inherited from envs/toy_env.lua.
---   deerlua examples/13_sell_short.lua
local deer = require "deer"
local ToyEnv = deer.env "toy_env"

local ShortEnv = ToyEnv:extend "ShortEnv"
ShortEnv.options = { least = { default = -1, type = "integer", help = "units owned at least" } }
local COST = 0.2 -- of a unit bought or sold

function ShortEnv:init(options)
  self.least = options.least
  ToyEnv.init(self, options)
end
-- action 0 is to owe a unit, 1 to have none, 2 to own one; without short sales 0 is to have none
function ShortEnv:act(action)
  local units = self.least + action
  local price, bought = self.prices[self.at], units - self.owned
  self.at, self.owned = self.at + 1, units
  return -bought * price - COST * math.abs(bought)
end
function ShortEnv:nActions() return 2 - self.least end

-- the reward of 500 test steps after training; what is owned or owed in the end counts nothing
local function trained(least)
  local env = ShortEnv{ least = least, seed = 1 }
  local qnetwork = deer.QNetwork{ environment = env, update_rule = "adam", learning_rate = 0.002,
    freeze_interval = 50, batch_size = 96, seed = 1 }
  local agent = deer.NeuralAgent{ environment = env, learning_algo = qnetwork, train_every = 1,
    seed = 1 }
  agent:attach(deer.controllers.EpsilonController{ initial_e = 1, e_decays = 6000, e_min = 0.3 })
  agent:attach(deer.controllers.LearningRateController{ initial_learning_rate = 0.002,
    learning_rate_decay = 0.8 })
  agent:run(8, 1000)
  agent:startMode(0, 500)
  agent:run(1, 500)
  return (agent:totalRewardOverLastTest())
end

print(("owning only:       %.1f"):format(trained(0)))
print(("with short sales:  %.1f"):format(trained(-1)))
