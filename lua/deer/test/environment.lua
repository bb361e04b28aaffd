--- deer.test.environment: does an environment do what every one must?

local Environment = require "deer.environment"
local actions = require "deer.actions"
local class = require "deer.class"
local deer = require "deer"
local flatten = require "deer.flatten"
local options = require "deer.options"
local text = require "deer.text"

local WHO = "deer.test.environment"

local OPTIONS = options.list {
  steps = { default = 200, type = "integer", range = { 1, 2 ^ 31 }, help = "of each run" },
  seed = { type = "seed", help = "of the environment and of the actions" },
}

-- "walk.lua:12 (observe): ", where the method begins
local function place(env, method)
  local f = env[method]
  local info = type(f) == "function" and debug.getinfo(f, "S")
  if not info or info.what == "C" then return ("%s (%s): "):format(env.__name, method) end
  return ("%s:%d (%s): "):format(info.short_src, info.linedefined, method)
end

local function fail(env, method, format, ...)
  text.fail("%s: %s%s", WHO, place(env, method), format:format(...))
end

---- what the agent asks for ----

-- an algo that needs nothing to be learnt; its policy draws every action
local Nothing = deer.Algo:extend "Nothing"
function Nothing:chooseBestAction()
  return actions.first(self.environment:nActions()), 0
end
function Nothing:train() return 0 end

-- the core checks everything that it is given, and says where it comes from
local function run_in_agent(env, given)
  local agent = deer.NeuralAgent{ environment = env, learning_algo = Nothing{ environment = env },
    replay_memory_size = given.steps, seed = given.seed,
    train_policy = deer.policies.EpsilonGreedyPolicy{ epsilon = 1 } }
  agent:run(1, given.steps)
  agent:startMode(0, given.steps)
  agent:run(1, given.steps)
  agent:resumeTrainingMode()
end

---- what only comparing shows ----

local function random_action(env, rng) return actions.random(env:nActions(), rng) end

-- any value as text: numbers in full, tables entry by entry
local function seen(value)
  if type(value) == "number" then return text.format(value) end
  if type(value) == "userdata" then return value:bytes() end
  if type(value) ~= "table" then return tostring(value) end
  local words = {}
  for i, item in ipairs(value) do words[i] = seen(item) end
  return "{" .. table.concat(words, ", ") .. "}"
end

-- one step: the reward and whether the episode is over
local function act(env, action)
  if env.step == nil then
    local reward = env:act(action)
    return reward, env:inTerminalState() or env:isTruncated()
  end
  local reward, terminal, truncated = env:step(action)
  return reward, terminal or truncated
end

-- walks through episodes with random actions; calls watch(method, value) with all there is to see
local function walk(env, given, mode, watch)
  local rng = deer.Rng(given.seed):split "actions"
  local episodes = 0
  local function begin()
    watch("reset", seen(env:reset(mode)))
    if env.step == nil and env:inTerminalState() then
      fail(env, "inTerminalState", "true right after reset(%d): an episode needs a step", mode)
    end
    watch("observe", seen(env:observe()))
  end
  begin()
  for step = 1, given.steps do
    local action = random_action(env, rng)
    local before = seen(action)
    local reward, over = act(env, action)
    if seen(action) ~= before then
      fail(env, env.step and "step" or "act", "it changes the action that it is given, from %s \z
        to %s", before, seen(action))
    end
    watch(env.step and "step" or "act", seen(reward))
    local first = seen(env:observe())
    if first ~= seen(env:observe()) then
      fail(env, "observe", "asked twice at step %d it gives two answers: observing changes \z
        something", step)
    end
    watch("observe", first)
    if over then
      episodes = episodes + 1
      begin()
    end
  end
  return episodes
end

-- a list of what is seen: { method, text }
local function record(env, given, mode)
  local list = {}
  walk(env, given, mode, function(method, value) list[#list + 1] = { method, value } end)
  return list
end

local function compare(env, one, two, why)
  for i, item in ipairs(one) do
    local other = two[i] or { item[1], "nothing" }
    if item[2] ~= other[2] then
      fail(env, item[1], "%s: %s, then %s", why, item[2], other[2])
    end
  end
end

-- the same seed gives the same episodes, whatever else goes on in the program
local function check_repeats(make, given)
  for _, mode in ipairs { -1, 0 } do
    math.randomseed(1)
    local first = record(make(), given, mode)
    math.randomseed(2)
    compare(make(), first, record(make(), given, mode), "it does not repeat itself with a seed \z
      (random numbers have to come from options.rng)")
    -- another one of the class, in the middle of things
    local disturbed, other = {}, make()
    other:reset(mode)
    local rng = deer.Rng(99)
    walk(make(), given, mode, function(method, value)
      disturbed[#disturbed + 1] = { method, value }
      if select(2, act(other, random_action(other, rng))) then other:reset(mode) end
    end)
    compare(make(), first, disturbed, "it is disturbed by another object of its class (what \z
      changes has to lie in self)")
  end
end

-- one step by both ways: reward, terminal, truncated and numbers of each as a text
local function both_ways(by_step, by_methods, action)
  local results = table.pack(by_step:step(action))
  local reward, terminal, truncated = table.unpack(results, 1, 3)
  local one = { reward, not not terminal, not terminal and not not truncated }
  local two = { by_methods:act(action), not not by_methods:inTerminalState() }
  two[3] = not two[2] and not not by_methods:isTruncated()
  -- nothing has to be there to observe after the end
  if not one[2] and not two[2] then
    flatten(table.move(results, 4, results.n, 1, {}), one)
    flatten(by_methods:observe(), two)
  end
  local over = one[2] or one[3]
  for i, value in ipairs(one) do one[i] = seen(value) end
  for i, value in ipairs(two) do two[i] = seen(value) end
  return table.concat(one, ", "), table.concat(two, ", "), over
end

-- where there is a step() it does what act, inTerminalState, isTruncated and observe do
local function check_step(make, given)
  local one, two = make(), make()
  if type(one.step) ~= "function" or type(one.act) ~= "function" then return end
  local rng = deer.Rng(given.seed):split "actions"
  for _, mode in ipairs { -1, 0 } do
    local over = true
    for step = 1, given.steps do
      if over then
        one:reset(mode)
        two:reset(mode)
      end
      local by_step, by_methods
      by_step, by_methods, over = both_ways(one, two, random_action(one, rng))
      if by_step ~= by_methods then
        fail(one, "step", "at step %d it returns %s, where act, inTerminalState, isTruncated and \z
          observe say %s", step, by_step, by_methods)
      end
    end
  end
end

-- what is saved is everything
local function check_saving(env, given)
  if type(env.saveState) ~= "function" or type(env.loadState) ~= "function" then return end
  local rng = deer.Rng(given.seed)
  env:reset(-1)
  act(env, random_action(env, rng))
  local state, lists = env:saveState(), { {}, {} }
  for _, list in ipairs(lists) do
    env:loadState(state)
    local drawn = deer.Rng(given.seed)
    for _ = 1, given.steps do
      local reward, over = act(env, random_action(env, drawn))
      list[#list + 1] = { "saveState", seen { reward, env:observe() } }
      if over then env:reset(-1) end
    end
  end
  compare(env, lists[1], lists[2], "after loadState it goes on in another way")
end

-- a picture, of those that draw one: drawing changes nothing and the same state looks the same
local function check_picture(env)
  if type(env.render) ~= "function" then return end
  env:reset(-1)
  local before, picture = seen(env:observe()), env:render()
  local metatable = getmetatable(picture)
  local is_tensor = type(metatable) == "table" and metatable.__name == "deer.Tensor"
  local shape = is_tensor and picture:shape() or {}
  if #shape ~= 3 or shape[3] ~= 3 or picture:dtype() ~= "uint8" then
    fail(env, "render", "expected a deer.Tensor of uint8 and {rows, columns, 3}, got %s",
      text.describe(picture))
  end
  if seen(env:observe()) ~= before or env:render():bytes() ~= picture:bytes() then
    fail(env, "render", "drawing changes something")
  end
end

local function check_help(Class)
  for _, row in ipairs(class.options(Class)) do
    if not row.help or row.help == "" then
      text.fail("%s: %s: option '%s' has no help", WHO, Class.__name, row.name)
    end
  end
end

--- Runs an environment for some episodes with random actions and checks all that an agent relies
--- on: shapes and types, finite numbers, that observing changes nothing, that a seed repeats
--- itself, that two objects do not share what changes, and step, saveState with loadState and
--- render if there are such methods. Of an object, rather than a class, nothing is known about
--- repeating.
---@param env deer.Environment a class or an object
---@param settings? table options of the class; for an object those of this test
---@param given? { steps?: integer, seed?: integer }
---@return { episodes: integer, steps: integer } report
return function(env, settings, given)
  if not class.is(env, Environment) then
    text.fail("%s: expected an environment or its class, got %s", WHO, text.describe(env))
  end
  local make
  if class.isClass(env) then
    check_help(env)
    given = options.check(WHO, OPTIONS, given)
    given.seed = given.seed or 3
    make = function()
      local own = { seed = given.seed }
      for key, value in deer.spairs(settings or {}) do own[key] = value end
      return env(own)
    end
  else
    given = options.check(WHO, OPTIONS, given or settings)
    given.seed = given.seed or 3
  end
  local object = make and make() or env
  run_in_agent(object, given)
  local episodes = 0
  for _, mode in ipairs { -1, 0 } do
    episodes = episodes + walk(object, given, mode, function() end)
  end
  if make then
    check_repeats(make, given)
    check_step(make, given)
  end
  check_saving(object, given)
  check_picture(object)
  return { episodes = episodes, steps = 2 * given.steps }
end
