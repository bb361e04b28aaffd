--- What the presets reach: the mean reward of at least 100 episodes without exploration, or what
--- `measure` says.
---
---   least     what every seed reaches
---   steps     of the environment that 100 episodes may take, where they are played after training
---   measure   "reached": in how many of 100 episodes the robot is at its target; "training": the
---             mean reward of the last 100 episodes of training, with its exploration
---   seeds     how many there are, if not as many as the others have; these runs take half an hour

local CARTPOLE = { "dqn", "double", "dueling", "per", "c51", "qr", "noisy", "rainbow",
  "sac_discrete", "ppo", "a2c", "reinforce" }

---@type { name: string, least: number, steps: integer?, measure: string?, seeds: integer? }[]
local goals = {
  { name = "pendulum/sac", least = -160, steps = 20000 },
  { name = "pendulum/td3", least = -160, steps = 20000 },
  { name = "pendulum/ddpg", least = -170, steps = 20000 },
  { name = "pendulum/ppo", least = -180, steps = 20000 },
  { name = "acrobot/dqn", least = -80, steps = 10000 },
  { name = "acrobot/ppo", least = -85, steps = 10000 },
  { name = "mountain_car/dqn", least = -110, steps = 20000 },
  { name = "mountain_car_continuous/sac", least = 93, steps = 100000 },
  -- 13 steps and the goal: the shortest way, or the mean would be less
  { name = "gridworld/dqn", least = -0.3 - 1e-9, steps = 1400 },
  { name = "gridworld/ppo", least = -0.3 - 1e-9, steps = 1400 },
  { name = "mobile_robot/sac", least = 95, steps = 25000, measure = "reached" },
  { name = "mobile_robot/ppo", least = 95, steps = 25000, measure = "reached" },
  -- Young and Tian 2019, arXiv:1903.03176, figure of the learning curves, at 5 million frames
  { name = "breakout/dqn", least = 10, measure = "training", seeds = 1 },
  { name = "freeway/dqn", least = 50, measure = "training", seeds = 1 },
}

for i, name in ipairs(CARTPOLE) do
  table.insert(goals, i, { name = "cartpole/" .. name, least = 475, steps = 50000 })
end

return goals
