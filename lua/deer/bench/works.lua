--- What `deerlua bench` measures. A work is a row:
---
---   name   on the command line, in the output and of the peer's executable
---   help   one line
---   cost   { flops =, bytes =, set = }: operations and bytes moved at least, bytes they move in
---   make   function() -> function(n): does the work n times
---   beside function() -> function(n): what the work is compared with where there is no peer
---   goal   { ratio = at most this share of the peer's time } or { us = at most these
---          microseconds }; [2] = the same with two threads

local core = require "deer.core"
local cost = require "deer.bench.cost"
local deer = require "deer"

-- an environment of which only the spaces matter
local Still = deer.Environment:extend "Still"
Still.options = {
  dimensions = { required = true, type = "table", help = "of its subject" },
  actions = { required = true, type = "integer", help = "how many" },
  kind = { default = "float32", help = "how observations are stored" },
}

function Still:init(options)
  self.dimensions, self.actions, self.kind = options.dimensions, options.actions, options.kind
end

function Still:reset() return { {} } end
function Still:act() return 0 end
function Still:observe() return { {} } end
function Still:inputDimensions() return { self.dimensions } end
function Still:nActions() return self.actions end
function Still:observationType() return self.kind end

local function dense(units) return { type = "dense", units = units } end

local function conv(filters, size, stride)
  return { type = "conv", filters = filters, rows = size, columns = size,
    stride_rows = stride, stride_columns = stride }
end

-- a deep Q-network with Adam on a still environment; its frames go through `layers`
local function q_network(env, batch_size, layers)
  return deer.QNetwork{ environment = Still(env), batch_size = batch_size, update_rule = "adam",
    learning_rate = 1e-5, discount = 0.99, batch_accumulator = "mean", seed = 1,
    network = { branches = { layers }, trunk = {} } }
end

local VECTOR = { dimensions = { 1, 4 }, actions = 2 }
local MINATAR = { dimensions = { 1, 4, 10, 10 }, actions = 6 }
local ATARI = { dimensions = { 4, 84, 84 }, actions = 6, kind = "uint8" }

local function dense_network(batch_size)
  return q_network(VECTOR, batch_size, { dense(64), dense(64) })
end

-- updates of a network, each on the same batch of random numbers
local function updates(make)
  return function() return core.bench.updater(make():handle()) end
end

-- steps of an actor-critic in the pendulum, an update after each, as RLtools' benchmark has them
local function pendulum(class, units, batch_size)
  return function()
    local env = deer.env "pendulum" { seed = 1 }
    local algo = deer[class] { environment = env, seed = 1, batch_size = batch_size, tau = 0.005,
      discount = 0.99, learning_rate = 1e-3, network = { dense(units), dense(units) } }
    local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, seed = 1,
      replay_memory_size = 10000, replay_start_size = batch_size, train_every = 1 }
    agent:run(1, batch_size + 50)
    return function(n) agent:run(1, n) end
  end
end

-- steps of PPO in four environments, an update now and then
local function ppo(environment, options)
  return function()
    local env = deer.env(environment) { seed = 1 }
    options.environment, options.seed = env, 1
    local agent = deer.NeuralAgent{ environment = env, learning_algo = deer.PPO(options), seed = 1,
      n_envs = 4, train_every = 1 }
    return function(n) agent:run(1, n) end
  end
end

local PPO_POLE = { horizon = 128, batch_size = 128, epochs = 4, learning_rate = 2.5e-4,
  discount = 0.99, value_clip = 0.2, entropy_coefficient = 0.01 }
local PPO_PENDULUM = { horizon = 1024, batch_size = 256, epochs = 2, learning_rate = 1e-3,
  discount = 0.9, network = { dense(64), dense(64) } }

local function ppo_cost(inputs, outputs, options)
  return cost.ppo(cost.dense { inputs, 64, 64, outputs }, cost.dense { inputs, 64, 64, 1 },
    options.epochs, options.batch_size)
end

local function sac_cost(units, batch_size)
  return cost.sac(cost.dense { 3, units, units, 2 }, cost.dense { 4, units, units, 1 }, batch_size)
end

local function td3_cost(units, batch_size)
  return cost.td3(cost.dense { 3, units, units, 1 }, cost.dense { 4, units, units, 1 }, batch_size)
end

local DENSE = cost.dense { 4, 64, 64, 2 }
local ACT = { flops = DENSE.forward, bytes = 4 * DENSE.parameters, set = 4 * DENSE.parameters }
local MINATAR_NET = cost.convolutions(4, 10, { { filters = 16, size = 3, stride = 1 } }, { 128, 6 })
local NATURE_NET = cost.convolutions(4, 84, { { filters = 32, size = 8, stride = 4 },
  { filters = 64, size = 4, stride = 2 }, { filters = 64, size = 3, stride = 1 } }, { 512, 6 })

-- greedy steps of the agent in DeeR's toy market, whose environment is written in Lua
local function toy_steps()
  local env = deer.env "toy_env" { seed = 1 }
  local agent = deer.NeuralAgent{ environment = env, seed = 1,
    learning_algo = deer.QNetwork{ environment = env, seed = 1 } }
  agent:run(1, 200)
  agent:startMode(0, 4000)
  return function(n) agent:run(1, n) end
end

-- steps of copies of an environment written in Lua, in as many Lua states as there are threads
local function lua_steps(module)
  return function() return core.bench.stepper(require(module){}:copies(64)) end
end

-- a full memory of two subjects: the last twelve pairs of numbers and one number
local function microgrid_memory(capacity)
  local set = deer.DataSet{ input_dimensions = { { 1 }, { 12, 2 } }, n_actions = 3, seed = 1,
    capacity = capacity }
  for i = 1, capacity do set:addSample({ i, { i, -i } }, i % 3, i, i % 5000 == 0) end
  return set
end

-- steps of a deep Q-network in CartPole, an update after each, as CleanRL's dqn.py has them
local function cartpole(make)
  return function()
    local env = deer.env "cartpole" { seed = 1 }
    local agent = deer.NeuralAgent{ environment = env, learning_algo = make(env), seed = 1,
      replay_memory_size = 10000, replay_start_size = 1000, train_every = 1 }
    agent:run(1, 1050)
    return function(n) agent:run(1, n) end
  end
end

local function dqn_in_c(env)
  return deer.QNetwork{ environment = env, batch_size = 128, update_rule = "adam", tau = 0.01,
    learning_rate = 2.5e-4, discount = 0.99, batch_accumulator = "mean", seed = 1,
    network = { dense(64), dense(64) } }
end

local function dqn_in_lua(env)
  return require "deer.bench.graph_dqn" { environment = env, batch_size = 128,
    learning_rate = 2.5e-4, discount = 0.99, tau = 0.01, seed = 1 }
end

---@class deer.bench.Work
---@field name string
---@field help string
---@field make fun(): fun(n: integer)
---@field cost? { flops: number, bytes: number, set: number }
---@field beside? fun(): fun(n: integer)
---@field goal? table

---@type deer.bench.Work[]
return {
  { name = "sac64_b100", help = "SAC in the pendulum, 64-64, batch 100: a step and its update",
    make = pendulum("SAC", 64, 100), cost = sac_cost(64, 100),
    goal = { ratio = 0.5, [2] = 0.35 } },
  { name = "td3_64_b100", help = "TD3 in the pendulum, 64-64, batch 100: a step and its update",
    make = pendulum("TD3", 64, 100), cost = td3_cost(64, 100),
    goal = { ratio = 0.5, [2] = 0.35 } },
  { name = "sac256_b256", help = "SAC in the pendulum, 256-256, batch 256: a step and its update",
    make = pendulum("SAC", 256, 256), cost = sac_cost(256, 256),
    goal = { ratio = 0.5, [2] = 0.28 } },
  { name = "td3_256_b256", help = "TD3 in the pendulum, 256-256, batch 256: a step and its update",
    make = pendulum("TD3", 256, 256), cost = td3_cost(256, 256),
    goal = { ratio = 0.5, [2] = 0.28 } },
  { name = "ppo_cartpole", help = "PPO in four cart poles, 4 x 128, 64-64: a step and its share \z
      of the updates", make = ppo("cartpole", PPO_POLE), cost = ppo_cost(4, 2, PPO_POLE),
    goal = { ratio = 1 / 60 } },
  { name = "ppo_pendulum", help = "PPO in four pendulums, 4 x 1024, 64-64: a step and its share \z
      of the updates", make = ppo("pendulum", PPO_PENDULUM), cost = ppo_cost(3, 1, PPO_PENDULUM),
    goal = { ratio = 0.6 } },
  { name = "dqn64_b128", help = "DQN update, 4-64-64-2, batch 128, Adam",
    make = updates(function() return dense_network(128) end), cost = cost.dqn(DENSE, 128),
    goal = { ratio = 1 / 15 } },
  { name = "dqn_cartpole", help = "DQN in CartPole, 64-64, batch 128: a step and its update",
    make = cartpole(dqn_in_c), cost = cost.dqn(DENSE, 128), goal = { ratio = 1 / 15 } },
  { name = "dqn_in_lua", help = "the same, an algorithm written in Lua, beside the one in C",
    make = cartpole(dqn_in_lua), beside = cartpole(dqn_in_c), goal = { ratio = 1.5 } },
  { name = "prioritized_1e6", help = "256 of a million samples by priority: sample, gather, update",
    make = function() return core.bench.sampler(1000000, 256) end, goal = { ratio = 0.2 } },
  { name = "act64", help = "one greedy action, 4-64-64-2, asked for in C",
    make = function() return core.bench.actor(dense_network(1):handle()) end,
    cost = ACT, goal = { us = 1 } },
  { name = "act64_lua", help = "one greedy action, 4-64-64-2, asked for in Lua",
    make = function()
      local network, state = dense_network(1), { { { 0.1, -0.2, 0.3, -0.4 } } }
      network:handle()
      return function(n) for _ = 1, n do network:chooseBestAction(state) end end
    end, cost = ACT, goal = { us = 2 } },
  { name = "nature_b32", help = "DQN update, Nature's convolutions over 4x84x84, batch 32, Adam",
    make = updates(function()
      return q_network(ATARI, 32, { conv(32, 8, 4), conv(64, 4, 2), conv(64, 3, 1), dense(512) })
    end), cost = cost.dqn(NATURE_NET, 32), goal = { ratio = 0.6 } },
  { name = "minatar_b32", help = "DQN update, MinAtar's convolution over 4x10x10, batch 32, Adam",
    make = updates(function() return q_network(MINATAR, 32, { conv(16, 3, 1), dense(128) }) end),
    cost = cost.dqn(MINATAR_NET, 32), goal = { ratio = 0.2 } },
  { name = "cartpole_1024", help = "a step of one of 1024 cart poles written in C, chance actions",
    make = function() return core.bench.stepper(deer.env "cartpole"{}:copies(1024)) end,
    goal = { us = 1 / 30 } },
  { name = "cartpole_lua", help = "a step of one of 64 cart poles written in Lua, chance actions",
    make = lua_steps "deer.bench.cartpole", goal = { us = 1 / 0.6, [2] = 1 / 0.6 / 1.8 } },
  { name = "cartpole_step", help = "the same with the method step, which is one call",
    make = lua_steps "deer.bench.cartpole_step", goal = { us = 1 / 1.2, [2] = 1 / 1.2 / 1.8 } },
  { name = "breakout_1024", help = "a frame of one of 1024 games of Breakout, chance actions",
    make = function() return core.bench.stepper(deer.env "breakout"{}:copies(1024)) end },
  { name = "batch_b32_h12", help = "drawing 32 samples with histories of 12, of 200000",
    -- DeeR needs 1.5 ms
    make = function() return core.bench.assembler(microgrid_memory(200000), 32) end,
    goal = { us = 1500 / 200 } },
  { name = "empty_program", help = "one run of a program that has nothing to compute",
    make = function() return core.bench.empty end, goal = { us = 0.05 } },
  { name = "toy_b32", help = "DQN update, DeeR's network of the toy market, batch 32, RMSprop",
    make = updates(function()
      return deer.QNetwork{ environment = deer.env "toy_env" { seed = 1 }, seed = 1 }
    end) },
  { name = "toy_step", help = "a greedy step in the toy market, an environment written in Lua",
    make = toy_steps },
}
