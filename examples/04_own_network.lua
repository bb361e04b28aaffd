--- A network of one's own for pictures: a bright dot, seen on frames of 8 by 8 bytes, falls down;
--- the paddle must be under it when it lands.
---   deerlua examples/04_own_network.lua
local deer = require "deer"

local Catch = deer.Environment:extend "Catch"
local SIZE = 8

function Catch:init(options) self.rng = options.rng end
function Catch:reset()
  self.dot, self.row, self.paddle = self.rng:below(SIZE), 0, self.rng:below(SIZE)
  return { self:frame() }
end
function Catch:act(action)
  self.paddle = math.max(0, math.min(SIZE - 1, self.paddle + action - 1))
  self.row = self.row + 1
  if self.row < SIZE - 1 then return 0 end
  return self.paddle == self.dot and 1 or -1
end
function Catch:frame() -- rows one after the other, a byte for each point
  local bytes = {}
  for i = 0, SIZE * SIZE - 1 do
    local row, column = i // SIZE, i % SIZE
    local lit = row == self.row and column == self.dot
      or row == SIZE - 1 and column == self.paddle
    bytes[i + 1] = lit and "\255" or "\0"
  end
  return table.concat(bytes)
end
function Catch:observe() return { self:frame() } end
function Catch:inTerminalState() return self.row == SIZE - 1 end
function Catch:inputDimensions() return { { 1, SIZE, SIZE } } end
function Catch:observationType() return "uint8" end
function Catch:nActions() return 3 end

local env = Catch{ seed = 1 }
local qnetwork = deer.QNetwork{ environment = env, update_rule = "adam", learning_rate = 0.001,
  freeze_interval = 100, discount = 0.95, seed = 1,
  network = {
    branches = { {
      { "scale", factor = 1 / 255 },
      { "conv", filters = 8, rows = 3, columns = 3, activation = "relu" },
    } },
    trunk = { { "dense", units = 64, activation = "relu" } },
  } }
local agent = deer.NeuralAgent{ environment = env, learning_algo = qnetwork, seed = 1 }
local bc = deer.controllers
agent:attach(bc.TrainerController{ show_episode_avg_V_value = false,
  show_avg_Bellman_residual = false })
agent:attach(bc.EpsilonController{ initial_e = 1, e_decays = 4000, e_min = 0.05 })
agent:attach(bc.InterleavedTestEpochController{ epoch_length = 700 })
agent:run(8, 1000)
