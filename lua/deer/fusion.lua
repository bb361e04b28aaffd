--- Two deep Q-networks as one, for what either has learnt: both stand side by side, unchanged, and
--- a linear layer behind them says, for each action, how much either counts. It begins with one
--- half for both, so that the values are the means of the two, and everything is learnt on. Noise
--- of the option `noisy` is left behind; networks of distributions and with heads are refused.
---
---   local a, b = deer.QNetwork{...}, deer.QNetwork{...}   -- or descriptions from files
---   local fused = deer.QNetwork{ environment = env,
---     network = deer.fusion.network(a:description(), b:description()) }
---   fused:setAllParams(deer.fusion.join(fused:getAllParams(), a:getAllParams(), b:getAllParams()))

local text = require "deer.text"

local fusion = {}

-- does any list hold a layer?
local function has_layers(branches)
  for _, list in ipairs(branches or {}) do
    if #list > 0 then return true end
  end
  return false
end

local function check(description, which)
  if type(description) ~= "table" or type(description.output) ~= "table" then
    text.fail("fusion: the %s network: expected the description of a QNetwork, got %s", which,
      text.describe(description))
  end
  if description.distribution ~= "none" then
    text.fail("fusion: the %s network: only networks that say values have a mean, not those with \z
      distributions (%s)", which, description.distribution)
  end
  if description.heads and next(description.heads) then
    text.fail("fusion: the %s network: expected one without layers of heads", which)
  end
  if #description.branches > 1 and has_layers(description.branches) then
    text.fail("fusion: the %s network: its %d subjects have branches; only networks with one \z
      subject, or without branches, can be fused", which, #description.branches)
  end
end

-- all layers of a network, from the observation to the values, as one
local function lane(description)
  local layers, last = {}, { description.output }
  for _, list in ipairs { description.branches[1] or {}, description.trunk, last } do
    table.move(list, 1, #list, #layers + 1, layers)
  end
  return { type = "chain", layers = layers }
end

--- The description of the network that two make.
---@param first table that QNetwork:description() gave, for the same environment
---@param second table
---@return table
function fusion.network(first, second)
  check(first, "first")
  check(second, "second")
  if first.output.units ~= second.output.units or #first.branches ~= #second.branches then
    text.fail("fusion: the networks are for different tasks: %d and %d actions, %d and %d subjects",
      first.output.units, second.output.units, #first.branches, #second.branches)
  end
  local both = { { type = "parallel", layers = { lane(first), lane(second) } } }
  local branches = {}
  for i = 1, #first.branches do branches[i] = {} end
  if #branches ~= 1 then return { branches = branches, trunk = both } end
  return { branches = { both }, trunk = {} }
end

-- ---- parameters --------------------------------------------------------------------------------

-- those of the learnt network, in their order
local function learnt(params)
  local list = {}
  for _, param in ipairs(params) do
    if param.name:find "^q%." then list[#list + 1] = param end
  end
  return list
end

local function same_shape(a, b)
  if #a.shape ~= #b.shape then return false end
  for i, dim in ipairs(a.shape) do
    if b.shape[i] ~= dim then return false end
  end
  return true
end

-- one half for each of the two values of an action, nothing for those of others
local function halves(n_actions, size)
  local values = {}
  for row = 0, 2 * n_actions - 1 do
    for column = 0, n_actions - 1 do
      values[#values + 1] = string.pack(size, row % n_actions == column and 0.5 or 0)
    end
  end
  return table.concat(values)
end

local function misfit(param)
  text.fail("fusion: '%s' does not fit; expected a QNetwork whose network is that of \z
    deer.fusion.network", param.name)
end

local function is_noise(param) return param and param.name:find "_sigma$" ~= nil end

-- Hands out the parameters of a lane, one after the other. What the option `noisy` has made noisy
-- is not so here: a network is judged without its noise, so that is left behind.
local function source(params)
  local list, i = learnt(params), 1
  local function skip_noise(wanted)
    while is_noise(list[i]) and not wanted do i = i + 1 end
  end
  return function(param)
    skip_noise(is_noise(param))
    if not list[i] or not same_shape(list[i], param) then misfit(param) end
    i = i + 1
    return list[i - 1].data
  end, function()
    skip_noise(false)
    return i > #list
  end
end

--- The parameters of a fused network, from those that it has now and those of the two.
---@param params table[] from getAllParams of the fused network
---@param first table[] from getAllParams
---@param second table[]
---@return table[] for setAllParams
function fusion.join(params, first, second)
  local result = {}
  local take, done, of
  for i, param in ipairs(params) do
    local copy = {}
    for key, value in pairs(param) do copy[key] = value end
    local network = param.name:match "^(%w+)%."
    if network ~= of and (network == "q" or network == "target") then
      of, take, done = network, {}, {}
      take[1], done[1] = source(first)
      take[2], done[2] = source(second)
    end
    local number = tonumber(param.name:match "%.parallel1%.chain(%d)%.")
    if number then
      copy.data = (take[number] or misfit(param))(param)
    elseif param.name:find "^%a+%.output%.weight$" then
      if not take or not (done[1]() and done[2]()) then misfit(param) end
      local n = param.shape[2]
      if param.shape[1] ~= 2 * n then misfit(param) end
      copy.data = halves(n, #param.data == 8 * n * n and "<f" or "<d")
    elseif param.name:find "^%a+%.output%.bias$" then
      copy.data = ("\0"):rep(#param.data)
    elseif param.name:find "^q%." or param.name:find "^target%." then
      misfit(param)
    end
    result[i] = copy
  end
  return result
end

return fusion
