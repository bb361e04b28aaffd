--- Environments around another one, which change what goes in or comes out; they can be stacked:
---
---   local env = deer.wrappers.TimeLimit{ environment = deer.env "cartpole" {}, max_steps = 200 }
---
--- All but Monitor are written in C (src/env/wrapper/*.c) and take environments of either language.
--- One of your own is an environment in Lua that asks another one, or extends one of these.

local Environment = require "deer.environment"
local MonitorFile = require "deer.monitor_file"
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

local ENVIRONMENT = { required = true, type = "any", help = "the environment inside" }

-- time_limit is TimeLimit
local function class_name(name)
  return (("_" .. name):gsub("_(%l)", string.upper))
end

local function define(name)
  local Class = Wrapper:extend(class_name(name))
  Class.native_name, Class.help = name, core.about("wrapper", name).help
  Class.fields = options.fromFields(core.fields("wrapper", name))
  Class.options = { environment = ENVIRONMENT }
  for _, field in ipairs(Class.fields) do Class.options[field.name] = field end
  return Class
end

local wrappers = { Wrapper = Wrapper }
for _, name in ipairs(core.names "wrapper") do wrappers[class_name(name)] = define(name) end

--- Writes down the episodes of training, as they are seen from here, when they are over; one that
--- somebody else cuts short, a wrapper around this one or the end of an epoch, is not whole and is
--- left out. Of copies each has a file of its own: 0.monitor.csv, 1.monitor.csv, ...
---@class deer.Monitor: deer.Wrapper
local Monitor = Wrapper:extend "Monitor"

Monitor.help = "writes returns and lengths of episodes to a file, as Stable-Baselines3 does"

Monitor.fields = { { name = "file", type = "string", default = "monitor.csv",
  help = "where; in front of its name copies put their number and a point" } }

Monitor.options = { environment = ENVIRONMENT, file = Monitor.fields[1] }

function Monitor.around(_, handle) return handle end

--- Called by deer.copies: changes the options of one to those of its copy.
---@param given table
---@param number integer from 0 on
function Monitor.optionsOfCopy(given, number)
  local folder, name = given.file:match "^(.-)([^/]*)$"
  given.file = ("%s%d.%s"):format(folder, number, name)
end

local function check(result, message)
  return result or text.fail("Monitor: %s", message)
end

function Monitor:reset(mode)
  self._return, self._steps = 0, mode == -1 and 0 or nil
  -- not before, so that objects of which only copies train or tests are made write nothing
  if mode == -1 and not self._file then
    self._file = check(MonitorFile.open(self._values.file, self))
  end
  return Wrapper.reset(self, mode)
end

function Monitor:act(action)
  local reward = Wrapper.act(self, action)
  if not self._steps then return reward end
  self._return, self._steps = self._return + reward, self._steps + 1
  if self:inTerminalState() or self:isTruncated() then
    check(self._file:add(self._return, self._steps))
    check(self._file:flush())
    self._steps = nil
  end
  return reward
end

wrappers.Monitor = Monitor

--- The names of all wrappers, sorted.
---@return string[]
function Wrapper.names()
  local names = { "Monitor" }
  for _, name in ipairs(core.names "wrapper") do names[#names + 1] = class_name(name) end
  table.sort(names)
  return names
end

return setmetatable(wrappers, { __index = function(_, name)
  text.fail("there is no wrapper '%s'%s", tostring(name), text.meant(tostring(name),
    Wrapper.names()))
end })
