-- DeeR's tasks: the numbers of DeeR itself, its wrappers around Gymnasium's tasks as options, and
-- the films of what an agent did.
local child = require "child"
local deer = require "deer"
local golden = require "golden"
local raises = require "raises"
local sys = require "deer.sys"

local function near(expected, got, error, what)
  assert(math.abs(expected - got) <= error * math.max(1, math.abs(expected)),
    ("%s: %.12g, not %.12g"):format(what, got, expected))
end

-- the number at a place of the state, from an observation of scalars
local function state(env)
  local numbers = {}
  for i, x in ipairs(env:observe()) do numbers[i] = x end
  return numbers
end

describe("the pendulum on a cart", function()
  local numbers = golden.read "pendulum_cart"
  local Env = deer.env "pendulum_cart"

  it("moves as DeeR's does", function()
    for _, case in ipairs(numbers.trajectories) do
      local env, listed = Env{ start_state = case.start }, 0
      env:reset(-1)
      for t, action in ipairs(numbers.action_sequences[case.actions]) do
        near(case.rewards[t], env:act(action), 1e-12, "reward " .. t)
        -- every step, or steps 0, 10, ..., 50 and the last
        if case.actions == "pattern" or t % 10 == 1 or t == #case.rewards then
          listed = listed + 1
          for i, x in ipairs(state(env)) do
            near(case.states[listed][i], x, 1e-6, ("step %d, number %d"):format(t, i))
          end
        end
      end
      assert.equal(#case.states, listed)
    end
  end)

  it("gives fixed policies DeeR's scores", function()
    local policies = { always_0 = function() return 0 end, always_1 = function() return 1 end,
      alternate = function(t) return t % 2 end }
    for name, policy in deer.spairs(policies) do
      local env, sum = Env{ seed = 1 }, 0
      for _ = 1, 20 do
        env:reset(0)
        for t = 0, 999 do sum = sum + env:act(policy(t)) end
      end
      local expected = numbers.fixed_policy_scores[name]
      -- of twenty starts each; those of the alternating policy are spread most
      local spread = (expected.max - expected.min) / 3
      assert(math.abs(sum / 20 - expected.mean) < spread, name .. ": " .. sum / 20)
    end
  end)

  it("observes four numbers and never ends", function()
    local env = Env{ seed = 3 }
    assert.same({ { 1 }, { 1 }, { 1 }, { 1 } }, env:inputDimensions())
    assert.equal(2, env:nActions())
    for mode = -1, 0 do
      for _ = 1, 200 do
        env:reset(mode)
        local s = state(env)
        assert.is_true(math.abs(s[1]) <= 1 and math.abs(s[3]) <= math.pi + 1e-6)
        assert.same({ 0, 0 }, { s[2], s[4] })
      end
    end
    for _ = 1, 2000 do env:act(1) end
    assert.is_false(env:inTerminalState() or env:isTruncated())
    assert.equal(5, env:observe()[1])
  end)

  it("may be cut short in training alone", function()
    local env = Env{ training_steps = 3, max_steps = 5 }
    for mode, steps in deer.spairs { [-1] = 3, [0] = 5 } do
      env:reset(mode)
      for t = 1, steps do
        assert.is_false(env:isTruncated(), t)
        env:act(0)
      end
      assert.is_true(env:isTruncated())
      assert.is_false(env:inTerminalState())
    end
  end)
end)

describe("catcher", function()
  local numbers = golden.read "catcher"
  local Env = deer.env "catcher"

  local function at(paddle, block, height, more)
    local options = { start_state = { paddle, block, height } }
    for name, value in pairs(more or {}) do options[name] = value end
    local env = Env(options)
    env:reset(0)
    return env
  end

  it("falls and is caught as in DeeR", function()
    for _, case in ipairs(numbers.cases) do
      local env = at(case.x_start, case.x_block, case.y_start, { higher_dim_obs = false })
      for _, step in ipairs(case.steps) do
        local action, reward, x, y, terminal = table.unpack(step)
        assert.equal(reward, env:act(action))
        assert.equal(terminal, env:inTerminalState())
        assert.equal(1, env:observe()[1][1][x + 1])
        if y > 0 then assert.equal(0.5, env:observe()[1][y + 1][case.x_block + 1]) end
      end
    end
  end)

  local function same(expected, got, sign)
    assert.equal(#expected, #got)
    for i, row in ipairs(expected) do
      for j, x in ipairs(row) do near(sign * x, got[i][j], 1e-6, i .. ", " .. j) end
    end
  end

  it("looks as in DeeR", function()
    local small = numbers.obs_example_x3_y9_block9
    local large = numbers.higher_dim_obs_example_x3_y5_block9
    same(small, at(3, 9, 9, { higher_dim_obs = false }):observe()[1], 1)
    same(large, at(3, 9, 5):observe()[1], 1)
    same(large, at(3, 9, 5, { reverse = true }):observe()[1], -1)
    assert.same({ { 1, 36, 36 } }, Env{}:inputDimensions())
    assert.same({ { 1, 10, 10 } }, Env{ higher_dim_obs = false }:inputDimensions())
  end)

  it("can always be caught, and begins everywhere", function()
    local env, starts = Env{ seed = 1, higher_dim_obs = false }, {}
    for _ = 1, 400 do
      env:reset(-1)
      local grid, paddle, block = env:observe()[1]
      for i = 1, 10 do
        if grid[1][i] == 1 then paddle = i end
        if grid[10][i] == 0.5 then block = i end
      end
      starts[paddle .. " " .. block] = true
      local reward
      repeat reward = env:act(block == 10 and 1 or 0) until env:inTerminalState()
      assert.equal(1, reward)
    end
    local n = 0
    for _ in pairs(starts) do n = n + 1 end
    assert.equal(20, n)
  end)

  it("stays where it is when it is asked to go on", function()
    local env = at(0, 0, 0)
    assert.is_true(env:inTerminalState())
    for _ = 1, 3 do assert.equal(1, env:act(0)) end
  end)
end)

describe("DeeR's wrapper of", function()
  it("the mountain car sums steps, adds a bonus and scales", function()
    local Env = deer.env "mountain_car"
    local plain = Env{ start_state = { 0.3, 0.03 } }
    local env = Env{ start_state = { 0.3, 0.03 }, frame_skip = 5, bonus = 30, reward_scale = 0.1,
      split = true }
    plain:reset(0)
    env:reset(0)
    assert.same({ { 1 }, { 1 } }, env:inputDimensions())
    repeat
      local sum, n = 0, 0
      repeat
        sum, n = sum + plain:act(2), n + 1
      until n == 5 or plain:inTerminalState()
      if plain:inTerminalState() then sum = sum + 30 end
      near(sum / 10, env:act(2), 1e-12, "reward")
      local seen = env:observe()
      assert.same(plain:observe()[1], { seen[1], seen[2] })
      assert.equal(plain:inTerminalState(), env:inTerminalState())
    until env:inTerminalState()
    assert.has_error(function() env:act(3) end)
  end)

  it("the mountain car limits time and begins anywhere in training", function()
    local env = deer.env "mountain_car" { seed = 2, frame_skip = 10, max_steps = 3,
      start_anywhere = true }
    env:reset(0)
    local rewards = {}
    repeat rewards[#rewards + 1] = env:act(1) until env:isTruncated()
    assert.same({ -10, -10, -10 }, rewards)
    local least, most, fastest = 1, -2, 0
    for _ = 1, 500 do
      env:reset(-1)
      local x, speed = table.unpack(env:observe()[1])
      least, most, fastest = math.min(least, x), math.max(most, x), math.max(fastest, speed)
      env:reset(0)
      assert.is_true(env:observe()[1][1] >= -0.6 and env:observe()[1][1] <= -0.4)
    end
    assert.is_true(least < -1.1 and most > 0.5 and fastest > 0.06)
  end)

  it("the continuous mountain car does the same", function()
    local Env = deer.env "mountain_car_continuous"
    local plain, env = Env{ start_state = { -0.5, 0 } },
      Env{ start_state = { -0.5, 0 }, frame_skip = 10, reward_scale = 0.01 }
    plain:reset(0)
    env:reset(0)
    local sum = 0
    for _ = 1, 10 do sum = sum + plain:act(0.5) end
    near(sum / 100, env:act(0.5), 1e-12, "reward")
    assert.same(plain:observe(), env:observe())
  end)

  it("the pole observes four subjects for a time of choice", function()
    local Env = deer.env "cartpole"
    local start = { 0.01, 0.02, 0.03, 0.04 }
    local plain, env = Env{ start_state = start }, Env{ start_state = start, split = true,
      max_steps = 3 }
    plain:reset(0)
    env:reset(0)
    assert.same({ { 1 }, { 1 }, { 1 }, { 1 } }, env:inputDimensions())
    for t = 1, 3 do
      plain:act(t % 2)
      env:act(t % 2)
      assert.same(plain:observe()[1], env:observe())
      assert.equal(t == 3, env:isTruncated())
    end
  end)
end)

describe("a summary", function()
  local folder
  before_each(function() folder = child.folder() end)
  after_each(child.clean)

  local TASKS = { catcher = {}, cartpole = { split = true }, mountain_car = {},
    mountain_car_continuous = { split = true }, pendulum_cart = {} }

  -- how many of the bytes of two pictures, every 41st of them, differ by more than one
  local function difference(a, b)
    a, b = a:bytes(), b:bytes()
    assert(#a == #b)
    local n = 0
    for i = 1, #a, 41 do
      if math.abs(a:byte(i) - b:byte(i)) > 1 then n = n + 1 end
    end
    return n
  end

  it("draws what was observed as the state itself is drawn", function()
    for name, options in deer.spairs(TASKS) do
      local env = deer.env(name)(options)
      env:reset(0)
      for _ = 1, 3 do
        -- but for what observations are rounded to
        assert.equal(0, difference(env:render(), env:render(env:observe())))
        env:act(type(env:nActions()) == "number" and 0 or 0.5)
        local before = env:render()
        env:act(type(env:nActions()) == "number" and 1 or -0.5)
        assert.is_true(difference(before, env:render()) > 0, name)
      end
    end
    local cartpole = deer.env "cartpole" {}
    raises(function() cartpole:render {} end, "list with an observation of 1 subjects expected")
    raises(function() cartpole:render { { 1, 2, 3 } } end, "bad argument")
    raises(function() cartpole:render { { 1, 2, 3, 0 / 0 } } end, "nan")
    raises(function() deer.env "acrobot" {}:render { { 1, 0, 1, 0, 0, 0 } } end,
      "acrobot draws no pictures of observations")
  end)

  it("is a film of the test epoch where one is wanted", function()
    local path = folder .. "/film.png"
    local env = deer.env "catcher" { seed = 1, path = path }
    local algo = deer.QNetwork{ environment = env, seed = 1 }
    local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, seed = 1 }
    local said = {}
    local text = require "deer.text"
    local say = text.say
    text.say = function(format, ...) said[#said + 1] = format:format(...) end
    agent:startMode(0, 12)
    agent:run(1, 12)
    agent:summarizeTestPerformance()
    text.say = say
    assert.same({ "Summary Perf",
      "A film of the policy obtained has been saved under the name " .. path }, said)
    local file = assert(io.open(path, "rb"))
    local bytes = file:read "a"
    file:close()
    assert.equal(12, string.unpack(">I4", bytes, assert(bytes:find "acTL") + 4))
  end)

  it("has curves of what was observed below the film, and a bar where it is", function()
    local pictures, fps = {}, nil
    local reel = { add = function(_, picture) pictures[#pictures + 1] = picture end,
      close = function() return "film" end }
    -- a reel that keeps its pictures
    local loaded = package.loaded
    local video, film = loaded["deer.video"], loaded["deer.film"]
    loaded["deer.video"], loaded["deer.film"] = function(_, options)
      fps = options.fps
      return reel
    end, nil
    local write = require("deer.film").write
    loaded["deer.video"], loaded["deer.film"] = video, film

    local env = deer.env "pendulum_cart" {}
    local positions, zeros = {}, {}
    for i = 1, 11 do positions[i], zeros[i] = i == 6 and 3 or 0, 0 end
    local data = { observations = function() return { positions, zeros, zeros, zeros } end }
    assert.equal("film", write(env, data, { path = "film", rate = 10,
      curves = { { "Position", 0 }, { "Angle", 2 } } }))
    assert.same({ 11, 10 }, { #pictures, fps })
    local plain = env:render { 3, 0, 0, 0 }
    local rows, columns = table.unpack(plain:shape())
    assert.same({ rows + 260, columns, 3 }, pictures[1]:shape())
    assert.equal(plain:bytes(), pictures[6]:bytes():sub(1, #plain:bytes()))
    -- the middles of what is orange in the curves: it goes to the right at an even pace
    local at = {}
    for i, picture in ipairs(pictures) do
      local bytes, sum, n = picture:bytes(), 0, 0
      local row = (rows + 40) * columns
      for x = 0, columns - 1 do
        local r, _, b = bytes:byte(3 * (row + x) + 1, 3 * (row + x) + 3)
        if r - b > 60 then sum, n = sum + x, n + 1 end
      end
      assert.is_true(n == 2 or n == 3)
      at[i] = sum / n
    end
    for i = 2, 11 do
      assert.is_true(math.abs(at[i] - at[i - 1] - (at[11] - at[1]) / 10) <= 1.5)
    end
    assert.is_true(at[11] - at[1] > columns * 0.8)

    -- of 50 steps a second every other one is shown
    local slow = pictures
    pictures = {}
    write(env, data, { path = "film", rate = 50 })
    assert.same({ 6, 25 }, { #pictures, fps })
    assert.equal(slow[5]:bytes():sub(1, #plain:bytes()), pictures[3]:bytes())
  end)

  it("says what is wrong with the curves", function()
    for _, wrong in ipairs { { "a", 0 }, { { "a", 4 } }, { { "a" } }, { { 1, 2 } },
      { { "a", 0.5 } }, { { "a", -1 } } } do
      raises(function() deer.env "pendulum_cart" { curves = wrong } end,
        "option 'curves': expected { name, position of a subject that is a number, from 0 }, got")
    end
    raises(function() deer.env "cartpole" { curves = { { "a", 0 } } } end, "option 'curves'")
  end)

  it("is nothing without a path, and an error where nothing can be written", function()
    for _, path in ipairs { false, folder .. "/no/film.gif" } do
      local env = deer.env "cartpole" { seed = 1, path = path or nil }
      local algo = deer.QNetwork{ environment = env, seed = 1 }
      local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, seed = 1 }
      agent:startMode(0, 5)
      agent:run(1, 5)
      local ok, message = pcall(agent.summarizeTestPerformance, agent)
      assert.equal(not path, ok)
      if path then assert.matches("cannot write .*/no/film.gif: No such file", message) end
    end
    assert.same({}, sys.listdir(folder))
  end)
end)
