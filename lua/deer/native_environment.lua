--- Environments written in C (envs/*.c) as classes. An object runs by itself with the methods of
--- an environment, or in an agent, which then does not go through Lua. A class that extends one and
--- has a method of its own in place of one of these runs as any environment written in Lua does.

local Environment = require "deer.environment"
local core = require "deer.core"
local options = require "deer.options"

---@class deer.NativeEnvironment: deer.Environment
local Native = Environment:extend "NativeEnvironment"

-- the options that the class in C reads; Environment reads the seed
local function own_options(self, given)
  local values = {}
  for _, field in ipairs(self.fields) do values[field.name] = given[field.name] end
  return values
end

function Native:init(given)
  self._env = core.env(self.native_name, { options = own_options(self, given), seed = given.seed })
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

--- A picture of the present state.
---@return deer.Tensor rgb bytes, {rows, columns, 3}
function Native:render() return self._env:render() end

---@return integer[][]
function Native:inputDimensions() return self._env:space().inputDimensions end

---@return integer|number[][]
function Native:nActions() return self._env:space().nActions end

---@param subject integer
---@return string
function Native:observationType(subject) return self._env:space().observationTypes[subject + 1] end

local METHODS = { "reset", "act", "observe", "inTerminalState", "isTruncated", "inputDimensions",
  "nActions", "observationType", "summarizePerformance", "step", "stop" }

-- whose methods C stands for
Native.written_in_c = Native

-- what the C side sees: the environment itself, unless a method is the user's own
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
      Class.options = {}
      for _, field in ipairs(Class.fields) do Class.options[field.name] = field end
      classes[name] = Class
    end
  end
  return classes[name]
end

return native
