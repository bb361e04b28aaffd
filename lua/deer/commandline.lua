--- Command lines read by a table of options, from which the help, the manual page and the
--- completion of shells are made as well. Beside what deer.options knows a row may hold
---
---   words       how it is written, without the dashes; its name with dashes if absent
---   letter      its short form
---   also        other words for it
---   flag        the value that it sets; it takes none from the command line
---   optional    a pattern: a flag with it takes the next word as its value when that matches
---   many        it takes all words up to the next option, at least one, as a list
---   repeated    it may come several times: its value is the list of them
---   positional  a word without an option before it
---   place       what stands for its value in the help
---   names       a function that lists the names it takes, for completion
---   group       heading above it in the help

local options = require "deer.options"
local text = require "deer.text"

local commandline = {}

---@class deer.commandline.Option: deer.Option
---@field words? string
---@field letter? string
---@field also? string[]
---@field flag? any
---@field optional? string
---@field many? boolean
---@field repeated? boolean
---@field positional? boolean
---@field place? string
---@field names? fun(): string[]
---@field group? string

---@param option deer.commandline.Option
---@return string
function commandline.words(option) return option.words or (option.name:gsub("_", "-")) end

local function is_called(option, word)
  local key = options.key(word)
  if options.key(commandline.words(option)) == key then return true end
  for _, other in ipairs(option.also or {}) do
    if options.key(other) == key then return true end
  end
  return false
end

--- The option that a word names, in any spelling; nil for none.
---@param list deer.commandline.Option[]
---@param word string as on the command line: "--batch-size", "-e"
---@return deer.commandline.Option|nil
function commandline.find(list, word)
  for _, option in ipairs(list) do
    if not option.positional then
      if word:find "^%-%a$" and option.letter == word:sub(2) then return option end
      if word:find "^%-%-" and is_called(option, word) then return option end
    end
  end
end

local function unknown(list, word)
  if not word:find "^%-" then return ("unexpected argument '%s'"):format(word) end
  local words = {}
  for _, option in ipairs(list) do
    if not option.positional then words[#words + 1] = commandline.words(option) end
    table.move(option.also or {}, 1, #(option.also or {}), #words + 1, words)
  end
  local bare = word:gsub("^%-+", "")
  return ("unknown option '%s'%s"):format(word, text.meant(bare, words, "--"))
end

-- an option, and neither a negative number nor the name of standard input
local function is_option(word)
  return word:find "^%-." and not tonumber(word)
end

-- one value; nil and why not
local function read_value(option, word, value)
  if value == nil or is_option(value) then
    return nil, ("option '%s' needs %s"):format(word, options.expected(option))
  end
  local parsed = options.parse(option, value)
  if parsed ~= nil then return parsed end
  local near = option.choices and text.meant(value, option.choices) or ""
  return nil, ("option '%s': expected %s, got '%s'%s"):format(word, options.expected(option), value,
    near)
end

-- the words from i on, up to the next option; nil and why not
local function read_many(option, word, first, args, i)
  local list = { first }
  while args[i] and not is_option(args[i]) do
    list[#list + 1] = args[i]
    i = i + 1
  end
  if #list > 0 then return list, i end
  return nil, ("option '%s' needs %s"):format(word, option.place)
end

-- the value of a flag at args[i], and where to read on; nil and why not
local function read_flag(option, word, value, args, i)
  if option.optional then
    if value and not value:find(option.optional) then
      return nil, ("option '%s': expected %s, got '%s'"):format(word, option.place, value)
    end
    if value then return value, i + 1 end
    if (args[i + 1] or ""):find(option.optional) then return args[i + 1], i + 2 end
  end
  if value then return nil, ("option '%s' takes no value"):format(word) end
  return option.flag, i + 1
end

-- the value of the option at args[i], and where to read on; nil and why not
local function read_option(option, word, value, args, i)
  if option.flag ~= nil then return read_flag(option, word, value, args, i) end
  if option.many then return read_many(option, word, value, args, i + 1) end
  local next_word = value and i or i + 1
  local parsed, message = read_value(option, word, value or args[next_word])
  if message then return nil, message end
  return parsed, next_word + 1
end

local function keep(values, option, value)
  if not option.repeated then
    values[option.name] = value
  else
    values[option.name] = values[option.name] or {}
    table.insert(values[option.name], value)
  end
end

-- the first positional option that has no value yet
local function next_positional(list, values)
  for _, option in ipairs(list) do
    if option.positional and values[option.name] == nil then return option end
  end
end

--- What a command line says, by the names of the options; those not given are absent.
---@param list deer.commandline.Option[]
---@param args string[]
---@return table<string, any>|nil values nil when it is wrong
---@return string|nil message what is wrong, in one line
function commandline.read(list, args)
  local values, i = {}, 1
  while i <= #args do
    local word, value = args[i]:match "^(%-%-[^=]+)=(.*)$"
    word = word or args[i]
    local option = is_option(word) and commandline.find(list, word) or nil
    local parsed, after
    if not option and not is_option(word) then
      option = next_positional(list, values)
      if option then parsed, after = read_option(option, option.name, word, args, i) end
    elseif option then
      parsed, after = read_option(option, word, value, args, i)
    end
    if not option then return nil, unknown(list, word) end
    if parsed == nil then return nil, after end
    keep(values, option, parsed)
    i = after
  end
  return values
end

--- What stands for the value of an option in the help, with a blank before it; "" for a flag.
---@param option deer.commandline.Option
---@return string
function commandline.place(option)
  if option.flag ~= nil then return option.optional and (" [%s]"):format(option.place) or "" end
  local PLACES = { integer = "N", number = "X", boolean = "yes|no" }
  return " " .. (option.place or PLACES[option.type] or "WORD")
end

--- "-e --epochs N", with two blanks in place of a letter that there is not.
---@param option deer.commandline.Option
---@return string
function commandline.head(option)
  if option.positional then return option.place or option.name:upper() end
  return ("%s--%s%s"):format(option.letter and "-" .. option.letter .. " " or "",
    commandline.words(option), commandline.place(option))
end

--- The lines of the help: an option, what it does and its default.
---@param list deer.commandline.Option[]
---@param defaults? table<string, any>
---@return string[]
function commandline.lines(list, defaults)
  local width, lines, group = 0, {}, nil
  for _, option in ipairs(list) do width = math.max(width, #commandline.head(option)) end
  for _, option in ipairs(list) do
    if option.group and option.group ~= group then
      group = option.group
      lines[#lines + 1] = group .. ":"
    end
    local default = nil
    if option.flag == nil then default = (defaults or {})[option.name] end
    if type(default) == "number" then default = text.format(default) end
    if type(default) == "boolean" then default = default and "yes" or "no" end
    lines[#lines + 1] = ("  %-" .. width .. "s  %s%s"):format(commandline.head(option), option.help,
      default and (" (%s)"):format(default) or "")
  end
  return lines
end

--- The default values that the rows themselves name.
---@param list deer.commandline.Option[]
---@return table<string, any>
function commandline.defaults(list)
  local values = {}
  for _, option in ipairs(list) do values[option.name] = option.default end
  return values
end

return commandline
