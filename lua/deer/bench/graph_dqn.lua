--- A deep Q-network in Lua on the graph builder, which does what deer.QNetwork does with the
--- options below: one side of a work of `deerlua bench`.

local deer = require "deer"

---@class deer.bench.GraphDQN: deer.Algo
local GraphDQN = deer.Algo:extend "GraphDQN"

GraphDQN.options = {
  units = { default = 64, type = "integer", help = "of both layers" },
  tau = { default = 0.01, type = "number", help = "share of the way of the target network" },
}

function GraphDQN:init(options)
  local layer = { "dense", units = options.units, activation = "relu" }
  self.net = deer.network{ inputs = self.environment, outputs = self.environment:nActions(),
    seed = options.seed, layer, layer }
  self.target = self.net:clone()
  self.dimensions = self.environment:inputDimensions()[1]
  self.act, self.learn = self:acting(), self:learning(options)
  self.tensors = {}
  for _, name in ipairs(self.learn:inputs()) do self.tensors[name] = self.learn:input(name) end
end

function GraphDQN:acting()
  local g = deer.graph.new()
  local obs = g:input("obs", { 1, table.unpack(self.dimensions) })
  local q = self.net:apply(obs)
  return g:compile{ inputs = { obs }, outputs = { q:argmax(1):reshape{}, q:max(1):reshape{} } }
end

function GraphDQN:learning(options)
  local g, n = deer.graph.new(), options.batch_size
  local shape = { n, table.unpack(self.dimensions) }
  local obs_tm1, obs_t = g:input("obs_tm1", shape), g:input("obs_t", shape)
  local a_tm1, r_t = g:input("a_tm1", { n }, "int32"), g:input("r_t", { n })
  local v_t = options.discount * g:input("continue_t", { n }) * self.target:apply(obs_t):max(1)
  local td = (r_t + v_t):stop() - self.net:apply(obs_tm1):gather(a_tm1)
  local loss = td:square():mean()
  return g:compile{ outputs = { loss }, updates = {
    deer.opt.adam{ lr = options.learning_rate }:minimize(loss, self.net),
    self.target:follow(g, self.net, options.tau) } }
end

function GraphDQN:chooseBestAction(state) return self.act:run { state[1] } end

function GraphDQN:batch() return self.tensors end

function GraphDQN:train() return math.sqrt(self.learn:run()) end

return GraphDQN
