--- Presets: options known to make an algorithm learn an environment. Each is a file of
--- deer/presets/ENVIRONMENT/ that returns a table; those in deer/presets/any/ are for no
--- environment in particular and name none; deer.preset "cartpole/dqn" gives a copy of it, which
--- may be changed before it is used:
---
---   environment    its name, and environment_options
---   wrappers       a list of { name of the class in deer.wrappers, options }, the innermost first
---   algo           the class of deer that learns, and algo_options
---   agent_options  of deer.NeuralAgent
---   train_policy, test_policy   each { name of the class, options }
---   controllers    a list of such
---   epochs, epoch_length   what the agent is to run
---
---   local preset = deer.preset "cartpole/dqn"
---   preset.algo_options.dueling = true
---   local agent = preset:agent{ seed = 1 }
---   agent:run(preset.epochs, preset.epoch_length)

local deer = require "deer"
local kinds = require "deer.kinds"
local spairs = require "deer.spairs"
local sys = require "deer.sys"
local text = require "deer.text"

local MODULES = "deer.presets."

---@class deer.Preset
---@field environment string none in presets of any/
---@field environment_options? table
---@field wrappers? table[]
---@field algo string
---@field algo_options? table
---@field agent_options? table
---@field train_policy? table
---@field test_policy? table
---@field controllers? table[]
---@field epochs integer
---@field epoch_length integer
local Preset = {}
Preset.__index = Preset

--- The names of all presets, sorted.
---@return string[]
function Preset.names()
  local names = {}
  for i, module in ipairs(sys.embedded(MODULES)) do
    names[i] = module:sub(#MODULES + 1):gsub("%.", "/")
  end
  return names
end

local function copy(value)
  if type(value) ~= "table" then return value end
  local all = {}
  for key, part in spairs(value) do all[key] = copy(part) end
  return all
end

---@param name string "environment/algorithm"
---@return deer.Preset
function Preset.load(name)
  local names = Preset.names()
  for _, known in ipairs(names) do
    if known == name then
      return setmetatable(copy(require(MODULES .. name:gsub("/", "."))), Preset)
    end
  end
  if type(name) ~= "string" then
    text.fail("preset: expected a name such as 'cartpole/dqn', got %s", text.describe(name))
  end
  local near = text.meant(name, names)
  text.fail("there is no preset '%s'%s", name,
    near ~= "" and near or "; there are " .. table.concat(names, ", "))
end

-- a table of options and a few more
local function with(options, more)
  local all = copy(options or {})
  for key, value in spairs(more) do all[key] = value end
  return all
end

--- A preset of a table that has the same fields.
---@param fields table
---@return deer.Preset
function Preset.of(fields) return setmetatable(copy(fields), Preset) end

--- The environment of the preset, in its wrappers.
---@param seed? integer
---@return deer.Environment
function Preset:makeEnvironment(seed)
  local made = deer.env(self.environment)(with(self.environment_options, { seed = seed }))
  for _, wrapper in ipairs(self.wrappers or {}) do
    made = deer.wrappers[wrapper[1]](with(wrapper[2], { environment = made }))
  end
  return made
end

-- an object of { name of the class or of its file, options }
local function make(kind, given)
  if not given then return nil end
  local name = given[1]
  if not name:find "/" and not name:find "%.lua$" then name = kinds.fileName(kind, name) end
  return kinds.load(kind, name)(copy(given[2] or {}))
end

--- The class of an algorithm: one of deer, or that in a file of one's own.
---@param name string
---@return deer.Algo
function Preset.algoClass(name)
  for _, known in ipairs(require("deer.manual").classes) do
    if known == name and name ~= "NeuralAgent" then return deer[name] end
  end
  return kinds.find("algo", name) or text.fail("there is no algorithm '%s'", name)
end

--- The algorithm of the preset.
---@param environment deer.Environment
---@param seed? integer
---@return deer.Algo
function Preset:makeAlgo(environment, seed)
  local given = with(self.algo_options, { environment = environment, seed = seed })
  return Preset.algoClass(self.algo)(given)
end

--- The policy of the preset, nil when it names none.
---@param which string "train_policy" or "test_policy"
---@return deer.Policy|nil
function Preset:makePolicy(which) return make("policy", self[which]) end

--- An agent made of the preset, its environment and its algorithm, ready to run.
---@param options? { seed: integer?, environment: deer.Environment?, before: deer.Controller[]? }
---  the seed is that of all random numbers; the environment one that makeEnvironment gave; the
---  controllers are attached before those of the preset
---@return deer.NeuralAgent
function Preset:agent(options)
  local seed = options and options.seed
  local environment = options and options.environment or self:makeEnvironment(seed)
  local agent = deer.NeuralAgent(with(self.agent_options, { environment = environment,
    learning_algo = self:makeAlgo(environment, seed), seed = seed,
    train_policy = self:makePolicy "train_policy", test_policy = self:makePolicy "test_policy" }))
  for _, controller in ipairs(options and options.before or {}) do agent:attach(controller) end
  for _, controller in ipairs(self.controllers or {}) do
    agent:attach(make("controller", controller))
  end
  return agent
end

--- How good an agent is: the mean reward of whole episodes without exploration, from the same
--- starts for every agent of this environment.
---@param agent deer.NeuralAgent
---@param steps integer the last episode begins before so many
---@return number mean
---@return integer n_episodes
function Preset:score(agent, steps)
  local judge = deer.NeuralAgent{ environment = self:makeEnvironment(0),
    learning_algo = agent.learning_algo, seed = 0 }
  judge:startMode(0, steps)
  judge:run(1, steps)
  return judge:totalRewardOverLastTest()
end

return Preset
