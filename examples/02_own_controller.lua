--- A controller of one's own: it watches the test scores and ends the run when they will do.
---   deerlua examples/02_own_controller.lua
local deer = require "deer"

local Enough = deer.Controller:extend "EnoughController"
Enough.modes = { 0 } -- hears the test epochs of mode 0, nothing else
Enough.options = { score = { default = 50, range = { -1e9, 1e9 }, help = "good enough" } }

function Enough:init(options) self.score = options.score end

function Enough:onEpochEnd(agent)
  local score = agent:totalRewardOverLastTest()
  print(("epoch %d: %.1f"):format(agent:epochs(), score))
  if score >= self.score then error(self, 0) end -- any value can be thrown; it is caught below
end

local env = deer.env "toy_env" { seed = 1 }
local qnetwork = deer.QNetwork{ environment = env, update_rule = "adam", learning_rate = 0.002,
  freeze_interval = 50, batch_size = 64, seed = 1 }
local agent = deer.NeuralAgent{ environment = env, learning_algo = qnetwork, seed = 1 }

local bc = deer.controllers
local enough = Enough{ score = 50 }
agent:attach(bc.TrainerController{ show_episode_avg_V_value = false,
  show_avg_Bellman_residual = false })
agent:attach(bc.EpsilonController{ initial_e = 1, e_decays = 5000, e_min = 0.2 })
agent:attach(bc.InterleavedTestEpochController{ epoch_length = 500, show_score = false })
agent:attach(enough)

local finished, reason = pcall(agent.run, agent, 20, 1000)
if finished then
  print "twenty epochs were not enough"
elseif reason == enough then
  print(("good enough after %d epochs"):format(agent:epochs()))
else
  error(reason, 0)
end
