--- How an action is picked. A policy written in Lua extends this class and has one method:
---
---   function Mine:action(state, mode, first) ... return action, value, greedy end
---
--- `state` has one entry per subject; `mode` is -1 in training; `first` tells that an episode
--- begins; `value` is the value of the state (0 for an action taken at random) and `greedy` tells
--- whether the action is the best known one.

local actions = require "deer.actions"
local class = require "deer.class"
local core = require "deer.core"
local text = require "deer.text"

---@class deer.Policy: deer.Class
---@field action fun(self, state: table, mode: integer, first: boolean): number|number[], number?,
---  boolean?
local Policy = class.new("Policy", { "action" })

-- DeeR's policies are told at once who they work for; ours learn it from the agent
Policy.options = {
  learning_algo = { type = "any", alias = { "q_network", "learner" },
    help = "not needed: the agent tells" },
  n_actions = { type = "any", help = "not needed: the agent tells" },
  random_state = { type = "any", help = "not needed: the agent tells" },
}

--- Called by the agent before anything else: whose actions are picked, by which random numbers.
---@param learning_algo deer.Algo
---@param n_actions integer|integer[]|number[][]
---@param rng userdata a deer.Rng
function Policy:attached(learning_algo, n_actions, rng)
  self.learning_algo, self.n_actions, self.rng = learning_algo, n_actions, rng
end

-- what a policy knows from its agent
local function told(self, what, name)
  return self[what] or text.fail("%s: it has no %s before an agent has it", self.__name, name)
end

--- An action drawn uniformly, and its value 0.
---@return number|number[] action
---@return number value
function Policy:randomAction()
  return actions.random(told(self, "n_actions", "actions"), self.rng), 0
end

--- The best action in a state by what has been learnt, and the value of the state.
---@param state table
---@return number|number[] action
---@return number value
function Policy:bestAction(state)
  return told(self, "learning_algo", "algorithm"):chooseBestAction(state)
end

--- What the C side sees of this policy; made once.
---@return userdata
function Policy:handle()
  if not self._handle then
    if type(self.action) ~= "function" then
      text.fail("%s: a policy needs a method action(state, mode)", self.__name)
    end
    self._handle = core.luapolicy(self)
  end
  return self._handle
end

return Policy
