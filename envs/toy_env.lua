--- A toy market (DeeR's Toy_env): the price repeats a pattern of nine steps on a level that changes
--- from one repetition to the next, and every trade costs 0.5. Buying when the price is one below
--- its level and selling when it is one above earns about 0.11 per step.
---
--- Observed are the last six prices and whether one unit is owned. Action 1 means to own it,
--- action 0 not to. Training runs over the first half of the prices, tests over the second; an
--- episode that reaches the end of its half is truncated.

local deer = require "deer"

---@class deer.ToyEnv: deer.Environment
---@overload fun(options: { seed: integer|deer.RandomState?, path: string? }): deer.ToyEnv
local ToyEnv = deer.Environment:extend "ToyEnv"

ToyEnv.options = {
  seed = { type = "generator", alias = { "random_state", "rng" },
    help = "of the prices; a deer.RandomState is drawn from as it is" },
  path = { default = "plot.png", help = "file for the picture of the policy" },
}

local PATTERN = { 0, 0, 0, -1, 0, 1, 0, 0, 0 }
local REPETITIONS = 1000
local COST = 0.5
local SHOWN_FROM, SHOWN_TO = 101, 200 -- the steps of a test epoch that are drawn

-- two halves of a series of prices; numpy's generator gives the prices that DeeR has for a seed
local function draw_prices(random)
  local halves = { {}, {} }
  for i = 1, REPETITIONS do
    local level, half = random:uniform(0, 3), halves[i <= REPETITIONS // 2 and 1 or 2]
    for _, change in ipairs(PATTERN) do half[#half + 1] = change + level end
  end
  return halves[1], halves[2]
end

function ToyEnv:init(options)
  self.path = options.path
  local seed = options.seed
  local random = type(seed) == "number" and deer.RandomState(seed) or seed
  self.train_prices, self.test_prices = draw_prices(random)
  self:reset(-1)
end

--- Every episode begins where its half of the prices begins.
function ToyEnv:reset(mode)
  self.prices = mode == -1 and self.train_prices or self.test_prices
  self.at, self.owned = 1, 0
  return { { 0, 0, 0, 0, 0, 0 }, 0 }
end

function ToyEnv:act(action)
  local price, reward = self.prices[self.at], 0
  if action == 1 and self.owned == 0 then reward = -price - COST end
  if action == 0 and self.owned == 1 then reward = price - COST end
  self.at, self.owned = self.at + 1, action
  return reward
end

function ToyEnv:observe()
  return { self.prices[self.at], self.owned }
end

-- the last price can be observed, but there is none to act upon after it
function ToyEnv:isTruncated()
  return self.at >= #self.prices
end

function ToyEnv.inputDimensions()
  return { { 6 }, { 1 } }
end

function ToyEnv.nActions()
  return 2
end

--- Draws a hundred steps of the last test epoch: the price and what was owned.
function ToyEnv:summarizePerformance(test_data_set)
  local observations = test_data_set:observations()
  local prices, owned = observations[1], observations[2]
  local steps, shown_prices, shown_owned = {}, {}, {}
  local first = #prices >= SHOWN_TO and SHOWN_FROM or 1
  for i = first, math.min(first + SHOWN_TO - SHOWN_FROM, #prices) do
    steps[#steps + 1] = i - first
    shown_prices[#steps], shown_owned[#steps] = prices[i], owned[i]
  end

  print "Summary Perf"
  local figure = deer.plot.figure{ title = "Toy market: what the agent owns" }
  local axes = figure:axes{ xlabel = "Time", ylabel = "Price", color = "blue" }
  axes:step(steps, shown_prices, { label = "Price", color = "blue", width = 2 })
  axes:twin{ ylabel = "Investment", ylim = { -0.09, 1.09 }, color = "green" }
    :markers(steps, shown_owned, { label = "Investment", color = "green" })
  local saved, message = figure:save(self.path)
  if not saved then error(message, 0) end
  print(("A plot of the policy obtained has been saved under the name %s"):format(self.path))
end

return ToyEnv
