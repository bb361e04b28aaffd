--- Loads parameters when the run begins and saves them when it ends.

local Controller = require "deer.controller"
local Recorder = require "deer.recorder"
local run_folder = require "deer.run_folder"
local usage = require "deer.usage"

---@class deer.NetSaveLoadController: deer.Controller
---@overload fun(options: table?): deer.NetSaveLoadController
local NetSaveLoadController = Controller:extend "NetSaveLoadController"

NetSaveLoadController.modes = { -1 }

NetSaveLoadController.options = {
  input_file = { type = "string", help = "a run, or a file of parameters, to begin with" },
  output_file = { type = "string",
    help = "where they are saved; network.safetensors in the folder of the run if not given" },
}

NetSaveLoadController.path, NetSaveLoadController.check = Recorder.path, Recorder.check

function NetSaveLoadController:init(options)
  self.input_file, self.output_file = options.input_file, options.output_file
end

--- Loads the parameters, once.
---@param agent deer.NeuralAgent
function NetSaveLoadController:ready(agent)
  if not self.input_file or self.done then return end
  usage.plainly(run_folder.load, agent, self.input_file)
  self.done = true
end

---@param agent deer.NeuralAgent
function NetSaveLoadController:onStart(agent) self:ready(agent) end

---@param agent deer.NeuralAgent
function NetSaveLoadController:onEnd(agent)
  -- what should have been loaded was not there: nothing has been learnt
  if self.input_file and not self.done then return end
  local path = self.output_file or self:path(agent, "network.safetensors")
  self:check(run_folder.save(path, agent.learning_algo, { epochs = agent:epochs(),
    steps = agent:steps() }))
end

return NetSaveLoadController
