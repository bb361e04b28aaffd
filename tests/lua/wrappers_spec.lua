--- Wrappers around environments of either language, by themselves and in an agent. What each does
--- is tested in tests/c/test_wrapper.c.
local deer = require "deer"
local child = require "child"
local raises = require "raises"

local Walk = deer.Environment:extend "Walk"
Walk.options = { length = { default = 7, range = { 3, 1000 }, help = "number of cells" } }
function Walk:init(options) self.length, self.rng = options.length, options.rng end
function Walk:reset() self.at = 0; return { { -1 } } end
function Walk:act(action)
  self.at = self.at + (action == 1 and 1 or -1)
  return self.at == self.length and 1 or -0.25
end
function Walk:observe() return { self.at } end
function Walk:inTerminalState() return self.at == self.length end
function Walk:inputDimensions() return { { 1 } } end
function Walk:nActions() return 2 end
function Walk:summarizePerformance(set) self.summarized = #set:rewards() end

local W = deer.wrappers

local function run(env, seed, options)
  local made = { environment = env, seed = seed,
    learning_algo = deer.QNetwork{ environment = env, seed = seed } }
  for key, value in pairs(options or {}) do made[key] = value end
  local agent = deer.NeuralAgent(made)
  agent:run(1, 300)
  return agent
end

describe("a wrapper", function()
  it("is an environment by itself", function()
    local env = W.ActionRepeat{ environment = Walk{ length = 5 }, repeats = 3 }
    assert.same({ { -1 } }, env:reset(-1))
    assert.equal(-0.75, env:act(1))
    assert.same({ 3 }, env:observe())
    assert.is_false(env:inTerminalState())
    assert.equal(0.75, env:act(1))
    assert.is_true(env:inTerminalState())
    assert.same({ { 1 } }, env:inputDimensions())
    assert.equal(2, env:nActions())
  end)

  it("can be stacked around one in C", function()
    local cart = deer.env "cartpole" { start_state = { 0, 0, 0, 0 } }
    local env = W.FrameStack{ frames = 3,
      environment = W.TimeLimit{ environment = cart, max_steps = 2 } }
    assert.same({ { 3, 4 } }, env:inputDimensions())
    env:reset(-1)
    env:act(1)
    assert.is_false(env:isTruncated())
    env:act(0)
    assert.is_true(env:isTruncated())
    assert.is_false(env:inTerminalState())
    assert.equal(cart, env:unwrapped())
    assert.equal(3, #env:render():shape())
  end)

  it("changes what an agent learns from", function()
    local agent = run(W.ScaleReward{ environment = Walk{}, factor = 4 }, 1)
    for _, reward in ipairs(agent:dataset():rewards()) do
      assert.is_true(reward == -1 or reward == 4)
    end
    -- 200 steps at most: 500 without
    agent = run(W.TimeLimit{ environment = Walk{ length = 1000 }, max_steps = 50 }, 1)
    local at = agent:dataset():observations()[1]
    for i = 1, 300, 50 do assert.equal(0, at[i]) end
  end)

  it("is the same inside as no wrapper", function()
    local function actions(env) return run(env, 5):dataset():actions() end
    assert.same(actions(Walk{ seed = 2 }),
      actions(W.TimeLimit{ environment = Walk{ seed = 2 }, max_steps = 1000000 }))
    assert.same(actions(deer.env "cartpole" { seed = 2 }),
      actions(W.TimeLimit{ environment = deer.env "cartpole" { seed = 2 }, max_steps = 1000000 }))
  end)

  it("lets the environment inside look at tests", function()
    for _, inside in ipairs { Walk{}, W.ClipReward{ environment = Walk{} } } do
      local env = W.TimeLimit{ environment = inside, max_steps = 10 }
      local agent = run(env, 1)
      agent:startMode(0, 60)
      agent:run(1, 60)
      agent:summarizeTestPerformance()
      assert.equal(60, env:unwrapped().summarized)
      agent:resumeTrainingMode()
      raises(function() agent:summarizeTestPerformance() end, "no test epoch")
    end
  end)

  it("tells where the environment inside went wrong", function()
    local Broken = Walk:extend "Broken"
    function Broken:act() error "boom" end
    local env = W.TimeLimit{ environment = Broken{}, max_steps = 10 }
    local ok, message = pcall(run, env, 1)
    assert.is_false(ok)
    assert.truthy(message:find("wrappers_spec.lua:%d+: boom"), message)
    env:reset(-1)
    ok, message = pcall(env.act, env, 1)
    assert.is_false(ok)
    assert.truthy(message:find("wrappers_spec.lua:%d+: boom"), message)
  end)

  it("can be extended in Lua", function()
    local Louder = W.ScaleReward:extend "Louder"
    function Louder:act(action) return W.ScaleReward.act(self, action) + 100 end
    local rewards = run(Louder{ environment = Walk{}, factor = 2 }, 1):dataset():rewards()
    for _, reward in ipairs(rewards) do assert.is_true(reward == 99.5 or reward == 102) end
    -- so are its copies
    rewards = run(Louder{ environment = deer.env "cartpole" {}, factor = 2 }, 1, { n_envs = 2 })
      :dataset():rewards()
    for _, reward in ipairs(rewards) do assert.equal(102, reward) end
  end)

  it("refuses what cannot be", function()
    raises(function() W.TimeLimit{ max_steps = 3 } end, "environment")
    raises(function() W.TimeLimit{ environment = 3 } end, "expected an environment, got 3")
    raises(function() W.TimeLimit{ environment = Walk{}, max_steps = 0 } end, "max_steps")
    raises(function() W.TimeLimit{ environment = Walk{}, max_step = 1 } end, "max_steps")
    raises(function() W.ScaleAction{ environment = Walk{} } end, "scales continuous actions")
    raises(function() return W.TimeLimits end, "TimeLimit")
  end)

  it("can be copied", function()
    local env = W.ScaleReward{ factor = 2,
      environment = W.TimeLimit{ environment = Walk{}, max_steps = 5 } }
    local handles = require("deer.copies").make(env, 3)
    assert.equal(3, #handles)
    for _, handle in ipairs(handles) do
      handle:reset(-1)
      assert.equal(-0.5, handle:act(1))
      for _ = 2, 5 do handle:act(1) end
      assert.is_true(handle:truncated())
    end
  end)
end)

describe("the monitor", function()
  after_each(child.clean)

  -- returns and lengths in a file of the form that Stable-Baselines3 reads
  local function episodes(path, id)
    local file = assert(io.open(path, "rb"))
    local start, name, rows = file:read "a":match
      '^#{"t_start": (%d+%.%d+), "env_id": "(%w+)"}\nr,l,t\r\n(.*)$'
    file:close()
    assert.equal(id, name)
    assert.is_true(os.time() - tonumber(start) < 100)
    local all, last = {}, 0
    for line in rows:gmatch "([^\n]*)\n" do
      local r, l, t = line:match "^([-%d.]+),(%d+),([%d.e-]+)\r$"
      assert.is_true(tonumber(t) >= last, line)
      all[#all + 1], last = { r, tonumber(l) }, tonumber(t)
    end
    return all
  end

  it("writes down what episodes of training earned", function()
    local folder = child.folder()
    local env = W.Monitor{ file = folder .. "/monitor.csv", environment = W.TimeLimit{
      max_steps = 10,
      environment = W.ScaleReward{ factor = 0.3, environment = Walk{ length = 3 } } } }
    assert.is_nil(io.open(folder .. "/monitor.csv"))
    local function play(mode, actions)
      env:reset(mode)
      for _, action in ipairs(actions) do env:act(action) end
    end
    play(0, { 1, 1, 1 })
    assert.is_nil(io.open(folder .. "/monitor.csv"))
    play(-1, { 1, 0, 1, 1, 1 })
    play(-1, { 1 }) -- not over
    play(0, { 1, 1, 1 })
    play(-1, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 })
    -- -0.075 in a step, 0.3 in the last
    assert.same({ { "0.0", 5 }, { "-0.75", 10 } }, episodes(folder .. "/monitor.csv", "Walk"))
  end)

  it("changes nothing", function()
    local folder = child.folder()
    local function actions(env) return run(env, 5):dataset():actions() end
    assert.same(actions(deer.env "cartpole" { seed = 2 }), actions(W.Monitor{
      file = folder .. "/monitor.csv", environment = deer.env "cartpole" { seed = 2 } }))
  end)

  it("has a file for each copy", function()
    for _, threads in ipairs { 1, 2 } do
      deer.threads(threads)
      for _, outside in ipairs { false, true } do
        local folder = child.folder()
        local env = W.Monitor{ file = folder .. "/monitor.csv", environment = W.TimeLimit{
          max_steps = 10, environment = deer.env "cartpole" {} } }
        if outside then env = W.FrameStack{ environment = env, frames = 2 } end
        run(env, 1, { n_envs = 3 })
        local steps = 0
        for i = 0, 2 do
          local of_one = episodes(("%s/%d.monitor.csv"):format(folder, i), "cartpole")
          assert.is_true(#of_one >= 9)
          for _, episode in ipairs(of_one) do
            assert.equal(("%d.0"):format(episode[2]), episode[1])
            steps = steps + episode[2]
          end
        end
        -- what is missing had not ended
        assert.is_true(steps > 270 and steps <= 300)
        assert.is_nil(io.open(folder .. "/monitor.csv"))
      end
    end
    deer.threads(1)
  end)

  it("says once what is wrong with its file", function()
    local env = W.Monitor{ environment = Walk{}, file = "/nowhere/monitor.csv" }
    raises(function() run(env, 1) end, "Monitor: /nowhere/monitor.csv: No such file")
    env = W.Monitor{ environment = W.TimeLimit{ environment = Walk{}, max_steps = 5 },
      file = "/dev/full" }
    raises(function() run(env, 1) end, "Monitor: /dev/full: No space left on device")
    raises(function() W.Monitor{ environment = Walk{}, file = 3 } end, "'file'")
    raises(function() W.Monitor{ file = "monitor.csv" } end, "environment")
  end)
end)
