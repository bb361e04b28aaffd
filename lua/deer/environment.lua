--- The task of an agent. An environment of one's own extends this class and has the methods below;
--- lua/deer/README.md shows a complete one.
---
--- Every environment has the option `seed`. Its init gets, besides the options, a generator:
--- `options.rng`, which gives the same numbers for the same seed.

local class = require "deer.class"
local core = require "deer.core"
local seeds = require "deer.seeds"

---@class deer.Environment: deer.Class
---@field reset fun(self, mode: integer): any[] starts an episode and returns the observations that
---  came before it, one entry per subject, each as inputDimensions says; mode is -1 in training and
---  0, 1, ... in validation and tests
---@field act fun(self, action: number|number[]): number one step; returns the reward
---@field observe fun(self): any[] the present observation: per subject a number, a list, nested
---  lists, a deer.Tensor or a string of bytes
---@field inputDimensions fun(self): integer[][] per subject {history}, {history, n}, {history,
---  rows, columns} or {history, channels, rows, columns}
---@field nActions fun(self): integer|number[][] actions are 0..n-1; or {{min, max}, ...}
---@field step? fun(self, action): number, boolean, boolean, ... act, inTerminalState, isTruncated
---  and observe in one call: reward, terminal, truncated, observation...
---@field stop? fun(self) called once, after the last epoch
local Environment = class.new "Environment"

Environment.options = {
  seed = { type = "seed", alias = { "random_state", "rng" },
    help = "same number, same random draws" },
}

-- before init: the generator of this environment
function Environment.prepare(_, options)
  options.seed = options.seed or seeds.default()
  options.rng = core.Rng(options.seed):split("environment")
end

--- Is the episode over for good, so that no reward can follow?
---@return boolean
function Environment.inTerminalState() return false end

--- Is the episode cut short (a time limit), though reward would have followed?
---@return boolean
function Environment.isTruncated() return false end

--- How a subject is stored in the replay memory: "float32", or "uint8" for frames of bytes.
---@param subject integer 0-based
---@return string
function Environment.observationType(subject) -- luacheck: no unused args
  return "float32"
end

--- Looks at the last test epoch: prints, draws, whatever helps to judge it.
---@param test_data_set deer.DataSet
function Environment:summarizePerformance(test_data_set) end -- luacheck: no unused args

--- What the C side sees of this environment; made once.
---@return userdata
function Environment:handle()
  local handle = rawget(self, "_handle")
  if not handle then
    handle = core.environment(self)
    self._handle = handle
  end
  return handle
end

return Environment
