--- A pole hinged to a cart that is pushed to the left or to the right: a whole environment in Lua,
--- with the methods that every one has. It is what envs/cartpole.c does; `deerlua bench` measures
--- how fast such a one runs.

local deer = require "deer"

local sin, cos, abs, pi = math.sin, math.cos, math.abs, math.pi
local STEEP = 12 * 2 * pi / 360
local FAR = 2.4

---@class deer.bench.CartPole: deer.Environment
local CartPole = deer.Environment:extend "CartPole"

CartPole.options = {
  time_limit = { default = 500, range = { 1, 1e9 }, help = "steps of an episode" },
}

function CartPole:init(options)
  self.rng, self.time_limit = options.rng, options.time_limit
end

function CartPole:reset()
  local rng = self.rng
  self.x, self.speed = rng:uniform(-0.05, 0.05), rng:uniform(-0.05, 0.05)
  self.angle, self.spin = rng:uniform(-0.05, 0.05), rng:uniform(-0.05, 0.05)
  self.steps = 0
  return { { 0, 0, 0, 0 } }
end

-- kg, m and s: a cart of 1, a pole of 0.1 and 1, pushed with 10 N for 0.02
function CartPole:act(action)
  local speed, angle, spin = self.speed, self.angle, self.spin
  local sine, cosine = sin(angle), cos(angle)
  local push = ((action == 1 and 10 or -10) + 0.05 * spin * spin * sine) / 1.1
  local turn = (9.8 * sine - cosine * push) / (0.5 * (4 / 3 - 0.1 * cosine * cosine / 1.1))
  self.x = self.x + 0.02 * speed
  self.speed = speed + 0.02 * (push - 0.05 * turn * cosine / 1.1)
  self.angle = angle + 0.02 * spin
  self.spin = spin + 0.02 * turn
  self.steps = self.steps + 1
  return 1
end

function CartPole:observe()
  return { { self.x, self.speed, self.angle, self.spin } }
end

function CartPole:inTerminalState() return abs(self.x) > FAR or abs(self.angle) > STEEP end

function CartPole:isTruncated() return self.steps >= self.time_limit end

function CartPole:inputDimensions() return { { 1, 4 } } end

function CartPole:nActions() return 2 end

return CartPole
