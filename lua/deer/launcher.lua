--- The command line of a launcher: DeeR's options, read over the launcher's defaults.
---
---   local params = deer.launcher(arg, { epochs = 10, steps_per_epoch = 1000, seed = 123456 }, {
---     presets = { ["deer-0.2"] = { epochs = 50 } },
---   })
---
--- A script takes the options whose names stand in its defaults, besides --seed, --deterministic,
--- --no-deterministic, --help and, when there are presets, --preset. A default that is none of the
--- options below becomes an option of its own. What the command line says wins over the preset, the
--- preset over the defaults.

local options = require "deer.options"
local seeds = require "deer.seeds"
local spairs = require "deer.spairs"
local sys = require "deer.sys"
local text = require "deer.text"

local launcher = {}

local COUNT, ANY = { 0, 2 ^ 53 }, { 0, math.huge }

-- name of the parameter, letter, words of the option if not those of the name, type, range, help
local KNOWN = {
  { "epochs", "e", nil, "integer", COUNT, "training epochs" },
  { "steps_per_epoch", "s", nil, "integer", COUNT, "steps of a training epoch" },
  { "steps_per_test", "t", "test-length", "integer", COUNT, "steps of a test epoch" },
  { "period_btw_summary_perfs", "f", "freq_summary_perfs", "integer", nil,
    "test epochs per summary of the environment" },
  { "frame_skip", nil, nil, "integer", COUNT, "frames per action" },
  { "update_rule", nil, nil, "string", nil, "sgd, rmsprop, deepmind_rmsprop or adam" },
  { "batch_accumulator", nil, nil, "string", nil, "how the losses of a batch add up: sum or mean" },
  { "learning_rate", nil, nil, "number", ANY, "step size of the updates" },
  { "learning_rate_decay", nil, nil, "number", ANY, "its factor from epoch to epoch" },
  { "rms_decay", nil, nil, "number", { 0, 1 }, "decay of the averages of rmsprop" },
  { "rms_epsilon", nil, nil, "number", ANY, "added under its square root" },
  { "momentum", nil, nil, "number", { 0, 1 }, "part of the last step taken again" },
  { "clip_delta", nil, nil, "number", ANY, "errors above it count linearly; 0: squared always" },
  { "clip_norm", nil, nil, "number", ANY, "largest norm of a gradient; 0: any" },
  { "discount", nil, nil, "number", { 0, 1 }, "discount factor of the first epoch" },
  { "discount_inc", nil, "discount_inc", "number", ANY,
    "factor of its distance to 1 from epoch to epoch" },
  { "discount_max", nil, "discount_max", "number", { 0, 1 }, "stays below this" },
  { "epsilon_start", nil, nil, "number", { 0, 1 }, "probability of a random action at first" },
  { "epsilon_min", nil, nil, "number", { 0, 1 }, "its lowest value" },
  { "epsilon_decay", nil, nil, "integer", { 1, 2 ^ 53 }, "actions until then" },
  { "replay_memory_size", nil, "max-history", "integer", { 1, 2 ^ 53 }, "samples remembered" },
  { "batch_size", nil, nil, "integer", { 1, 2 ^ 53 }, "samples of an update" },
  { "freeze_interval", nil, nil, "integer", { 1, 2 ^ 53 }, "updates per copy to the target" },
  { "update_frequency", nil, nil, "integer", { 1, 2 ^ 53 }, "actions per update" },
  { "network_type", nil, nil, "string", nil, "the network" },
  { "param1", nil, nil, "string", nil, "for the environment" },
  { "param2", nil, nil, "string", nil, "for the environment" },
  { "param3", nil, nil, "string", nil, "for the environment" },
}

---@class deer.launcher.Option: deer.Option
---@field words string as on the command line, without dashes
---@field letter? string
---@field flag? boolean an option without a value sets this

local function known_option(name)
  for _, known in ipairs(KNOWN) do
    if options.key(known[1]) == options.key(name) then
      return { name = known[1], letter = known[2], words = known[3] or known[1]:gsub("_", "-"),
        type = known[4], range = known[5], help = known[6] }
    end
  end
end

local function own_option(name, default)
  local kind = math.type(default) == "integer" and "integer" or type(default)
  if kind == "table" or kind == "function" then
    text.fail("launcher: default '%s': expected a number, a string or a boolean, got %s", name,
      text.describe(default))
  end
  return { name = name, words = name:gsub("_", "-"), type = kind, help = "" }
end

-- in the order of DeeR's list, then the script's own, then those that every script has
local function available(defaults, extra)
  local list, own = {}, {}
  for name in spairs(defaults) do
    local key = options.key(name)
    if not known_option(name) and key ~= "seed" and key ~= "deterministic" then
      own[#own + 1] = own_option(name, defaults[name])
    end
  end
  for _, known in ipairs(KNOWN) do
    if options.find(extra.named, known[1]) then list[#list + 1] = known_option(known[1]) end
  end
  table.move(own, 1, #own, #list + 1, list)
  local function add(option) list[#list + 1] = option end
  add{ name = "seed", words = "seed", type = "integer", range = { 0, 2 ^ 32 - 1 },
    help = "same number, same run" }
  add{ name = "deterministic", words = "deterministic", flag = true,
    help = "the same run every time (default)" }
  add{ name = "deterministic", words = "no-deterministic", flag = false,
    help = "draw the seed from the clock" }
  if #extra.preset_names > 0 then
    add{ name = "preset", words = "preset", type = "any", choices = extra.preset_names,
      help = "parameters as " .. table.concat(extra.preset_names, ", ") }
  end
  add{ name = "help", letter = "h", words = "help", flag = true, help = "print this and stop" }
  return list
end

-- the values of a table under the names of the parameters; for the tables a script gives
local function take(list, given, what)
  local values = {}
  for name, value in spairs(given) do
    local option = options.find(list, name)
    if not option then
      text.fail("launcher: %s: unknown parameter '%s'%s", what, tostring(name),
        text.meant(tostring(name), options.names(list)))
    end
    local accepted = options.accept(option.type and option or { type = "boolean" }, value)
    if accepted == nil then
      text.fail("launcher: %s: '%s': expected %s, got %s", what, name, options.expected(option),
        text.describe(value))
    end
    values[option.name] = accepted
  end
  return values
end

local function find(list, word)
  for _, option in ipairs(list) do
    if word:find "^%-%a$" and option.letter == word:sub(2) then return option end
    if word:find "^%-%-" and options.key(option.words) == options.key(word) then return option end
  end
end

local function words_of(list)
  local words = {}
  for i, option in ipairs(list) do words[i] = option.words end
  return words
end

-- the values given on the command line; nil and a message when it is wrong
local function read(list, args)
  local values, i = {}, 1
  while i <= #args do
    local word, value = tostring(args[i]):match "^(%-%-[^=]+)=(.*)$"
    word = word or tostring(args[i])
    local option = find(list, word)
    if not option then
      if not word:find "^%-" then return nil, ("unexpected argument '%s'"):format(word) end
      return nil, ("unknown option '%s'%s"):format(word,
        text.meant(word, words_of(list), "--"))
    end
    if option.flag ~= nil then
      if value then return nil, ("option '%s' takes no value"):format(word) end
      values[option.name] = option.flag
    else
      if not value then
        i = i + 1
        value = args[i]
        if value == nil or value:find "^%-" and not tonumber(value) then
          return nil, ("option '%s' needs %s"):format(word, options.expected(option))
        end
      end
      values[option.name] = options.parse(option, value)
      if values[option.name] == nil then
        return nil, ("option '%s': expected %s, got '%s'"):format(word, options.expected(option),
          value)
      end
    end
    i = i + 1
  end
  return values
end

-- the text of --help
local function help(list, defaults, name)
  local lines, width = { ("usage: deerlua %s [options]"):format(name), "" }, 0
  local heads = {}
  for i, option in ipairs(list) do
    heads[i] = ("  %s--%s%s"):format(option.letter and "-" .. option.letter .. " " or "",
      option.words, option.flag == nil and " " .. (option.type == "any" and "NAME"
        or option.type == "string" and "WORD" or "N") or "")
    width = math.max(width, #heads[i])
  end
  for i, option in ipairs(list) do
    local value = option.flag == nil and defaults[option.name]
    local shown = value ~= nil and value ~= false
      and (" (%s)"):format(type(value) == "number" and text.format(value) or tostring(value)) or ""
    lines[#lines + 1] = heads[i] .. (" "):rep(width + 2 - #heads[i]) .. option.help .. shown
  end
  return table.concat(lines, "\n") .. "\n"
end

-- a seed from the clock, in the range of --seed
local function clock_seed()
  return (os.time() * 1000003 + math.floor(sys.time() * 1e6)) % 2 ^ 31 | 0
end

local function check_call(args, defaults, extra)
  if type(args) ~= "table" or type(defaults) ~= "table" or type(extra) ~= "table" then
    text.fail("deer.launcher: expected deer.launcher(arg, { name = default }, { presets = ... }), "
      .. "got %s, %s, %s", text.describe(args), text.describe(defaults), text.describe(extra))
  end
end

--- Reads the command line; touches nothing else.
---@param args string[] the words of the command line
---@param defaults table<string, any>
---@param extra? { presets: table<string, table>? }
---@return table|nil params nil when the command line is wrong or asks for help
---@return string message why not, or the help
---@return integer status 2 when it is wrong, 0 for help
function launcher.parse(args, defaults, extra)
  extra = extra or {}
  check_call(args, defaults, extra)
  local scope = { named = {}, preset_names = {} }
  for name in spairs(defaults) do scope.named[#scope.named + 1] = { name = name } end
  for name in spairs(extra.presets or {}) do
    scope.preset_names[#scope.preset_names + 1] = name
  end
  local list = available(defaults, scope)
  local params = take(list, defaults, "defaults")
  for name, preset in spairs(extra.presets or {}) do take(list, preset, "preset " .. name) end

  local given, message = read(list, args)
  local script = type(args[0]) == "string" and args[0] or "script.lua"
  if given and given.help then return nil, help(list, params, script), 0 end
  if given and given.seed and given.deterministic == false then
    given, message = nil, "--seed and --no-deterministic contradict each other"
  end
  if not given then return nil, ("%s: %s (try --help)\n"):format(script, message), 2 end

  local preset = given.preset and take(list, extra.presets[given.preset], "preset") or {}
  for _, layer in ipairs { preset, given } do
    for name, value in spairs(layer) do params[name] = value end
  end
  if params.deterministic == nil then params.deterministic = true end
  params.seed = params.deterministic and (params.seed or seeds.default()) or clock_seed()
  return params, "", 0
end

--- Reads the command line of a script. When it is wrong, one line on the standard error says so and
--- the program ends with status 2; with --help the options are printed and it ends with status 0.
--- The seed also becomes the default one, as with deer.seed.
---@param args string[] the global `arg`
---@param defaults table<string, any> parameters by DeeR's names
---@param extra? { presets: table<string, table>? } named sets of parameters
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
