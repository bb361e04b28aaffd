--- From the words of the command line to the plan of a run: a preset that is complete, so that it
--- may be written to a file and made again from it. What the command line says wins over the preset
--- of the algorithm and environment, that over the preset of the algorithm for any environment.
---
--- With an algorithm controllers come that are sensible for it; a controller that is attached takes
--- the place of one of its class. Without one only those attached are there: what they do not do is
--- not done.

local Preset = require "deer.preset"
local class = require "deer.class"
local deer = require "deer"
local kinds = require "deer.kinds"
local manual = require "deer.manual"
local network_spec = require "deer.network_spec"
local options = require "deer.options"
local seeds = require "deer.seeds"
local settings = require "deer.settings"
local spairs = require "deer.spairs"
local sys = require "deer.sys"
local text = require "deer.text"
local usage = require "deer.usage"

local plan = {}

-- ---- names -------------------------------------------------------------------------------------

--- The names that --algo takes: those of presets for any environment and for `environment`, and of
--- the algorithms themselves.
---@param environment? string
---@return string[]
function plan.algos(environment)
  local seen, names = {}, {}
  local function add(name)
    if not seen[name] then names[#names + 1] = name end
    seen[name] = true
  end
  for _, name in ipairs(Preset.names()) do
    local of, algo = name:match "^(.*)/(.*)$"
    if of == "any" or of == environment then add(algo) end
  end
  for _, name in ipairs(require("deer.core").names "algo") do add(name) end
  for _, name in ipairs(kinds.list "algo") do add(name) end
  table.sort(names)
  return names
end

-- the file or name that finds a class again: a path only where the name alone does not
local function short_name(kind, given)
  local stem = given:match "([%w_]+)%.lua$" or given:match "/([%w_]+)$"
  if not stem then return given end
  local _, path = kinds.source(kind, given)
  local _, found = kinds.source(kind, stem)
  return found and found:gsub("^%./", "") == path:gsub("^%./", "") and stem or given
end

-- what finds the class of an algorithm: SAC for sac, a name or a path of a file of one's own; nil
-- when there is none
local function algo_class(name)
  for _, class_name in ipairs(manual.classes) do
    local known = deer[class_name]
    if class_name ~= "NeuralAgent" and (options.key(class_name) == options.key(name)
      or known.native_name == name) then
      return class_name
    end
  end
  local is_path = name:find "/" or name:find "%.lua$"
  local file = is_path and name or kinds.fileName("algo", name)
  return usage.try(kinds.find, "algo", file) and short_name("algo", file) or nil
end

-- the class of a controller or policy in any spelling: trainer, TrainerController
local function find_class(kind, given)
  local is_path = given:find "/" or given:find "%.lua$"
  local name = is_path and given or kinds.fileName(kind, given:gsub("^%l", string.upper))
  local found = usage.try(kinds.find, kind, name)
  if found then return found, short_name(kind, name) end
  local names = kinds.list(kind)
  -- a name is meant in the form in which it is written
  if given:find "%u" then
    for i, known in ipairs(names) do names[i] = kinds.className(kind, known) end
  end
  local written = given:find "%u" and given:gsub("^%l", string.upper) or given
  usage.fail("%s", (kinds.absent(kind, written, names):gsub("'[^']*'", "'" .. given .. "'", 1)))
end

-- options that no word can give
local OBJECTS = { environment = true, learning_algo = true, train_policy = true, test_policy = true,
  seed = true }

-- ---- environment -------------------------------------------------------------------------------

-- the environment with continuous actions that goes by this name
local function continuous(name, given)
  local rows = class.options(usage.try(kinds.load, "env", name))
  for _, option in ipairs { "continuous", "continuous_actions" } do
    if options.find(rows, option) then
      given[option] = true
      return name
    end
  end
  if usage.try(kinds.find, "env", name .. "_continuous") then return name .. "_continuous" end
  return name
end

-- options that are only there in some environments
local function set_if_known(rows, given, name, key, value)
  if value == nil then return end
  if not options.find(rows, key) then
    usage.fail("the environment '%s' has no option '%s'%s", name, key,
      text.meant(key, options.names(rows)))
  end
  given[key] = value
end

-- a wrapper in any spelling, time_limit or TimeLimit, and its options
local function read_wrapper(words)
  local names, rows = deer.wrappers.Wrapper.names(), {}
  for _, name in ipairs(names) do
    if options.key(name) == options.key(words[1]) then
      for _, row in ipairs(class.options(deer.wrappers[name])) do
        if not OBJECTS[row.name] then rows[#rows + 1] = row end
      end
      local given = table.move(words, 2, #words, 1, {})
      return { name, settings.read({ who = name, rows = rows }, given) }
    end
  end
  usage.fail("%s", kinds.absent("wrapper", words[1], names))
end

-- what stands around it; a limit only where it has none of its own
local function choose_wrappers(made, said, limited)
  local list = made.wrappers or {}
  local function add(name, key, value)
    if value then list[#list + 1] = { name, { [key] = value } } end
  end
  add("ActionRepeat", "repeats", said.action_repeat)
  add("FrameStack", "frames", said.num_stack)
  add("TimeLimit", "max_steps", not limited and said.max_size_episode)
  for _, words in ipairs(said.wrap or {}) do list[#list + 1] = read_wrapper(words) end
  made.wrappers = #list > 0 and list or nil
end

local function choose_environment(made, said)
  local name = said.env or made.environment
  if not name then
    usage.fail "an environment is needed: --env NAME; `deerlua list` shows them"
  end
  local given, is_path = {}, name:find "/" or name:find "%.lua$"
  if not is_path then name = kinds.fileName("env", name) end
  if said.continuous then name = continuous(name, given) end
  local Class = usage.try(kinds.load, "env", name)
  if said.env and made.environment == name or not said.env then
    given = made.environment_options or given
  end
  local rows = class.options(Class)
  local owner = { who = "environment " .. name, kind = "env", name = name, rows = rows }
  local words = table.move(said.env_conf_file or {}, 1, #(said.env_conf_file or {}), 1, {})
  table.move(said.env_option or {}, 1, #(said.env_option or {}), #words + 1, words)
  for key, value in spairs(settings.read(owner, words)) do given[key] = value end
  local limited = options.find(rows, "max_steps") ~= nil
  if limited and said.max_size_episode then given.max_steps = said.max_size_episode end
  set_if_known(rows, given, name, "shape_reward", said.shape_reward)
  set_if_known(rows, given, name, "random_target", said.random_target)
  usage.try(options.check, owner.who, rows, given)
  made.environment, made.environment_options = short_name("env", name), given
  choose_wrappers(made, said, limited)
end

-- ---- algorithm ---------------------------------------------------------------------------------

-- what others call them
local ALIASES = { deepq = "dqn", ppo1 = "ppo", ppo2 = "ppo", ctrl_deerfault = "dqn" }

-- the preset that is the best for an algorithm in an environment, and its name
local function find_preset(environment, algo)
  local known = {}
  for _, name in ipairs(Preset.names()) do known[name] = true end
  for _, of in ipairs { environment, "any" } do
    local name = of .. "/" .. algo
    if known[name] then return Preset.load(name), name end
  end
  local found = algo_class(algo)
  if found then
    local any = { algo = found, agent_options = { train_every = 1 }, epochs = 50,
      epoch_length = 1000 }
    return Preset.of(any)
  end
  usage.fail("%s", kinds.absent("algorithm", algo, plan.algos(environment)))
end

-- the preset that is said; an algorithm beside it may only be its own
local function said_preset(name, algo)
  local made, stem = usage.try(Preset.load, name), name:match "[^/]*$"
  if algo and options.key(algo) ~= options.key(stem) and algo_class(algo) ~= made.algo then
    usage.fail("--algo %s contradicts --preset %s, which is %s; expected one of them", algo, name,
      text.a(made.algo))
  end
  return made, name
end

-- the plan to begin with: a preset, or only an algorithm for the actions there are
local function start(said)
  if said.preset then return said_preset(said.preset, said.algo) end
  if not said.algo then return Preset.of { epochs = 10, epoch_length = 1000 } end
  local name = said.env and short_name("env", said.env) or ""
  if not name:find "/" then name = kinds.fileName("env", name) end
  if said.continuous and kinds.find("env", name .. "_continuous") then
    name = name .. "_continuous"
  end
  return find_preset(name, said.algo)
end

local function is_continuous(environment)
  local n = environment:nActions()
  return type(n) == "table" and type(n[1]) == "table"
end

-- without --algo: the algorithm for the kind of actions, and no training unless it is attached
local function default_algo(made, environment)
  local discrete = not is_continuous(environment)
  made.algo = discrete and "QNetwork" or "DDPG"
  made.name = made.name or (discrete and "dqn" or "ddpg")
  made.agent_options = {}
end

local CONTROLLED = { learning_rate = "LearningRateController",
  discount = "DiscountFactorController" }

-- takes the controller of that class away, if it is there
local function drop(made, class_name)
  for i = #(made.controllers or {}), 1, -1 do
    if made.controllers[i][1] == class_name then table.remove(made.controllers, i) end
  end
end

-- options of the algorithm or of the agent
local function set_hyperparam(made, key, word)
  local algo_rows = class.options(Preset.algoClass(made.algo))
  local agent_rows = class.options(deer.NeuralAgent)
  local option = options.find(algo_rows, key)
  if not option and options.find(agent_rows, key) then
    local name, value = settings.value("NeuralAgent", agent_rows, key, word)
    made.agent_options[name] = value
    return
  end
  local rows = {}
  for _, list in ipairs { algo_rows, agent_rows } do
    for _, row in ipairs(list) do
      if not OBJECTS[row.name] then rows[#rows + 1] = row end
    end
  end
  local name, value = settings.value(made.algo, rows, key, word)
  made.algo_options[name] = value
  -- what is said at once holds all the time
  if CONTROLLED[name] then drop(made, CONTROLLED[name]) end
end

local function choose_network(made, words, environment)
  local name = words[1]
  local owner = { who = "network " .. name, kind = "network", name = name,
    rows = usage.try(network_spec.options, name) }
  local given = settings.read(owner, table.move(words, 2, #words, 1, {}))
  made.algo_options.network = usage.try(network_spec.resolve, name, Preset.algoClass(made.algo),
    environment, given)
end

local function set_hyperparams(made, said, environment)
  made.algo_options, made.agent_options = made.algo_options or {}, made.agent_options or {}
  for _, words in ipairs(said.hyperparam or {}) do
    for _, word in ipairs(words) do
      local key, value = word:match "^([%w_-]+)[=:](.*)$"
      if not key then usage.fail("--hyperparam: expected key=value, got '%s'", word) end
      set_hyperparam(made, key, value)
    end
  end
  local agent = made.agent_options
  if said.batch_size then made.algo_options.batch_size = said.batch_size end
  agent.replay_memory_size = said.replay_memory_size or agent.replay_memory_size
  agent.exp_priority = said.exp_priority or agent.exp_priority
  if said.only_full_history ~= nil then agent.only_full_history = said.only_full_history end
  agent.n_envs = said.num_envs or agent.n_envs
  if said.network then choose_network(made, said.network, environment) end
end

local function choose_policy(words)
  if not words then return nil end
  local Class, name = find_class("policy", words[1])
  local owner = { who = Class.__name, kind = "policy", name = name, rows = class.options(Class) }
  return { name, settings.read(owner, table.move(words, 2, #words, 1, {})) }
end

-- ---- controllers -------------------------------------------------------------------------------

--- The class of a controller of a plan.
---@param entry table { name, options }
---@return deer.Class
function plan.controllerClass(entry) return (find_class("controller", entry[1])) end

local function schedule_of(word, rate, epochs)
  if not word:find "%(" then
    if word ~= "linear" and word ~= "constant" then
      usage.fail("--lr-schedule: expected linear, constant or a schedule such as \z
        'linear(0.001, 0.0001, 50)', got '%s'%s", word, text.meant(word, { "linear", "constant" }))
    end
    word = word == "constant" and text.format(rate)
      or ("linear(%s, 0, %d)"):format(text.format(rate), math.max(epochs, 1))
  end
  usage.try(deer.schedule, word)
  return word
end

local function attach(made, words)
  local Class, name = find_class("controller", words[1])
  local rows = class.options(Class)
  local owner = { who = Class.__name, kind = "controller", name = name, rows = rows }
  local given = settings.read(owner, table.move(words, 2, #words, 1, {}))
  usage.try(options.check, Class.__name, rows, given)
  table.insert(made.controllers, { name, given })
  return Class
end

-- what controllers need of the algorithm
local function suit(made)
  for _, entry in ipairs(made.controllers) do
    local Class = plan.controllerClass(entry)
    if Class.plan then usage.try(Class.plan, made, entry[2]) end
  end
end

-- all options with the values in force, for the eyes of people and for later versions
local function complete(made)
  for _, entry in ipairs(made.controllers) do
    local Class = plan.controllerClass(entry)
    entry[2] = usage.try(options.check, Class.__name, class.options(Class), entry[2])
  end
end

-- a policy that has no epsilon, be it the algorithm's own, needs nobody who lowers it
local function is_idle(made, Class)
  if Class ~= deer.controllers.EpsilonController then return false end
  -- the algorithm is not there yet, but what it chooses by is
  local policy = made.train_policy and find_class("policy", made.train_policy[1])
    or Preset.algoClass(made.algo).explorationPolicy{ _options = made.algo_options }
  return not policy.setEpsilon
end

local function choose_controllers(made, said)
  local sensible = made.controllers or {}
  made.controllers = {}
  local attached = {}
  for _, words in ipairs(said.attach or {}) do attached[attach(made, words)] = true end
  local kept = {}
  for _, entry in ipairs(sensible) do
    local Class = plan.controllerClass(entry)
    if not attached[Class] and not is_idle(made, Class) then kept[#kept + 1] = entry end
  end
  table.move(made.controllers, 1, #made.controllers, #kept + 1, kept)
  made.controllers = kept
  -- who attaches a trainer decides when there is training
  if attached[deer.controllers.TrainerController] then made.agent_options.train_every = nil end
  if said.lr_schedule then
    drop(made, "LearningRateController")
    local rate = made.algo_options.learning_rate
      or options.find(class.options(Preset.algoClass(made.algo)), "learning_rate").default
    table.insert(made.controllers, { "LearningRateController",
      { schedule = schedule_of(said.lr_schedule, rate, made.epochs) } })
  end
  complete(made)
  suit(made)
end

-- ---- length ------------------------------------------------------------------------------------

local function choose_length(made, said)
  made.epoch_length = said.steps_per_epoch or made.epoch_length
  made.epochs = said.epochs or made.epochs
  if not said.num_timesteps then return end
  if said.epochs then
    usage.fail "--epochs and --num-timesteps contradict each other; expected one of them"
  end
  -- the last epoch may be cut
  made.num_timesteps = said.num_timesteps
  made.epoch_length = math.min(made.epoch_length, said.num_timesteps)
  made.epochs = -(-said.num_timesteps // made.epoch_length)
end

local function choose_seed(said)
  if said.seed and said.seed >= 0 then return said.seed end
  if not said.seed then return seeds.default() end
  return (os.time() * 1000003 + math.floor(sys.time() * 1e6)) % (1 << 31)
end

--- The plan for what a command line says, and the environment, which is made already. Raises a
--- mistake when they do not fit together.
---@param said table<string, any>
---@return deer.Preset
---@return deer.Environment
function plan.make(said)
  if said.algo then said.algo = ALIASES[said.algo:lower()] or said.algo end
  local made, source = start(said)
  made.preset = source
  made.name = not said.preset and said.algo or source and source:match "/(.*)$"
  choose_environment(made, said)
  made.seed = choose_seed(said)
  seeds.set(made.seed)
  choose_length(made, said)
  local environment = usage.try(made.makeEnvironment, made, made.seed)
  if said.continuous and not is_continuous(environment) then
    usage.fail("the environment '%s' has no continuous actions", made.environment)
  end
  if not made.algo then default_algo(made, environment) end
  set_hyperparams(made, said, environment)
  made.train_policy = choose_policy(said.train_policy) or made.train_policy
  made.test_policy = choose_policy(said.test_policy) or made.test_policy
  choose_controllers(made, said)
  return made, environment
end

--- Does the agent of a plan learn anything?
---@param made deer.Preset
---@return boolean
function plan.learns(made)
  if (made.agent_options.train_every or 0) > 0 then return true end
  for _, entry in ipairs(made.controllers) do
    local file = kinds.fileName("controller", entry[1])
    -- of the stock ones only one trains; of another one nobody knows
    if file == "trainer" or not sys.source("deer.controllers." .. file) then return true end
  end
  return false
end

return plan
