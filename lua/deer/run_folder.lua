--- The folder of a run, runs/ENVIRONMENT/ALGORITHM/DATE_SEED: config.json, from which everything
--- can be made again, the networks, and what controllers write. Reading one runs nothing that lies
--- in it: classes are found by their names where deerlua always looks for them.

local Preset = require "deer.preset"
local class = require "deer.class"
local core = require "deer.core"
local deer = require "deer"
local json = require "deer.json"
local kinds = require "deer.kinds"
local networks = require "deer.networks"
local options = require "deer.options"
local read_file = require "deer.read_file"
local spairs = require "deer.spairs"
local sys = require "deer.sys"
local text = require "deer.text"
local usage = require "deer.usage"

local run_folder = {}

local FORMAT = 1 -- of config.json; one that is newer is refused

-- ---- writing -----------------------------------------------------------------------------------

-- as JSON has it: a layer { "dense", units = 64 } is the object { type = "dense", units = 64 }
local function plain(value)
  if type(value) ~= "table" then return value end
  local all, keys = {}, 0
  for key, part in spairs(value) do
    all[key] = plain(part)
    if type(key) ~= "number" then keys = keys + 1 end
  end
  if keys > 0 and all[1] ~= nil and all.type == nil then
    all.type, all[1] = all[1], nil
  end
  return all
end

-- the options of a class that are in force, without those that are objects
local function in_force(Class, given)
  local all = {}
  for _, option in ipairs(class.options(Class)) do
    local value = given[option.name]
    if value == nil then value = option.default end
    if type(value) ~= "userdata" and type(value) ~= "function" then all[option.name] = value end
  end
  return all
end

--- What config.json holds of a plan.
---@param made deer.Preset
---@return table
function run_folder.config(made)
  local Environment = kinds.load("env", made.environment)
  return plain {
    format = FORMAT,
    version = deer.version,
    name = made.name,
    preset = made.preset,
    environment = made.environment,
    environment_options = in_force(Environment, made.environment_options or {}),
    wrappers = made.wrappers,
    algo = made.algo,
    algo_options = in_force(Preset.algoClass(made.algo), made.algo_options),
    agent_options = in_force(deer.NeuralAgent, made.agent_options),
    train_policy = made.train_policy,
    test_policy = made.test_policy,
    controllers = json.list(made.controllers),
    epochs = made.epochs,
    epoch_length = made.epoch_length,
    num_timesteps = made.num_timesteps,
    seed = made.seed,
  }
end

local function clean(name) return (name:gsub("%.lua$", ""):gsub("[^%w_.-]+", "_")) end

-- makes a folder of this name, or of the next that is free; runs may begin at the same time
local function make_new(path)
  local found, n = path, 1
  while true do
    local done, message = sys.mkdir(found, true)
    if done then return found end
    if not sys.exists(found) then usage.fail("%s", message) end
    n = n + 1
    found = ("%s-%d"):format(path, n)
  end
end

--- Makes the folder of a run with its config.json.
---@param made deer.Preset
---@param where { log_dir: string, run_name: string? }
---@return string path
function run_folder.create(made, where)
  local name = where.run_name or ("%s_%d"):format(os.date "%Y-%m-%d_%Hh%M_%S", made.seed)
  local config = json.encode(run_folder.config(made), true) .. "\n"
  local path = make_new(("%s/%s/%s/%s"):format(where.log_dir, clean(made.environment),
    clean(made.name or made.algo), name))
  local done, message = sys.write_file(path .. "/config.json", config)
  if not done then usage.fail("%s", message) end
  return path
end

--- Writes the parameters of an algorithm, with what else is needed to use them in the header.
---@param path string
---@param algo deer.Algo
---@param metadata table<string, any>
---@return true|nil done
---@return string|nil message
function run_folder.save(path, algo, metadata)
  local params, texts = algo:getAllParams(), { algo = algo.__name, writer = "deerlua",
    network = networks.description(algo) }
  for _, param in ipairs(params) do param.dtype = param.dtype or "float32" end
  for key, value in spairs(metadata) do
    texts[key] = type(value) == "number" and text.format(value) or tostring(value)
  end
  return core.safetensors.save(path, params, texts)
end

-- ---- reading -----------------------------------------------------------------------------------

-- the runs in a folder and in those in it: { path, name }
local function runs_in(folder, depth, found)
  if sys.exists(folder .. "/config.json") then
    found[#found + 1] = { path = folder, name = folder:match "[^/]*$" }
  elseif depth > 0 then
    for _, name in ipairs(sys.listdir(folder) or {}) do
      runs_in(folder .. "/" .. name, depth - 1, found)
    end
  end
  return found
end

--- The folder of a run: this one, or the newest in it, as their names go.
---@param folder string
---@return string
function run_folder.find(folder)
  folder = folder:gsub("(.)/+$", "%1")
  if folder:find "%.safetensors$" then folder = folder:match "^(.*)/[^/]*$" or "." end
  local found = runs_in(folder, 3, {})
  table.sort(found, function(a, b)
    if a.name ~= b.name then return a.name < b.name end
    return a.path < b.path
  end)
  if #found == 0 then
    usage.fail("'%s' is not the folder of a run, and there is none in it", folder)
  end
  return found[#found].path
end

-- the file of parameters that a run or a file stands for
local function parameters_file(where, which)
  if where:find "%.safetensors$" or sys.exists(where) and not sys.listdir(where) then
    return where
  end
  where = run_folder.find(where)
  for _, name in ipairs { which or "best", "last" } do
    local path = ("%s/%s.safetensors"):format(where, name)
    if sys.exists(path) then return path end
  end
  if sys.exists(where .. "/best.safetensors") then
    usage.fail("there are no last parameters in '%s' yet, only the best ones; leave out --last",
      where)
  end
  usage.fail("there are no parameters in '%s'", where)
end

--- The parameters of a run, its best ones if there are.
---@param where string a folder, or a file
---@param which? string "last" for the last ones
---@return table[] params
---@return table<string, string> metadata
---@return string path
function run_folder.parameters(where, which)
  local path = parameters_file(where, which)
  local params, metadata = core.safetensors.load(path)
  if not params then usage.fail("%s", metadata) end
  return params, metadata, path
end

--- Puts the parameters of a run, its best ones if there are, into the algorithm of an agent.
---@param agent { learning_algo: deer.Algo }
---@param where string a folder, or a file
---@param which? string "last" for the last ones
---@return string path of the file they come from
---@return table<string, string> metadata
function run_folder.load(agent, where, which)
  local params, metadata, path = run_folder.parameters(where, which)
  local algo = agent.learning_algo
  local done, err = pcall(usage.try, algo.setAllParams, algo, params)
  if not done then
    usage.fail("%s does not fit this %s: %s", path, algo.__name, usage.message(err) or err)
  end
  return path, metadata
end

-- the types of the fields without which there is no agent
local NEEDED = { environment = "string", algo = "string", environment_options = "table",
  algo_options = "table", agent_options = "table", seed = "number" }

local function check_config(path, config)
  if type(config) ~= "table" or math.type(config.format) ~= "integer" then
    usage.fail("%s: expected the configuration of a run", path)
  end
  if config.format > FORMAT then
    usage.fail("%s: it was written by a newer deerlua, %s", path, tostring(config.version))
  end
  for key, kind in spairs(NEEDED) do
    if type(config[key]) ~= kind then
      usage.fail("%s: %s: expected %s, got %s", path, key, text.a(kind), text.describe(config[key]))
    end
  end
end

-- of the options of the run's environment those that another one has as well
local function shared(given, Class)
  local kept, rows = {}, class.options(Class)
  for name, value in spairs(given) do
    if options.find(rows, name) then kept[name] = value end
  end
  return kept
end

-- A run may come from anywhere, so a file of code that it names is run only when a person says so.
local function check_environment(config, env)
  local name = env or config.environment
  if not env and (name:find "/" or name:find "%.lua$") then
    usage.fail("the run used the environment in the file '%s'; to run that file, say --env %s",
      name, name)
  end
  local Class = usage.try(kinds.find, "env", name)
  if not Class then
    usage.fail("%s%s", kinds.absent("env", name, kinds.list "env"), env and ""
      or "; the run used it (--env names another one)")
  end
  if env and env ~= config.environment then
    config.environment_options = shared(config.environment_options, Class)
  end
  config.environment = name
end

-- The other classes that it names are looked for by name alone, where deerlua always looks.
local function check_code(path, config)
  local network, policy = config.algo_options.network, config.test_policy
  for _, name in ipairs { config.algo, type(network) == "string" and network or "",
    type(policy) == "table" and policy[1] or "" } do
    if type(name) ~= "string" or (name:find "/" or name:find "%.lua$") and not name:find "%.json$"
    then
      usage.fail("%s: '%s' is a file; expected a name", path, tostring(name))
    end
  end
  local done, message = pcall(Preset.algoClass, config.algo)
  if not done then usage.fail("%s: %s", path, (tostring(message):gsub("^.-:%d+: ", ""))) end
end

--- The plan of a run, from its config.json.
---@param folder string
---@param env? string the environment, in place of the one named there
---@return deer.Preset
function run_folder.read(folder, env)
  local path = folder .. "/config.json"
  local source, reason = read_file(path)
  if not source then usage.fail("'%s' is not the folder of a run: %s", folder, reason) end
  local config, message = json.decode(source)
  if message then usage.fail("%s: %s", path, message) end
  check_config(path, config)
  check_environment(config, env)
  check_code(path, config)
  return Preset.of(config)
end

return run_folder
