--- A loop of one's own: a script that has a game, a robot or a simulator asks the agent for actions
--- and tells it what they led to. Here CartPole stands for it, and is learnt in a few seconds.
---   deerlua examples/18_stand_alone_agent.lua [dqn | ppo [seed]]
local deer = require "deer"

local seed = math.tointeger(arg[2]) or 1
local pole = deer.env "cartpole" { seed = seed }

-- all that has to be known is what is observed, four numbers, and what can be done, two things
local task = { input_dimensions = { { 1, 4 } }, n_actions = 2, discount = 0.99,
  learning_rate = 1e-3, seed = seed }
local agent
if arg[1] == "ppo" then
  task.horizon, task.batch_size, task.epochs = 1024, 64, 10
  agent = deer.Agent{ learning_algo = deer.PPO(task), seed = seed }
else
  task.network, task.update_rule = { { "dense", units = 64 }, { "dense", units = 64 } }, "adam"
  task.batch_size, task.batch_accumulator, task.tau = 128, "mean", 0.02
  task.normalize_observations = true
  agent = deer.Agent{ learning_algo = deer.QNetwork(task), replay_start_size = 1000, seed = seed }
end

-- enough is learnt when ten episodes in a row have stood for 500 steps
local epsilon = deer.schedule "linear(1, 0.02, 10000)"
local steps, stood = 0, 0
while stood < 10 and steps < 100000 do
  pole:reset(-1)
  local state, terminal, truncated = pole:observe(), false, false
  while not (terminal or truncated) do
    steps = steps + 1
    if agent:epsilon() then agent:setEpsilon(epsilon(steps)) end
    local reward = pole:act(agent:getAction(state))
    state, terminal, truncated = pole:observe(), pole:inTerminalState(), pole:isTruncated()
    agent:observe{ reward = reward, next_state = state, terminal = terminal,
      truncated = truncated }
    agent:update()
  end
  stood = truncated and stood + 1 or 0
end

-- the best actions alone, and nothing learnt
local sum = 0
for _ = 1, 20 do
  pole:reset(0)
  repeat
    sum = sum + pole:act(agent:getAction(pole:observe(), { explore = false }))
  until pole:inTerminalState() or pole:isTruncated()
end
print(("%d steps; greedy, 20 episodes: %.1f"):format(steps, sum / 20))
