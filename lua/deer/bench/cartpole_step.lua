--- The cart and pole of cartpole.lua with the optional method step, which does in one call what
--- takes four otherwise.

local CartPole = require "deer.bench.cartpole"

local StepCartPole = CartPole:extend "StepCartPole"

function StepCartPole:step(action)
  local reward = self:act(action)
  return reward, self:inTerminalState(), self:isTruncated(), self.x, self.speed, self.angle,
    self.spin
end

return StepCartPole
