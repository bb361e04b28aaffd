--- The options of a launcher's command line: DeeR's, as far as the launcher has a default for them,
--- its own, and those of every launcher.

local commandline = require "deer.commandline"
local core = require "deer.core"
local options = require "deer.options"
local spairs = require "deer.spairs"
local text = require "deer.text"

local COUNT, SIZE, ANY, PART = { 0, 2 ^ 53 }, { 1, 2 ^ 53 }, { 0, math.huge }, { 0, 1 }

-- parameter; letter; words, if not the parameter's with dashes; type; range; help; choices
local DEER = {
  { "epochs", "e", nil, "integer", COUNT, "training epochs" },
  { "steps_per_epoch", "s", nil, "integer", SIZE, "steps of a training epoch" },
  { "steps_per_test", "t", "test-length", "integer", SIZE, "steps of a test epoch" },
  { "period_btw_summary_perfs", "f", "freq_summary_perfs", "integer", nil,
    "test epochs per summary of the environment" },
  { "frame_skip", nil, nil, "integer", SIZE, "frames per action" },
  { "update_rule", nil, nil, "string", nil, "optimiser, one of those in deerlua list",
    core.names "optimizer" },
  { "batch_accumulator", nil, nil, "string", nil, "how the losses of a batch add up: sum, mean or \z
    mean_outputs", { "sum", "mean", "mean_outputs" } },
  { "learning_rate", nil, nil, "number", ANY, "step size of the updates" },
  { "learning_rate_decay", nil, nil, "number", ANY, "its factor from epoch to epoch" },
  { "rms_decay", nil, nil, "number", PART, "decay of the averages of rmsprop" },
  { "rms_epsilon", nil, nil, "number", ANY, "added under its square root" },
  { "momentum", nil, nil, "number", PART, "part of the last step taken again" },
  { "clip_delta", nil, nil, "number", ANY, "errors above it count linearly; 0: squared always" },
  { "clip_norm", nil, nil, "number", ANY, "largest norm of a gradient; 0: any" },
  { "discount", nil, nil, "number", PART, "discount factor of the first epoch" },
  { "discount_inc", nil, "discount_inc", "number", ANY,
    "factor of its distance to 1 from epoch to epoch" },
  { "discount_max", nil, "discount_max", "number", PART, "stays below this" },
  { "epsilon_start", nil, nil, "number", PART, "probability of a random action at first" },
  { "epsilon_min", nil, nil, "number", PART, "its lowest value" },
  { "epsilon_decay", nil, nil, "integer", SIZE, "actions until then" },
  { "replay_memory_size", nil, "max-history", "integer", SIZE, "samples remembered" },
  { "batch_size", nil, nil, "integer", SIZE, "samples of an update" },
  { "freeze_interval", nil, nil, "integer", SIZE, "updates per copy to the target" },
  { "update_frequency", nil, nil, "integer", SIZE, "actions per update" },
  { "network_type", nil, nil, "string", nil, "the network" },
  -- what its launchers had no option for
  { "double_q", nil, nil, "boolean", nil, "the next action is chosen by the network that learns" },
  { "dueling", nil, nil, "boolean", nil, "values of states and advantages of actions apart" },
  { "exp_priority", nil, nil, "number", { 0, 2 }, "above 0: prioritised replay, this exponent" },
  { "replay_start_size", nil, nil, "integer", SIZE, "samples gathered before learning" },
  { "tau", nil, nil, "number", PART, "how fast the target follows; 0: it is copied now and then" },
  -- the same options under the names that the environment gives them
  { "reduce_qty_data", nil, "param1", "integer", SIZE,
    "parts of each season, of which one is repeated" },
  { "length_history", nil, "param2", "integer", SIZE, "hours that are observed" },
  { "start_history", nil, "param3", "integer", COUNT, "which part is repeated, from 0" },
  { "param1", nil, nil, "string", nil, "for the environment" },
  { "param2", nil, nil, "string", nil, "for the environment" },
  { "param3", nil, nil, "string", nil, "for the environment" },
}

local function row(name, letter, words, kind, range, help, choices)
  return { name = name, letter = letter, words = words or name:gsub("_", "-"), type = kind,
    range = range, help = help, choices = choices }
end

-- a default that is none of these; `script` is where it stands
local function own(name, default, help, script)
  local kind = math.type(default) == "integer" and "integer" or type(default)
  if kind ~= "integer" and kind ~= "number" and kind ~= "string" and kind ~= "boolean" then
    text.fail("launcher: default '%s': expected a number, a string or a boolean, got %s", name,
      text.describe(default))
  end
  return row(name, nil, nil, kind, nil, help or "a parameter of " .. script)
end

local launcher_options = {}

--- The options, in the order in which --help shows them.
---@param defaults table<string, any>
---@param preset_names string[]
---@param help table<string, string> what the script's own parameters mean
---@param script string its name
---@return deer.commandline.Option[]
function launcher_options.list(defaults, preset_names, help, script)
  local list, wanted = {}, {}
  local function add(option) list[#list + 1] = option end
  for name in spairs(defaults) do wanted[options.key(name)] = name end
  wanted.seed, wanted.deterministic = nil, nil
  for _, known in ipairs(DEER) do
    local key = options.key(known[1])
    if wanted[key] then add(row(table.unpack(known, 1, 7))) end
    wanted[key] = nil
  end
  for _, name in spairs(wanted) do add(own(name, defaults[name], help[name], script)) end

  add(row("seed", nil, nil, "integer", { 0, 2 ^ 32 - 1 }, "same number, same run"))
  add{ name = "deterministic", words = "deterministic", type = "boolean", flag = true,
    help = "the same run every time (default)" }
  add{ name = "deterministic", words = "no-deterministic", type = "boolean", flag = false,
    help = "draw the seed from the clock" }
  if #preset_names > 0 then
    add{ name = "preset", words = "preset", type = "string", choices = preset_names,
      help = "parameters as " .. table.concat(preset_names, ", ") }
  end
  add{ name = "help", letter = "h", words = "help", type = "boolean", flag = true,
    help = "print this and stop" }
  return list
end

--- What is to be said of a word that is no option of the launcher but one of DeeR's; nil otherwise.
---@param list deer.commandline.Option[]
---@param word string
---@return string|nil
function launcher_options.missing(list, word)
  for _, known in ipairs(DEER) do
    local option = row(table.unpack(known, 1, 7))
    if commandline.find({ option }, word) and not commandline.find(list, word) then
      return ("this launcher has no option '%s' (%s)"):format(word, option.help)
    end
  end
end

--- The text of --help.
---@param list deer.commandline.Option[]
---@param defaults table<string, any>
---@param script string
---@return string
function launcher_options.help(list, defaults, script)
  local lines = { ("usage: deerlua %s [options]"):format(script), "" }
  for _, line in ipairs(commandline.lines(list, defaults)) do lines[#lines + 1] = line end
  return table.concat(lines, "\n") .. "\n"
end

return launcher_options
