--- DDPG written wholly in Lua (Lillicrap et al. 2016, arXiv:1509.02971): actions are numbers, so
--- one network acts and another values what it does. It learns to swing a pendulum up and hold it.
---   deerlua examples/08_ddpg_in_lua.lua [most steps] [seed]
local deer = require "deer"

local MOST_STEPS, SEED = tonumber(arg[1]) or 40000, math.tointeger(arg[2]) or 0
local BATCH, DISCOUNT, LIMIT, WARM_UP, TORQUE = 128, 0.98, 200, 1000, 2
local rng = deer.Rng(SEED)

-- the pendulum of many tutorials: the reward is minus the distance from standing still upright
local Pendulum = {}
Pendulum.__index = Pendulum

function Pendulum.new() return setmetatable({ obs = {} }, Pendulum) end

function Pendulum.look(self)
  self.obs[1], self.obs[2], self.obs[3] = math.cos(self.angle), math.sin(self.angle), self.speed
end

function Pendulum.reset(self)
  self.angle, self.speed, self.steps = rng:uniform(-math.pi, math.pi), rng:uniform(-1, 1), 0
  self:look()
end

function Pendulum.act(self, torque)
  local angle = (self.angle + math.pi) % (2 * math.pi) - math.pi
  local reward = -(angle * angle + 0.1 * self.speed ^ 2 + 0.001 * torque ^ 2)
  local speed = self.speed + 0.05 * (15 * math.sin(self.angle) + 3 * torque)
  self.speed = math.max(-8, math.min(8, speed))
  self.angle, self.steps = self.angle + 0.05 * self.speed, self.steps + 1
  self:look()
  return reward
end

local function layers(inputs, seed)
  return { inputs = inputs, outputs = 1, seed = seed,
    { "dense", units = 64, activation = "relu" }, { "dense", units = 64, activation = "relu" } }
end

local actor = deer.network(layers({ 3 }, SEED))
local critic = deer.network(layers({ { 3 }, { 1 } }, SEED + 1)) -- values an action in a state
local slow_actor, slow_critic = actor:clone(), critic:clone()

-- the action of a network in the states of a batch, [batch, 1]
local function action_of(network, obs) return TORQUE * network:apply(obs):tanh() end

local function acting()
  local g = deer.graph.new()
  local obs = g:input("obs", { 1, 3 })
  return g:compile{ inputs = { obs }, outputs = { action_of(actor, obs):reshape{} } }
end

-- one batch in, one step of both networks
local function learning()
  local g = deer.graph.new()
  local obs_tm1, obs_t = g:input("obs_tm1", { BATCH, 3 }), g:input("obs_t", { BATCH, 3 })
  local action_tm1 = g:input("action_tm1", { BATCH, 1 })
  local r_t, continue_t = g:input("r_t", { BATCH, 1 }), g:input("continue_t", { BATCH, 1 })
  local q_t = slow_critic:apply(obs_t, action_of(slow_actor, obs_t))
  local td = (r_t + DISCOUNT * continue_t * q_t):stop() - critic:apply(obs_tm1, action_tm1)
  local value = critic:apply(obs_tm1, action_of(actor, obs_tm1)):mean()
  return g:compile{ updates = {
    deer.opt.adam{ lr = 1e-3 }:minimize((td ^ 2):mean(), critic),
    deer.opt.adam{ lr = 1e-3 }:minimize(-value, actor),
    slow_critic:follow(g, critic, 0.005),
    slow_actor:follow(g, actor, 0.005),
  } }
end

local act, learn = acting(), learning()
local memory = deer.DataSet{ input_dimensions = { { 1, 3 } }, n_actions = { { -TORQUE, TORQUE } },
  capacity = 100000, seed = SEED }
local batch = {} -- the memory writes straight into the inputs of the program
for _, name in ipairs(learn:inputs()) do batch[name] = learn:input(name) end

-- the mean reward of an episode without exploration
local function test(episodes)
  local pendulum, total = Pendulum.new(), 0
  for _ = 1, episodes do
    pendulum:reset()
    while pendulum.steps < LIMIT do total = total + pendulum:act(act:run{ pendulum.obs }) end
  end
  return total / episodes
end

local function explore(pendulum, step)
  if step <= WARM_UP then return rng:uniform(-TORQUE, TORQUE) end
  local torque = act:run{ pendulum.obs } + rng:normal(0, 0.1 * TORQUE)
  return math.max(-TORQUE, math.min(TORQUE, torque))
end

local pendulum, best_score, best = Pendulum.new(), -math.huge, actor:clone()
pendulum:reset()
for step = 1, MOST_STEPS do
  local torque, before = explore(pendulum, step), { table.unpack(pendulum.obs) }
  local reward = pendulum:act(torque)
  memory:addSample({ before }, torque, reward, false)
  if pendulum.steps == LIMIT then -- the time is up, but more reward would follow
    memory:close{ pendulum.obs }
    pendulum:reset()
  end
  if step > WARM_UP and memory:randomBatchInto(batch) then learn:run() end
  if step % 2000 == 0 then
    local score = test(100)
    print(("step %6d: %7.1f"):format(step, score))
    if score >= best_score then best_score, best = score, best:copy(actor) end
    if score > -155 then break end
  end
end
actor:copy(best)
print(("greedy, 100 episodes: %.1f"):format(test(100)))
