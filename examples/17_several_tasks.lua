--- Several tasks, one network: it learns to answer one thing, then another, and is asked for the
--- first again. A SkillKeeperController keeps it from forgetting.
---   deerlua examples/17_several_tasks.lua [steps]
local deer = require "deer"

-- two numbers are seen; action 1 earns what the weights make of them, action 0 the opposite
local Weigh = deer.Environment:extend "Weigh"
Weigh.options = { weights = { default = { 1, 0 }, type = "list", help = "of the two numbers" } }

function Weigh:init(options) self.weights, self.rng = options.weights, options.rng end

function Weigh:reset()
  self.steps, self.seen = 0, { self.rng:uniform(-1, 1), self.rng:uniform(-1, 1) }
  return { { { 0, 0 } } }
end

function Weigh:act(action)
  local sum = self.weights[1] * self.seen[1] + self.weights[2] * self.seen[2]
  self.steps, self.seen = self.steps + 1, { self.rng:uniform(-1, 1), self.rng:uniform(-1, 1) }
  return action == 1 and sum or -sum
end

function Weigh:observe() return { self.seen } end
function Weigh:inTerminalState() return self.steps == 10 end
function Weigh:inputDimensions() return { { 1, 2 } } end
function Weigh:nActions() return 2 end

-- learns the first task, the second and the first again; prints how good it is at both
local function learn(weight)
  local tasks = { Weigh{ weights = { 1, 0 }, seed = 1 }, Weigh{ weights = { 0, 1 }, seed = 1 } }
  local algo = deer.QNetwork{ environment = tasks[1], update_rule = "adam", learning_rate = 0.003,
    discount = 0, batch_accumulator = "mean", skills = 2, seed = 1 }
  local agent = deer.MultiTaskAgent{ environments = tasks, learning_algo = algo, seed = 1,
    train_every = 1 }
  agent:attach(deer.controllers.SkillKeeperController{ weight = weight })
  for _, task in ipairs { 0, 1, 0 } do
    agent:setEnvironment(task)
    agent:run(1, tonumber(arg[1]) or 1500)
    local scores = {}
    for i, environment in ipairs(tasks) do
      local judge = deer.NeuralAgent{ environment = environment:copy(99), learning_algo = algo }
      judge:startMode(0, 2000)
      judge:run(1, 2000)
      scores[i] = judge:totalRewardOverLastTest()
    end
    print(("weight %g, after task %d: return %.2f in task 0, %.2f in task 1"):format(weight, task,
      scores[1], scores[2]))
  end
end

learn(0)
learn(0.5)
