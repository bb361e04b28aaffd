--- Environments written in C (envs/*.c) as classes. An object runs by itself with the methods of
--- an environment, or in an agent, which then does not go through Lua. A class that extends one and
--- has a method of its own in place of one of these runs as any environment written in Lua does.

local Environment = require "deer.environment"
local core = require "deer.core"
local film = require "deer.film"
local options = require "deer.options"
local text = require "deer.text"

---@class deer.NativeEnvironment: deer.Environment
local Native = Environment:extend "NativeEnvironment"

local PATH = { type = "string", help = "file for a film of a test when it is summarized, .mp4, \z
  .png or .gif; no film if not given" }
local CURVES = { type = "table", help = "what is drawn below the film's pictures: a list of \z
  { name, position of a subject that is a number }" }

-- the options that the class in C reads; Environment reads the seed
local function own_options(self, given)
  local values = {}
  for _, field in ipairs(self.fields) do values[field.name] = given[field.name] end
  return values
end

-- names and positions of subjects that are a number each
local function check_curves(self, curves)
  local dimensions = self:inputDimensions()
  for _, curve in ipairs(curves) do
    local subject = type(curve) == "table" and math.type(curve[2]) == "integer"
      and dimensions[curve[2] + 1]
    if type(curve) ~= "table" or type(curve[1]) ~= "string" or not subject or #subject > 1 then
      text.fail("%s: option 'curves': expected { name, position of a subject that is a number, \z
        from 0 }, got %s", self.__name, text.describe(curve))
    end
  end
end

function Native:init(given)
  self._path, self._curves = given.path, given.curves
  self._env = core.env(self.native_name, { options = own_options(self, given), seed = given.seed })
  if given.curves then check_curves(self, given.curves) end
end

---@param mode integer -1 in training, else that of a test
---@return any[] histories
function Native:reset(mode) return self._env:reset(mode) end

---@param action number|number[]
---@return number reward
function Native:act(action) return self._env:act(action) end

---@return any[] observations
function Native:observe() return self._env:observe() end

---@return boolean
function Native:inTerminalState() return self._env:terminal() end

---@return boolean
function Native:isTruncated() return self._env:truncated() end

--- A picture of the present state, or of the one in which this was observed.
---@param observation? any[] one entry per subject
---@return deer.Tensor rgb bytes, {rows, columns, 3}
function Native:render(observation) return self._env:render(observation) end

--- Makes a film of the test epoch, if the option `path` says where.
---@param test_data_set deer.DataSet
function Native:summarizePerformance(test_data_set)
  if not self._path then return end
  local rate = self._env:pictureRate()
  local path, note = film.write(self, test_data_set,
    { path = self._path, rate = rate > 0 and rate or 25, curves = self._curves })
  text.say("Summary Perf")
  text.say("A film of the policy obtained has been saved under the name %s%s", path,
    note and (", because %s"):format(note) or "")
end

---@return integer[][]
function Native:inputDimensions() return self._env:space().inputDimensions end

---@return integer|number[][]
function Native:nActions() return self._env:space().nActions end

---@param subject integer
---@return string
function Native:observationType(subject) return self._env:space().observationTypes[subject + 1] end

local METHODS = { "reset", "act", "observe", "inTerminalState", "isTruncated", "inputDimensions",
  "nActions", "observationType", "step", "stop" }

-- whose methods C stands for
Native.written_in_c = Native

-- what the C side sees: the environment itself, unless a method that it calls is the user's own
function Native:handle()
  for _, method in ipairs(METHODS) do
    if self[method] ~= self.written_in_c[method] then return Environment.handle(self) end
  end
  return self._env
end

local classes = {}

local native = { Environment = Native }

--- The names of the environments written in C.
---@return string[]
function native.names() return core.names "env" end

--- The class of the environment in C of that name, or nil; `class_name` is what it shall be called.
---@param name string
---@param class_name string
---@return deer.NativeEnvironment|nil
function native.find(name, class_name)
  for _, known in ipairs(native.names()) do
    if known == name and not classes[name] then
      local Class = Native:extend(class_name)
      Class.native_name, Class.help = name, core.about("env", name).help
      Class.fields = options.fromFields(core.fields("env", name))
      Class.options = { path = PATH, curves = CURVES }
      for _, field in ipairs(Class.fields) do Class.options[field.name] = field end
      classes[name] = Class
    end
  end
  return classes[name]
end

return native
