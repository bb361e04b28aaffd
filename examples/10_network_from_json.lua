--- A network from a file: whoever reads 10_network_from_json.json needs no Lua. A signal is shown
--- for one step and has to be recalled four steps later; a recurrent layer reads the history.
---   deerlua examples/10_network_from_json.lua
local deer = require "deer"

local Recall = deer.Environment:extend "Recall"
local WAIT = 4

function Recall:init(options) self.rng = options.rng end
function Recall:reset()
  self.at, self.signal = 0, self.rng:below(2)
  local past = {} -- nothing was seen before
  for i = 1, WAIT + 1 do past[i] = 0 end
  return { past }
end
function Recall:act(action)
  self.at = self.at + 1
  if self.at <= WAIT then return 0 end
  return action == self.signal and 1 or -1
end
function Recall:observe() return { self.at == 0 and 2 * self.signal - 1 or 0 } end
function Recall:inTerminalState() return self.at > WAIT end
function Recall:inputDimensions() return { { WAIT + 1 } } end
function Recall:nActions() return 2 end

local folder = arg[0]:match "^(.*/)" or ""
local env = Recall{ seed = 1 }
local qnetwork = deer.QNetwork{ environment = env, update_rule = "adam", learning_rate = 0.002,
  freeze_interval = 50, discount = 0.9, seed = 1, network = folder .. "10_network_from_json.json" }
for _, parameter in ipairs(qnetwork:getAllParams()) do
  if parameter.name:find "^q%." then
    print(("%-32s [%s]"):format(parameter.name, table.concat(parameter.shape, ", ")))
  end
end

local agent = deer.NeuralAgent{ environment = env, learning_algo = qnetwork, seed = 1 }
local bc = deer.controllers
agent:attach(bc.TrainerController{ show_episode_avg_V_value = false,
  show_avg_Bellman_residual = false })
agent:attach(bc.EpsilonController{ initial_e = 1, e_decays = 1500, e_min = 0.05 })
agent:attach(bc.InterleavedTestEpochController{ epoch_length = 500 })
agent:run(4, 600)
