--- deerlua man: the manual page, from the tables of the subcommands' options.
local cli = require "deer.cli"
local commandline = require "deer.commandline"
local core = require "deer.core"
local sys = require "deer.sys"
local text = require "deer.text"

-- no character that troff takes for its own
local function escape(word)
  return (word:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("^([.'])", "\\&%1")
    :gsub("\n([.'])", "\n\\&%1"))
end

-- lines as they are
local function verbatim(lines, source)
  lines[#lines + 1] = ".nf"
  lines[#lines + 1] = escape((source:gsub("\n$", "")))
  lines[#lines + 1] = ".fi"
end

local function add_option(lines, option)
  lines[#lines + 1] = ".TP"
  lines[#lines + 1] = ".B " .. escape((commandline.head(option):gsub("^ +", "")))
  local default = option.flag == nil and option.default
  if type(default) == "number" then default = text.format(default) end
  lines[#lines + 1] = escape((option.help or "") .. (default and (" (%s)"):format(default) or ""))
end

local function add_command(lines, name)
  local command = cli.find(name)
  lines[#lines + 1] = (".SS deerlua %s"):format(escape(name))
  lines[#lines + 1] = escape(command.summary:gsub("^%l", string.upper) .. ".")
  lines[#lines + 1] = ".PP"
  verbatim(lines, command.synopsis)
  for _, option in ipairs(command.options) do add_option(lines, option) end
  if command.notes then
    lines[#lines + 1] = ".PP"
    verbatim(lines, command.notes)
  end
end

local function page()
  local lines = {
    ('.TH DEERLUA 1 "" "deerlua %s" "User Commands"'):format(core.version),
    ".SH NAME", "deerlua \\- reinforcement learning, scripted in Lua",
    ".SH SYNOPSIS" }
  verbatim(lines, sys.usage())
  lines[#lines + 1] = ".SH SUBCOMMANDS"
  for _, name in ipairs(cli.names()) do add_command(lines, name) end
  for _, line in ipairs {
    ".SH EXIT STATUS", "0 when all went well, 1 for an error in a script or in a run, 2 for a \z
      command line that is wrong, 130 when interrupted, 143 when terminated.",
    ".SH ENVIRONMENT", ".TP", ".B DEERLUA_PATH", "folders with environments, controllers and \z
      policies, separated by colons", ".TP", ".B NO_COLOR", "no colours on the terminal",
  } do lines[#lines + 1] = line end
  return table.concat(lines, "\n") .. "\n"
end

return {
  summary = "print the manual page, for man: deerlua man | man -l -",
  synopsis = "deerlua man",
  options = { { name = "help", letter = "h", flag = true, help = "print this" } },
  run = function()
    io.write(page())
    return 0
  end,
}
