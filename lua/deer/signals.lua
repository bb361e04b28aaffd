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

-- both spellings: onEpochEnd, and OnEpochEnd as in DeeR 0.2
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

--- From now on the agent is in this mode.
---@param mode integer
function Signals:setMode(mode)
  self.mode = mode
  subscribe(self)
end

local function check(controller)
  if class.isClass(controller) and class.is(controller, Controller) then
    text.fail("agent:attach: expected a controller, got %s itself: write %s{} to make one",
      tostring(controller), controller.__name)
  end
  if not class.is(controller, Controller) then
    text.fail("agent:attach: expected a controller, got %s", text.describe(controller))
  end
  for _, signal in ipairs(Controller.signals) do
    if handler_of(controller, signal) then return end
  end
  if controller.modes and #controller.modes == 0 then return end
  -- none at all: a name is misspelt
  local near = ""
  for name, value in spairs(getmetatable(controller)) do
    if near == "" and type(value) == "function" and core.nearest(name, Controller.signals) then
      near = (": '%s' is no signal%s"):format(name, text.meant(name, Controller.signals))
    end
  end
  text.fail("agent:attach: %s hears no signal%s", controller.__name, near)
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
  for _, index in ipairs(indices) do at(self, index, "setControllersActive"):setActive(active) end
end

return Signals
