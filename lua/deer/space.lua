--- What is observed and done where no environment is at hand: a description of the caller's own
--- robot, game or simulator, for an algorithm that deer.Agent is to use. Algorithms make one of
--- their options input_dimensions, n_actions and observation_types.

local Environment = require "deer.environment"
local core = require "deer.core"
local text = require "deer.text"

---@class deer.Space: deer.Environment
local Space = Environment:extend "Space"

Space.options = {
  input_dimensions = { required = true, type = "table", help = "as inputDimensions gives them" },
  n_actions = { required = true, type = "any", help = "as nActions gives it" },
  observation_types = { type = "table", help = "as observationType gives them, a list" },
}

function Space:init(options) self._space = core.space(options) end

function Space:inputDimensions() return self._space.inputDimensions end

function Space:nActions() return self._space.nActions end

function Space:observationType(subject) return self._space.observationTypes[subject + 1] end

local function nothing_there()
  text.fail "there is no environment here, only what is observed and done: a deer.Agent is driven \z
    by a script, a deer.NeuralAgent needs an environment"
end

Space.reset, Space.act, Space.observe = nothing_there, nothing_there, nothing_there

return Space
