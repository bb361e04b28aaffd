--- Keeps what a deep Q-network could do while it learns something else: to the loss of every update
--- it adds, for each skill, the divergence of the softmax of the values from what the network of
--- that skill says about the same states (Li and Hoiem 2016, arXiv:1606.09282).
---
--- A skill is the network with the best test score, or, without tests, the last one, of each task
--- that a deer.MultiTaskAgent has left; a file of parameters; or the network at the start of the
--- run. That of the present task does not count. The QNetwork needs the option `skills`, how many
--- there may be; when there are more, the oldest goes. `deerlua train` sets it.

local Controller = require "deer.controller"
local deer = require "deer"
local run_folder = require "deer.run_folder"
local text = require "deer.text"
local usage = require "deer.usage"

---@class deer.SkillKeeperController: deer.Controller
---@field skills { task: integer?, params: table<string, string> }[] the oldest first
---@overload fun(options: table?): deer.SkillKeeperController
local SkillKeeperController = Controller:extend "SkillKeeperController"

SkillKeeperController.options = {
  weight = { default = 1.0, range = { 0, 1e9 }, help = "of the divergence, in the loss" },
  skill = { type = "string", help = "a run, or a file of parameters, that is a skill" },
  from_start = { default = false,
    help = "what the network can do when the run begins, as after --load, is a skill" },
  validation_id = { default = 0, type = "integer", range = { 0, 2 ^ 31 - 1 },
    help = "mode whose score tells the best network of a task" },
}

function SkillKeeperController:init(options)
  self.weight, self.validation_id = options.weight, options.validation_id
  self.file, self.from_start = options.skill, options.from_start
  self.skills, self.best = {}, {}
end

--- Makes room for skills in the network of a plan.
---@param made deer.Preset
---@param options table
function SkillKeeperController.plan(made, options)
  if deer[made.algo] ~= deer.QNetwork then
    usage.fail("SkillKeeperController: only a deep Q-network keeps skills, not %s",
      text.a(made.algo))
  end
  if options.skill then run_folder.parameters(options.skill) end
  local needed = (options.skill and 1 or 0) + (options.from_start and 1 or 0)
  made.algo_options.skills = math.max(made.algo_options.skills or 0, needed, 1)
end

-- the data of the learnt network by name
local function learnt(params)
  local data = {}
  for _, param in ipairs(params) do
    local name = param.name:match "^q%.(.*)$"
    if name then data[name] = param.data end
  end
  return data
end

-- how many skills there is room for
local function room(params)
  local n = 0
  for _, param in ipairs(params) do
    n = math.max(n, (tonumber(param.name:match "^skill(%d+)%.") or -1) + 1)
  end
  return n
end

-- one more skill, in place of an earlier one of the same task
local function add(self, params, task)
  for i, skill in ipairs(self.skills) do
    if task and skill.task == task then
      table.remove(self.skills, i)
      break
    end
  end
  self.skills[#self.skills + 1] = { task = task, params = params }
end

-- writes the skills into the network; those of the task do not count
local function write(self, agent, task)
  if #self.skills == 0 then return end
  local algo = agent.learning_algo
  local params = algo:getAllParams()
  local n = room(params)
  if n == 0 then
    text.fail("SkillKeeperController: the %s has no room for skills; expected a QNetwork with \z
      the option skills = %d", algo.__name, #self.skills)
  end
  while #self.skills > n do table.remove(self.skills, 1) end
  for _, param in ipairs(params) do
    local number, name = param.name:match "^skill(%d+)%.(.*)$"
    local skill = number and self.skills[number + 1]
    if skill then
      param.data = skill.params[name] or text.fail("SkillKeeperController: the skill in '%s' is \z
        of another network, without '%s'", self.file, name)
    elseif param.name == "skill_weight" then
      local size, weights = #param.data // n == 4 and "<f" or "<d", {}
      for k = 1, n do
        local known = self.skills[k]
        weights[k] = string.pack(size, known and known.task ~= task and self.weight or 0)
      end
      param.data = table.concat(weights)
    end
  end
  algo:setAllParams(params)
end

--- The skills that are there when the run begins.
---@param agent deer.NeuralAgent
function SkillKeeperController:ready(agent)
  if self.begun then return end
  self.begun = true
  if self.file then
    add(self, learnt((usage.plainly(run_folder.parameters, self.file))), -1)
  end
  if self.from_start then add(self, learnt(agent.learning_algo:getAllParams()), -2) end
  write(self, agent, agent:task())
end

---@param agent deer.NeuralAgent
function SkillKeeperController:onStart(agent)
  self:ready(agent)
  local task, before = agent:task(), self.task
  self.task = task
  if before == nil or before == task then return end
  local best = self.best[before]
  add(self, best and best.params or learnt(agent.learning_algo:getAllParams()), before)
  write(self, agent, task)
end

---@param agent deer.NeuralAgent
function SkillKeeperController:onEpochEnd(agent)
  if agent:mode() ~= self.validation_id then return end
  local task, score = agent:task(), agent:totalRewardOverLastTest()
  local best = self.best[task]
  if best and score < best.score then return end
  self.best[task] = { score = score, params = learnt(agent.learning_algo:getAllParams()) }
end

return SkillKeeperController
