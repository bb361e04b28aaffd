-- The mobile robot, and the two smallest tasks: what they pay and show, worked out by hand.
local deer = require "deer"
local raises = require "raises"

-- the discrete actions
local LESS_X, MORE_X, LESS_Y, MORE_Y = 0, 1, 2, 3

local function robot(options)
  local env = deer.env "mobile_robot" (options)
  env:reset(-1)
  return env
end

local function near(expected, got)
  assert.equal(#expected, #got)
  for i, x in ipairs(expected) do
    assert.is_true(math.abs(x - got[i]) < 1e-5, ("%d: %.7g, not %.7g"):format(i, got[i], x))
  end
end

describe("the mobile robot", function()
  it("goes a tenth of a metre in one of four directions", function()
    local env = robot{ state = "ground_truth", start_state = { 2, 1 } }
    assert.equal(4, env:nActions())
    assert.same({ { 1, 2 } }, env:inputDimensions())
    local ways = { { LESS_X, 1.9, 1 }, { MORE_Y, 1.9, 1.1 }, { MORE_X, 2, 1.1 }, { LESS_Y, 2, 1 } }
    for _, way in ipairs(ways) do
      assert.equal(0, env:act(way[1]))
      near({ way[2], way[3] }, env:observe()[1])
    end
    assert.equal(2, robot{ task = "1d" }:nActions())
  end)

  it("is seen from its target unless told otherwise", function()
    near({ 2 - 3.6, 1 - 3 }, robot{ start_state = { 2, 1 } }:observe()[1])
    near({ 2 - 3.6 }, robot{ task = "1d", start_state = { 2, 1 } }:observe()[1])
    near({ 2 - 3.6, 1 }, robot{ task = "line", start_state = { 2, 1 } }:observe()[1])
    near({ 2 }, robot{ task = "1d", state = "ground_truth", start_state = { 2, 1 } }:observe()[1])
  end)

  it("earns 1 in each step at the target", function()
    -- 0.4 from the target at x = 3.2
    local env, rewards = robot{ start_state = { 2.95, 3 } }, {}
    for t = 1, 5 do rewards[t] = env:act(MORE_X) end
    assert.same({ 0, 0, 1, 1, 1 }, rewards)
    assert.is_false(env:inTerminalState())
    -- on a line, y does not count, and 0.1 is near
    env = robot{ task = "line", start_state = { 3.35, 1 } }
    for t, action in ipairs{ MORE_Y, MORE_X, MORE_X, MORE_X } do rewards[t] = env:act(action) end
    assert.same({ 0, 0, 1, -1, 1 }, rewards)
    env = robot{ task = "1d", start_state = { 3.15, 0.2 } }
    assert.same({ 1, 0, 1 }, { env:act(MORE_X), env:act(LESS_X), env:act(MORE_X) })
  end)

  it("stays where it is at a wall, which costs 1", function()
    -- 0.425 and 0.2 are as near to the walls as it gets
    local env = robot{ state = "ground_truth", start_state = { 0.5, 0.25 } }
    assert.same({ -1, -1, 0 }, { env:act(LESS_X), env:act(LESS_Y), env:act(MORE_Y) })
    near({ 0.5, 0.35 }, env:observe()[1])
    env = robot{ state = "ground_truth", start_state = { 3.5, 3.75 } }
    assert.same({ -1, -1 }, { env:act(MORE_X), env:act(MORE_Y) })
    near({ 3.5, 3.75 }, env:observe()[1])
  end)

  it("earns minus its distance when the reward is shaped", function()
    local env = robot{ shape_reward = true, start_state = { 2.1, 1 } }
    near({ -math.sqrt(1.4 ^ 2 + 2 ^ 2) }, { env:act(MORE_X) })
    near({ -math.sqrt(1.4 ^ 2 + 1.9 ^ 2) }, { env:act(MORE_Y) })
    for _, task in ipairs { "1d", "line" } do
      env = robot{ shape_reward = true, task = task, start_state = { 2.1, 1 } }
      near({ -1.4 }, { env:act(MORE_X) })
    end
  end)

  it("takes steps of any length up to that in any direction", function()
    local env = robot{ continuous = true, state = "ground_truth", start_state = { 2, 2 } }
    assert.same({ { -1, 1 }, { -1, 1 } }, env:nActions())
    env:act { 0.5, -1 }
    near({ 2.05, 1.9 }, env:observe()[1])
    assert.same({ { -1, 1 } }, robot{ continuous = true, task = "1d" }:nActions())
    raises(function() env:act { 2, 0 } end, "is 2")
  end)

  it("goes to one target after the other", function()
    local env = robot{ task = "two_targets", start_state = { 3.25, 3 } }
    near({ 3.25 - 3.6, 0 }, env:observe()[1])
    assert.equal(1, env:act(MORE_Y)) -- there, and on to the other one
    near({ 3.25 - 0.4, 0.1 }, env:observe()[1])
    assert.equal(0, env:act(LESS_Y))
    local earned = 0
    for _ = 1, 28 do earned = earned + env:act(LESS_X) end
    assert.equal(4, earned) -- x = 0.75, 0.65, 0.55, 0.45
    assert.equal(-1, env:act(LESS_X))
  end)

  it("begins around the middle, with targets that may be drawn", function()
    local env, low, high = deer.env "mobile_robot" { random_target = true, seed = 1 }, 4, 0
    local truth = deer.env "mobile_robot" { state = "ground_truth", seed = 1 }
    for _ = 1, 300 do
      env:reset(-1)
      truth:reset(-1)
      for _, x in ipairs(truth:observe()[1]) do low, high = math.min(low, x), math.max(high, x) end
      for _, x in ipairs(env:observe()[1]) do
        assert.is_true(math.abs(x) < 3.6 - 2 / 3)
      end
    end
    assert.is_true(low > 2 / 3 and low < 0.7 and high < 10 / 3 and high > 3.3)
  end)

  it("is cut short after 250 steps, with two targets after 1500", function()
    local cases = { { "2d", 0, 250 }, { "two_targets", 0, 1500 }, { "two_targets", 30, 30 } }
    for _, case in ipairs(cases) do
      local env = robot{ task = case[1], max_steps = case[2] }
      for t = 1, case[3] do
        assert.is_false(env:isTruncated(), t)
        env:act(t % 2)
      end
      assert.is_true(env:isTruncated() and not env:inTerminalState())
    end
  end)

  it("can be seen from above", function()
    for _, task in ipairs{ "2d", "1d", "two_targets", "line" } do
      local env = robot{ task = task, state = "image", image_size = 88, start_state = { 1, 2 } }
      assert.same({ { 1, 3, 88, 88 } }, env:inputDimensions())
      assert.equal("uint8", env:observationType(0))
      local picture, seen = env:render():bytes(), env:observe()[1]
      for row = 1, 88 do
        for column = 1, 88 do
          for c = 1, 3 do
            assert.equal(picture:byte(((row - 1) * 88 + column - 1) * 3 + c), seen[c][row][column])
          end
        end
      end
      -- 20 pixels are a metre, 4 of them the wall: the robot is dark, its first target red
      local function color(row, column)
        return { seen[1][row][column], seen[2][row][column], seen[3][row][column] }
      end
      assert.same({ 45, 55, 72 }, color(25, 45))
      local target = task == "line" and { 240, 200, 80 } or { 204, 77, 77 }
      assert.same(target, color(77, task == "1d" and 45 or 65))
    end
    assert.same({ { 1, 3, 224, 224 } }, robot{ state = "image" }:inputDimensions())
  end)

  -- the color of a pixel that is observed, 0-based; in channels 4 to 6 what the robot sees
  local function color_of(seen, from, row, column)
    local all = {}
    for c = 1, 3 do all[c] = seen[from + c - 1][row + 1][column + 1] end
    return all
  end

  it("can see for itself", function()
    local env = robot{ first_person = true, state = "image", start_state = { 2, 3 } }
    assert.same({ { 1, 6, 224, 224 } }, env:inputDimensions())
    local seen, picture = env:observe()[1], env:render()
    assert.same({ 224, 448, 3 }, picture:shape())
    local above = robot{ state = "image", start_state = { 2, 3 } }:observe()[1]
    picture = picture:bytes()
    for row = 0, 223, 5 do
      for column = 0, 223, 5 do
        assert.same(color_of(above, 1, row, column), color_of(seen, 1, row, column))
        local at = 3 * (row * 448 + 224 + column)
        assert.same({ picture:byte(at + 1, at + 3) }, color_of(seen, 4, row, column))
      end
    end
    -- the row of what is `ahead` of the camera, 0.25 high and turned 17 degrees down, and `high`
    local function row_of(ahead, high)
      local angle = math.rad(17) - math.atan(0.25 - high, ahead)
      return 112 * (1 - math.tan(angle))
    end
    local sky, wall, top, side, floor = { 205, 218, 232 }, { 225, 228, 232 }, { 204, 77, 77 },
      { 153, 57, 57 }, { 150, 155, 160 }
    local marks = { { sky, 0, row_of(2, 0.3) }, { wall, row_of(2, 0.3), row_of(1.8, 0.1) },
      { top, row_of(1.8, 0.1), row_of(1.4, 0.1) }, { side, row_of(1.4, 0.1), row_of(1.4, 0) },
      { floor, row_of(1.4, 0), 224 } }
    for _, mark in ipairs(marks) do
      for row = math.ceil(mark[2]), math.floor(mark[3]) - 1 do
        assert.same(mark[1], color_of(seen, 4, row, 112), row)
      end
    end
  end)

  -- how many pixels of a color there are in columns of what the robot sees
  local function count(options, color, from, to)
    options.first_person, options.state, options.image_size = true, "image", 64
    local seen, n = robot(options):observe()[1], 0
    for row = 0, 63 do
      for column = from, to do
        local is = color_of(seen, 4, row, column)
        if is[1] == color[1] and is[2] == color[2] and is[3] == color[3] then n = n + 1 end
      end
    end
    return n
  end

  it("has larger y on its left, and what is near is large", function()
    local red, green, blue, yellow = { 204, 77, 77 }, { 70, 160, 80 }, { 60, 90, 190 },
      { 240, 200, 80 }
    local function red_at(x, y, from, to)
      return count({ start_state = { x, y } }, red, from, to)
    end
    assert.is_true(red_at(2.9, 2.7, 0, 28) > 0 and red_at(2.9, 2.7, 32, 63) == 0)
    assert.is_true(red_at(2.9, 3.3, 35, 63) > 0 and red_at(2.9, 3.3, 0, 31) == 0)
    assert.is_true(red_at(3.3, 3, 0, 63) > 2 * red_at(2.9, 3, 0, 63))
    assert.is_true(count({ start_state = { 1, 3.5 } }, green, 0, 31) > 0)
    assert.equal(0, count({ start_state = { 1, 3.5 } }, green, 32, 63))
    assert.equal(0, count({ start_state = { 1, 3.5 } }, blue, 0, 63)) -- behind
    assert.is_true(count({ task = "line", start_state = { 3, 2 } }, yellow, 0, 63) >= 64)
    assert.is_true(count({ task = "1d", start_state = { 3, 0 } }, red, 28, 35) > 0)
    -- on a target, and with one in front of the other
    assert.is_true(red_at(3.575, 3, 0, 63) > 500)
    for seed = 1, 50 do
      local all = robot{ task = "two_targets", random_target = true, first_person = true,
        seed = seed }:render()
      assert.same({ 224, 448, 3 }, all:shape())
    end
  end)

  it("refuses wrong options", function()
    raises(function() robot{ task = "3d" } end, "'task'")
    raises(function() robot{ start_state = { 0.4, 2 } } end, "expected x of 0.425 to 3.575")
    raises(function() robot{ start_state = { 2, 3.81 } } end, "y of 0.2 to 3.8")
    robot{ task = "1d", start_state = { 2, 0 } }
    raises(function() robot{ start_state = { 2 } } end, "'start_state'")
    raises(function() robot{ image_size = 8 } end, "'image_size'")
  end)
end)

describe("the identity task", function()
  it("pays for doing what is seen", function()
    local env, seen = deer.env "identity" { n = 3, seed = 1 }, {}
    env:reset(-1)
    for t = 1, 100 do
      local state, at = env:observe()[1], nil
      for i, x in ipairs(state) do if x == 1 then at = i - 1 end end
      assert.equal(1, state[1] + state[2] + state[3])
      seen[at] = true
      local action = t % 3
      assert.is_false(env:isTruncated())
      assert.equal(action == at and 1 or 0, env:act(action))
    end
    assert.is_true(env:isTruncated() and seen[0] and seen[1] and seen[2])
    assert.equal(3, env:nActions())
  end)

  it("can be one of numbers", function()
    local env = deer.env "identity" { continuous = true, seed = 1 }
    env:reset(-1)
    for _ = 1, 10 do
      local x = env:observe()[1][1]
      near({ -(0.5 - x) ^ 2 }, { env:act(0.5) })
    end
    raises(function() deer.env "identity" { n = 1 } end, "'n'")
  end)
end)

describe("the memory task", function()
  it("asks for what it showed", function()
    local env, cues = deer.env "memory" { n = 2, delay = 2, seed = 1 }, {}
    assert.same({ { 1, 3 } }, env:inputDimensions())
    for episode = 1, 20 do
      env:reset(-1)
      local shown = env:observe()[1]
      assert.equal(1, shown[1] + shown[2])
      assert.equal(0, shown[3])
      local cue = shown[1] == 1 and 0 or 1
      cues[cue] = true
      assert.equal(0, env:act(cue))
      assert.same({ 0, 0, 0 }, env:observe()[1])
      assert.equal(0, env:act(cue))
      assert.same({ 0, 0, 1 }, env:observe()[1])
      assert.is_false(env:inTerminalState())
      assert.equal(episode % 2 == 0 and 1 or -1, env:act(episode % 2 == 0 and cue or 1 - cue))
      assert.is_true(env:inTerminalState())
    end
    assert.is_true(cues[0] and cues[1])
  end)

  it("can be learnt from a history alone", function()
    local function score(history)
      local env = deer.env "memory" { delay = 2, history = history, seed = 1 }
      local agent = deer.NeuralAgent{ environment = env, seed = 1, train_every = 1,
        replay_start_size = 200, only_full_history = false,
        learning_algo = deer.QNetwork{ environment = env, seed = 1, update_rule = "adam",
          learning_rate = 0.003, network = { { "dense", units = 32 } } } }
      agent:run(1, 1500)
      agent:startMode(0, 300)
      agent:run(1, 300)
      return (agent:totalRewardOverLastTest())
    end
    assert.equal(1, score(3))
    assert.is_true(score(2) < 0.5)
    raises(function() deer.env "memory" { delay = 0 } end, "'delay'")
  end)
end)
