--- Wrappers around environments of either language, by themselves and in an agent. What each does
--- is tested in tests/c/test_wrapper.c.
local deer = require "deer"
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
