--- The parameters of a launcher, told and kept beside its results, under a name that other
--- parameters do not have.

local json = require "deer.json"
local spairs = require "deer.spairs"
local sys = require "deer.sys"
local text = require "deer.text"

-- FNV-1a (Fowler, Noll and Vo), 64 bits
local function hash(words)
  local h = 0xcbf29ce484222325
  for i = 1, #words do h = (h ~ words:byte(i)) * 0x100000001b3 end
  return ("%016x"):format(h)
end

--- Prints the parameters and their hash, writes params/<prefix><hash>.json and returns
--- "<prefix><hash>", for the names of other files.
---@param params table<string, any> as from deer.launcher
---@param prefix string "MG2S_"
---@return string fname
return function(params, prefix)
  local plain = {} -- without the check of names
  for name, value in spairs(params) do plain[name] = value end
  local words = json.encode(plain)
  local fname = prefix .. hash(words)
  text.say("The parameters hash is: %s", fname:sub(#prefix + 1))
  text.say("The parameters are: %s", words)
  local path = ("params/%s.json"):format(fname)
  local done, message = sys.mkdir "params"
  if done then done, message = sys.write_file(path, json.encode(plain, true) .. "\n") end
  if not done then text.fail("saveParameters: %s", message) end
  return fname
end
