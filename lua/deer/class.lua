--- A tiny class system. `Base:extend "Name"` makes a class, `Name{ option = value }` an object of
--- it: the options are checked against the class's table `options` (and those of its parents) and
--- handed to `object:init(options)`.

local options = require "deer.options"
local text = require "deer.text"

local class = {}

---@class deer.Class
---@field __name string
---@field options? table<string, table>
---@field extend fun(self: deer.Class, name: string): deer.Class

-- metamethods are looked up in the class itself, so a subclass needs its own copies
local EVENTS = {
  "__call", "__close", "__concat", "__div", "__eq", "__gc", "__le", "__len", "__lt", "__mul",
  "__sub", "__tostring", "__unm", "__add",
}

--- The class that a class extends, or nil.
---@param self deer.Class
---@return deer.Class|nil
function class.parent(self)
  return getmetatable(self).__index
end

--- Is `value` a class made here?
---@param value any
---@return boolean
function class.isClass(value)
  local meta = type(value) == "table" and getmetatable(value)
  return meta and meta.deer_class == true or false
end

--- Is `object` an object of the class or of one that extends it? Is a class one that extends it?
---@param object any
---@param wanted deer.Class
---@return boolean
function class.is(object, wanted)
  local at = class.isClass(object) and object or type(object) == "table" and getmetatable(object)
  while at and class.isClass(at) do
    if at == wanted then return true end
    at = class.parent(at)
  end
  return false
end

--- Is `value` an object (and no class) of the class or of one that extends it?
---@param value any
---@param wanted deer.Class
---@return boolean
function class.isObject(value, wanted)
  return class.is(value, wanted) and not class.isClass(value)
end

--- The options of a class, those of its parents first.
---@param self deer.Class
---@return deer.Option[]
function class.options(self)
  local tables, at = {}, self
  while at do
    table.insert(tables, 1, rawget(at, "options") or {})
    at = class.parent(at)
  end
  return options.list(table.unpack(tables))
end

-- Name{...}: `prepare` is for base classes, which must not depend on init being called by others
local function construct(self, given)
  local checked = options.check(self.__name, class.options(self), given)
  local object = setmetatable({}, self)
  if self.prepare then object:prepare(checked) end
  object:init(checked)
  return object
end

-- A new field of an object or a class. One that hides a method would be called instead of it.
local function set_field(self, key, value)
  local Class = class.isClass(self) and self or getmetatable(self)
  local is_method = type(Class[key]) == "function" or getmetatable(Class).optional[key]
  if is_method and value and type(value) ~= "function" then
    text.fail("%s: '%s' is the name of a method: expected a function there, got %s; call the \z
      field something else", self.__name, key, text.describe(value))
  end
  rawset(self, key, value)
end

-- `optional`: the names of methods that a class need not have
local function define(name, parent, optional)
  local self = { __name = name, __newindex = set_field }
  self.__index = self
  for _, event in ipairs(EVENTS) do self[event] = parent and rawget(parent, event) end
  return setmetatable(self, {
    deer_class = true,
    optional = optional,
    __index = parent,
    __newindex = set_field,
    __call = construct,
    __name = "class",
    __tostring = function() return "class " .. name end,
  })
end

-- a name makes every later message understandable, so there is no class without one
local function extend(parent, name)
  if not class.isClass(parent) then
    text.fail('extend is called with a colon, as in deer.Controller:extend "Mine"')
  end
  if type(name) ~= "string" or not name:find "%S" then
    text.fail('%s:extend: expected a name for the new class, as in %s:extend "Mine", got %s',
      parent.__name, parent.__name, text.describe(name))
  end
  return define(name, parent, getmetatable(parent).optional)
end

--- A class that extends nothing. No field of its objects can have the name of one of their methods,
--- or of those that classes which extend it may have.
---@param name string
---@param optional? string[] such methods
---@return deer.Class
function class.new(name, optional)
  local names = {}
  for _, method in ipairs(optional or {}) do names[method] = true end
  local self = define(name, nil, names)
  self.extend = extend
  function self.init() end
  return self
end

return class
