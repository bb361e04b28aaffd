--- A replay memory of its own, for data that no agent gathers. The agent's own, agent:dataset(),
--- has the same methods:
---
---   observations() actions() rewards() terminals() truncateds()   lists in the order of time
---   nElems()        samples held                bytes()    memory used
---   addSample(observation, action, reward, terminal [, truncated [, env]])
---   close(observation [, env])
---                          what was observed after the last sample, when nothing follows it;
---                          with n_envs, several environments fill it, with numbers from 0 on
---   randomBatch(size [, { n_step =, discount =, sequence = }])
---                          states, actions, rewards, next_states, terminals, indices, weights;
---                          nil and a message when nothing can be drawn. With n_step = n and
---                          discount = g, a reward is the sum of n of them, next_states what the
---                          last led to. With sequence = n, instead of each sample there are n
---                          that follow each other in one episode: states[subject][i][step]
---   updatePriorities(indices, errors)
---                          how wrong what was learnt from samples was, for a prioritised replay;
---                          lists or tensors, indices as drawn, before anything is added
---   randomBatchInto{ obs_tm1 = tensor, action_tm1 =, r_t =, continue_t =, obs_t = }
---                          the same into tensors of equal first dimensions, such as the inputs of
---                          a program; a list of tensors where there are several subjects; a_tm1
---                          is discrete actions as int32, continue_t 0 where obs_t is terminal,
---                          weight how much a sample counts, index, an int32, what
---                          updatePriorities takes. n_step, discount and sequence as above:
---                          continue_t is what the value of obs_t counts, to be multiplied by
---                          the discount; for sequences the second dimension is the step
---
---   local set = deer.DataSet{ environment = env, capacity = 10000 }

local Environment = require "deer.environment"
local class = require "deer.class"
local core = require "deer.core"
local options = require "deer.options"
local replay = require "deer.replay"
local seeds = require "deer.seeds"
local text = require "deer.text"

---@class deer.DataSet
---@field nElems fun(self): integer
---@field observations fun(self): table[] one list per subject
---@field actions fun(self): table
---@field rewards fun(self): number[]
---@field terminals fun(self): boolean[]
---@field truncateds fun(self): boolean[]
---@field addSample fun(self, observation: any[], action: number|number[], reward: number,
---  terminal: boolean, truncated?: boolean, env?: integer)
---@field close fun(self, observation: any[], env?: integer)
---@field randomBatch fun(self, size: integer, how?: table): table|nil, any, ...
---@field randomBatchInto fun(self, tensors: table<string, deer.Tensor|deer.Tensor[]>): true|nil,
---  string?
---@field updatePriorities fun(self, indices: integer[]|deer.Tensor, errors: number[]|deer.Tensor)
---@field bytes fun(self): integer

local OPTIONS = options.list {
  environment = { type = "any", alias = { "env" },
    help = "whose observations and actions these are" },
  input_dimensions = { type = "table", help = "instead of an environment" },
  n_actions = { type = "any", help = "instead of an environment" },
  observation_types = { type = "table", help = "instead of an environment" },
  capacity = { default = 1000000, type = "integer", range = { 1, 2 ^ 40 },
    alias = { "max_size", "replay_memory_size" }, help = "samples kept" },
  n_envs = { default = 1, type = "integer", range = { 1, 65536 },
    help = "environments that fill it side by side, each with its share; from 0 on" },
  only_full_history = { default = true, help = "draw only samples whose whole history is known" },
  replay = replay.KIND,
  replay_options = replay.OPTIONS,
  use_priority = { default = false, help = "DeeR's: replay = 'prioritized'" },
  seed = { type = "seed", alias = { "random_state" }, help = "same number, same draws" },
}

---@param given table
---@return deer.DataSet
return function(given)
  local checked = options.check("DataSet", OPTIONS, given)
  local environment = checked.environment
  if environment == nil and not (checked.input_dimensions and checked.n_actions) then
    text.fail("DataSet: expected an environment, or input_dimensions and n_actions")
  end
  if environment ~= nil and not class.isObject(environment, Environment) then
    text.fail("DataSet: option 'environment': expected an environment, got %s",
      text.describe(environment))
  end
  if checked.use_priority and checked.replay == "uniform" then checked.replay = "prioritized" end
  checked.replay, checked.replay_options =
    replay.check("DataSet", checked.replay, checked.replay_options)
  checked.environment = environment and environment:handle()
  checked.seed = checked.seed or seeds.default()
  return core.dataset(checked)
end
