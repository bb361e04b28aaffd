--- The task of an agent. An environment of one's own extends this class and has the methods below;
--- lua/deer/README.md shows a complete one.
---
--- Every environment has the option `seed`. Its init gets, besides the options, a generator:
--- `options.rng`, which gives the same numbers for the same seed.

local class = require "deer.class"
local copies = require "deer.copies"
local core = require "deer.core"
local seeds = require "deer.seeds"
local spairs = require "deer.spairs"
local text = require "deer.text"

---@class deer.Environment: deer.Class
---@field reset fun(self, mode: integer): any[] starts an episode and returns the observations that
---  came before it, one entry per subject, each as inputDimensions says; mode is -1 in training and
---  0, 1, ... in validation and tests
---@field act fun(self, action: number|number[]): number one step; returns the reward
---@field observe fun(self, into?: any[]): any[] the present observation: per subject a number, a
---  list, nested lists, a deer.Tensor or a string of bytes. An agent hands the same list over each
---  time, `into`, with a list of numbers for a vector and a deer.Tensor for what has more axes; one
---  that fills and returns these makes no garbage
---@field inputDimensions fun(self): integer[][] per subject {history}, {history, n}, {history,
---  rows, columns} or {history, channels, rows, columns}
---@field nActions fun(self): integer|integer[]|number[][] actions are 0..n-1; or, several
---  choices at once, {n, ...}; or {{min, max}, ...}
---@field step? fun(self, action: number|number[], into?: any[]): number, boolean, boolean, ...
---  act, inTerminalState, isTruncated and observe in one call, for speed: reward, terminal,
---  truncated, and the observation: a value per subject, as in observe, or, of a vector that is all
---  there is, its numbers one after the other
---@field render? fun(self): deer.Tensor a picture of the present state: bytes, {rows, columns, 3}
---@field stop? fun(self) called once, after the last epoch
local Environment = class.new("Environment", { "step", "render", "stop" })

Environment.options = {
  seed = { type = "seed", alias = { "random_state", "rng" },
    help = "same number, same random draws" },
}

-- before init: the generator of this environment; a class whose seed is of the type "generator" may
-- be given a RandomState, from which it draws itself
function Environment:prepare(options)
  options.seed = options.seed or seeds.default()
  self._options = copies.remember(options)
  local seed = math.tointeger(options.seed) or seeds.default()
  options.rng = core.Rng(seed):split("environment")
end

--- Another environment of the same class and options.
---@param seed integer
---@return deer.Environment
function Environment:copy(seed) return copies.object(self, { seed = seed }) end

--- Is the episode over for good, so that no reward can follow?
---@type fun(self): boolean
Environment.inTerminalState = core.never -- which is not even called

--- Is the episode cut short (a time limit), though reward would have followed?
---@type fun(self): boolean
Environment.isTruncated = core.never

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

--- The environment in the middle of any wrappers.
---@return deer.Environment
function Environment:unwrapped() return self end

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

--- Copies to be stepped together, which deer.copies describes; a class that is made of others may
--- have its own way.
---@param n integer
---@return userdata[] handles
---@return integer[]|nil groups
function Environment:copies(n) return copies.make(self, n) end

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
