--- Environments around another one, which change what goes in or comes out; they can be stacked:
---
---   local env = deer.wrappers.TimeLimit{ environment = deer.env "cartpole" {}, max_steps = 200 }
---
--- Each is written in C (src/env/wrapper/*.c) and takes environments of either language. One of
--- your own is an environment in Lua that asks another one.

local Environment = require "deer.environment"
local Native = require("deer.native_environment").Environment
local class = require "deer.class"
local core = require "deer.core"
local options = require "deer.options"
local text = require "deer.text"

---@class deer.Wrapper: deer.NativeEnvironment
---@field environment deer.Environment the one inside
local Wrapper = Native:extend "Wrapper"

-- what the C side sees of the environment inside. An object of the script gets a place in which it
-- needs nothing of the agent that runs it
local function handle_of(environment)
  local handle = environment:handle()
  return handle:alone() and handle or core.home():environment(environment, -1)
end

--- Another environment in the same wrapper.
---@param handle userdata of an environment that runs by itself
---@return userdata
function Wrapper:around(handle) return core.wrapper(self.native_name, handle, self._values) end

function Wrapper:init(given)
  local environment = given.environment
  if not class.isObject(environment, Environment) then
    text.fail("%s: option 'environment': expected an environment, got %s", self.__name,
      text.describe(environment))
  end
  self.environment, self._values = environment, {}
  for _, field in ipairs(self.fields) do self._values[field.name] = given[field.name] end
  self._env = self:around(handle_of(environment))
end

--- The environment in the middle.
---@return deer.Environment
function Wrapper:unwrapped() return self.environment:unwrapped() end

function Wrapper:summarizePerformance(test_data_set)
  self.environment:summarizePerformance(test_data_set)
end

Wrapper.written_in_c = Wrapper

-- time_limit is TimeLimit
local function class_name(name)
  return (("_" .. name):gsub("_(%l)", string.upper))
end

local function define(name)
  local Class = Wrapper:extend(class_name(name))
  Class.native_name, Class.help = name, core.about("wrapper", name).help
  Class.fields = options.fromFields(core.fields("wrapper", name))
  Class.options = { environment = { required = true, type = "any",
    help = "the environment inside" } }
  for _, field in ipairs(Class.fields) do Class.options[field.name] = field end
  return Class
end

local wrappers = { Wrapper = Wrapper }
for _, name in ipairs(core.names "wrapper") do wrappers[class_name(name)] = define(name) end

--- The names of all wrappers, sorted.
---@return string[]
function Wrapper.names()
  local names = {}
  for i, name in ipairs(core.names "wrapper") do names[i] = class_name(name) end
  table.sort(names)
  return names
end

return setmetatable(wrappers, { __index = function(_, name)
  text.fail("there is no wrapper '%s'%s", tostring(name), text.meant(tostring(name),
    Wrapper.names()))
end })
