--- Begins with two trained deep Q-networks side by side, whose values are first the means of both:
--- what either has learnt elsewhere is there, and what to take of it is learnt. `deerlua train`
--- makes the network for it; a script gives its QNetwork the option network =
--- deer.fusion.network(a, b).

local Controller = require "deer.controller"
local deer = require "deer"
local fusion = require "deer.fusion"
local json = require "deer.json"
local run_folder = require "deer.run_folder"
local text = require "deer.text"
local usage = require "deer.usage"

---@class deer.NetFusionController: deer.Controller
---@overload fun(options: table): deer.NetFusionController
local NetFusionController = Controller:extend "NetFusionController"

NetFusionController.modes = { -1 }

NetFusionController.options = {
  first = { required = true, type = "string", help = "a run, or a file of parameters" },
  second = { required = true, type = "string", help = "another one" },
}

function NetFusionController:init(options)
  self.first, self.second = options.first, options.second
end

-- the network in a file, as it is described there
local function description_in(where)
  local _, metadata, path = run_folder.parameters(where)
  local description = metadata.network and json.decode(metadata.network)
  if not description then
    usage.fail("NetFusionController: %s does not say of which network its parameters are", path)
  end
  return description
end

--- Makes the network of a plan the one that two files of parameters need.
---@param made deer.Preset
---@param options table
function NetFusionController.plan(made, options)
  if deer[made.algo] ~= deer.QNetwork then
    usage.fail("NetFusionController: only deep Q-networks can be fused, not %s", text.a(made.algo))
  end
  local given = made.algo_options
  given.network = usage.try(fusion.network, description_in(options.first),
    description_in(options.second))
  given.dueling, given.dueling_hidden, given.noisy, given.distribution = nil, nil, nil, nil
end

--- Puts the parameters in.
---@param agent deer.NeuralAgent
function NetFusionController:ready(agent)
  if self.done then return end
  local algo = agent.learning_algo
  local first, second = usage.plainly(run_folder.parameters, self.first),
    usage.plainly(run_folder.parameters, self.second)
  algo:setAllParams(fusion.join(algo:getAllParams(), first, second))
  self.done = true
end

---@param agent deer.NeuralAgent
function NetFusionController:onStart(agent) self:ready(agent) end

return NetFusionController
