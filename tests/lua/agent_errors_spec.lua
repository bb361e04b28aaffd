-- Errors of the user's code in a run, results that are refused, calls inside of calls.
local core = require "deer.core"
local raises = require "raises"
local small = require "small_agent"

local CALLED = small.CALLED
local fails = small.fails
local walk = small.walk
local lua_algo = small.lua_algo
local agent_in = small.agent_in
local record = small.record
local names = small.names
local fragile = small.fragile

describe("an error of the user's code", function()
  for _, name in ipairs(CALLED) do
    it("in " .. name .. " ends the run and comes out unchanged", function()
      local object, broken = { "any value" }, {}
      local agent, log = fragile(broken)
      agent:run(1, 8)
      broken[name] = function() error(object) end
      local ok, message = pcall(agent.run, agent, 1, 8)
      assert.is_false(ok)
      assert.equal(object, message)
      assert.equal("onEnd", log[#log][1]) -- the end is told all the same
      broken[name] = function() error "boom" end
      ok, message = pcall(agent.run, agent, 1, 8)
      assert.is_false(ok)
      assert.matches("^tests/lua/agent_errors_spec.lua:%d+: boom\nstack traceback:\n", message)
      assert.equal(1, select(2, message:gsub("stack traceback", "")))
      broken[name] = function() error() end
      ok, message = pcall(agent.run, agent, 1, 8)
      assert.same({ false, nil }, { ok, message })
      -- nothing is left in disorder
      broken[name] = nil
      agent:run(1, 8)
      assert.equal(-1, agent:mode())
    end)
  end

  it("is the first that happened", function()
    local agent = fragile { act = function() error "first" end, onEnd = function() error "last" end,
      stop = function() error "second" end }
    fails(function() agent:run(1, 8) end, "first")
  end)

  it("passes through runs inside of runs", function()
    local object, inner, outer = {}, agent_in(walk()), agent_in(walk())
    inner:listen("onActionTaken", function() error(object) end)
    local depth = 0
    outer:listen("onActionTaken", function()
      depth = depth + 1
      inner:run(1, 1)
    end)
    local ok, message = pcall(outer.run, outer, 1, 3)
    assert.same({ false, 1 }, { ok, depth })
    assert.equal(object, message)
    -- a listener may catch it
    outer:listen("onActionTaken", function() pcall(inner.run, inner, 1, 1) end)
    outer:run(1, 3)
    assert.equal(4, outer:dataset():nElems())
  end)

  it("may be a stack that is full", function()
    local function deep() return 1 + deep() end
    local agent = fragile { act = deep }
    fails(function() agent:run(1, 3) end, "stack overflow")
    -- runs inside of runs until C's stack is full
    local function nest()
      local next_one = agent_in(walk())
      next_one:listen("onActionTaken", nest)
      next_one:run(1, 1)
    end
    fails(nest, "overflow")
  end)
end)

describe("a wrong result", function()
  -- the run must end with this message, in front of which stands the line of the method
  local function wrong(name, message, ...)
    local results, broken = table.pack(...), {}
    local agent = fragile(broken)
    agent:run(1, 8)
    local method = name
    broken[name] = function() return table.unpack(results, 1, results.n) end
    local ok, got = pcall(agent.run, agent, 1, 8)
    assert.is_false(ok)
    local line, rest = got:match("^tests/lua/small_agent.lua:(%d+) %(" .. method .. "%): (.*)$")
    assert(line, got)
    assert.matches(message, (rest:gsub("\nstack traceback:.*", "")))
    broken[name] = nil
    agent:run(1, 8)
  end

  local NAN = 0 / 0

  it("of reset is refused", function()
    wrong("reset", "^expected a list with 1 entry, one per subject, got nil$")
    wrong("reset", "got a table with 0 entries", {})
    wrong("reset", "subject 0: expected a number, got the string 'x'", { "x" })
    wrong("reset", "subject 0: .* got a table with 2 entries", { { 0, 0 } })
    wrong("reset", "finite number, got nan", { NAN })
  end)

  it("of act is refused", function()
    wrong("act", "^expected a finite number as the reward, got nil$", nil)
    wrong("act", "the reward, got nan", NAN)
    wrong("act", "the reward, got inf", 1 / 0)
    wrong("act", "the reward, got the string '1'", "1")
    wrong("act", "the reward, got true", true)
  end)

  it("of observe is refused", function()
    wrong("observe", "^expected a list with 1 entry, one per subject, got nil$")
    wrong("observe", "got 3", 3)
    wrong("observe", "got a table with 2 entries", { 1, 2 })
    wrong("observe", "^subject 0: expected a number, got a table with 3 entries$", { { 1, 2, 3 } })
    wrong("observe", "^subject 0: expected a number, got false$", { false })
    wrong("observe", "^subject 0: expected a finite number, got nan$", { NAN })
    wrong("observe", "^subject 0: expected a number, got a function$", { print })
    wrong("observe", "got a uint8 tensor of shape %[2%]", { core.Tensor("uint8", { 2 }) })
    wrong("observe", "got a FILE", { io.stdout })
  end)

  it("of inTerminalState and isTruncated is refused", function()
    wrong("inTerminalState", "^expected true or false, got 0$", 0)
    wrong("inTerminalState", "got the string 'no'", "no")
    wrong("isTruncated", "got a table with 0 entries", {})
    local broken = { inTerminalState = function() end, isTruncated = function() end }
    fragile(broken):run(1, 8) -- nothing is no
  end)

  it("of a policy is refused", function()
    wrong("action", "expected an action of 0..1, got nil")
    wrong("action", "expected an action of 0..1, got 2", 2)
    wrong("action", "expected an action of 0..1, got 0.5", 0.5)
    wrong("action", "expected a number, the value, got the string 'x'", 1, "x")
    wrong("action", "expected true or false %(greedy%), got 1", 1, 2, 1)
  end)

  it("of an algo is refused", function()
    wrong("train", "^expected a finite number, the loss, got nil$")
    wrong("train", "the loss, got nan", NAN)
    wrong("train", "the loss, got a table with 1 entry", { 1 })
    local agent = agent_in(walk(), { algo = lua_algo { chooseBestAction = function() end },
      train_policy = core.policy("epsilon_greedy", { epsilon = 0 }) })
    fails(function() agent:run(1, 8) end,
      "agent_errors_spec.lua:%d+ %(chooseBestAction%): expected an action of 0..1, got nil")
  end)

  it("of a method written in C has no line", function()
    local agent = agent_in(walk { act = math.type })
    fails(function() agent:run(1, 1) end, "^act: expected a finite number")
  end)
end)

-- ---- calls that are allowed, and those that are not --------------------------------------------

describe("inside of a run", function()
  it("tests may be run between episodes, without signals of start and end", function()
    local agent, log = agent_in(walk()), {}
    record(agent, log)
    agent:listen("onEpisodeEnd", function()
      log[#log + 1] = { "onEpisodeEnd", agent:mode() }
      if agent:mode() ~= -1 then return end
      agent:startMode(0, 2)
      agent:run(2, 2)
      agent:resumeTrainingMode()
    end)
    agent:run(1, 1)
    local test = "onActionChosen onActionTaken onActionChosen onActionTaken onEpisodeEnd onEpochEnd"
    assert.equal("onStart onActionChosen onActionTaken onEpisodeEnd " .. test .. " " .. test
      .. " onEpochEnd onEnd", names(log))
  end)

  it("a run inside an episode is refused, the agent goes on", function()
    local agent, messages = agent_in(walk()), {}
    local function try(f, ...)
      local ok, message = pcall(f, ...)
      assert.is_false(ok)
      messages[#messages + 1] = message:match "^tests/lua/agent_errors_spec.lua:%d+: (.*)$"
    end
    agent:listen("onActionTaken", function()
      try(function() agent:run(1, 1) end)
      try(function() agent:startMode(0, 1) end)
      try(function() agent:resumeTrainingMode() end)
      try(function() agent:close() end)
      agent:listen("onActionTaken", nil)
    end)
    agent:listen("onEpochEnd", function()
      try(function() agent:run(1, 1) end)
      try(function() agent:close() end)
    end)
    agent:run(1, 8)
    assert.equal(8, agent:steps())
    assert.equal(6, #messages)
    for i, pattern in ipairs { "run inside an episode", "startMode inside an episode",
      "resumeTrainingMode inside an episode", "cannot be closed while it runs",
      "inside another run", "cannot be closed while it runs" } do
      assert.matches(pattern, messages[i])
    end
  end)

  it("every method of an environment, a policy and an algo may use the agent", function()
    local agent, broken = nil, {}
    local calls = 0
    for _, name in ipairs(CALLED) do
      broken[name] = function()
        local mine = broken[name]
        broken[name] = nil
        calls = calls + 1
        pcall(agent.run, agent, 1, 2)
        pcall(agent.train, agent)
        pcall(agent.startMode, agent, 0, 2)
        pcall(agent.run, agent, 1, 2)
        pcall(agent.summarizeTestPerformance, agent)
        pcall(agent.resumeTrainingMode, agent)
        pcall(agent.overrideNextAction, agent, 0)
        agent:dataset():observations()
        pcall(agent.close, agent)
        collectgarbage()
        broken[name] = mine
        return nil
      end
    end
    agent = fragile(broken)
    for _ = 1, 20 do pcall(agent.run, agent, 2, 6) end
    assert(calls > 20)
    for name in pairs(broken) do broken[name] = nil end
    pcall(agent.resumeTrainingMode, agent)
    agent:run(1, 6)
  end)

  it("two agents may share everything but the loop", function()
    local env, algo = walk(), lua_algo()
    local handle = core.environment(env)
    local learner = core.luaalgo(algo, { environment = handle, batch_size = 2 })
    local policy = core.luapolicy { action = function() return 1, 1, true end }
    local function make()
      return core.agent { environment = handle, algo = learner, train_policy = policy,
        test_policy = policy, replay_memory_size = 100, seed = 1 }
    end
    local outer, inner = make(), make()
    outer:listen("onEpochEnd", function()
      inner:run(1, 3)
      inner:train()
      outer:train()
    end)
    outer:run(3, 4)
    assert.same({ 12, 9 }, { outer:steps(), inner:steps() })
  end)
end)

describe("a coroutine", function()
  it("may run an agent, another inside it as well", function()
    local agent, threads = agent_in(walk()), {}
    agent:listen("onActionTaken", function()
      threads[coroutine.running()] = true
      coroutine.wrap(function()
        threads[coroutine.running()] = true
        agent:train()
      end)()
    end)
    local co = coroutine.create(function() agent:run(1, 5) end)
    assert(coroutine.resume(co))
    assert.is_true(threads[co])
    agent:run(1, 5)
    assert.equal(10, agent:steps())
    assert.is_true(threads[coroutine.running()])
  end)

  it("cannot be left in the middle of a run", function()
    local agent = agent_in(walk())
    agent:listen("onActionTaken", coroutine.yield)
    local co = coroutine.create(function() agent:run(1, 5) end)
    local ok, message = coroutine.resume(co)
    assert.is_false(ok)
    assert.matches("yield across", message)
    agent:listen("onActionTaken", nil)
    agent:run(1, 5)
  end)

  it("may die with the error of a run", function()
    local agent = fragile { act = function() error "boom" end }
    local ok, message = coroutine.resume(coroutine.create(function() agent:run(1, 5) end))
    assert.is_false(ok)
    assert.matches("boom", message)
    raises(function() coroutine.wrap(function() agent:run(1, 5) end)() end, "boom")
  end)
end)
