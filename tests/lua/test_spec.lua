--- deer.test: the tests that users run on their own parts find what is wrong.
local deer = require "deer"

local raises = require "raises"

local test = deer.test


describe("deer.test.op", function()
  it("passes what is right, and gives the output", function()
    assert.same({ { 11 } }, test.op{ build = function(x, y) return x:matmul(y) end,
      inputs = { { { 1, 2 } }, { { 3 }, { 4 } } }, expect = { { 11 } }, shape = { 1, 1 } })
    assert.equal(6, test.op{ build = "sum", inputs = { { 1, 2, 3 } }, expect = 6 })
    test.op{ build = "tanh", inputs = { { 0.5, -1, 3 } }, expect = function(x)
      local out = {}
      for i, v in ipairs(x) do out[i] = 1 - 2 / (math.exp(2 * v) + 1) end
      return out
    end }
    test.op{ build = function(x, i) return x:gather(i) end, expect = { 2, 3 },
      inputs = { { { 1, 2 }, { 3, 4 } }, deer.Tensor("int32", { 2 }, { 1, 0 }) } }
    test.op{ build = "argmax", expect = { 1, 0 }, inputs = { { { 1, 2 }, { 4, 3 } } } }
    test.op{ build = function(x) return x ^ 2 / 999 end, inputs = { { 999 } }, expect = { 999 } }
  end)

  it("finds wrong numbers and shapes", function()
    local wrong = { build = "exp", inputs = { { { 0, 0 } } }, expect = { { 1, 2 } } }
    raises(function() test.op(wrong) end,
      "deer.test.op: output%[1%]%[2%]: expected 2, got 1.0")
    raises(function() test.op{ build = "exp", inputs = { { 0 } }, expect = 1 } end,
      "expected an output of shape {}, got {1}")
    raises(function() test.op{ build = "sum", inputs = { { 0 } }, shape = { 1 } } end,
      "expected an output of shape {1}, got {}")
  end)

  it("finds wrong gradients", function()
    local function half(x) return x * x:stop() end
    raises(function() test.op{ build = half, inputs = { { 2 } } } end,
      "gradient of input 1%[1%] at 2: ")
    test.op{ build = half, inputs = { { 2 } }, gradient = false }
  end)

  it("refuses what it cannot test", function()
    raises(function() test.op{ build = "exp" } end, "option 'inputs' is missing")
    raises(function() test.op{ build = "exp", inputs = {} } end, "expected a value for each node")
    raises(function() test.op{ build = 3, inputs = { 1 } } end, "expected a function from nodes")
    raises(function() test.op{ build = "exp", inputs = { "a" } } end, "input 1: expected a number")
    raises(function() test.op{ build = function() return 3 end, inputs = { 1 } } end,
      "has to return a node, it returned 3")
    raises(function() test.op{ build = "tahn", inputs = { 1 } } end, "a node has no method 'tahn'")
  end)
end)

describe("deer.test.network", function()
  it("passes networks, and leaves them as they were", function()
    local nets = {
      deer.network{ inputs = { 4 }, outputs = 2, { "dense", units = 16, activation = "tanh" } },
      deer.network{ inputs = { { 3 }, { 2, 5, 5, dtype = "uint8" } }, outputs = 1,
        branches = { {}, { { "scale", factor = 1 / 255 },
          { "conv", filters = 3, rows = 3, columns = 3, activation = "relu" } } } },
      deer.network{ inputs = { 3 }, build = function(p, x)
        return x:matmul(p("a", { 3, 2 })), x:matmul(p("b", { 3, 1 })):tanh()
      end },
    }
    for _, net in ipairs(nets) do
      local before = net:tensor():bytes()
      test.network(net)
      assert.equal(before, net:tensor():bytes())
    end
  end)

  local function written(build) return deer.network{ inputs = { 4 }, seed = 1, build = build } end

  it("finds samples that mix", function()
    local net = written(function(p, x)
      local y = x:matmul(p("w", { 4, 2 }))
      return y - y:mean(0):expand(y, { 1 })
    end)
    raises(function() test.network(net) end, "samples of a batch mix")
  end)

  it("finds parameters that nothing depends on", function()
    local net = written(function(p, x)
      p("spare", { 3 })
      return x:matmul(p("w", { 4, 2 }))
    end)
    raises(function() test.network(net) end, "depends on parameter 'spare'")
  end)

  it("finds gradients that do not come through", function()
    local net = written(function(p, x) return x:matmul(p("w", { 4, 2 }):stop()) end)
    raises(function() test.network(net) end, "gradient of parameter 'w'%[1%]%[1%]: 0.0")
  end)

  it("finds outputs without a batch, and those that are no numbers", function()
    raises(function()
      test.network(written(function(p, x) return x:matmul(p("w", { 4, 2 })):sum(0) end))
    end, "its first axis is not the batch")
    raises(function()
      test.network(written(function(p, x) return x:matmul(p("w", { 4, 2 })):log() end))
    end, "output 1%[%d%]%[%d%] is nan")
  end)

  it("finds networks that do not learn", function()
    local net = written(function(p, x) return x:matmul(p("w", { 4, 2 })) * 1e-9 end)
    raises(function() test.network(net) end, "it does not learn")
    test.network(net, { updates = 0 })
    raises(function() test.network(3) end, "expected a network, got 3")
  end)
end)

describe("deer.test.environment", function()
  -- the walk of the README, with some of its methods replaced
  local function walk(methods)
    local Walk = deer.Environment:extend "Walk"
    Walk.options = { length = { default = 5, range = { 3, 1000 }, help = "number of cells" } }
    function Walk:init(options) self.length, self.rng = options.length, options.rng end
    function Walk:reset() self.at = 0; return { { 0 } } end
    function Walk:act(action)
      self.at = self.at + (action == 1 and 1 or -1)
      return self.at == self.length and 1 or 0
    end
    function Walk:observe() return { self.at } end
    function Walk:inTerminalState() return math.abs(self.at) == self.length end
    function Walk:inputDimensions() return { { 1 } } end
    function Walk:nActions() return 2 end
    for name, method in deer.spairs(methods or {}) do Walk[name] = method end
    return Walk
  end

  -- what is said of an environment that has this method
  local function says(name, method, pattern)
    local line = debug.getinfo(method, "S").linedefined
    local ok, message = pcall(test.environment, walk{ [name] = method })
    assert(not ok, "expected an error")
    assert(message:find("test_spec.lua:" .. line .. " (" .. name .. "): ", 1, true), message)
    assert(message:find(pattern), message)
  end

  it("passes what is right", function()
    assert.is_true(test.environment(walk(), { length = 3 }).episodes > 10)
    local report = test.environment(walk(){}, { steps = 50 })
    assert.equal(100, report.steps)
  end)

  it("finds what the agent would refuse", function()
    says("observe", function() return { 1, 2 } end, "expected a list with 1 entry")
    says("observe", function() return { 0 / 0 } end, "subject 0: expected a finite number")
    says("act", function() return nil end, "finite number as the reward, got nil")
    says("inTerminalState", function() return 3 end, "expected true or false, got 3")
    says("reset", function() return {} end, "expected a list with 1 entry")
    says("nActions", function() return 0 end, "")
    local Misspelt = walk{ Observ = function() end }
    Misspelt.observe = nil
    raises(function() test.environment(Misspelt) end, "but there is a 'Observ'")
  end)

  it("finds what an agent would not notice", function()
    says("observe", function(self)
      self.at = self.at + 0.25
      return { self.at }
    end, "asked twice at step 1 it gives two answers")
    says("act", function(self)
      self.at = self.at + 1
      return math.random()
    end, "does not repeat itself with a seed")
    says("inTerminalState", function() return true end, "true right after reset%(%-1%)")
    local shared = 0
    says("act", function(self)
      self.at, shared = self.at + 1, shared + 1
      return shared
    end, "does not repeat itself")
    local objects = 0
    local Disturbed = walk{ reset = function(self)
      self.at, objects = 0, 0
      return { { 0 } }
    end, act = function(self)
      objects, self.at = objects + 1, self.at + 1
      return objects
    end }
    raises(function() test.environment(Disturbed) end, "disturbed by another object of its class")
  end)

  it("knows several choices at once", function()
    local seen = {}
    test.environment(walk{ nActions = function() return { 3, 2 } end, act = function(self, action)
      self.at = self.at + 1
      seen[2 * action[1] + action[2]] = true
      return 0
    end })
    for i = 0, 5 do assert.is_true(seen[i]) end
  end)

  it("finds actions that are written to", function()
    local Box = walk{ nActions = function() return { { -1, 1 } } end, act = function(self, action)
      self.at, action[1] = self.at + 1, 0
      return 0
    end }
    raises(function() test.environment(Box) end, "changes the action that it is given")
  end)

  it("finds a step that is not what the other methods do", function()
    local function step(self, action)
      local reward = self:act(action)
      return reward, self:inTerminalState(), false, self.at
    end
    test.environment(walk{ step = step })
    says("step", function(self, action)
      local reward = self:act(action)
      return reward, self:inTerminalState(), false, self.at + 1
    end, "at step 1 it returns 0, false, false, %-?%d, where act, .* say 0, false, false, ")
    says("step", function(self, action)
      local reward = self:act(action)
      return reward, false, self:inTerminalState(), self.at
    end, "returns %d, false, true, where .* say %d, true, false")
  end)

  it("finds what saveState leaves out", function()
    local Forgetful = walk{ saveState = function() return 1 end, loadState = function() end }
    raises(function() test.environment(Forgetful) end, "after loadState it goes on in another way")
    test.environment(walk{ saveState = function(self) return self.at end,
      loadState = function(self, at) self.at = at end })
  end)

  it("finds pictures that are none, and drawing that moves something", function()
    local picture = deer.Tensor("uint8", { 2, 4, 3 })
    says("render", function() return "a picture" end, "expected a deer.Tensor of uint8 and ")
    says("render", function() return deer.Tensor("uint8", { 2, 4 }) end, "rows, columns, 3}")
    says("render", function() return deer.Tensor("float32", { 2, 4, 3 }) end, "Tensor of uint8")
    says("render", function(self)
      self.at = self.at + 1
      return picture
    end, "drawing changes something")
    test.environment(walk{ render = function() return picture end })
  end)

  it("finds options without help, and what is no environment", function()
    local Mute = walk()
    Mute.options = { length = { default = 5 } }
    raises(function() test.environment(Mute) end, "option 'length' has no help")
    raises(function() test.environment(3) end, "expected an environment or its class, got 3")
  end)
end)
