-- The environments written in C: Gymnasium's trajectories, how they begin and end, their Lua face.
local core = require "deer.core"
local deer = require "deer"
local golden = require("golden").read "gymnasium"
local raises = require "raises"

local NAMES = { "acrobot", "cartpole", "mountain_car", "mountain_car_continuous", "pendulum" }

local function near(a, b) return math.abs(a - b) <= 1e-5 * math.max(1, math.abs(b)) end

local function follows(name, case)
  local env = deer.env(name) { start_state = case.start_state }
  env:reset(-1)
  for t, action in ipairs(case.actions) do
    assert.is_false(env:inTerminalState())
    local reward = env:act(action)
    assert.is_true(near(reward, case.rewards[t]), ("step %d: reward %.9g"):format(t, reward))
    for i, x in ipairs(env:observe()[1]) do
      local y = case.observations[t][i]
      assert.is_true(near(x, y), ("step %d, number %d: %.9g, not %.9g"):format(t, i, x, y))
    end
  end
  assert.equal(case.terminal_at > 0, env:inTerminalState())
end

describe("an environment written in C", function()
  it("follows Gymnasium", function()
    for _, name in ipairs(NAMES) do
      for _, case in ipairs(golden[name]) do follows(name, case) end
    end
  end)

  it("wants an episode to begin before anything is done", function()
    for _, name in ipairs(core.names "env") do
      local env = deer.env(name) {}
      env:observe()
      env:render()
      local actions = require "deer.actions"
      raises(function() env:act(actions.first(env:nActions())) end,
        name .. ": an action before the first reset")
      env:reset(-1)
      env:act(actions.first(env:nActions()))
    end
  end)

  it("begins where it is told to", function()
    local starts = { acrobot = { 0.1, 0, 0, 0 }, asterix = { 3, 4, 1, 0, -2, 0, 0, 0, 0, 0, 2, 0,
      7, 0, 0, 0, 0, 0, 150 }, breakout = { 3, 5, 6, -1, 1 }, cartpole = { 0, 0.1, 0, 0 },
      catcher = { 1, 2, 3 }, freeway = { 0, 1, 2, 3, 5, 6, 7, 8, 1, 2, 3, 4, 5, -1, -2, -3 },
      gridworld = { 2, 1 }, identity = { 1 }, memory = { 0 }, mobile_robot = { 1, 2 },
      mountain_car = { -0.4, 0 }, mountain_car_continuous = { -0.4, 0 }, pendulum = { 1, 0 },
      pendulum_cart = { 0, 0, 1, 0 },
      seaquest = { 3, 4, -1, 120, 2, 0, 101, -259, 300, 0, 0, 0, -305 },
      space_invaders = { 2, 3, 1, 1 } }
    for _, name in ipairs(core.names "env") do
      local first
      for seed = 1, 4 do
        local env = deer.env(name) { start_state = starts[name], seed = seed }
        env:reset(-1)
        local seen = deer.json.encode(env:observe())
        first = first or seen
        assert.equal(first, seen, name)
      end
      local plain = deer.env(name) { seed = 1 }
      plain:reset(-1)
      -- a cue, a state of two are drawn so in every other case
      if #starts[name] > 1 then assert.not_equal(first, deer.json.encode(plain:observe()), name) end
    end
  end)

  it("is truncated at its time limit", function()
    local limits = { acrobot = 500, cartpole = 500, mountain_car = 200,
      mountain_car_continuous = 999, pendulum = 200 }
    -- doing nothing leads nowhere
    local idle = { acrobot = 1, mountain_car = 1, mountain_car_continuous = 0, pendulum = 0 }
    for name, limit in deer.spairs(limits) do
      local env = deer.env(name) { start_state = name == "cartpole" and { 0, 0, 0, 0 } or nil }
      for _ = 1, 2 do
        env:reset(0)
        for t = 1, limit do
          assert.is_false(env:isTruncated() or env:inTerminalState(), ("step %d"):format(t))
          local o, action = env:observe()[1], idle[name]
          -- this keeps the pole up
          if name == "cartpole" then
            action = o[3] + 0.5 * o[4] + 0.05 * o[1] + 0.1 * o[2] > 0 and 1 or 0
          end
          env:act(action)
        end
        assert.is_true(env:isTruncated())
        assert.is_false(env:inTerminalState())
      end
    end
  end)

  it("takes another time limit, or none", function()
    local Pendulum = deer.env "pendulum"
    local function length(max_steps)
      local env = Pendulum{ max_steps = max_steps, seed = 1 }
      env:reset(-1)
      for t = 1, 300 do
        env:act(0)
        if env:isTruncated() then return t end
      end
    end
    assert.same({ 7, 200 }, { length(7), length(nil) })
    assert.is_nil(length(0))
    raises(function() length(-1) end, "'max_steps'")
    -- in an agent, which sees it without Lua
    local env = Pendulum{ max_steps = 7, seed = 1 }
    local agent = deer.NeuralAgent{ environment = env, seed = 1,
      learning_algo = deer.TD3{ environment = env, seed = 1 } }
    local lengths, Count = {}, deer.Controller:extend "Count"
    function Count:onEpisodeEnd() lengths[#lengths + 1] = self.n end
    function Count:onActionTaken() self.n = self.n + 1 end
    local count = Count{}
    count.n = 0
    agent:attach(count)
    agent:run(1, 14)
    assert.same({ 7, 14 }, lengths)
  end)

  it("begins where Gymnasium does, in training and in tests by chances of their own", function()
    -- least and most of some of the numbers observed
    local bounds = {
      acrobot = { [2] = { -.0998335, .0998335 }, [4] = { -.0998335, .0998335 }, [5] = { -.1, .1 },
        [6] = { -.1, .1 } },
      cartpole = { { -.05, .05 }, { -.05, .05 }, { -.05, .05 }, { -.05, .05 } },
      mountain_car = { { -.6, -.4 }, { 0, 0 } },
      mountain_car_continuous = { { -.6, -.4 }, { 0, 0 } },
      pendulum = { { -1, 1 }, { -1, 1 }, { -1, 1 } },
    }
    for name, ranges in deer.spairs(bounds) do
      local Env = deer.env(name)
      local env, same, tested = Env{ seed = 5 }, Env{ seed = 5 }, Env{ seed = 5 }
      local starts = {}
      for i = 1, 2000 do
        env:reset(-1)
        starts[i] = env:observe()[1]
      end
      for i, range in deer.spairs(ranges) do
        local low, high, sum = math.huge, -math.huge, 0
        for _, start in ipairs(starts) do
          low, high, sum = math.min(low, start[i]), math.max(high, start[i]), sum + start[i]
        end
        local width, middle = range[2] - range[1], (range[1] + range[2]) / 2
        assert.is_true(low >= range[1] - 1e-6 and low <= range[1] + 0.01 * width)
        assert.is_true(high <= range[2] + 1e-6 and high >= range[2] - 0.01 * width)
        assert.is_true(math.abs(sum / 2000 - middle) <= 0.05 * width)
      end
      env = Env{ seed = 5 }
      for _ = 1, 5 do
        env:reset(-1)
        same:reset(-1)
        tested:reset(-1)
        tested:reset(0)
        assert.same(env:observe(), same:observe())
        assert.are_not.same(env:observe(), tested:observe())
      end
      assert.are_not.same(env:observe(), (function() same:reset(-1) return same:observe() end)())
    end
  end)

  it("says what it observes and what can be done", function()
    local cartpole, pendulum = deer.env "cartpole" {}, deer.env "pendulum" {}
    assert.same({ { 1, 4 } }, cartpole:inputDimensions())
    assert.same({ { 1, 3 } }, pendulum:inputDimensions())
    assert.equal(2, cartpole:nActions())
    assert.same({ { -2, 2 } }, pendulum:nActions())
    assert.same({ { 1, 2 } }, deer.env "mountain_car" {}:inputDimensions())
    assert.equal(3, deer.env "mountain_car" {}:nActions())
    assert.same({ { 1, 2 } }, deer.env "mountain_car_continuous" {}:inputDimensions())
    assert.same({ { -1, 1 } }, deer.env "mountain_car_continuous" {}:nActions())
    assert.same({ { 1, 6 } }, deer.env "acrobot" {}:inputDimensions())
    assert.equal(3, deer.env "acrobot" {}:nActions())
    assert.equal("float32", pendulum:observationType(0))
    assert.has_error(function() pendulum:observationType(1) end,
      "Pendulum: observationType(1): expected a subject from 0 to 0")
    assert.same({ { { 0, 0, 0 } } }, pendulum:reset(-1))
    assert.equal("Cartpole", deer.env("cartpole").__name)
    assert.equal(deer.env "cartpole", deer.env "cartpole")
  end)

  -- the colour in that column and row, counted from 0
  local function color(picture, x, y)
    local at = (y * picture:shape()[2] + x) * 3
    return { picture:bytes():byte(at + 1, at + 3) }
  end

  it("draws its state", function()
    local function picture(name, ...)
      local env = deer.env(name) { start_state = { ... } }
      env:reset(-1)
      return env:render()
    end
    local wood, dark, white, blue = { 202, 138, 75 }, { 45, 55, 72 }, { 255, 255, 255 },
      { 78, 135, 190 }
    -- 125 pixels are a metre: an upright pole, and one a quarter of a turn to the right
    local upright, fallen = picture("cartpole", 1, 0, 0, 0),
      picture("cartpole", 1, 0, math.pi / 2, 0)
    assert.same({ 300, 600, 3 }, upright:shape())
    assert.equal("uint8", upright:dtype())
    assert.same({ wood, white }, { color(upright, 425, 120), color(upright, 500, 220) })
    assert.same({ white, wood }, { color(fallen, 425, 120), color(fallen, 500, 220) })
    -- a positive angle is to the left
    local red = { 204, 77, 77 }
    assert.same(red, color(picture("pendulum", math.pi / 2, 0), 100, 200))
    assert.same(red, color(picture("pendulum", math.pi, 0), 200, 300))
    -- the tip hangs below, or is beside the hinge of the second link
    assert.same(blue, color(picture("acrobot", 0, 0, 0, 0), 200, 360))
    assert.same(blue, color(picture("acrobot", 0, math.pi / 2, 0, 0), 270, 285))
    -- at the bottom of the valley, (0.55 - 0.45) metres high
    local bottom = math.pi / 6
    for _, name in ipairs { "mountain_car", "mountain_car_continuous" } do
      assert.same(dark, color(picture(name, -bottom, 0), math.floor((1.2 - bottom) / 0.003), 337))
      assert.same(white, color(picture(name, 0, 0), math.floor((1.2 - bottom) / 0.003), 337))
    end
  end)

  it("takes an action as a number or a list, and only one of the space", function()
    local pendulum, cartpole = deer.env "pendulum" {}, deer.env "cartpole" {}
    local other = deer.env "pendulum" {}
    for _, env in ipairs { pendulum, cartpole, other } do env:reset(-1) end
    assert.equal(pendulum:act(1.5), other:act { 1.5 })
    raises(function() pendulum:act(2.5) end, "bad argument #1 to 'act' %(action: number 0 is 2.5")
    raises(function() pendulum:act { 1, 1 } end,
      "action: expected a list of 1 number, got a table with 2")
    raises(function() pendulum:act "left" end, "expected a list of 1 number, got the string 'left'")
    raises(function() pendulum:act() end, "bad argument #1 to 'act'")
    raises(function() cartpole:act(2) end, "expected an action of 0..1, got 2")
    raises(function() cartpole:act { 1 } end, "expected an action of 0..1, got a table")
    raises(function() cartpole:reset "now" end, "bad argument #1 to 'reset'")
    raises(function() cartpole:reset(-2) end, "mode of %-1 %(training%), 0, 1, ... expected")
  end)

  it("refuses what is no whole number where one is counted", function()
    local starts = { breakout = { 4, 8, 0, 1, 1 }, space_invaders = { 9, 0, 4, 1 },
      freeway = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
      asterix = { 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
      seaquest = { 1, 1, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
      gridworld = { 0, 1 }, catcher = { 0, 0, 5 }, memory = { 0 } }
    for name, start in deer.spairs(starts) do
      deer.env(name) { start_state = start }
      for i, x in ipairs(start) do
        start[i] = x + 0.5
        raises(function() deer.env(name) { start_state = start } end,
          "'start_state': expected {.*}, whole numbers from .*got a table with")
        raises(function() core.env(name, { options = { start_state = start } }) end,
          "'start_state': expected a list of %d+ whole numbers between")
        start[i] = x
      end
    end
    raises(function() deer.env "identity" { start_state = { 0.5 } } end,
      "expected a whole number from 0 to 1, got 0.5")
    deer.env "identity" { start_state = { 0.5 }, continuous = true }
  end)

  it("refuses wrong options", function()
    local Env = deer.env "cartpole"
    raises(function() Env{ start_state = { 0, 0, 0 } } end,
      "Cartpole: option 'start_state': expected {position, speed, angle, turning speed} from .*"
      .. "got a table with 3 entries")
    raises(function() Env{ start_state = { 0, 0, 0, "0" } } end, "got a table")
    raises(function() Env{ start_state = { 0, 0, 0, 1e4 } } end, "got a table")
    raises(function() Env{ start_state = 0 } end, "got 0")
    raises(function() core.env("cartpole", { options = { start_state = { 0 } } }) end,
      "expected a list of 4 numbers between %-1000 and 1000 %(position|speed|.*, got '0'")
    raises(function() core.env("cartpole", { options = { start_state = { {} } } }) end,
      "option 'start_state': expected a list of numbers")
    raises(function() core.env("cartpol", {}) end, "unknown environment 'cartpol'; did you mean")
  end)

  -- what is drawn and stored does not depend on who steps it
  it("is the same in an agent as behind an object of Lua", function()
    local Native = deer.env "cartpole"
    local Wrapped = Native:extend "Wrapped"
    function Wrapped:act(action) return 2 * Native.act(self, action) end
    local function samples(Env)
      local env = Env{ seed = 3 }
      local agent = deer.NeuralAgent{ environment = env, seed = 3, replay_memory_size = 1000,
        q_network = deer.QNetwork{ environment = env, seed = 3 } }
      agent:run(2, 150)
      return agent:dataset()
    end
    local native, wrapped = samples(Native), samples(Wrapped)
    assert.same(native:observations(), wrapped:observations())
    assert.same(native:actions(), wrapped:actions())
    assert.same(native:terminals(), wrapped:terminals())
    assert.equal(1, native:rewards()[1])
    assert.equal(2, wrapped:rewards()[1])
    raises(function() Wrapped{}:handle():reset(-1) end, "is written in Lua: ask its own object")
  end)

  it("goes when nobody needs it", function()
    local weak = setmetatable({}, { __mode = "k" })
    for _ = 1, 20 do weak[deer.env "pendulum" {}:handle()] = true end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)
end)

describe("variants of environments", function()
  local settings = require "deer.settings"
  local class = require "deer.class"

  local function variant(name, word)
    local Class = deer.env(name)
    local given = settings.read({ who = name, kind = "env", name = name,
      rows = class.options(Class) }, { word })
    return Class, given
  end

  local function set(given, more)
    for key, value in pairs(more) do given[key] = value end
    return given
  end

  it("let the pole fall as on the moon and on Jupiter", function()
    for word, gravity in pairs { default = 9.8, moon = 1.622, jupiter = 30 } do
      local Class, given = variant("cartpole", word)
      local env = Class(set(given, { start_state = { 0, 0, 0.1, 0 } }))
      env:reset(-1)
      env:act(1)
      local push = 10 / 1.1
      local turn = (gravity * math.sin(0.1) - math.cos(0.1) * push)
        / (0.5 * (4 / 3 - 0.1 * math.cos(0.1) ^ 2 / 1.1))
      assert.is_true(math.abs(0.02 * turn - env:observe()[1][4]) < 1e-6)
    end
  end)

  it("have a stronger engine or lower hills", function()
    for _, name in ipairs { "mountain_car", "mountain_car_continuous" } do
      local force = name == "mountain_car" and 0.001 or 0.0015
      for word, factors in pairs { default = { 1, 1 }, power_engine = { 2, 1 },
        small_mountain = { 1, 0.5 } } do
        local Class, given = variant(name, word)
        local env = Class(set(given, { start_state = { -0.4, 0.01 } }))
        env:reset(-1)
        env:act(name == "mountain_car" and 2 or { 1 })
        local speed = 0.01 + force * factors[1] - 0.0025 * factors[2] * math.cos(3 * -0.4)
        assert.is_true(math.abs(speed - env:observe()[1][2]) < 1e-7)
        assert.same({ 400, 600, 3 }, env:render():shape())
      end
    end
  end)
end)
