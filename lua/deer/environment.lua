--- The task of an agent. An environment of one's own extends this class and has the methods below;
--- lua/deer/README.md shows a complete one.
---
--- Every environment has the option `seed`. Its init gets, besides the options, a generator:
--- `options.rng`, which gives the same numbers for the same seed.

local class = require "deer.class"
local core = require "deer.core"
local seeds = require "deer.seeds"
local spairs = require "deer.spairs"
local text = require "deer.text"

---@class deer.Environment: deer.Class
---@field reset fun(self, mode: integer): any[] starts an episode and returns the observations that
---  came before it, one entry per subject, each as inputDimensions says; mode is -1 in training and
---  0, 1, ... in validation and tests
---@field act fun(self, action: number|number[]): number one step; returns the reward
---@field observe fun(self): any[] the present observation: per subject a number, a list, nested
---  lists, a deer.Tensor or a string of bytes
---@field inputDimensions fun(self): integer[][] per subject {history}, {history, n}, {history,
---  rows, columns} or {history, channels, rows, columns}
---@field nActions fun(self): integer|integer[]|number[][] actions are 0..n-1; or, several
---  choices at once, {n, ...}; or {{min, max}, ...}
---@field step? fun(self, action): number, boolean, boolean, ... act, inTerminalState, isTruncated
---  and observe in one call: reward, terminal, truncated, observation...
---@field render? fun(self): deer.Tensor a picture of the present state: bytes, {rows, columns, 3}
---@field stop? fun(self) called once, after the last epoch
local Environment = class.new "Environment"

Environment.options = {
  seed = { type = "seed", alias = { "random_state", "rng" },
    help = "same number, same random draws" },
}

-- before init: the generator of this environment; a class whose seed is of the type "generator" may
-- be given a RandomState, from which it draws itself
function Environment:prepare(options)
  self._options = {}
  for name, value in spairs(options) do self._options[name] = value end
  options.seed = options.seed or seeds.default()
  local seed = math.tointeger(options.seed) or seeds.default()
  options.rng = core.Rng(seed):split("environment")
end

--- Another environment of the same class and options.
---@param seed integer
---@return deer.Environment
function Environment:copy(seed)
  local options = {}
  for name, value in spairs(self._options) do options[name] = value end
  options.seed = seed
  return getmetatable(self)(options)
end

--- Is the episode over for good, so that no reward can follow?
---@return boolean
function Environment.inTerminalState() return false end

--- Is the episode cut short (a time limit), though reward would have followed?
---@return boolean
function Environment.isTruncated() return false end

--- How a subject is stored in the replay memory: "float32", "uint8" for frames of bytes, or
--- "int32". To networks all of them are numbers.
---@param subject integer 0-based
---@return string
function Environment.observationType(subject) -- luacheck: no unused args
  return "float32"
end

--- Looks at the last test epoch: prints, draws, whatever helps to judge it.
---@param test_data_set deer.DataSet
function Environment:summarizePerformance(test_data_set) end -- luacheck: no unused args

-- what must be there, and what else the agent calls; the latter are long enough to tell a misspelt
-- one from a method of the user's own
local NEEDED = { "reset", "observe", "inputDimensions", "nActions" }
local OPTIONAL = { "inTerminalState", "isTruncated", "observationType", "summarizePerformance" }

-- calls visit(name) for the functions of the object and its classes, without those of this file
local function each_method(self, visit)
  local at = self
  while at and at ~= Environment do
    for name, value in spairs(at) do
      if type(name) == "string" and type(value) == "function" then visit(name) end
    end
    at = class.isClass(at) and class.parent(at) or getmetatable(at)
  end
end

-- the function whose name is near to that of the method which is missing, or nil
local function misspelt(self, method)
  local found
  each_method(self, function(name)
    if not found and core.nearest(name, { method }) then found = name end
  end)
  return found
end

local function check_needed(self, method)
  if type(self[method]) == "function" then return end
  local near = self[method] == nil and misspelt(self, method)
  text.fail("%s: expected a method '%s', got %s%s", self.__name, method,
    text.describe(self[method]), near and (" (but there is a '%s')"):format(near) or "")
end

local function check_methods(self)
  for _, method in ipairs(NEEDED) do check_needed(self, method) end
  if self.step == nil then check_needed(self, "act") end
  for _, method in ipairs(OPTIONAL) do
    local near = self[method] == Environment[method] and misspelt(self, method)
    if near then
      text.fail("%s: '%s' is no method of an environment; did you mean '%s'?", self.__name, near,
        method)
    end
  end
end

--- What the C side sees of this environment; made once.
---@return userdata
function Environment:handle()
  local handle = rawget(self, "_handle")
  if not handle then
    check_methods(self)
    handle = core.environment(self)
    self._handle = handle
  end
  return handle
end

return Environment
