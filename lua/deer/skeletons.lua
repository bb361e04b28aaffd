--- What `deerlua new` writes: for each kind a file that runs as it is, with a comment wherever
--- there is something to decide. NAME stands for the name of the class, FILE for that of the file.

local skeletons = {}

skeletons.env = [[
--- Say in a sentence what has to be done here, and what is rewarded.
--- Try it: deerlua check env FILE
--- Try it: deerlua train --env FILE --algo dqn
--- Try it: deerlua enjoy runs/FILE --render
local deer = require "deer"

local NAME = deer.Environment:extend "NAME"

-- what a user may choose, checked and shown by `deerlua help FILE`
NAME.options = {
  length = { default = 7, range = { 3, 1000 }, help = "number of cells" },
}

--- options.rng gives random numbers, the same for the same seed; use no others.
function NAME:init(options)
  self.length, self.rng = options.length, options.rng
end

--- An episode begins; mode is -1 in training, 0 and more in tests. Returned is what was observed
--- before, one entry per subject.
function NAME:reset(mode) -- luacheck: no unused args
  self.at, self.steps = self.rng:int(0, 1), 0
  return { 0 }
end

--- One step; returns the reward. Actions count from 0.
function NAME:act(action)
  self.steps = self.steps + 1
  self.at = math.max(0, self.at + (action == 1 and 1 or -1))
  return self.at == self.length and 1 or 0
end

--- What is seen now: one entry per subject, a number or a list of them.
function NAME:observe() return { self.at / self.length } end

--- The subjects: { 1 } is a number, { 4, 3 } three numbers and the last four of each.
function NAME:inputDimensions() return { { 1 } } end -- luacheck: no unused args

--- How many actions there are; { { -1, 1 } } would be one number between -1 and 1.
function NAME:nActions() return 2 end -- luacheck: no unused args

--- Is it over, so that no reward can follow?
function NAME:inTerminalState() return self.at == self.length end

--- Is it cut short by a time limit, though reward would have followed?
function NAME:isTruncated() return self.steps == 10 * self.length end

--- How it looks; only `deerlua enjoy --render` and films need it. A canvas has fill, rect, line,
--- circle, polygon and text, which take pixels, from the top left corner, and colours.
function NAME:render()
  local canvas = deer.canvas(20 * (self.length + 1), 20)
  canvas:rect(20 * self.length, 0, 20, 20, "#f0c040")
  canvas:circle(20 * self.at + 10, 10, 8, "#3060c0")
  return canvas:picture()
end

return NAME
]]

skeletons.controller = [[
--- Say in a sentence what it does.
--- Try it: deerlua train --env cartpole --algo dqn --attach FILE periodicity=2
local deer = require "deer"

local NAME = deer.Controller:extend "NAME"

-- heard in training alone; without this line in tests (0, 1, ...) as well
NAME.modes = { -1 }

-- what a user may choose, checked and shown by `deerlua help NAME`
NAME.options = {
  periodicity = { default = 1, type = "integer", range = { 1, 2 ^ 31 }, help = "epochs per line" },
}

function NAME:init(options)
  self.periodicity, self.episodes, self.sum = options.periodicity, 0, 0
end

--- Once per run, before anything else. Leave out the signals that you do not need.
function NAME:onStart(agent) -- luacheck: no unused args
  self.episodes, self.sum = 0, 0
end

-- function NAME:onActionChosen(agent, action) end  -- agent:overrideNextAction(action) replaces it
-- function NAME:onActionTaken(agent) end           -- agent:train() learns

--- terminal is false where the episode was cut short.
function NAME:onEpisodeEnd(agent, terminal, reward) -- luacheck: no unused args
  self.episodes, self.sum = self.episodes + 1, self.sum + agent:lastEpisode()
end

function NAME:onEpochEnd(agent)
  if not self.due(agent:epochs(), self.periodicity) then return end
  print(("epoch %d: %d episodes, mean return %.4g"):format(agent:epochs(), self.episodes,
    self.sum / math.max(self.episodes, 1)))
  self.episodes, self.sum = 0, 0
end

-- function NAME:onEnd(agent) end                   -- once per run, also when it fails

return NAME
]]

skeletons.algo = [[
--- Say in a sentence how it learns (Author 2024).
--- Try it: deerlua train --env gridworld --algo FILE --epochs 20
local deer = require "deer"

local NAME = deer.Algo:extend "NAME"
NAME.action_kinds = "discrete" -- also "continuous", "multi-discrete"; others are refused

-- beside these there are discount, batch_size and seed; a learning_rate of its own, since the usual
-- one is for networks
NAME.options = {
  learning_rate = { default = 0.2, range = { 0, 1 }, help = "share of an error that is mended" },
  cells = { default = 4096, type = "integer", range = { 1, 2 ^ 24 }, help = "size of the table" },
}

--- self.environment is where it learns. This one has a value for every action in every state, a
--- table whose cell is found by what is observed.
function NAME:init(options)
  self.n_actions = self.environment:nActions()
  self.cells, self.q = options.cells, {}
  for i = 1, options.cells * self.n_actions do self.q[i] = 0 end
end

-- where the values of a state begin; numbers are told apart to two digits
local function place(self, state, sample)
  local hash = 5381
  local function add(value)
    if type(value) == "table" then
      for _, part in ipairs(value) do add(part) end
    else
      hash = (hash * 33 + math.floor(value * 100 + 0.5)) % 2 ^ 31 | 0
    end
  end
  for _, subject in ipairs(state) do add(sample and subject[sample] or subject) end
  return hash % self.cells * self.n_actions
end

-- the best action at a place of the table, and its value
local function best(self, at)
  local action = 0
  for a = 1, self.n_actions - 1 do
    if self.q[at + a + 1] > self.q[at + action + 1] then action = a end
  end
  return action, self.q[at + action + 1]
end

--- state[subject] is the history of a subject, oldest first. Returns an action and its value.
function NAME:chooseBestAction(state) return best(self, place(self, state)) end

--- The value of every action, for those who watch; may be left out.
function NAME:qValues(state)
  local at = place(self, state)
  return table.move(self.q, at + 1, at + self.n_actions, 1, {})
end

--- One update from a batch: states[subject][sample], actions[sample] and so on. Returns the loss.
function NAME:train(states, actions, rewards, next_states, terminals)
  local loss = 0
  for i, action in ipairs(actions) do
    local _, after = best(self, place(self, next_states, i))
    local at = place(self, states, i) + action + 1
    local target = rewards[i] + (terminals[i] and 0 or self:discountFactor() * after)
    local miss = target - self.q[at]
    self.q[at] = self.q[at] + self:learningRate() * miss
    loss = loss + miss * miss
  end
  return loss / #actions
end

--- What is learnt, so that it can be kept in files and loaded again.
function NAME:getAllParams()
  local bytes = {}
  for i, x in ipairs(self.q) do bytes[i] = string.pack("<f", x) end
  return { { name = "q", shape = { self.cells, self.n_actions }, data = table.concat(bytes) } }
end

function NAME:setAllParams(params)
  local data = params[1].data
  for i = 1, #self.q do self.q[i] = string.unpack("<f", data, 4 * i - 3) end
end

return NAME
]]

skeletons.policy = [[
--- Say in a sentence how it picks an action (Author 2024).
--- Try it: deerlua train --env cartpole --algo dqn --train-policy FILE probability=0.2
local deer = require "deer"

local NAME = deer.Policy:extend "NAME"

-- what a user may choose, checked and shown by `deerlua help NAME`
NAME.options = {
  probability = { default = 0.1, range = { 0, 1 }, help = "of an action at random" },
}

function NAME:init(options) self.probability = options.probability end

--- state[subject] is the history of a subject; mode is -1 in training; first tells that an episode
--- begins. Returns an action, its value (0 where it was drawn), and whether it is the best one.
--- self.rng gives random numbers, the same for the same seed.
function NAME:action(state, mode, first) -- luacheck: no unused args
  if self.rng:uniform() < self.probability then
    local action = self:randomAction()
    return action, 0, false
  end
  local action, value = self:bestAction(state)
  return action, value, true
end

return NAME
]]

skeletons.network = [[
--- Say in a sentence what it is good for.
--- Try it: deerlua train --env cartpole --algo dqn --network FILE units=16
return {
  -- the classes that can use it, and those that extend them; without this line all
  algos = { "QNetwork" },

  -- what a user may choose
  options = {
    units = { default = 32, type = "integer", range = { 1, 65536 }, help = "of each layer" },
  },

  -- `deerlua help dense` tells the options of a layer; the last one is the algorithm's
  layers = function(environment, options)
    local subjects = #environment:inputDimensions()
    return { { "dense", units = options.units * subjects, activation = "relu" },
      { "dense", units = options.units } }
  end,
}
]]

return skeletons
