--- `make bench`: how long the things take that a training run consists of. Times are medians of
--- seven; a peer is measured beside them where it is installed (python3 with torch), else its
--- column is empty.
local deer = require "deer"
local sys = require "deer.sys"

local REPEATS = 7

---@param list number[]
---@return number
local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

--- Median seconds of one call of `body(n)` divided by n.
---@param n integer
---@param body fun(n: integer)
---@return number
local function seconds(n, body)
  body(n // 10 + 1)
  local times = {}
  for i = 1, REPEATS do
    local start = sys.time()
    body(n)
    times[i] = (sys.time() - start) / n
  end
  return median(times)
end

local env = deer.env "toy_env" { seed = 1 }

---@param options table
local function agent_of(options)
  options.environment = env
  local qnetwork = deer.QNetwork(options)
  local agent = deer.NeuralAgent{ environment = env, learning_algo = qnetwork, seed = 1 }
  agent:run(1, 200)
  return agent, qnetwork
end

---@param options table
local function update_time(options)
  local agent = agent_of(options)
  return seconds(500, function(n) for _ = 1, n do assert(agent:train()) end end)
end

local function act_time()
  local _, qnetwork = agent_of {}
  local state = { { 0, 1, 2, 3, 4, 5 }, { 1 } }
  return seconds(20000, function(n) for _ = 1, n do qnetwork:chooseBestAction(state) end end)
end

-- steps of the loop with the Lua environment, a greedy policy and no learning
local function step_time()
  local agent = agent_of {}
  agent:startMode(0, 4000)
  local time = seconds(4000, function(n) agent:run(1, n) end)
  agent:resumeTrainingMode()
  return time
end

-- the same update in PyTorch: the network of DeeR on the toy market
local TORCH = [[
import time, torch
torch.set_num_threads(1)
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = torch.nn.Conv2d(1, 8, (1, 2)), torch.nn.Conv2d(8, 8, (1, 2))
        self.a, self.b = torch.nn.Linear(33, 50), torch.nn.Linear(50, 20)
        self.q = torch.nn.Linear(20, 2)
    def forward(self, price, owns):
        x = torch.relu(self.c2(torch.relu(self.c1(price)))).flatten(1)
        return self.q(torch.relu(self.b(torch.relu(self.a(torch.cat([x, owns], 1))))))
net, target = Net(), Net()
optimiser = torch.optim.RMSprop(net.parameters(), 5e-3, 0.9, 1e-4)
price, owns = torch.rand(32, 1, 1, 6), torch.rand(32, 1)
action, reward = torch.randint(0, 2, (32, 1)), torch.rand(32)
def update():
    with torch.no_grad(): goal = reward + 0.9 * target(price, owns).max(1).values
    loss = 0.5 * ((goal - net(price, owns).gather(1, action)[:, 0]) ** 2).sum()
    optimiser.zero_grad(); loss.backward(); optimiser.step()
times = []
for k in range(8):
    start = time.perf_counter()
    for i in range(100): update()
    times.append((time.perf_counter() - start) / 100)
print(sorted(times[1:])[3])
]]

---@return number? seconds nil when there is no PyTorch here
local function torch_time()
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(TORCH)
  file:close()
  local pipe = assert(io.popen("python3 " .. path .. " 2>/dev/null"))
  local time = tonumber(pipe:read "l" or "")
  pipe:close()
  os.remove(path)
  return time
end

local function row(name, time, peer_name, peer)
  local other = peer
    and ("%10.1f us  %5.1f times ours  %s"):format(peer * 1e6, peer / time, peer_name) or ""
  print(("%-44s %10.2f us  %s"):format(name, time * 1e6, other))
end

row("update, toy network, batch 32, rmsprop", update_time { seed = 1 }, "PyTorch", torch_time())
row("update, toy network, batch 32, deer-0.2", update_time { seed = 1, network = "deer-0.2",
  update_rule = "deepmind_rmsprop", clip_delta = 1 })
row("update, toy network, batch 64, adam", update_time { seed = 1, update_rule = "adam",
  batch_size = 64 })
row("best action from Lua, toy network", act_time())
row("step: Lua environment, greedy, stored", step_time())
