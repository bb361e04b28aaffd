-- Copies of environments: in the state of the script, or on several threads with a Lua state each.
local child = require "child"
local core = require "deer.core"
local deer = require "deer"
local raises = require "raises"

-- a walk with chance in it; `extra` goes between the methods and the end of the file
local function source(extra)
  return [[
    local deer = require "deer"
    local Walk = deer.Environment:extend "Walk"
    Walk.options = { length = { default = 7, help = "cells" },
      marks = { type = "any", help = "anything" } }
    function Walk:init(options)
      self.length, self.rng, self.marks = options.length, options.rng, options.marks
    end
    function Walk:reset() self.at = 0 return { { 0, 0 } } end
    function Walk:act(action)
      self.at = self.at + (action == 1 and 1 or -1) * self.rng:uniform()
      return self.at
    end
    function Walk:observe() return { { self.at, self.length } } end
    function Walk:inTerminalState() return math.abs(self.at) > self.length end
    function Walk:inputDimensions() return { { 1, 2 } } end
    function Walk:nActions() return 2 end
  ]] .. (extra or "") .. "\nreturn Walk\n"
end

-- the class in a file of its own
local function walk(extra)
  return deer.env(child.tree { ["walk.lua"] = source(extra) } .. "/walk.lua")
end

-- what the copies observe after so many steps each
local function observed(handles, groups, steps)
  core.bench.stepper(handles, groups)(steps * #handles)
  local list = {}
  for i, handle in ipairs(handles) do list[i] = handle:observe()[1] end
  return list
end

-- a script that steps copies of `made`, beside a walk.lua
local function run(made, extra, options)
  local root = child.tree { ["walk.lua"] = source(extra), ["run.lua"] = ([[
    local core, deer = require "deer.core", require "deer"
    deer.threads(2)
    local step = core.bench.stepper((%s):copies(4))
    step(4 * 50)
    print "done"
    STEP = step
    %s
  ]]):format(made, options and options.more or "") }
  options = options or {}
  options.cwd = root
  return child.run({ "run.lua" }, options)
end

describe("copies of an environment", function()
  after_each(function()
    deer.threads(1)
    child.clean()
  end)

  it("are the same on one thread, on two and in the state of the script", function()
    local env = walk(){ seed = 3, length = 5 }
    local one, together = env:copies(6)
    deer.threads(2)
    local two, apart = env:copies(6)
    assert.same({ 0, 0, 0, 0, 0, 0 }, together)
    assert.same({ 0, 0, 0, 1, 1, 1 }, apart)
    local expected = observed(one, together, 300)
    assert.same(expected, observed(two, apart, 300))
    -- each goes its own way, with the options of the first
    for i = 2, 6 do assert.not_equal(expected[1][1], expected[i][1]) end
    assert.equal(5, expected[1][2])
  end)

  it("do not depend on how many there are", function()
    -- where copy `i` of `n` is after some steps
    local function at(seed, i, n)
      local handle = walk(){ seed = seed }:copies(n)[i]
      handle:reset(-1)
      for _ = 1, 10 do handle:act(1) end
      return handle:observe()[1][1]
    end
    deer.threads(2)
    assert.equal(at(3, 2, 5), at(3, 2, 2))
    assert.not_equal(at(3, 2, 5), at(3, 1, 5))
    assert.not_equal(at(3, 2, 5), at(4, 2, 5))
  end)

  it("of environments written in C need no Lua", function()
    local handles, groups = deer.env "cartpole" { seed = 1 }:copies(3)
    assert.is_nil(groups)
    assert.not_same(handles[1]:reset(-1) and handles[1]:observe(),
      handles[2]:reset(-1) and handles[2]:observe())
  end)

  it("run by themselves", function()
    for threads = 1, 2 do
      deer.threads(threads)
      local handle = walk(){ seed = 1 }:copies(2)[2]
      assert.same({ { 0, 0 } }, handle:reset(-1)[1])
      assert.is_true(math.abs(handle:act(1)) < 1)
      assert.equal(2, #handle:observe()[1])
      assert.is_false(handle:terminal())
      assert.is_true(handle:alone())
      raises(function() handle:act(7) end, "expected an action of 0..1, got 7")
    end
  end)

  it("have options of their own, whatever is in them", function()
    local Walk = walk [[
      function Walk:act() self.marks.list[1] = self.marks.list[1] + 1 return 0 end
      function Walk:observe()
        local m = self.marks
        return { { m.list[1], m[1.5] == math.huge and m["a\n"] == true and m.inner.length or -1 } }
      end
    ]]
    local inner = walk(){ length = 11 }
    local marks = { list = { 1 }, [1.5] = math.huge, ["a\n"] = true, inner = inner }
    for threads = 1, 2 do
      deer.threads(threads)
      local handles, groups = Walk{ marks = marks }:copies(2)
      handles[1]:reset(-1)
      handles[1]:act(0)
      assert.same({ { 2, 11 }, { 1, 11 } }, { handles[1]:observe()[1],
        handles[2]:reset(-1) and handles[2]:observe()[1] })
      assert.equal(threads - 1, groups[2])
    end
    assert.same({ 1 }, marks.list)
  end)

  it("find files as the script does", function()
    local status, out, err = run("require 'walk'{}", [[
      assert(arg[0] == "run.lua" and #arg == 0)
      assert(package.path:find "here;")
    ]], { env = "LUA_PATH='here;?.lua;;'" })
    assert.same({ 0, "done\n", "" }, { status, out, err })
    -- a name that deer.env knows, a file that is run, and a path
    for _, made in ipairs { "deer.env 'walk'{}", "dofile 'walk.lua'{}",
      "deer.env './walk.lua'{}" } do
      assert.same({ 0, "done\n", "" }, { run(made, [[
        TIMES = (TIMES or 0) + 1 -- no state loads it twice
        assert(TIMES == 1)
      ]]) })
    end
  end)

  it("share a thread where the class cannot be loaded again, and say why", function()
    local status, out, err = run([[(function()
      local Walk = deer.env "walk":extend "Mine"
      function Walk:reset() self.at = 0 return { { 0, 0 } } end
      return Walk
    end)(){}]])
    assert.equal("done\n", out)
    assert.equal("deerlua: warning: Mine: its 4 copies share one thread: the class Mine is \z
      defined in the script itself, run.lua, which no other thread can load; put it in a file of \z
      its own that returns it, walk.lua for deer.env 'walk'\n", err)
    assert.equal(0, status)
    status, out, err = run "deer.env 'walk'{ marks = { f = print } }"
    assert.equal(0, status)
    assert.equal("done\n", out)
    assert.matches("share one thread: no other thread can have the option Walk.marks.f, a function",
      err)
    status, out, err = run [[deer.env 'walk'{ marks = load(
      "return " .. ("{"):rep(99) .. ("}"):rep(99))() }]]
    assert.equal("done\n", out)
    assert.equal(0, status)
    assert.equal("", err)
    status, out, err = run [[(function()
      local marks = {}
      for _ = 1, 250 do marks = { marks } end
      return deer.env 'walk'{ marks = marks }
    end)()]]
    assert.equal("done\n", out)
    assert.equal(0, status)
    assert.matches("share one thread: Walk.marks.1.1.*%.%.%. is nested more than 100 tables deep",
      err)
    status, out, err = run("deer.env 'walk'{}", [[
      assert(not debug.traceback():find "furnish" and debug.traceback():find "run.lua", "not again")
    ]])
    assert.equal("done\n", out)
    assert.matches("warning: Walk: its 4 copies share one thread: walk.lua:%d+: not again %(", err)
    assert.equal(0, status)
  end)

  it("say which of them failed, and where", function()
    local Walk = walk [[
      function Walk:act() if self.marks.what == "error" then self:deeper() end return 0 end
      function Walk:deeper() error "boom" end
      local observe = Walk.observe
      function Walk:observe()
        if self.marks.what == "nan" and self.fourth then return { { 0 / 0, 1 } } end
        if self.marks.what == "object" then error(setmetatable({}, { __tostring = function()
          return "an object" end })) end
        return observe(self)
      end
    ]]
    for threads = 1, 2 do
      deer.threads(threads)
      local function says(what, number, pattern)
        local handles, groups = Walk{ marks = { what = what } }:copies(4)
        local ok, message = pcall(function()
          if number then return handles[number]:reset(-1) and handles[number]:act(0) end
          return core.bench.stepper(handles, groups)(4)
        end)
        assert.is_false(ok)
        assert(message:find(pattern), message)
      end
      says("error", nil, "^%S*walk.lua:%d+: boom %(environment 0%)\nstack traceback:\n.*'deeper'")
      says("error", 4, "^%S*walk.lua:%d+: boom %(environment 3%)\nstack traceback:\n.*'deeper'")
      says("object", nil, "an object %(environment 0%)")
    end
  end)

  it("refuse what is no reward, number or answer", function()
    for threads = 1, 2 do
      deer.threads(threads)
      for method, case in pairs {
        act = { "return 'x'", "expected a finite number as the reward, got the string 'x'" },
        observe = { "return { { 1, 0 / 0 } }",
          "subject 0: expected a finite number, got nan at %[2%]" },
        inTerminalState = { "return 3", "expected true or false, got 3" },
      } do
        local handles, groups = walk(("function Walk:%s() %s end"):format(method, case[1])) {}
          :copies(2)
        local ok, message = pcall(function() core.bench.stepper(handles, groups)(2) end)
        assert.is_false(ok)
        assert.matches(("walk.lua:%%d+ %%(%s%%): %s %%(environment 0%%)$"):format(method, case[2]),
          message)
      end
    end
  end)

  it("go on after an error", function()
    deer.threads(2)
    local handle = walk [[
      function Walk:act()
        self.n = (self.n or 0) + 1
        return self.n == 2 and error "once" or 1
      end
    ]]{}:copies(2)[2]
    handle:reset(-1)
    assert.equal(1, handle:act(0))
    assert.has_error(function() handle:act(0) end)
    for _ = 1, 1000 do assert.equal(1, handle:act(0)) end
  end)

  it("are not made of an object with methods of its own", function()
    local env = walk(){}
    function env.act() return 0 end
    raises(function() env:copies(2) end, "this object has a 'act' of its own")
  end)

  it("close their states when nobody has them any more", function()
    local status, out, err = run("deer.env 'walk'{}", [[
      GUARD = setmetatable({}, { __gc = function() print "closed" end })
    ]], { more = "STEP, step = nil collectgarbage() print 'end'" })
    assert.same({ 0, "done\nclosed\nclosed\nend\nclosed\n", "" }, { status, out, err })
    -- the program ends first
    status, out = run("deer.env 'walk'{}", [[
      GUARD = setmetatable({}, { __gc = function() io.write "closed\n" end })
    ]])
    assert.same({ 0, "done\nclosed\nclosed\nclosed\n" }, { status, out })
  end)

  it("hear Ctrl-C on every thread", function()
    -- the first of four runs for ever on the main thread, then the last one on the other
    for _, number in ipairs { 0, 3 } do
      for _, loop in ipairs { "while true do end",
        "while true do pcall(function() while true do end end) end",
        "coroutine.wrap(function() while true do end end)()" } do
        local status, out, err = run(([[
          deer.env "walk" { seed = 1,
            marks = deer.Rng(1):split "copy %d":int(0, 0x7fffffff) }
        ]]):format(number), ([[
          local init, act = Walk.init, Walk.act
          function Walk:init(options)
            init(self, options)
            self.endless = options.seed == options.marks
          end
          function Walk:act(action)
            if self.endless then %s end
            return act(self, action)
          end
        ]]):format(loop), { before = "timeout --preserve-status -k 5 -s INT 0.5" })
        assert.equal("", out)
        assert.matches("interrupted", err)
        assert.equal(130, status)
      end
    end
  end)

  -- a script with an agent that trains in eight copies of the walk
  local AGENT = [[
    local deer = require "deer"
    local env = deer.env "walk" { seed = 2, marks = %s }
    local algo = deer.QNetwork{ environment = env, seed = 1, network = { { "dense", units = 8 } } }
    local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, n_envs = 64, seed = 1,
      replay_start_size = 64, train_every = 32 }
    agent:run(2, 3200)
    local samples = agent:dataset():observations()[1]
    local sum = 0
    for i, sample in ipairs(samples) do sum = sum + i * sample[1] end
    print(#samples, sum, agent:avgBellmanResidual())
  ]]

  local function train(threads, marks, extra, options)
    options = options or {}
    options.cwd = child.tree { ["walk.lua"] = source(extra), ["run.lua"] = AGENT:format(marks) }
    return child.run({ "--threads", tostring(threads), "run.lua" }, options)
  end

  it("train an agent to the same numbers on one thread and on two", function()
    local status, one, err = train(1, "nil")
    assert.same({ 0, "" }, { status, err })
    assert.matches("^6400\t", one)
    assert.same({ 0, one, "" }, { train(2, "nil") })
  end)

  it("end an agent's run in order when one fails or Ctrl-C comes", function()
    local last = "deer.Rng(2):split 'copy 63':int(0, 0x7fffffff)"
    local init = [[
      local init, act = Walk.init, Walk.act
      function Walk:init(options)
        init(self, options)
        self.chosen = options.seed == options.marks
      end
      function Walk:act(action)
        if self.chosen and self.at ~= 0 then %s end
        return act(self, action)
      end
    ]]
    for threads = 1, 2 do
      local status, out, err = train(threads, last, init:format "error 'boom'")
      assert.equal("", out)
      assert.matches("^deerlua: walk.lua:%d+: boom %(environment 63%)\nstack traceback:\n", err)
      assert.equal(1, status)
      status, out, err = train(threads, last, init:format "while true do end",
        { before = "timeout --preserve-status -k 5 -s INT 0.5" })
      assert.equal("", out)
      assert.matches("interrupted\n", err)
      assert.equal(130, status)
    end
  end)
end)
