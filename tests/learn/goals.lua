--- What the presets reach: the mean reward of at least 100 episodes without exploration.
---
---   least   what every seed reaches
---   steps   of the environment that 100 episodes may take

local CARTPOLE = { "dqn", "double", "dueling", "per", "c51", "qr", "noisy", "rainbow",
  "sac_discrete", "ppo", "a2c", "reinforce" }

---@type { name: string, least: number, steps: integer }[]
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
}

for i, name in ipairs(CARTPOLE) do
  table.insert(goals, i, { name = "cartpole/" .. name, least = 475, steps = 50000 })
end

return goals
