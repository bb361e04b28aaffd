--- What every agent has: a learning algorithm, a policy to explore by, and networks in memory and
--- on disk. deer.NeuralAgent drives its environment; deer.Agent is driven by a script.

local Algo = require "deer.algo"
local Policy = require "deer.policy"
local class = require "deer.class"
local networks = require "deer.networks"
local text = require "deer.text"

---@class deer.Learner: deer.Class
---@field learning_algo deer.Algo
---@field train_policy deer.Policy
---@field networks table<string|integer, table[]>? parameters that storeNetwork has kept
local Learner = class.new "Learner"

--- Raises unless learning_algo is one, and the policies that are given are policies.
---@param who string whose options they are, for messages
---@param options table<string, any>
function Learner.checkParts(who, options)
  if not class.isObject(options.learning_algo, Algo) then
    text.fail("%s: option 'learning_algo': expected a learning algorithm, got %s", who,
      text.describe(options.learning_algo))
  end
  for _, name in ipairs { "train_policy", "test_policy" } do
    local policy = options[name]
    if policy ~= nil and not class.isObject(policy, Policy) then
      text.fail("%s: option '%s': expected a policy, got %s", who, name, text.describe(policy))
    end
  end
end

-- ---- numbers that change with time -------------------------------------------------------------

---@return number
function Learner:learningRate() return self.learning_algo:learningRate() end

---@param rate number
function Learner:setLearningRate(rate) self.learning_algo:setLearningRate(rate) end

---@return number
function Learner:discountFactor() return self.learning_algo:discountFactor() end

---@param factor number from 0 to 1
function Learner:setDiscountFactor(factor) self.learning_algo:setDiscountFactor(factor) end

--- The epsilon of the training policy; nil when it has none.
---@return number|nil
function Learner:epsilon()
  local policy = self.train_policy
  return policy.epsilon and policy:epsilon()
end

---@param epsilon number from 0 to 1
function Learner:setEpsilon(epsilon)
  local policy = self.train_policy
  if not policy.setEpsilon then
    text.fail("agent:setEpsilon: the training policy, %s, has no epsilon", text.describe(policy))
  end
  policy:setEpsilon(epsilon)
end

-- ---- networks in memory ------------------------------------------------------------------------

--- Keeps the parameters that the algo has now, in a list of the agent.
---@param name? string by which they are fetched; their number in the list if absent
---@return string|integer name
function Learner:storeNetwork(name)
  self.networks = self.networks or {}
  name = name or #self.networks + 1
  self.networks[name] = self.learning_algo:getAllParams()
  return name
end

--- Puts parameters kept by storeNetwork back.
---@param name string|integer
function Learner:fetchNetwork(name)
  local params = self.networks and self.networks[name]
  if not params then
    text.fail("agent:fetchNetwork: there is no network %s", text.describe(name))
  end
  self.learning_algo:setAllParams(params)
end

-- ---- networks on disk --------------------------------------------------------------------------

--- Writes the parameters of the algo to nnets/<fname>.epoch=<n_epoch>, in place of other epochs of
--- the same name; without n_epoch to nnets/<fname>.
---@param fname string
---@param n_epoch? integer
---@return string|nil path nil when it could not be written
---@return string|nil message why not
function Learner:dumpNetwork(fname, n_epoch)
  return networks.dump(self.learning_algo, fname, n_epoch)
end

--- Puts parameters written by dumpNetwork back.
---@param fname string
---@param n_epoch? integer
---@return true|nil done nil when there is no such file or it cannot be read
---@return string|nil message why not
function Learner:setNetwork(fname, n_epoch)
  return networks.load(self.learning_algo, fname, n_epoch)
end

return Learner
