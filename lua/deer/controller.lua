--- A controller listens to the signals of the agent it is attached to. It extends this class and
--- has the methods it wants of
---
---   onStart(agent)                        once per run
---   onActionChosen(agent, action)         before the environment acts
---   onActionTaken(agent)                  after the sample is stored
---   onEpisodeEnd(agent, terminal, reward) terminal is false when the episode was cut short
---   onEpochEnd(agent)
---   onEnd(agent)                          once per run
---
--- and ready(agent), which a program calls before anything is written: it raises an error when the
--- controller cannot work with this agent.
---
--- (OnStart and so on are heard as well). A class or an object may set `modes`, the list of modes
--- in which it hears signals: {-1} is training alone, the default is all. The stock controllers
--- listen in training alone unless told otherwise.

local class = require "deer.class"

---@class deer.Controller: deer.Class
---@field modes? integer[] the modes in which signals are heard; all when absent
---@field ready? fun(self, agent: deer.NeuralAgent)
---@field plan? fun(made: deer.Preset, options: table) changes the plan of `deerlua train`
---@field onStart? fun(self, agent: deer.NeuralAgent)
---@field onActionChosen? fun(self, agent: deer.NeuralAgent, action: number|number[])
---@field onActionTaken? fun(self, agent: deer.NeuralAgent)
---@field onEpisodeEnd? fun(self, agent: deer.NeuralAgent, terminal: boolean, reward: number)
---@field onEpochEnd? fun(self, agent: deer.NeuralAgent)
---@field onEnd? fun(self, agent: deer.NeuralAgent)
local Controller = class.new("Controller", { "ready" })

Controller.options = {
  modes = { type = "table", help = "modes in which signals are heard: -1 training, 0.. tests" },
}

--- The signals, in the order in which a run first gives them.
Controller.signals = {
  "onStart", "onActionChosen", "onActionTaken", "onEpisodeEnd", "onEpochEnd", "onEnd",
}

--- The signal behind the usual option `evaluate_on`.
Controller.events = { action = "onActionTaken", episode = "onEpisodeEnd", epoch = "onEpochEnd" }

function Controller:prepare(options)
  self.active = true
  if options.modes then self.modes = options.modes end
end

--- An inactive controller hears nothing.
---@param active boolean
function Controller:setActive(active) self.active = active end

---@return boolean
function Controller:isActive() return self.active end

--- Is it time, when something is done at every period-th of the counted events?
---@param count integer
---@param period integer
---@return boolean
function Controller.due(count, period) return period <= 1 or count % period == 0 end

return Controller
