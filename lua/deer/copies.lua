--- Copies of an environment that are stepped together. Those written in Lua run on as many threads
--- as there are: each thread has a Lua state of its own, into which the file that defines the class
--- is loaded again. Where that cannot be, all of them live in the state of the script, on one
--- thread. They do the same either way, as long as they take nothing from globals of the script and
--- their random numbers from options.rng.

local class = require "deer.class"
local core = require "deer.core"
local kinds = require "deer.kinds"
local seeds = require "deer.seeds"
local spairs = require "deer.spairs"
local text = require "deer.text"

local copies = {}

-- an environment among the options of another: copied with it
local function is_environment(value)
  return class.isObject(value, require "deer.environment")
end

-- another seed that depends on a seed and a name
local function split(seed, name) return core.Rng(seed):split(name):int(0, 0x7fffffff) end

-- In what a copy is another one: { seed =, number = }. Copy `number` of those that act in step:
local function numbered(environment, number)
  local seed = math.tointeger(environment._options.seed) or seeds.default()
  return { seed = split(seed, "copy " .. number), number = number }
end

-- in what the environment inside of such a copy is another one
local function inner(copy) return { seed = split(copy.seed, "inner"), number = copy.number } end

local function options_of(environment, copy)
  local given = {}
  for key, value in next, environment._options do given[key] = value end
  given.seed = copy.seed
  if copy.number and environment.optionsOfCopy then
    environment.optionsOfCopy(given, copy.number)
  end
  return given
end

-- ---- in the script's state ---------------------------------------------------------------------

-- plain tables anew, everything else as convert says
local function duplicate(value, convert, seen)
  if type(value) ~= "table" or getmetatable(value) then return convert(value) end
  if seen[value] then return seen[value] end
  local made = {}
  seen[value] = made
  for key, item in next, value do made[key] = duplicate(item, convert, seen) end
  return made
end

--- What an environment keeps of its options for copies of it: init may change its own.
---@param options table
---@return table
function copies.remember(options)
  return duplicate(options, function(value) return value end, {})
end

--- A copy in this state.
---@param environment deer.Environment
---@param copy { seed: integer, number: integer? }
---@return deer.Environment
function copies.object(environment, copy)
  return getmetatable(environment)(duplicate(options_of(environment, copy), function(value)
    return is_environment(value) and copies.object(value, inner(copy)) or value
  end, {}))
end

-- ---- in a state of its own ---------------------------------------------------------------------

-- the file that a method of the class is written in, "" if there is none
local function file_of(Class)
  for _, name in ipairs { "reset", "act", "step", "observe" } do
    local method = rawget(Class, name)
    local source = type(method) == "function" and debug.getinfo(method, "S").source or ""
    if source:sub(1, 1) == "@" then return source:sub(2) end
  end
  return ""
end

-- how another state finds a class: by the name of an environment or that of a module; raises
local function origin(Class)
  local name = kinds.nameOf("env", Class)
  if name then return { env = name } end
  for wrapper, value in spairs(require "deer.wrappers") do
    if rawequal(value, Class) then return { wrapper = wrapper } end
  end
  for module, value in spairs(package.loaded) do
    if rawequal(value, Class) then return { module = module } end
  end
  local path, script = file_of(Class), (rawget(_G, "arg") or {})[0]
  if path ~= "" and path ~= script then return { env = path:find "/" and path or "./" .. path } end
  error(("the class %s is defined in %s, which no other thread can load; put it in a file of its \z
    own that returns it, walk.lua for deer.env 'walk'"):format(Class.__name,
    path ~= "" and "the script itself, " .. path or "no file"), 0)
end

local MOST_NESTED = 100 -- tables: what Lua reads has less than 200
local write

-- a table in Lua text
local function write_table(value, where, copy)
  local parts = {}
  for key, item in spairs(value) do
    local name = ("%s.%s"):format(where, tostring(key))
    parts[#parts + 1] = ("[%s]=%s"):format(write(key, name, copy), write(item, name, copy))
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- what makes a copy in another state: Lua text that calls copy(origin, name, options)
local function recipe(environment, copy)
  local Class = getmetatable(environment)
  return ("copy(%s,%q,%s)"):format(write_table(origin(Class), ""), Class.__name,
    write_table(options_of(environment, copy), Class.__name, copy))
end

-- a value in Lua text; raises where it has none
function write(value, where, copy)
  if select(2, where:gsub("%.", "")) > MOST_NESTED then
    error(("%s... is nested more than %d tables deep"):format(where:sub(1, 40), MOST_NESTED), 0)
  end
  if is_environment(value) then return recipe(value, inner(copy)) end
  local kind = type(value)
  if kind == "table" and not getmetatable(value) then return write_table(value, where, copy) end
  if kind == "number" or kind == "string" or kind == "boolean" then return ("%q"):format(value) end
  error(("no other thread can have the option %s, %s"):format(where, text.describe(value)), 0)
end

-- what a new state is told: everything by which files are found, and where its numbers begin
local function settings(number)
  return "return " .. write({ arg = rawget(_G, "arg") or {}, path = package.path,
    cpath = package.cpath, seed = seeds.default(), number = number }, "")
end

--- Called by the core in a new state.
---@param told string
function copies.furnish(told)
  local given = assert(load(told))()
  rawset(_G, "arg", given.arg)
  package.path, package.cpath = given.path, given.cpath
  seeds.set(given.seed)
  math.randomseed(given.seed, given.number)
end

-- the class of that name, found again
local function find(from, name)
  if from.wrapper then return require("deer.wrappers")[from.wrapper] end
  local Class = from.env and kinds.load("env", from.env) or require(from.module)
  if not class.isClass(Class) or Class.__name ~= name then
    error(("%s: expected it to return the class %s, got %s"):format(from.env or from.module, name,
      text.describe(Class)), 0)
  end
  return Class
end

--- Called by the core in a state of its own: the object that a recipe makes.
---@param how string
---@return deer.Environment
function copies.make_here(how)
  local function copy(from, name, options) return find(from, name)(options) end
  return assert(load("local copy = ... return " .. how, "=recipe", "t"))(copy)
end

-- ---- both --------------------------------------------------------------------------------------

-- a method that is no part of the class would be lost
local function check_object(environment)
  for key, value in spairs(environment) do
    if type(value) == "function" and type(getmetatable(environment)[key]) == "function" then
      text.fail("%s: copies are made from the class, and this object has a '%s' of its own",
        environment.__name, key)
    end
  end
end

-- `n` copies in as many states as there are threads; raises when they cannot be made there
local function make_apart(environment, n, threads)
  local homes, handles, groups = {}, {}, {}
  for i = 0, n - 1 do
    local group = i * threads // n
    homes[group] = homes[group] or core.home(settings(group))
    groups[i + 1] = group
    handles[i + 1] = homes[group]:environment(recipe(environment, numbered(environment, i)), i)
  end
  return handles, groups
end

-- all in this state
local function make_together(environment, n)
  local home, handles, groups = core.home(), {}, {}
  for i = 0, n - 1 do
    local object = copies.object(environment, numbered(environment, i))
    handles[i + 1], groups[i + 1] = home:environment(object, i), 0
  end
  return handles, groups
end

-- environments written in C need no Lua
local function make_native(environment, n)
  local handles = {}
  for i = 0, n - 1 do
    handles[i + 1] = copies.object(environment, numbered(environment, i)):handle()
  end
  return handles
end

--- `n` copies of an environment, of its class and with its options; copy i, from 0 on, has a seed
--- made from that of the environment and i. Environments of one group must not be stepped at
--- the same time; without groups all may.
---@param environment deer.Environment
---@param n integer
---@return userdata[] handles each keeps alive what it needs
---@return integer[]|nil groups
function copies.make(environment, n)
  local alone = environment:handle():alone()
  if alone and environment.around then -- a wrapper, all of it in C
    local handles, groups = copies.make(environment.environment, n)
    for i, handle in ipairs(handles) do handles[i] = environment:around(handle) end
    return handles, groups
  end
  check_object(environment)
  if alone then return make_native(environment, n) end
  local threads = math.min(core.threads(), n)
  if threads > 1 then
    local ok, handles, groups = pcall(make_apart, environment, n, threads)
    if ok then return handles, groups end
    core.warning(("%s: its %d copies share one thread: %s"):format(environment.__name, n,
      tostring(handles):match "^[^\n]*")) -- without the traceback
  end
  return make_together(environment, n)
end

return copies
