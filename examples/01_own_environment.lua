--- An environment of one's own: a walk along a row of cells. Only the last cell gives a reward.
---   deerlua examples/01_own_environment.lua
local deer = require "deer"

local Walk = deer.Environment:extend "Walk"
Walk.options = { length = { default = 7, range = { 3, 1000 }, help = "number of cells" } }

function Walk:init(options) self.length = options.length end

--- An episode begins; what was seen before it (nothing) is returned, one entry per observed thing.
function Walk:reset()
  self.at, self.steps = 0, 0
  return { 0 }
end

function Walk:act(action)
  self.steps = self.steps + 1
  self.at = math.max(0, self.at + (action == 1 and 1 or -1))
  return self.at == self.length and 1 or 0
end

function Walk:observe() return { self.at / self.length } end
function Walk:inTerminalState() return self.at == self.length end
function Walk:isTruncated() return self.steps == 50 end -- a time limit: reward would follow
function Walk:inputDimensions() return { { 1 } } end -- one number, without history
function Walk:nActions() return 2 end

local env = Walk{ length = 9 }
local qnetwork = deer.QNetwork{ environment = env, update_rule = "adam", learning_rate = 0.002,
  discount = 0.95, freeze_interval = 100, seed = 1 }
local agent = deer.NeuralAgent{ environment = env, learning_algo = qnetwork, seed = 1 }

local bc = deer.controllers
agent:attach(bc.TrainerController{ show_episode_avg_V_value = false,
  show_avg_Bellman_residual = false })
agent:attach(bc.EpsilonController{ initial_e = 1, e_decays = 3000, e_min = 0.1 })
agent:attach(bc.InterleavedTestEpochController{ epoch_length = 90 })
agent:run(8, 500)

-- the shortest way takes nine steps, so 90 steps hold ten episodes
local score, episodes = agent:totalRewardOverLastTest()
print(("%d episodes in 90 steps, %g reward in each"):format(episodes, score))
