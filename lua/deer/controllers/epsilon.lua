--- Lowers the epsilon of the training policy from initial_e to e_min in e_decays equal steps, one
--- per action unless told otherwise. The value set by an update is the one computed by the update
--- before, as in DeeR: after k updates epsilon is max(initial_e - (k - 1) * step, e_min). With a
--- schedule it is schedule(k) after k of what is counted, where k is a multiple of periodicity.

local schedule = require("deer.core").schedule
local Controller = require "deer.controller"
local text = require "deer.text"

---@class deer.EpsilonController: deer.Controller
---@overload fun(options: table): deer.EpsilonController
local EpsilonController = Controller:extend "EpsilonController"

EpsilonController.modes = { -1 }

EpsilonController.options = {
  initial_e = { default = 1.0, range = { 0, 1 }, help = "epsilon at the start" },
  e_decays = { default = 10000, type = "integer", range = { 1, 2 ^ 53 },
    help = "updates until e_min" },
  e_min = { default = 0.1, range = { 0, 1 }, help = "lowest epsilon" },
  evaluate_on = { default = "action", choices = { "action", "episode", "epoch" },
    help = "what is counted" },
  periodicity = { default = 1, type = "integer", range = { 0, 2 ^ 53 },
    help = "update at every so many of them" },
  reset_every = { default = "none", choices = { "none", "episode", "epoch" },
    help = "back to the start at each end of this" },
  schedule = { type = "any",
    help = "of what is counted, instead of these: 'cosine(1, 0.1, 10000)'" },
}

-- actions are counted when chosen, also those of the random phase
local EVENTS = { action = "onActionChosen", episode = "onEpisodeEnd", epoch = "onEpochEnd" }

function EpsilonController:init(options)
  self.initial, self.min = options.initial_e, options.e_min
  self.step = (options.initial_e - options.e_min) / options.e_decays
  self.periodicity = options.periodicity
  self.schedule = options.schedule ~= nil and schedule(options.schedule)
  self[EVENTS[options.evaluate_on]] = self.update
  -- at the same event a reset comes instead of an update
  if options.reset_every ~= "none" then self[EVENTS[options.reset_every]] = self.reset end
end

--- Raises an error when the training policy has no epsilon.
---@param agent deer.NeuralAgent
function EpsilonController.ready(_, agent)
  if not agent.train_policy.setEpsilon then
    text.fail("EpsilonController: the training policy, %s, has no epsilon",
      text.describe(agent.train_policy))
  end
end

---@param agent deer.NeuralAgent
function EpsilonController:onStart(agent) self:reset(agent) end

---@param agent deer.NeuralAgent
function EpsilonController:reset(agent)
  self.count = 0
  agent:setEpsilon(self.schedule and self.schedule(0) or self.initial)
  self.next = self.initial
end

---@param agent deer.NeuralAgent
function EpsilonController:update(agent)
  self.count = self.count + 1
  if self.due(self.count, self.periodicity) then
    agent:setEpsilon(self.schedule and self.schedule(self.count) or self.next)
    self.next = math.max(self.next - self.step, self.min)
  end
end

return EpsilonController
