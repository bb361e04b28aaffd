-- What a person sees who makes a mistake: one line with the file and line at fault, what was
-- expected and what came; status 1 for a script that fails, 2 for a wrong command line.
local child = require "child"

-- line 3 makes the environment, line 12 the algo, line 13 the agent, line 14 runs it
local LINES = {
  'local deer = require "deer"',
  'local Env = deer.Environment:extend "Env"',
  "Env.options = { size = { default = 3, range = { 1, 9 } } }",
  "function Env:reset() return { { 0, 0 }, { { 0, 0 } } } end",
  "function Env:act(action) return 0 end",
  "function Env:observe() return { 1, { 2, 3 } } end",
  "function Env:inputDimensions() return { { 2 }, { 1, 2 } } end",
  "function Env:nActions() return 2 end",
  'local bc, Policy = deer.controllers, deer.Policy:extend "Mine"',
  "",
  "local env = Env{}",
  "local net = deer.QNetwork{ environment = env }",
  "local agent = deer.NeuralAgent{ environment = env, q_network = net }",
  "agent:run(1, 20)",
}

local WITH_POLICY = "local agent = deer.NeuralAgent{ environment = env, q_network = net, \z
  train_policy = Policy{} }"

-- the script with some lines replaced
local function script(changes)
  local lines = table.move(LINES, 1, #LINES, 1, {})
  for at, line in pairs(changes) do lines[at] = line end
  return table.concat(lines, "\n") .. "\n"
end

local function run(text)
  local root = child.tree { ["run.lua"] = text }
  return child.run({ "run.lua" }, { cwd = root })
end

-- the script must fail at that line with words that match the patterns
local function fails(changes, line, ...)
  local status, _, err = run(script(changes))
  local first = err:match "^[^\n]*"
  assert.equal(1, status, err)
  assert(first:find(("^deerlua: run.lua:%d: "):format(line))
    or first:find(("^deerlua: run.lua:%d %%("):format(line)),
    ("expected run.lua:%d in: %s"):format(line, err))
  for _, pattern in ipairs { ... } do
    assert(first:find(pattern), ("expected '%s' in: %s"):format(pattern, err))
  end
end

describe("a wrong input is answered with one clear line:", function()
  after_each(child.clean)

  it("(nothing is wrong)", function()
    local status, out, err = run(script {})
    assert.same({ 0, "", "" }, { status, out, err })
  end)

  it("a field that hides a method", function()
    local expected = "Env: 'step' is the name of a method: expected a function there, got 3;"
    fails({ [4] = "function Env:reset() self.step = 3 return { { 0, 0 }, { { 0, 0 } } } end" }, 4,
      expected)
    fails({ [10] = "function Env:init() self.copy = 3 end" }, 10, "Env: 'copy' is the name of")
    fails({ [10] = "Env.stop = 3" }, 10, "Env: 'stop' is the name of")
    fails({ [10] = "function Policy:init() self.action = 3 end", [13] = WITH_POLICY }, 10,
      "Mine: 'action' is the name of")
  end)

  it("a missing script", function()
    local status, out, err = child.run { "no/such/script.lua" }
    assert.same({ 1, "" }, { status, out })
    assert.matches("^deerlua: cannot open no/such/script.lua[^\n]*\n$", err)
    status, out, err = child.run { "no_such_word" }
    assert.same({ 2, "" }, { status, out })
    assert.matches("^deerlua: [^\n]*no_such_word[^\n]*\n$", err)
  end)

  it("a syntax error", function()
    local status, _, err = run "local x = = 3\n"
    assert.equal(1, status)
    assert.matches("^deerlua: run.lua:1: unexpected symbol near '='", err)
  end)

  it("an error inside a method of the environment", function()
    fails({ [5] = "function Env:act() return nil + 1 end" }, 5, "arithmetic on a nil value")
    fails({ [5] = "function Env:act() error 'boom' end" }, 5, "boom")
    fails({ [6] = "function Env:observe() error 'boom' end" }, 6, "boom")
    fails({ [4] = "function Env:reset() error 'boom' end" }, 4, "boom")
    fails({ [8] = "function Env:nActions() error 'boom' end" }, 8, "boom")
  end)

  it("an error inside a controller or a policy", function()
    fails({ [10] = "local C = deer.Controller:extend 'C' \z
      function C:onActionTaken() error 'boom' end",
      [14] = "agent:attach(C{}) agent:run(1, 20)" }, 10, "boom")
    fails({ [10] = "function Policy:action() error 'boom' end", [13] = WITH_POLICY }, 10, "boom")
  end)

  it("an observation of the wrong shape", function()
    fails({ [6] = "function Env:observe() return { 1 } end" }, 6, "observe", "2", "1")
    fails({ [6] = "function Env:observe() return { 1, { 2, 3, 4 } } end" }, 6, "observe",
      "subject 1", "2", "3")
    fails({ [6] = "function Env:observe() return { { 1, 1 }, { 2, 3 } } end" }, 6, "observe",
      "subject 0", "expected a number", "table")
    fails({ [6] = "function Env:observe() return { 1, { 2, 'x' } } end" }, 6, "observe",
      "subject 1", "expected a number", "string")
    fails({ [6] = "function Env:observe() end" }, 6, "observe", "expected", "nil")
    fails({ [4] = "function Env:reset() return { { 0, 0 } } end" }, 4, "reset")
    fails({ [4] = "function Env:reset() return { { 0 }, { { 0, 0 } } } end" }, 4, "reset",
      "subject 0")
  end)

  it("numbers that are none", function()
    fails({ [5] = "function Env:act() return 0 / 0 end" }, 5, "act", "reward", "nan")
    fails({ [5] = "function Env:act() return 1 / 0 end" }, 5, "act", "reward", "inf")
    fails({ [5] = "function Env:act() return '3' end" }, 5, "act", "reward", "string")
    fails({ [5] = "function Env:act() end" }, 5, "act", "reward", "nil")
    fails({ [6] = "function Env:observe() return { 0 / 0, { 2, 3 } } end" }, 6, "observe",
      "subject 0", "nan")
  end)

  it("wrong spaces", function()
    fails({ [7] = "function Env:inputDimensions() return { { 0 } } end" }, 7, "inputDimensions")
    fails({ [7] = "function Env:inputDimensions() return 3 end" }, 7, "inputDimensions")
    fails({ [7] = "function Env:inputDimensions() return {} end" }, 7, "inputDimensions")
    fails({ [8] = "function Env:nActions() return 0 end" }, 8, "nActions", "0")
    fails({ [8] = "function Env:nActions() return 'two' end" }, 8, "nActions")
    fails({ [6] = "" }, 12, "Env: expected a method 'observe', got nothing$")
    fails({ [6] = "function Env:observ() return { 1, { 2, 3 } } end" }, 12,
      "Env: expected a method 'observe', got nothing %(but there is a 'observ'%)")
    fails({ [6] = LINES[6] .. " function Env:isTruncted() return true end" }, 12,
      "Env: 'isTruncted' is no method of an environment; did you mean 'isTruncated'")
    fails({ [6] = LINES[6] .. " Env.act = 5" }, 12, "Env: expected a method 'act', got 5")
  end)

  it("an action out of range", function()
    fails({ [10] = "function Policy:action() return 7 end", [13] = WITH_POLICY }, 10, "action", "7")
    fails({ [14] = "agent:overrideNextAction(2)" }, 14, "2", "0..1")
    fails({ [14] = "agent:overrideNextAction(0.5)" }, 14, "0.5")
    fails({ [14] = "agent:overrideNextAction 'left'" }, 14, "left")
  end)

  it("an unknown or wrong option, with the nearest known name", function()
    fails({ [11] = "local env = Env{ sise = 4 }" }, 11, "Env: unknown option 'sise'",
      "did you mean 'size'")
    fails({ [11] = "local env = Env{ size = 10 }" }, 11, "expected a number from 1 to 9, got 10")
    fails({ [12] = "local net = deer.QNetwork{ environment = env, batchsize = 3, rhoo = 1 }" }, 12,
      "unknown option 'rhoo'", "did you mean 'rho'")
    fails({ [13] = "local agent = deer.NeuralAgent{ environment = env, q_netwrk = net }" }, 13,
      "unknown option 'q_netwrk'")
    fails({ [14] = "agent:attach(bc.EpsilonController{ e_decay = 3 })" }, 14,
      "EpsilonController: unknown option 'e_decay'", "did you mean 'e_decays'")
  end)

  it("a controller without a name, or with one that nobody knows", function()
    fails({ [10] = "local C = deer.Controller:extend()" }, 10,
      "Controller:extend: expected a name for the new class", "got nothing")
    fails({ [14] = "agent:attach(bc.TrainControler{})" }, 14,
      "there is no controller 'TrainControler'", "did you mean 'TrainerController'")
    fails({ [14] = "agent:attach('trainer')" }, 14,
      "agent:attach: expected a controller, got the string \"trainer\"")
    fails({ [11] = "local env = deer.env 'toy_enf' {}" }, 11, "there is no env 'toy_enf'",
      "did you mean 'toy_env'")
  end)

  it("a wrong word on the command line of a launcher", function()
    local root = child.tree { ["run.lua"] = script {
      [14] = "deer.launcher(arg, { epochs = 1 })" } }
    local status, out, err = child.run({ "run.lua", "--epoch=2" }, { cwd = root })
    assert.same({ 2, "", "run.lua: unknown option '--epoch'; did you mean '--epochs'? "
      .. "(try --help)\n" }, { status, out, err })
  end)
end)
