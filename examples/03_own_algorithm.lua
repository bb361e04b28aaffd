--- An algorithm of one's own, wholly in Lua: Q-learning with a table (Watkins 1989).
---   deerlua examples/03_own_algorithm.lua
local deer = require "deer"

-- a row of eight cells; reaching the last one earns 1 and ends the episode
local Row = deer.Environment:extend "Row"
function Row:reset() self.at = 0; return { 0 } end
function Row:act(action)
  self.at = math.max(0, self.at + (action == 1 and 1 or -1))
  return self.at == 7 and 1 or 0
end
function Row:observe() return { self.at } end
function Row:inTerminalState() return self.at == 7 end
function Row:inputDimensions() return { { 1 } } end
function Row:nActions() return 2 end

local Table = deer.Algo:extend "TabularQ"
Table.options = { step = { default = 0.2, range = { 0, 1 }, help = "share of an error mended" } }

function Table:init(options) self.step, self.q = options.step, {} end

-- the values of a cell, a list with that of action 0 first
function Table:row(cell)
  self.q[cell] = self.q[cell] or { 0, 0 }
  return self.q[cell]
end

function Table:chooseBestAction(state)
  local row = self:row(state[1][1])
  local best = row[2] > row[1] and 1 or 0
  return best, row[best + 1]
end

function Table:train(states, actions, rewards, next_states, terminals)
  local losses = 0
  for i, action in ipairs(actions) do
    local row, after = self:row(states[1][i][1]), self:row(next_states[1][i][1])
    local future = terminals[i] and 0 or self:discountFactor() * math.max(after[1], after[2])
    local delta = rewards[i] + future - row[action + 1]
    row[action + 1] = row[action + 1] + self.step * delta
    losses = losses + delta * delta
  end
  return losses / #actions
end

local env = Row{ seed = 1 }
local algo = Table{ environment = env, batch_size = 8, discount = 0.9 }
-- what it learns does not depend on what it does: here it walks at random
local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, seed = 1,
  train_policy = deer.policies.EpsilonGreedyPolicy{ epsilon = 1 } }
agent:attach(deer.controllers.TrainerController{ show_episode_avg_V_value = false,
  show_avg_Bellman_residual = false })
agent:run(1, 3000)

for cell = 0, 6 do
  print(("cell %d: left %.3f, right %.3f"):format(cell, table.unpack(algo:row(cell))))
end
