--- Continuous actions: a motor that is too weak to lift a pendulum learns to swing it up and to
--- hold it, in about two seconds.
---   deerlua examples/11_pendulum_sac.lua [seed]
local deer = require "deer"

local seed = math.tointeger(arg[1]) or 1
local env = deer.env "pendulum" { seed = seed }
local sac = deer.SAC{ environment = env, learning_rate = 1e-3, discount = 0.98, seed = seed }

-- the first 1000 steps are random; after them one update follows each step, without Lua in between
local agent = deer.NeuralAgent{ environment = env, learning_algo = sac, seed = seed,
  replay_start_size = 1000, replay_memory_size = 10000, train_every = 1 }

-- 20 episodes without exploration; to hang still earns about -1800 in each, the best is -150
agent:attach(deer.controllers.InterleavedTestEpochController{ id = 0, epoch_length = 4000 })
agent:run(10, 1000)

-- what the network says about the pendulum at rest: cosine and sine of the angle, speed
for name, at in deer.spairs { upright = { 1, 0, 0 }, hanging = { -1, 0, 0 } } do
  local torque, value = sac:chooseBestAction { { at } }
  print(("%s: torque %.2f, value %.1f"):format(name, torque[1], value))
end
