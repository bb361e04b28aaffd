--- The listeners of an agent: which controllers hear which signal, in the order of attaching.

local Controller = require "deer.controller"
local class = require "deer.class"
local core = require "deer.core"
local spairs = require "deer.spairs"
local text = require "deer.text"

local Signals = {}
Signals.__index = Signals

---@class deer.Signals
---@field controllers deer.Controller[]
---@field heard table<string, table> by signal: lists of controllers, handlers and modes

-- both spellings: onEpochEnd, and OnEpochEnd as in DeeR 0.2; an object that has false there does
-- not hear what its class does
local function handler_of(controller, signal)
  return controller[signal] or controller["O" .. signal:sub(2)] or nil
end

-- the modes a controller hears as a set; nil for all
local function modes_of(controller)
  if controller.modes == nil then return nil end
  local set = {}
  for _, mode in ipairs(controller.modes) do set[mode] = true end
  return set
end

-- Who hears each signal. The lists are made anew, never changed: a signal on its way keeps its own.
local function listeners(controllers)
  local heard = {}
  for _, signal in ipairs(Controller.signals) do
    local list = { controllers = {}, handlers = {}, modes = {} }
    for _, controller in ipairs(controllers) do
      local handler = handler_of(controller, signal)
      if handler then
        local n = #list.handlers + 1
        list.controllers[n], list.handlers[n] = controller, handler
        list.modes[n] = modes_of(controller) or false
      end
    end
    heard[signal] = list
  end
  return heard
end

-- the function that the C side calls for a signal; the only one ever made for it
local function dispatcher(self, signal)
  return function(a, b)
    local agent, list = self.agent, self.heard[signal]
    local controllers, handlers, modes = list.controllers, list.handlers, list.modes
    for i = 1, #handlers do
      local controller = controllers[i]
      if controller.active and (not modes[i] or modes[i][self.mode]) then
        handlers[i](controller, agent, a, b)
      end
    end
    agent:applyAttributes()
  end
end

---@param agent deer.NeuralAgent
---@param handle userdata the C side of the agent
---@return deer.Signals
function Signals.new(agent, handle)
  local self = setmetatable({ agent = agent, handle = handle, mode = -1 }, Signals)
  self.controllers, self.heard, self.fire = {}, listeners {}, {}
  for _, signal in ipairs(Controller.signals) do self.fire[signal] = dispatcher(self, signal) end
  return self
end

-- A signal that no controller hears in the present mode is not asked for, so it costs nothing.
local function subscribe(self)
  for _, signal in ipairs(Controller.signals) do
    local wanted = false
    for _, modes in ipairs(self.heard[signal].modes) do
      wanted = wanted or not modes or modes[self.mode] == true
    end
    self.handle:listen(signal, wanted and self.fire[signal] or nil)
  end
end

--- From now on they are given by another agent of the C side, which is in training.
---@param handle userdata
function Signals:setHandle(handle)
  self.handle = handle
  self:setMode(-1)
end

--- From now on the agent is in this mode.
---@param mode integer
function Signals:setMode(mode)
  self.mode = mode
  subscribe(self)
end

-- "onEpochEnd" of a function called onEpochEnds, whose controller has no onEpochEnd; else nil
local function misspelt(controller, name)
  local known = name:find "^[oO]n%u" and core.nearest(name, Controller.signals)
  return known and known ~= name and not handler_of(controller, known) and known or nil
end

-- every function that looks like a handler must be one
local function check_handlers(controller)
  local heard = false
  for _, signal in ipairs(Controller.signals) do
    local handler = handler_of(controller, signal)
    if handler and type(handler) ~= "function" then
      text.fail("agent:attach: %s: %s: expected a function, got %s", controller.__name, signal,
        text.describe(handler))
    end
    heard = heard or handler ~= nil
  end
  local at = controller
  while at and at ~= Controller do
    for name, value in spairs(at) do
      local known = type(name) == "string" and type(value) == "function"
        and misspelt(controller, name)
      if known then
        text.fail("agent:attach: %s: '%s' is no signal; did you mean '%s'?", controller.__name,
          name, known)
      end
    end
    at = class.isClass(at) and class.parent(at) or getmetatable(at)
  end
  return heard
end

local function check_modes(controller)
  local modes = controller.modes
  if modes == nil then return end
  if type(modes) ~= "table" then
    text.fail("agent:attach: %s: modes: expected a list of modes such as { -1 }, got %s",
      controller.__name, text.describe(modes))
  end
  for _, mode in ipairs(modes) do
    if math.type(mode) ~= "integer" or mode < -1 then
      text.fail("agent:attach: %s: modes: expected -1 (training) or the number of a test, got %s",
        controller.__name, text.describe(mode))
    end
  end
end

local function check(controller)
  if class.isClass(controller) and class.is(controller, Controller) then
    text.fail("agent:attach: expected a controller, got %s itself: write %s{} to make one",
      tostring(controller), controller.__name)
  end
  if not class.is(controller, Controller) then
    text.fail("agent:attach: expected a controller, got %s", text.describe(controller))
  end
  check_modes(controller)
  local heard = check_handlers(controller)
  if not heard and not (controller.modes and #controller.modes == 0) then
    text.fail("agent:attach: %s hears no signal: it has none of the methods %s",
      controller.__name, table.concat(Controller.signals, ", "))
  end
end

--- Adds a controller after those already there.
---@param controller deer.Controller
function Signals:attach(controller)
  check(controller)
  self.controllers[#self.controllers + 1] = controller
  self.heard = listeners(self.controllers)
  subscribe(self)
end

-- the controller at a 0-based position
local function at(self, index, who)
  if math.type(index) ~= "integer" or not self.controllers[index + 1] then
    text.fail("agent:%s: expected the position of a controller, 0 to %d, got %s", who,
      #self.controllers - 1, text.describe(index))
  end
  return self.controllers[index + 1]
end

--- Takes the controller at a 0-based position away and returns it.
---@param index integer
---@return deer.Controller
function Signals:detach(index)
  local controller = at(self, index, "detach")
  table.remove(self.controllers, index + 1)
  self.heard = listeners(self.controllers)
  subscribe(self)
  return controller
end

--- Makes the controllers at these 0-based positions hear signals, or not.
---@param indices integer[]
---@param active boolean
function Signals:setActive(indices, active)
  if type(indices) ~= "table" then
    text.fail("agent:setControllersActive: expected a list of positions, got %s",
      text.describe(indices))
  end
  if type(active) ~= "boolean" then
    text.fail("agent:setControllersActive: expected true or false, got %s", text.describe(active))
  end
  for _, index in ipairs(indices) do at(self, index, "setControllersActive"):setActive(active) end
end

return Signals
