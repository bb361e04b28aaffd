--- Parameters of an algo in files of the folder nnets, as safetensors.

local core = require "deer.core"
local json = require "deer.json"
local sys = require "deer.sys"
local text = require "deer.text"

local networks = {}

local FOLDER = "nnets/"

-- nnets/name.epoch=3, or nnets/name without an epoch (DeeR writes -1 for none)
local function path_of(fname, n_epoch, who)
  if type(fname) ~= "string" or fname == "" then
    text.fail("agent:%s: expected a file name, got %s", who, text.describe(fname))
  end
  n_epoch = n_epoch or -1
  if math.type(n_epoch) ~= "integer" then
    text.fail("agent:%s: n_epoch: expected an integer, got %s", who, text.describe(n_epoch))
  end
  local path = FOLDER .. fname
  return n_epoch >= 0 and ("%s.epoch=%d"):format(path, n_epoch) or path, n_epoch
end

-- the other epochs of exactly this name go: only the newest is kept
local function remove_others(path)
  local folder, file = path:match "^(.*)/([^/]*)$"
  local stem = file:match "^(.*%.epoch=)%d+$"
  for _, other in ipairs(sys.listdir(folder) or {}) do
    if other ~= file and other:match "^(.*%.epoch=)%d+$" == stem then
      os.remove(folder .. "/" .. other)
    end
  end
end

--- What the header of a file says about the network whose parameters it holds; nil of algorithms
--- that cannot tell.
---@param algo deer.Algo
---@return string|nil json
function networks.description(algo)
  return algo.description and json.encode(algo:description()) or nil
end

---@param algo deer.Algo
---@param fname string
---@param n_epoch? integer
---@return string|nil path
---@return string|nil message
function networks.dump(algo, fname, n_epoch)
  local path, epoch = path_of(fname, n_epoch, "dumpNetwork")
  local made, message = sys.mkdir(path:match "^(.*)/")
  if not made then return nil, message end
  local params = algo:getAllParams()
  -- an algo written in Lua need not say it
  for _, param in ipairs(params) do param.dtype = param.dtype or "float32" end
  local metadata = { algo = algo.__name, epoch = tostring(epoch), writer = "deerlua",
    network = networks.description(algo) }
  local saved, reason = core.safetensors.save(path, params, metadata)
  if not saved then return nil, reason end
  if epoch >= 0 then remove_others(path) end
  return path
end

---@param algo deer.Algo
---@param fname string
---@param n_epoch? integer
---@return true|nil done
---@return string|nil message
function networks.load(algo, fname, n_epoch)
  local params, message = core.safetensors.load((path_of(fname, n_epoch, "setNetwork")))
  if not params then return nil, message end
  algo:setAllParams(params)
  return true
end

return networks
