--- Deep Q-learning (Mnih et al. 2015, doi:10.1038/nature14236): a network gives the value of every
--- action, or the distribution of its return. The learning is done in C (src/algo/dqn.c), whose
--- field table lists the options.
---
---   deer.QNetwork{ environment = env, update_rule = "rmsprop", batch_size = 32, double_q = true }
---   deer.QNetwork{ environment = env, distribution = "quantile", dueling = true, noisy = true }

local NativeAlgo = require "deer.native_algo"
local draw_weights = require "deer.initial_weights"

---@class deer.QNetwork: deer.NativeAlgo
---@overload fun(options: table): deer.QNetwork
local QNetwork = NativeAlgo.define("QNetwork", "dqn")

QNetwork.options.seed = { type = "generator", alias = { "random_state" },
  help = "of the initial weights; from a deer.RandomState they are drawn as DeeR does" }

function QNetwork:make(given)
  if self._handle then return self._handle end
  NativeAlgo.make(self, given)
  if type(given.seed) == "userdata" then draw_weights(self._handle, given.seed) end
  return self._handle
end

--- Noisy networks explore by their noise.
---@return deer.Policy
function QNetwork:explorationPolicy()
  if not self._options.noisy then return NativeAlgo.explorationPolicy() end
  return require "deer.policies.stochastic" {}
end

--- The value of every action in a state; where its distribution is learnt, the mean of that.
---@param state table
---@return number[] values the first is that of action 0
function QNetwork:qValues(state) return self._handle:qValues(state) end

return QNetwork
