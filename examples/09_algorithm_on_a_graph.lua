--- An algorithm of one's own for the agent, on the graph builder: advantage learning (Bellemare et
--- al. 2016, arXiv:1512.04860), which widens the gap between the best action and the others. It is
--- described here once, runs at the speed of C and works wherever deer.QNetwork does.
---   deerlua examples/09_algorithm_on_a_graph.lua
local deer = require "deer"

local AdvantageLearning = deer.Algo:extend "AdvantageLearning"
AdvantageLearning.action_kinds = "discrete"
AdvantageLearning.options = {
  gap = { default = 0.2, range = { 0, 1 }, help = "share of the gap that is taken off" },
  freeze_interval = { default = 100, range = { 1, 1e9 }, help = "updates between copies" },
}

function AdvantageLearning:init(options)
  self.gap, self.freeze_interval, self.n_updates = options.gap, options.freeze_interval, 0
  self.qnet = deer.network{ inputs = self.environment, outputs = self.environment:nActions(),
    seed = options.seed, { "dense", units = 50, activation = "relu" }, { "dense", units = 20,
      activation = "relu" } }
  self.target_net = self.qnet:clone()
  self.optimiser = deer.opt.rmsprop{ lr = options.learning_rate }
  self.act, self.learn = self:acting(), self:learning(options)
end

-- a batch of states: an input for everything that is observed, with its history
function AdvantageLearning:states(g, name, batch)
  local nodes = {}
  for s, dims in ipairs(self.environment:inputDimensions()) do
    nodes[s] = g:input(name .. s, { batch, table.unpack(dims) })
  end
  return nodes
end

function AdvantageLearning:acting()
  local g = deer.graph.new()
  local states = self:states(g, "state", 1)
  local q = self.qnet:apply(table.unpack(states))
  return g:compile{ inputs = states, outputs = { q:argmax(1):reshape{}, q:max(1):reshape{} } }
end

function AdvantageLearning:learning(options)
  local g, n = deer.graph.new(), options.batch_size
  local obs_tm1, obs_t = self:states(g, "obs_tm1_", n), self:states(g, "obs_t_", n)
  local a_tm1, r_t = g:input("a_tm1", { n }, "int32"), g:input("r_t", { n })
  local continue_t, gamma = g:input("continue_t", { n }), g:input("gamma", {})
  local frozen = self.target_net:apply(table.unpack(obs_tm1))
  local discount_t = gamma:expand(continue_t) * continue_t
  local v_t = self.target_net:apply(table.unpack(obs_t)):max(1)
  local gap = frozen:max(1) - frozen:gather(a_tm1)
  local q_tm1 = self.qnet:apply(table.unpack(obs_tm1)):gather(a_tm1)
  local loss = (q_tm1 - (r_t + discount_t * v_t - self.gap * gap):stop()):square():sum()
  return g:compile{ outputs = { loss }, updates = self.optimiser:minimize(loss, self.qnet) }
end

function AdvantageLearning:chooseBestAction(state)
  local batch = {}
  for s, history in ipairs(state) do batch[s] = { history } end
  return self.act:run(table.unpack(batch))
end

-- where the agent writes what it draws from its memory: straight into the program
function AdvantageLearning:batch()
  local learn, batch = self.learn, { obs_tm1 = {}, obs_t = {} }
  for _, name in ipairs { "a_tm1", "r_t", "continue_t" } do batch[name] = learn:input(name) end
  for s in ipairs(self.environment:inputDimensions()) do
    batch.obs_tm1[s], batch.obs_t[s] = learn:input("obs_tm1_" .. s), learn:input("obs_t_" .. s)
  end
  return batch
end

function AdvantageLearning:train()
  if self.n_updates % self.freeze_interval == 0 then self.target_net:copy(self.qnet) end
  self.n_updates = self.n_updates + 1
  self.optimiser:setLearningRate(self:learningRate()) -- controllers change it
  return math.sqrt(self.learn:run{ gamma = self:discountFactor() })
end

-- with these two agent:dumpNetwork and the controllers that keep the best network work as well
function AdvantageLearning:getAllParams() return self.qnet:parameters() end
function AdvantageLearning:setAllParams(params) self.qnet:setParameters(params) end

local bc = deer.controllers
local env = deer.env "toy_env" { seed = 1 }
local algo = AdvantageLearning{ environment = env, learning_rate = 0.002, seed = 1 }
local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, seed = 1 }
agent:attach(bc.TrainerController{ show_episode_avg_V_value = false,
  show_avg_Bellman_residual = false })
agent:attach(bc.EpsilonController{ initial_e = 1, e_decays = 6000, e_min = 0.1 })
agent:attach(bc.InterleavedTestEpochController{ epoch_length = 1000 })
agent:run(8, 1000)
