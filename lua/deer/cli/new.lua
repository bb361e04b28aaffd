--- deerlua new: writes an environment, a controller, ... to begin with.
local kinds = require "deer.kinds"
local skeletons = require "deer.skeletons"
local sys = require "deer.sys"
local text = require "deer.text"
local usage = require "deer.usage"

local KINDS = { "env", "controller", "algo", "policy", "network" }

-- the names of file and class that are meant: beep, Beep and BeepController are one
local function names(kind, word)
  if not word:find "^%a[%w_]*$" then
    usage.fail("expected a name of letters, digits and '_', got '%s'", word)
  end
  local has_suffix = kind == "controller" or kind == "policy"
  local stem = has_suffix and word:gsub("_" .. kind .. "$", "") or word
  local file = kinds.fileName(kind, (stem:gsub("^%l", string.upper)))
  return file, kinds.className(kind, file)
end

-- a line that is true of this file
local function fill(kind, file, class_name)
  return (skeletons[kind]:gsub("%f[%w]NAME%f[%W]", class_name):gsub("%f[%w]FILE%f[%W]", file))
end

return {
  summary = "write an environment, a controller, ... of one's own to begin with",
  synopsis = "deerlua new " .. table.concat(KINDS, "|") .. " NAME",
  options = {
    { name = "what", positional = true, choices = KINDS, place = "KIND",
      help = "what it is to be" },
    { name = "name", positional = true, type = "string", place = "NAME", help = "its name" },
    { name = "help", letter = "h", flag = true, help = "print this" },
  },
  notes = "It lies in the folder of its kind in the current one, envs/NAME.lua and so on, where \z
    it is\nfound by its name. It runs as it is, and says what to change. Nothing is overwritten.",
  run = function(said)
    if not said.what or not said.name then
      usage.fail("expected a kind and a name, as in `deerlua new %s my_own`", said.what or "env")
    end
    local file, class_name = names(said.what, said.name)
    local path = ("%s/%s.lua"):format(kinds.folder(said.what), file)
    if sys.exists(path) then usage.fail("there is a file '%s'; nothing is overwritten", path) end
    local done, message = sys.mkdir(kinds.folder(said.what))
    if done then
      done, message = sys.write_file(path, fill(said.what, file, class_name))
    end
    if not done then usage.fail("%s", message) end
    text.say("%s", path)
    for command in skeletons[said.what]:gmatch "Try it: ([^\n]*)" do
      text.say("try it: %s", (command:gsub("FILE", file)))
    end
    return 0
  end,
}
