--- A trained network for other programs: as safetensors, and as JSON, which a few lines in any
--- language can read and compute. Here they are in plain Lua.
---   deerlua examples/15_network_as_json.lua
local deer = require "deer"

local env = deer.env "toy_env" { seed = 1 }
local qnetwork = deer.QNetwork{ environment = env, seed = 1, learning_rate = 0.002,
  network = { { "dense", units = 16, activation = "relu" },
    { "dense", units = 8, activation = "relu" } } }
local agent = deer.NeuralAgent{ environment = env, learning_algo = qnetwork, train_every = 1,
  seed = 1 }
agent:run(2, 1000)
print("safetensors: " .. assert(agent:dumpNetwork "toy_market"))

-- names, shapes and numbers of the network that acts; the target network is only for training
local layers = {}
for _, parameter in ipairs(qnetwork:getAllParams()) do
  local name = parameter.name:match "^q%.(.*)$"
  if name then
    local numbers = deer.Tensor(parameter.dtype, parameter.shape, parameter.data):totable()
    layers[#layers + 1] = { name = name, shape = parameter.shape, values = numbers }
  end
end
local file = assert(io.open("nnets/toy_market.json", "w"))
assert(file:write(deer.json.encode{ inputs = "six prices, whether one is owned",
  parameters = layers }))
assert(file:close())
print "JSON: nnets/toy_market.json"

-- what another program does with it: layer by layer y = W x + b, negative ones 0 but for the last
local function compute(parameters, x)
  for i = 1, #parameters, 2 do
    local weight, bias, y = parameters[i].values, parameters[i + 1].values, {}
    for unit = 1, #bias do
      y[unit] = bias[unit]
      for j = 1, #x do y[unit] = y[unit] + weight[j][unit] * x[j] end
      if i + 1 < #parameters then y[unit] = math.max(y[unit], 0) end
    end
    x = y
  end
  return x
end

local read = assert(deer.json.decode(io.open("nnets/toy_market.json"):read "a"))
local prices, owned = { 1.5, 1.5, 1.5, 0.5, 1.5, 2.5 }, 1
local input = table.move(prices, 1, 6, 1, {})
input[7] = owned
local there, here = compute(read.parameters, input), qnetwork:qValues{ prices, { owned } }
for action = 0, 1 do
  print(("value of action %d: %.5f from the JSON, %.5f from the network"):format(action,
    there[action + 1], here[action + 1]))
end
