--- A deep Q-network written wholly in Lua (Mnih et al. 2015, with double Q-learning): the graph is
--- described here once and runs at the speed of C. It learns to balance a pole on a cart.
---   deerlua examples/07_dqn_in_lua.lua [most steps] [seed]
local deer = require "deer"

local MOST_STEPS, SEED = tonumber(arg[1]) or 60000, math.tointeger(arg[2]) or 0
local BATCH, DISCOUNT, LIMIT, WARM_UP = 128, 0.99, 500, 1000
local rng = deer.Rng(SEED)

-- the cart and its pole (Barto, Sutton and Anderson 1983): 1 for every step that the pole stands
local Cart = {}
Cart.__index = Cart

function Cart.reset(self)
  for i = 1, 4 do self[i] = rng:uniform(-0.05, 0.05) end -- place, speed, angle, speed of the angle
  self.steps = 0
end

function Cart.act(self, action)
  local x, v, angle, w = self[1], self[2], self[3], self[4]
  local sin, cos = math.sin(angle), math.cos(angle)
  local push = ((action == 1 and 10 or -10) + 0.05 * w * w * sin) / 1.1
  local turn = (9.8 * sin - cos * push) / (0.5 * (4 / 3 - 0.1 * cos * cos / 1.1))
  self[1], self[2] = x + 0.02 * v, v + 0.02 * (push - 0.05 * turn * cos / 1.1)
  self[3], self[4] = angle + 0.02 * w, w + 0.02 * turn
  self.steps = self.steps + 1
  return math.abs(self[1]) > 2.4 or math.abs(self[3]) > math.pi / 15
end

-- the values of both actions, and a copy of the network that follows slowly
local qnet = deer.network{ inputs = { 4 }, outputs = 2, seed = SEED,
  { "dense", units = 64, activation = "relu" }, { "dense", units = 64, activation = "relu" } }
local target_net = qnet:clone()

-- one state in, the better action out
local function acting()
  local g = deer.graph.new()
  local obs = g:input("obs", { 1, 4 })
  return g:compile{ inputs = { obs }, outputs = { qnet:apply(obs):argmax(1):reshape{} } }
end

-- one batch in, one step of learning
local function learning()
  local g = deer.graph.new()
  local obs_tm1, obs_t = g:input("obs_tm1", { BATCH, 4 }), g:input("obs_t", { BATCH, 4 })
  local a_tm1 = g:input("a_tm1", { BATCH }, "int32")
  local r_t, continue_t = g:input("r_t", { BATCH }), g:input("continue_t", { BATCH })
  -- the online network chooses the next action, the slow one says what it is worth
  local best_t = qnet:apply(obs_t):argmax(1)
  local v_t = target_net:apply(obs_t):gather(best_t)
  local td = r_t + DISCOUNT * continue_t * v_t - qnet:apply(obs_tm1):gather(a_tm1)
  local optimiser = deer.opt.adam{ lr = 5e-4 }
  return g:compile{ updates = {
    optimiser:minimize(td:huber(1):mean(), qnet),
    target_net:follow(g, qnet, 0.005),
  } }
end

local act, learn = acting(), learning()
local memory = deer.DataSet{ input_dimensions = { { 1, 4 } }, n_actions = 2, capacity = 50000,
  seed = SEED }
local batch = {} -- the memory writes straight into the inputs of the program
for _, name in ipairs(learn:inputs()) do batch[name] = learn:input(name) end

-- the mean number of steps without exploration
local function test(episodes)
  local cart, total = setmetatable({}, Cart), 0
  for _ = 1, episodes do
    cart:reset()
    repeat local fallen = cart:act(act:run{ cart }) until fallen or cart.steps == LIMIT
    total = total + cart.steps
  end
  return total / episodes
end

local cart, best_score, best = setmetatable({}, Cart), 0, qnet:clone()
cart:reset()
for step = 1, MOST_STEPS do
  local epsilon = math.max(0.05, 1 - step / 5000)
  local action = rng:uniform() < epsilon and rng:below(2) or act:run{ cart }
  local before = { cart[1], cart[2], cart[3], cart[4] }
  local fallen = cart:act(action)
  memory:addSample({ before }, action, 1, fallen)
  if not fallen and cart.steps == LIMIT then memory:close{ cart } end -- more reward would follow
  if fallen or cart.steps == LIMIT then cart:reset() end
  if step > WARM_UP and memory:randomBatchInto(batch) then learn:run() end
  if step % 1000 == 0 then
    local score = test(5)
    print(("step %6d: %5.1f"):format(step, score))
    if score >= best_score then best_score, best = score, best:copy(qnet) end
    if score == LIMIT and test(30) >= 0.99 * LIMIT then break end
  end
end
qnet:copy(best)
print(("greedy, 100 episodes: %.1f"):format(test(100)))
