--- Deep Q-learning (Mnih et al. 2015, doi:10.1038/nature14236): a network gives the value of every
--- action, or the distribution of its return. The learning is done in C (src/algo/dqn.c), whose
--- field table lists the options.
---
---   deer.QNetwork{ environment = env, update_rule = "rmsprop", batch_size = 32, double_q = true }
---   deer.QNetwork{ environment = env, distribution = "quantile", dueling = true, noisy = true }

local NativeAlgo = require "deer.native_algo"
local core = require "deer.core"
local draw_weights = require "deer.initial_weights"
local network_spec = require "deer.network_spec"

---@class deer.QNetwork: deer.NativeAlgo
---@overload fun(options: table): deer.QNetwork
local QNetwork = NativeAlgo.define("QNetwork", "dqn")

QNetwork.options.seed = { type = "generator", alias = { "random_state" },
  help = "of the initial weights; from a deer.RandomState they are drawn as DeeR does" }

function QNetwork:make(given)
  if self._handle then return self._handle end
  self._given = given
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

--- One update on these samples, as many as the batch_size, in the form in which
--- DataSet:randomBatch gives them: states[subject][sample][history].
---@param states table
---@param actions integer[]
---@param rewards number[]
---@param next_states table
---@param terminals boolean[]
---@param weights? number[] how much each sample counts; 1 if not given
---@return number loss the square root of that of the batch
---@return number[] losses of the samples
function QNetwork:train(states, actions, rewards, next_states, terminals, weights)
  return self._handle:train(states, actions, rewards, next_states, terminals, weights)
end

--- Puts parameters back. Skills (see SkillKeeperController) that the list does not hold, or that
--- there is no room for, stay as they are.
---@param params table[]
function QNetwork:setAllParams(params)
  if type(params) ~= "table" then return NativeAlgo.setAllParams(self, params) end
  local list, n_skills, own, at = {}, 0, {}, nil
  for _, param in ipairs(params) do
    if type(param) == "table" and tostring(param.name):find "^skill" then
      n_skills = n_skills + 1
    else
      list[#list + 1] = param
    end
  end
  for i, param in ipairs(self:getAllParams()) do
    if param.name:find "^skill" then
      own[#own + 1], at = param, at or i
    end
  end
  if n_skills == #own then return NativeAlgo.setAllParams(self, params) end
  -- where they stand among the others
  for i, param in ipairs(own) do table.insert(list, math.min(at + i - 1, #list + 1), param) end
  NativeAlgo.setAllParams(self, list)
end

--- The network with all that has a default, as a table that the option `network` takes, and what
--- ends it: `output`, `distribution` and `noisy`.
---@return table
function QNetwork:description()
  local given = self._given
  local said = core.layers(self.environment:handle(),
    network_spec.resolve(given.network, QNetwork, self.environment) or "deer")
  local n = self.environment:nActions()
  said.output = said.output or given.dueling and { type = "dueling", hidden = given.dueling_hidden }
    or { type = "dense", activation = "linear" }
  said.output.units = n
  said.distribution, said.noisy = given.distribution, given.noisy
  return said
end

return QNetwork
