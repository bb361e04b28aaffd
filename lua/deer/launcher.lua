--- The command line of a launcher: DeeR's options, read over the launcher's defaults.
---
---   local params = deer.launcher(arg, { epochs = 10, steps_per_epoch = 1000, seed = 123456 }, {
---     presets = { ["deer-0.2"] = { epochs = 50 } },
---     help = { cells = "length of the walk" }, -- of parameters that are the script's own
---   })
---
--- A script takes the options whose names stand in its defaults, besides --seed, --deterministic,
--- --no-deterministic, --help and, when there are presets, --preset. A default that is none of
--- DeeR's parameters becomes an option of its own. What the command line says wins over the
--- preset, the preset over the defaults.

local commandline = require "deer.commandline"
local launcher_options = require "deer.launcher_options"
local options = require "deer.options"
local seeds = require "deer.seeds"
local spairs = require "deer.spairs"
local sys = require "deer.sys"
local text = require "deer.text"

local launcher = {}

-- checks values that the script itself gives; returns them under the names of the parameters
local function take(list, given, what)
  local values = {}
  for name, value in spairs(given) do
    local option = options.find(list, name)
    if not option then
      text.fail("launcher: %s: unknown parameter '%s'%s", what, tostring(name),
        text.meant(tostring(name), options.names(list)))
    end
    values[option.name] = options.accept(option, value)
    if values[option.name] == nil then
      text.fail("launcher: %s: '%s': expected %s, got %s", what, name, options.expected(option),
        text.describe(value))
    end
  end
  return values
end

-- what the command line says; nil and what is wrong with it
local function read(list, args)
  local values, message = commandline.read(list, args)
  local unknown = message and message:match "^unknown option '(.-)'"
  if unknown then message = launcher_options.missing(list, unknown) or message end
  if values and values.seed and values.deterministic == false then
    return nil, "--seed and --no-deterministic contradict each other"
  end
  return values, message
end

local function clock_seed()
  return (os.time() * 1000003 + math.floor(sys.time() * 1e6)) % (1 << 31)
end

local function check_call(args, defaults, extra)
  if type(args) ~= "table" or type(defaults) ~= "table" or type(extra) ~= "table" then
    text.fail("deer.launcher: expected deer.launcher(arg, { name = default }, { presets = ... }), "
      .. "got %s, %s, %s", text.describe(args), text.describe(defaults), text.describe(extra))
  end
  for key in spairs(extra) do
    if key ~= "presets" and key ~= "help" then
      text.fail("deer.launcher: expected { presets = ..., help = ... } after the defaults, \z
        got '%s'", tostring(key))
    end
  end
  if extra.help ~= nil and type(extra.help) ~= "table" then
    text.fail("deer.launcher: help: expected { parameter = text }, got %s",
      text.describe(extra.help))
  end
  for name in spairs(extra.help or {}) do
    if defaults[name] == nil then
      text.fail("deer.launcher: help: there is no default '%s'", tostring(name))
    end
  end
  if extra.presets ~= nil and type(extra.presets) ~= "table" then
    text.fail("deer.launcher: presets: expected { name = { parameter = value } }, got %s",
      text.describe(extra.presets))
  end
end

-- A parameter may be read in any spelling. One that there is not would be nil, and nil is taken for
-- "not given" by whoever is handed it, so it is an error.
local function strict(params, list)
  return setmetatable(params, { __index = function(_, name)
    local option = options.find(list, tostring(name))
    if option then return rawget(params, option.name) end
    text.fail("the launcher has no parameter '%s'%s", tostring(name),
      text.meant(tostring(name), options.names(list)))
  end })
end

--- Reads the command line; touches nothing else.
---@param args string[] the words of the command line; args[0] is the script
---@param defaults table<string, any>
---@param extra? { presets: table<string, table>?, help: table<string, string>? }
---@return table|nil params nil when the command line is wrong or asks for help
---@return string message why not, or the help
---@return integer status 2 when it is wrong, 0 for help
function launcher.parse(args, defaults, extra)
  extra = extra or {}
  check_call(args, defaults, extra)
  local presets, preset_names = {}, {}
  for name in spairs(extra.presets or {}) do preset_names[#preset_names + 1] = name end
  local script = type(args[0]) == "string" and args[0] or "script.lua"
  local list = launcher_options.list(defaults, preset_names, extra.help or {},
    script:match "[^/]*$")
  local params = take(list, defaults, "defaults")
  for _, name in ipairs(preset_names) do
    presets[name] = take(list, extra.presets[name], "preset " .. name)
  end

  local given, message = read(list, args)
  if not given then return nil, ("%s: %s (try --help)\n"):format(script, message), 2 end
  if given.help then return nil, launcher_options.help(list, params, script), 0 end
  for _, layer in ipairs { presets[given.preset] or {}, given } do
    for name, value in spairs(layer) do params[name] = value end
  end
  if params.deterministic == nil then params.deterministic = true end
  params.seed = params.deterministic and (params.seed or seeds.default()) or clock_seed()
  return strict(params, list), "", 0
end

--- Reads the command line of a script. When it is wrong, one line on the standard error says so and
--- the program ends with status 2; with --help the options are printed and it ends with status 0.
--- The seed also becomes the default one, as with deer.seed.
---@param args string[] the global `arg`
---@param defaults table<string, any> parameters by DeeR's names
---@param extra? { presets: table<string, table>?, help: table<string, string>? } named sets of
---  parameters, and what the script's own ones mean
---@return table params by DeeR's names, with seed and deterministic
function launcher.run(args, defaults, extra)
  local params, message, status = launcher.parse(args, defaults, extra)
  if not params then
    local out = status == 0 and io.stdout or io.stderr
    out:write(message)
    os.exit(status, true)
  end
  seeds.set(params.seed)
  if not params.deterministic then text.say("Seed: %d", params.seed) end
  return params
end

return launcher
