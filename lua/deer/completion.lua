--- Scripts that complete command lines, from the tables of the subcommands' options. Names (of
--- environments, controllers, ...) are asked for when they are needed, so that a person's own are
--- among them.

local cli = require "deer.cli"
local commandline = require "deer.commandline"
local options = require "deer.options"

local completion = {}

-- what runs to get the names that an option takes
local function asks(command, option)
  return ("deerlua completion --of %s --option %s"):format(command, commandline.words(option))
end

--- The words that an option takes, one a line.
---@param command string
---@param option_name string
---@return string[]
function completion.names(command, option_name)
  local found = cli.find(command)
  for _, option in ipairs(found and found.options or {}) do
    if options.key(commandline.words(option)) == options.key(option_name) then
      return option.names and option.names() or option.choices or {}
    end
  end
  return {}
end

-- all words that mean an option, dashes included, its own first
local function all_words(option)
  local words = { "--" .. commandline.words(option) }
  if option.letter then words[#words + 1] = "-" .. option.letter end
  for _, other in ipairs(option.also or {}) do words[#words + 1] = "--" .. other end
  return words
end

-- visits the subcommands with their options
local function each(visit)
  for _, name in ipairs(cli.names()) do
    local command = cli.find(name)
    visit(name, command, command.options)
  end
end

-- in single quotes for a shell
local function quote(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

-- ---- bash --------------------------------------------------------------------------------------

-- the words behind which a value of an option stands; of one without words of its own, those that
-- the one before it takes
local function words_before(name, list, i)
  if not list[i].positional then return all_words(list[i]) end
  return i == 1 and { name } or list[i - 1].choices or {}
end

-- a line of the case for the word before the one that is completed; nil for those without a value
local function bash_value(name, list, i)
  local option, patterns = list[i], {}
  for _, word in ipairs(option.flag == nil and words_before(name, list, i) or {}) do
    patterns[#patterns + 1] = ('"%s %s"'):format(name, word)
  end
  if #patterns == 0 then return nil end
  local what = option.names and ("words=$(%s)"):format(asks(name, option))
    or ("words=%s"):format(quote(table.concat(option.choices or {}, " ")))
  return ("    %s) %s ;;"):format(table.concat(patterns, " | "), what)
end

---@return string
function completion.bash()
  local values, commands = {}, {}
  each(function(name, _, list)
    local words = {}
    for i, option in ipairs(list) do
      values[#values + 1] = bash_value(name, list, i)
      if not option.positional then words[#words + 1] = all_words(option)[1] end
    end
    commands[#commands + 1] = ("        %s) words=%s ;;"):format(name,
      quote(table.concat(words, " ")))
  end)
  return ([[
# bash completion for deerlua, made by `deerlua completion bash`
_deerlua() {
  local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words=
  local before=${COMP_WORDS[COMP_CWORD-1]}
  if [ "$COMP_CWORD" -eq 1 ]; then
    words=%s
    COMPREPLY=($(compgen -W "$words" -- "$cur") $(compgen -f -X '!*.lua' -- "$cur"))
    return
  fi
  case $cur in -*) before= ;; esac
  case "$command $before" in
%s
    *)
      case "$command" in
%s
      esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _deerlua deerlua
]]):format(quote(table.concat(cli.names(), " ")), table.concat(values, "\n"),
    table.concat(commands, "\n"))
end

-- ---- zsh ---------------------------------------------------------------------------------------

-- a spec of _arguments: '(-E --env)'{-E,--env}'[help]:NAME:($(...))'
local function zsh_spec(name, option)
  local what = option.names and ("($(%s))"):format(asks(name, option))
    or option.choices and ("(%s)"):format(table.concat(option.choices, " ")) or "_files"
  local place = commandline.place(option):gsub("^ ", ""):gsub("[%[%]:]", "")
  if option.positional then return quote((":%s:%s"):format(place, what)) end
  local help = (option.help or ""):gsub("[%[%]:]", "\\%0")
  local words = all_words(option)
  local tail = quote(("[%s]%s"):format(help, option.flag == nil and (":%s:%s"):format(place, what)
    or ""))
  if #words == 1 then return (option.repeated and "'*'" or "") .. words[1] .. tail end
  local lead = option.repeated and "'*'" or quote("(" .. table.concat(words, " ") .. ")")
  return ("%s{%s}%s"):format(lead, table.concat(words, ","), tail)
end

---@return string
function completion.zsh()
  local names, cases = {}, {}
  each(function(name, command, list)
    names[#names + 1] = "    " .. quote(name .. ":" .. command.summary:gsub(":", "\\:"))
    local specs = {}
    for i, option in ipairs(list) do specs[i] = "        " .. zsh_spec(name, option) end
    cases[#cases + 1] = ("    %s)\n      _arguments \\\n%s ;;"):format(name,
      table.concat(specs, " \\\n"))
  end)
  return ([[
#compdef deerlua
# zsh completion for deerlua, made by `deerlua completion zsh`
_deerlua() {
  local -a commands
  commands=(
%s
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    _files -g '*.lua'
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
%s
    *) _files ;;
  esac
}
_deerlua "$@"
]]):format(table.concat(names, "\n"), table.concat(cases, "\n"))
end

-- ---- fish --------------------------------------------------------------------------------------

-- Those without words of their own are told by how many words stand before them.
local function fish_line(name, i, option)
  local condition = "__fish_seen_subcommand_from " .. name
  if option.positional then
    condition = ("%s; and test (count (commandline -opc)) -eq %d"):format(condition, i + 1)
  end
  local words = { "complete -c deerlua -n " .. quote(condition) }
  if not option.positional then
    words[#words + 1] = "-l " .. commandline.words(option)
    if option.letter then words[#words + 1] = "-s " .. option.letter end
    if option.flag == nil then words[#words + 1] = "-r" end
  end
  if option.names or option.choices then
    words[#words + 1] = "-f -a " .. quote(option.names and ("(%s)"):format(asks(name, option))
      or table.concat(option.choices, " "))
  elseif option.positional then
    return nil -- a file, which fish offers by itself
  end
  return table.concat(words, " ") .. " -d " .. quote(option.help or "")
end

---@return string
function completion.fish()
  local lines = { "# fish completion for deerlua, made by `deerlua completion fish`" }
  each(function(name, command, list)
    lines[#lines + 1] = ("complete -c deerlua -n __fish_use_subcommand -a %s -d %s"):format(name,
      quote(command.summary))
    for i, option in ipairs(list) do lines[#lines + 1] = fish_line(name, i, option) end
  end)
  return table.concat(lines, "\n") .. "\n"
end

return completion
