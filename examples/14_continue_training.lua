--- Training in several sittings: each run of this script trains three epochs more. It begins with
--- the network that the last run saved, and where that stood with learning rate and exploration.
---   deerlua examples/14_continue_training.lua    # and again, and again
local deer = require "deer"

local NAME, STATE = "sittings", "nnets/sittings.json"
local EPOCHS, STEPS, TEST_STEPS = 3, 1000, 500

-- how far the last run came; nothing when there was none
local function read_state()
  local file = io.open(STATE)
  local state = file and assert(deer.json.decode(file:read "a")) or { epochs = 0 }
  if file then file:close() end
  return state
end

local state = read_state()
local seed = 1 + state.epochs -- a new run sees new random numbers
local env = deer.env "toy_env" { seed = 1 }
local qnetwork = deer.QNetwork{ environment = env, update_rule = "adam", freeze_interval = 50,
  batch_size = 64, seed = seed }
local agent = deer.NeuralAgent{ environment = env, learning_algo = qnetwork, train_every = 1,
  seed = seed }
if state.epochs > 0 then assert(agent:setNetwork(NAME)) end

-- schedules look at the time since the very first run
local rate = deer.schedule "exponential(0.002, 0.0002, 12)"
local epsilon = deer.schedule "linear(1, 0.1, 6)"
local Schedules = deer.Controller:extend "Schedules"
Schedules.modes = { -1 }
function Schedules:set(a)
  local epochs = state.epochs + a:epochs()
  a:setLearningRate(rate(epochs))
  a:setEpsilon(epsilon(epochs))
end
Schedules.onStart, Schedules.onEpochEnd = Schedules.set, Schedules.set
agent:attach(Schedules{})
agent:run(EPOCHS, STEPS)

assert(agent:dumpNetwork(NAME)) -- nnets/sittings
state.epochs = state.epochs + EPOCHS
local file = assert(io.open(STATE, "w"))
assert(file:write(deer.json.encode(state, true), "\n"))
assert(file:close())

agent:startMode(0, TEST_STEPS)
agent:run(1, TEST_STEPS)
print(("after %d epochs: %.1f"):format(state.epochs, (agent:totalRewardOverLastTest())))
