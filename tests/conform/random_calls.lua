-- Calls whatever can be reached from `deer` with whatever is at hand: deerlua random_calls.lua SEED
-- CALLS. Mistakes must be told in words, and nothing may take the program down. Prints how many
-- calls were made, how many of them failed, and on how many different functions.
local deer = require "deer"
local text = require "deer.text"

local seed, calls = math.tointeger(arg[1]), math.tointeger(arg[2])
local rng = deer.Rng(seed)

-- what was called last stays in a file, for the case that there is no later
local last = assert(io.open("last_call.txt", "w"))
last:setvbuf "no"
text.say = function() end

local function pick(list) return list[rng:below(#list) + 1] end

---- what is called

local MODULES = { "controllers", "policies", "algos", "graph", "opt", "rl", "test", "plot", "csv",
  "json", "wrappers", "kinds", "video", "fusion", "experiment", "network", "DataSet", "Environment",
  "Controller", "Policy", "Algo", "QNetwork", "DDPG", "TD3", "SAC", "DiscreteSAC", "PPO", "A2C",
  "REINFORCE", "NeuralAgent", "MultiTaskAgent" }

-- not those that run for long as they should, or end the program
local LEFT_OUT = { run = true, train = true, environment = true, launcher = true, exit = true }

local function callable(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(value) == "function" or (meta and meta.__call ~= nil)
end

local function collect(found, path, table, depth)
  for name, value in deer.spairs(table) do
    if type(name) == "string" and not LEFT_OUT[name] then
      if callable(value) then found[#found + 1] = { path .. "." .. name, value } end
      if type(value) == "table" and depth < 2 and name:sub(1, 2) ~= "__" then
        collect(found, path .. "." .. name, value, depth + 1)
      end
    end
  end
end

local functions = {}
collect(functions, "deer", deer, 0)
for _, name in ipairs(MODULES) do
  local module = deer[name]
  if callable(module) then functions[#functions + 1] = { "deer." .. name, module } end
  if type(module) == "table" then collect(functions, "deer." .. name, module, 0) end
end

local function methods(object)
  local found, meta = {}, debug.getmetatable(object)
  local index = meta and meta.__index
  for _ = 1, 6 do
    if type(index) ~= "table" then break end
    for name, value in pairs(index) do
      if type(value) == "function" and not LEFT_OUT[name] then found[#found + 1] = name end
    end
    index = (getmetatable(index) or {}).__index
  end
  table.sort(found)
  return found
end

---- what it is called with

local objects = {}

local function keep(...)
  for i = 1, select("#", ...) do
    local object = select(i, ...)
    if type(object) == "userdata" or (type(object) == "table" and getmetatable(object)) then
      objects[#objects < 60 and #objects + 1 or rng:below(60) + 1] = object
    end
  end
end

-- some that work, without which calls would not get far
local function make_some()
  for _, name in ipairs { "cartpole", "pendulum", "identity", "gridworld" } do
    local environment = deer.env(name) { seed = 1 }
    keep(environment, deer.DataSet { environment = environment, capacity = 50 })
    for _, class in ipairs { "QNetwork", "SAC", "PPO" } do
      local made, algo = pcall(deer[class], { environment = environment, batch_size = 4 })
      if made then
        keep(algo, deer.NeuralAgent { environment = environment, learning_algo = algo,
          replay_memory_size = 100 })
      end
    end
  end
  local g = deer.graph.new()
  local x, y = g:input("x", { 2, 3 }), g:input("y", { 2, 3 })
  local z = (x * y):sum()
  keep(g, x, y, z, g:compile { outputs = { z } }, deer.Rng(1), deer.schedule(0.5),
    deer.Tensor("float32", { 2, 3 }), deer.Tensor("uint8", { 4 }),
    deer.policies.EpsilonGreedyPolicy {})
end

local NUMBERS = { 0, 1, 2, 3, -1, 0.5, -0.5, 10, 0 / 0, 1 / 0, -1 / 0, 2 ^ 53, -2.0 ^ 63, 1e300,
  math.maxinteger, math.mininteger }
local STRINGS = { "cartpole", "relu", "adam", "dqn", "uniform", "float32", "", "x", "nan", "-1",
  "no/such/file", "\0\1", ("y"):rep(300) }
local NAMES = { "environment", "seed", "size", "network", "options", "learning_algo", "shape",
  "replay_memory_size", "history", "action", "state", "n_envs", "learning_rate", "batch_size",
  "capacity", "input_dimensions", "n_actions", "outputs", "environments", "epochs" }
local value

local MAKERS = {
  function() return nil end,
  function() return pick(NUMBERS) end,
  function() return rng:below(8) end,
  function() return rng:normal() end,
  function() return pick(STRINGS) end,
  function() return rng:below(2) == 1 end,
  function() return function(...) return ... end end,
  function() return pick(objects) end,
  function() return pick(objects) end,
  function() return pick(objects) end,
  function(depth)
    local list = {}
    for i = 1, depth < 3 and rng:below(5) or 0 do list[i] = value(depth + 1) end
    for _ = 1, depth < 3 and rng:below(4) or 0 do list[pick(NAMES)] = value(depth + 1) end
    return list
  end,
}

function value(depth) return pick(MAKERS)(depth) end

---- calling

-- a method of an object, most of the time on it, or a function
local function choose()
  local arguments, n = {}, rng:below(4)
  for i = 1, n do arguments[i] = value(0) end
  if rng:below(3) == 0 then
    local name, f = table.unpack(pick(functions))
    return name, f, arguments, n
  end
  local object = pick(objects)
  local names = methods(object)
  if #names == 0 then return end
  local name = pick(names)
  if rng:below(20) > 0 then
    table.insert(arguments, 1, object)
    n = n + 1
  end
  return tostring(object):match "^[^:]*" .. ":" .. name, object[name], arguments, n
end

-- what may take as long as it likes, such as a memory of a million samples, is cut off
local function impatiently(f, ...)
  local start = os.clock()
  debug.sethook(function() if os.clock() - start > 1 then error("too long", 0) end end, "", 1000)
  local results = table.pack(pcall(f, ...))
  debug.sethook()
  return results
end

local failed, called, n_called = 0, {}, 0
for call = 0, calls - 1 do
  if call % 500 == 0 then
    make_some()
    collectgarbage()
  end
  local name, f, arguments, n = choose()
  if f then
    last:seek "set"
    last:write(("%-90s\n"):format(name))
    if not called[name] then called[name], n_called = true, n_called + 1 end
    local results = impatiently(f, table.unpack(arguments, 1, n))
    if results[1] then
      keep(table.unpack(results, 2, results.n))
    else
      failed = failed + 1
      local message = results[2]
      assert(message ~= nil and tostring(message):find "%w", name .. " failed without a word")
    end
  end
end
last:close()
print(("%d calls, %d failed, %d functions"):format(calls, failed, n_called))
