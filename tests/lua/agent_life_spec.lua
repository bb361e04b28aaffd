-- Agents are made, closed, collected, and end with the program, in any order.
local child = require "child"
local core = require "deer.core"
local raises = require "raises"
local small = require "small_agent"

local CALLED = small.CALLED
local fails = small.fails
local walk = small.walk
local lua_algo = small.lua_algo
local agent_in = small.agent_in
local fragile = small.fragile

describe("an agent", function()
  it("refuses wrong options", function()
    local env = core.environment(walk())
    local policy = core.policy "epsilon_greedy"
    local function with(changes)
      local options = { environment = env, train_policy = policy, test_policy = policy,
        algo = core.luaalgo(lua_algo(), { environment = env }) }
      for name, value in pairs(changes) do options[name] = value or nil end
      return function() return core.agent(options) end
    end
    assert.equal(-1, with {}():mode())
    raises(function() core.agent() end, "table expected")
    raises(with { environment = false }, "option 'environment': expected an environment, got nil")
    raises(with { environment = walk() }, "option 'environment': expected an environment, got a t")
    raises(with { algo = policy }, "option 'algo': expected an algo, got a deer.Policy")
    raises(with { train_policy = 3 }, "option 'train_policy': expected a policy, got 3")
    raises(with { test_policy = false }, "option 'test_policy': expected a policy, got nil")
    raises(with { replay = "unifrom" }, "did you mean 'uniform'")
    raises(with { replay = 3 }, "option 'replay': expected a name, got 3")
    raises(with { replay_options = 3 }, "option 'replay_options': expected a table, got 3")
    raises(with { replay_options = { alpha = 1 } }, "unknown option 'alpha'")
    raises(with { replay_memory_size = 0 }, "expected a whole number of at least 1, got 0")
    raises(with { replay_memory_size = 1 << 39 }, "the machine has")
    raises(with { replay_start_size = 1.5 }, "option 'replay_start_size': .* got 1.5")
    raises(with { only_full_history = "yes" }, "option 'only_full_history': expected true or")
    raises(with { seed = {} }, "option 'seed': expected a whole number, got a table")
    local long = core.environment(walk { inputDimensions = function() return { { 6 } } end })
    local algo = core.luaalgo(lua_algo(), { environment = long })
    raises(with { environment = long, algo = algo, replay_start_size = 5 }, "at least 6")
  end)

  it("refuses an algo that was made for other observations", function()
    local env, policy = core.environment(walk()), core.policy "epsilon_greedy"
    for _, row in ipairs { { 2 }, { 1, 1 }, { 1, 7 }, { 3, 2 } } do
      local other = core.environment(walk { inputDimensions = function() return { row } end })
      local algo = core.luaalgo(lua_algo(), { environment = other })
      raises(function()
        core.agent { environment = env, algo = algo, train_policy = policy, test_policy = policy }
      end, "another environment")
    end
    local bytes = core.environment(walk { observationType = function() return "uint8" end })
    local algo = core.luaalgo(lua_algo(), { environment = bytes })
    raises(function()
      core.agent { environment = env, algo = algo, train_policy = policy, test_policy = policy }
    end, "another environment")
  end)

  it("refuses wrong arguments", function()
    local agent = agent_in(walk())
    raises(function() agent:run() end, "bad argument #1 to 'run' %(whole number expected, got nil")
    raises(function() agent:run(1, 1.5) end, "bad argument #2 to 'run'")
    raises(function() agent:run(-1, 5) end, "run: %-1 epochs")
    raises(function() agent:run(1, 0) end, "run: 1 epochs of 0 steps")
    raises(function() agent:startMode(-1, 5) end, "test mode of at least 0 expected")
    raises(function() agent:startMode(0, 0) end, "startMode: 0 steps")
    raises(function() agent:listen("onLunch", print) end, "invalid option 'onLunch'")
    raises(function() agent:listen("onStart", {}) end, "function expected")
    raises(function() agent.run({}, 1, 1) end, "deer.Agent expected")
  end)

  it("may be closed, once and again", function()
    local agent = agent_in(walk())
    agent:run(1, 3)
    local set = agent:dataset()
    agent:close()
    agent:close()
    for _, name in ipairs { "run", "train", "mode", "startMode", "resumeTrainingMode", "steps",
      "summarizeTestPerformance", "overrideNextAction", "avgBellmanResidual", "avgEpisodeVValue",
      "totalRewardOverLastTest", "epochs", "dataset", "testDataset", "listen" } do
      raises(function() return agent[name](agent, 1, 1) end, "closed")
    end
    raises(function() set:rewards() end, "closed")
    raises(function() set:randomBatch(1) end, "closed")
    raises(function() set:addSample({ 1 }, 1, 1, false) end, "closed")
    do
      local other <close> = agent_in(walk())
      other:run(1, 1)
      agent = other
    end
    raises(function() agent:steps() end, "closed")
    -- closing one that runs is refused, also at the end of a block
    local stubborn = agent_in(walk())
    stubborn:listen("onActionTaken", function() local _ <close> = stubborn end)
    fails(function() stubborn:run(1, 3) end, "cannot be closed while it runs")
    stubborn:close()
  end)

  it("keeps alive what it borrows, and goes when nobody needs it", function()
    local weak = setmetatable({}, { __mode = "k" })
    local agent
    do
      local env, algo = walk(), lua_algo()
      local policy = { action = function(_, state) return algo:chooseBestAction(state) end }
      weak[env], weak[algo], weak[policy] = true, true, true
      agent = agent_in(env, { algo = algo, train_policy = core.luapolicy(policy) })
      env.agent, algo.agent, policy.agent = agent, agent, agent -- circles
      agent:listen("onActionTaken", function() agent:train() end)
    end
    collectgarbage()
    agent:run(2, 20)
    local set = agent:dataset()
    weak[agent], weak[set] = true, true
    agent = nil
    collectgarbage()
    assert.equal(40, set:nElems()) -- the data set keeps the agent
    set = nil -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)

  for _, mode in ipairs { "generational", "incremental" } do
    it("bears collections at every step: " .. mode, function()
      local before = collectgarbage(mode)
      finally(function() collectgarbage(before) end)
      local broken = {}
      for _, name in ipairs(CALLED) do
        broken[name] = function()
          collectgarbage(name == "train" and "collect" or "step")
          -- answers as the stock methods would
          return name == "reset" and { 0 } or name == "observe" and { 1 } or name == "act" and 1
            or name == "action" and 1 or name == "chooseBestAction" and 0 or name == "train" and 1
            or nil
        end
      end
      local agent = fragile(broken)
      agent:run(2, 50)
      assert.equal(100, agent:steps())
      assert.equal(100, #agent:dataset():observations()[1])
    end)
  end

  it("makes no garbage of its own in a step", function()
    local observation = { 0 }
    local env = walk { observe = function(self) observation[1] = self.at return observation end }
    local agent = agent_in(env)
    agent:listen("onActionChosen", function() end)
    agent:listen("onActionTaken", function() end)
    agent:run(1, 100)
    collectgarbage()
    collectgarbage "stop"
    finally(function() collectgarbage "restart" end)
    local before = collectgarbage "count"
    agent:run(1, 2000)
    local grown = (collectgarbage "count" - before) * 1024
    -- what there is comes from the resets of 400 episodes, a table each
    assert(grown < 400 * 120, grown)
  end)
end)

-- ---- the end of the program --------------------------------------------------------------------

describe("the program", function()
  after_each(child.clean)

  local SETUP = [[
    local core = require "deer.core"
    local env = { at = 0 }
    function env:reset() self.at = 0 return { 0 } end
    function env:act() self.at = self.at + 1 return 1 end
    function env:observe() return { self.at } end
    function env:inTerminalState() return self.at == 5 end
    function env.inputDimensions() return { { 1 } } end
    function env.nActions() return 2 end
    local handle = core.environment(env)
    local policy = core.policy("epsilon_greedy", { epsilon = 1 })
    local agent = core.agent { environment = handle, train_policy = policy, test_policy = policy,
      algo = core.algo("dqn", { environment = handle, options = { batch_size = 2 } }) }
  ]]

  local function run(script, options)
    local root = child.tree { ["run.lua"] = SETUP .. script }
    options = options or {}
    options.cwd = root
    return child.run({ "run.lua" }, options)
  end

  it("may end with agents alive, in whatever order things go", function()
    assert.same({ 0, "", "" }, { run "agent:run(1, 20) keep = { agent, handle, agent:dataset() }" })
    -- finalizers that use what may be gone
    local status, out, err = run [[
      agent:run(1, 20)
      setmetatable({}, { __gc = function()
        print(pcall(agent.run, agent, 1, 3), pcall(agent.dataset, agent))
      end })
      keep = setmetatable({ agent, handle }, { __gc = function()
        pcall(agent.run, agent, 1, 3)
        pcall(function() return agent:dataset():rewards() end)
      end })
      agent = setmetatable({}, { __index = agent })
    ]]
    assert.equal(0, status, out .. err)
    assert.equal("", err)
  end)

  it("may be left from inside a step", function()
    for _, how in ipairs { "os.exit(3)", "os.exit(3, true)" } do
      local status = run("agent:listen('onActionTaken', function() " .. how
        .. " end) agent:run(1, 20)")
      assert.equal(3, status, how)
    end
  end)

  it("may die in a step", function()
    local status, out, err = run "agent:listen('onActionTaken', function() error 'boom' end) \z
      agent:run(1, 20)"
    assert.same({ 1, "" }, { status, out })
    assert.matches("^deerlua: run.lua:%d+: boom\nstack traceback:\n", err)
    assert.equal(1, select(2, err:gsub("stack traceback", "")))
    status, out, err = run "env.observe = function() return {} end agent:run(1, 20)"
    assert.same({ 1, "" }, { status, out })
    assert.matches("^deerlua: run.lua:%d+ %(observe%): expected a list with 1 entry", err)
  end)

  it("may run out of memory in a step", function()
    local status, out, err = run([[
      env.inputDimensions = function() return { { 1, 1 << 20 } } end
      local vast = core.environment(env)
      env.act = function()
        return core.luaalgo({ chooseBestAction = print, train = print },
          { environment = vast, batch_size = 1 << 24 })
      end
      print(pcall(agent.run, agent, 1, 3))
      print(pcall(agent.run, agent, 1, 3))
    ]], { env = "ASAN_OPTIONS=allocator_may_return_null=1" })
    assert.equal(0, status, err)
    assert.equal(("false\tnot enough memory\n"):rep(2), out)
  end)

  it("is stopped by Ctrl-C, wherever it is", function()
    for _, script in ipairs { "agent:run(1, 1 << 40)", -- in C between short calls
      "agent:listen('onActionTaken', function() agent:train() end) agent:run(1, 1 << 40)",
      "agent:listen('onActionTaken', function() while true do end end) agent:run(1, 1 << 40)",
      "coroutine.wrap(function() agent:run(1, 1 << 40) end)()",
      "while true do pcall(agent.run, agent, 1, 1 << 40) end" } do
      local status, _, err = run(script, { before = "timeout -s INT 0.5" })
      -- timeout itself says 124 when it had to send the signal
      assert(status == 124 or status == 130, status)
      assert.matches("interrupted", err)
    end
  end)

  it("tells the end of a run that Ctrl-C stopped", function()
    local _, out, err = run([[
      function env:stop() for i = 1, 3 do io.write(i, " ") end end
      agent:listen("onEnd", function() for i = 4, 6 do io.write(i, " ") end end)
      agent:run(1, 1 << 40)
    ]], { before = "timeout -s INT 0.5" })
    assert.equal("1 2 3 4 5 6 ", out)
    assert.matches("interrupted\n", err)
  end)
end)
