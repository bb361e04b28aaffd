--- Trading on prices of one's own: a CSV file with the columns close and volume, a day in each row.
--- Training sees the first two thirds of the days, tests the rest.
---   deerlua examples/12_trade_prices.lua [prices.csv]
local deer = require "deer"

local COST, DAYS_SEEN = 0.05, 5 -- of a trade; of prices and volumes
local Market = deer.Environment:extend "Market"
Market.options = { path = { required = true, type = "string", help = "the CSV file" } }

function Market:init(options)
  local data = assert(deer.csv(options.path))
  self.close, self.volume = data.close, data.volume
  self.split = #self.close * 2 // 3
  self:reset(-1)
end
function Market:reset(mode)
  self.at, self.last = DAYS_SEEN, self.split
  if mode >= 0 then self.at, self.last = self.split + DAYS_SEEN, #self.close end
  self.owned = 0
  local past = {}
  for i = 1, DAYS_SEEN do past[i] = self:day(self.at - DAYS_SEEN + i) end
  return { past, 0 }
end
-- numbers near 0 are learnt best: both relative to the first days
function Market:day(at)
  return { self.close[at] / self.close[1] - 1, self.volume[at] / self.volume[1] - 1 }
end
function Market:observe() return { self:day(self.at), self.owned } end
-- action 1 owns one unit until tomorrow, action 0 none
function Market:act(action)
  local reward = -COST * math.abs(action - self.owned)
  self.owned = action
  self.at = self.at + 1
  return reward + action * (self.close[self.at] - self.close[self.at - 1])
end
function Market:isTruncated() return self.at >= self.last end
function Market:inputDimensions() return { { DAYS_SEEN, 2 }, { 1 } } end
function Market:nActions() return 2 end

local env = Market{ path = arg[1] or (arg[0]:match "^(.*/)" or "") .. "12_prices.csv" }
local qnetwork = deer.QNetwork{ environment = env, network = { { "dense", units = 32 } },
  update_rule = "adam", learning_rate = 0.002, freeze_interval = 100, discount = 0.8, seed = 1 }
local agent = deer.NeuralAgent{ environment = env, learning_algo = qnetwork, train_every = 1,
  seed = 1 }
agent:attach(deer.controllers.EpsilonController{ initial_e = 1, e_decays = 5000, e_min = 0.1 })
agent:run(10, 1000)

agent:startMode(0, #env.close - env.split - DAYS_SEEN)
agent:run(1, #env.close - env.split - DAYS_SEEN)
local first, last = env.close[env.split + DAYS_SEEN], env.close[#env.close]
print(("on days never seen: %.2f earned; owning all the time: %.2f"):format(
  agent:totalRewardOverLastTest(), last - first - COST))
