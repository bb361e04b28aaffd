-- The grid world: its maps, ways through them found by search, rewards, what is observed and drawn.
local deer = require "deer"
local raises = require "raises"

local UP, RIGHT, DOWN, LEFT = 0, 1, 2, 3

local function world(options)
  local env = deer.env "gridworld" (options)
  env:reset(-1)
  return env
end

local function walk(env, ...)
  local rewards = {}
  for i, action in ipairs { ... } do rewards[i] = env:act(action) end
  return rewards
end

local function near(expected, rewards)
  assert.equal(#expected, #rewards)
  for i, reward in ipairs(rewards) do assert.is_true(math.abs(reward - expected[i]) < 1e-9) end
end

-- the fewest steps to a goal: breadth first, each place reached again from the start
local function shortest(map)
  local env = world{ map = map, state = "index" }
  local seen, ways = { [env:observe()[1]] = true }, { {} }
  for _, way in ipairs(ways) do
    for action = UP, LEFT do
      env:reset(-1)
      local longer = { table.unpack(way) }
      longer[#longer + 1] = action
      local rewards = walk(env, table.unpack(longer))
      if rewards[#rewards] == 1 then return #longer end
      local at = env:observe()[1]
      if not env:inTerminalState() and not seen[at] then
        seen[at] = true
        ways[#ways + 1] = longer
      end
    end
  end
end

describe("the grid world", function()
  it("has maps whose goal can be reached, the shortest way known", function()
    -- counted by hand on the maps: where nothing is in the way, rows plus columns
    local steps = { chain = 5, ["long-chain"] = 34, ["2x2"] = 2, ["4x4"] = 6, ["8x8"] = 14 }
    for map, n in deer.spairs(steps) do assert.equal(n, shortest(map), map) end
    for _, map in ipairs { "8x16", "16x16", "4-room" } do
      assert.is_true(shortest(map) > 10, map)
    end
    raises(function() world{ map = "3x3" } end, "'map'")
  end)

  it("pays for fields", function()
    local env = world{ map = "2x2" }
    near({ -0.1, -0.1, -0.1, 1 }, walk(env, UP, LEFT, DOWN, RIGHT))
    assert.is_true(env:inTerminalState())
    near({ -5 }, walk(world{ map = "2x2" }, RIGHT))
    near({ -100 }, walk(world{ map = "2x2", reward = "rich" }, RIGHT))
    env = world{ map = "chain" }
    near({ -0.1, -0.1, -3, -0.1, 1 }, walk(env, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT))
    env = world{ map = "chain", reward = "rich" }
    near({ -0.1, -0.1, -10, -0.1, 50 }, walk(env, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT))
    -- a wall: three to the right of the start of the four rooms
    env = world{ map = "4-room", state = "xy" }
    walk(env, RIGHT, RIGHT, RIGHT, RIGHT)
    assert.same({ { 4, 8 } }, env:observe())
  end)

  it("begins where it is told to", function()
    local env = world{ map = "8x8", state = "xy", start_state = { 5, 6 } }
    assert.same({ { 5, 6 } }, env:observe())
    near({ -5 }, walk(env, RIGHT))
    -- a fire may be a start; a hole, a wall, the goal and what lies outside may not
    env = world{ map = "chain", state = "index", start_state = { 8, 0 } }
    assert.same({ 8 }, env:observe())
    local wrong = { { 1, 0, "2x2" }, { 1, 1, "2x2" }, { 5, 0, "4-room" }, { 2, 0, "2x2" },
      { 0, 2, "2x2" } }
    for _, case in ipairs(wrong) do
      raises(function() world{ map = case[3], start_state = { case[1], case[2] } } end,
        ("a free field of the map.*got {%d, %d}"):format(case[1], case[2]))
    end
  end)

  it("may be walked by turning and jumping", function()
    local BACK, STAY, FORWARD, NOT, TURN_RIGHT, JUMP = 0, 1, 2, 1, 2, 1
    local env = world{ map = "4x4", actions = "ftj", state = "xy_orientation" }
    assert.same({ 3, 3, 2 }, env:nActions())
    assert.same({ { 0, 0, 0, 1 } }, env:observe())
    -- back is down; then to the right, where the hole beside the field is jumped over
    near({ -0.1 }, walk(env, { BACK, NOT, 0 }))
    assert.same({ { 0, 1, 0, 1 } }, env:observe())
    near({ -0.1 }, walk(env, { STAY, TURN_RIGHT, JUMP }))
    assert.same({ { 2, 1, 1, 0 } }, env:observe())
    -- two fields ahead there is no more map: one field ahead, a hole
    near({ -5 }, walk(env, { STAY, NOT, JUMP }))
    assert.is_true(env:inTerminalState())
    -- a step onto the goal is the end of the way, whatever else was wanted
    env = world{ map = "4x4", actions = "ftj", state = "xy", start_state = { 3, 2 }, safe = true }
    near({ 1 }, walk(env, { BACK, NOT, JUMP }))
    assert.same({ { 3, 3 } }, env:observe())
    -- over a wall, but not onto one
    env = world{ map = "4-room", actions = "ftj", state = "xy_orientation", start_state = { 4, 0 } }
    walk(env, { FORWARD, TURN_RIGHT, 0 })
    assert.same({ { 4, 0, 1, 0 } }, env:observe())
    walk(env, { STAY, NOT, JUMP })
    assert.same({ { 6, 0, 1, 0 } }, env:observe())
    env = world{ map = "4-room", actions = "ftj", state = "xy", start_state = { 3, 0 } }
    walk(env, { STAY, TURN_RIGHT, JUMP })
    assert.same({ { 4, 0 } }, env:observe())
  end)

  it("has fire instead of holes when it is safe", function()
    local env = world{ map = "2x2", safe = true }
    near({ -3 }, walk(env, RIGHT))
    assert.is_false(env:inTerminalState())
    near({ 1 }, walk(env, DOWN))
    local picture = world{ map = "2x2", safe = true, state = "camera" }:observe()[1]
    assert.equal(0.5, picture[1][1][2])
  end)

  it("is cut short at its time limit", function()
    local env = world{ max_steps = 3 }
    walk(env, UP, UP)
    assert.is_false(env:isTruncated())
    walk(env, UP)
    assert.is_true(env:isTruncated() and not env:inTerminalState())
  end)

  it("is seen as a place or a picture", function()
    local seen = {}
    for _, state in ipairs { "one_hot", "index", "xy", "camera" } do
      local env = world{ map = "2x2", state = state }
      env:act(DOWN)
      seen[state] = env:observe()[1]
      assert.equal(4, env:nActions())
    end
    assert.same({ 0, 1, 0, 0 }, seen.one_hot)
    assert.equal(1, seen.index)
    assert.same({ 0, 1 }, seen.xy)
    local dangers, goal, me = { { 0, 1 }, { 0, 0 } }, { { 0, 0 }, { 0, 1 } }, { { 0, 0 }, { 1, 0 } }
    assert.same({ dangers, goal, me }, seen.camera)
  end)

  it("begins on any free field when asked to", function()
    local env, seen = deer.env "gridworld" { random_start = true, state = "index", seed = 4 }, {}
    for _ = 1, 500 do
      env:reset(-1)
      assert.is_false(env:inTerminalState())
      seen[env:observe()[1]] = true
    end
    local n = 0
    for _ in deer.spairs(seen) do n = n + 1 end
    assert.equal(11, n) -- sixteen fields, four holes, a goal
  end)

  it("draws its state", function()
    local picture = world{ map = "8x16" }:render()
    assert.same({ 256, 512, 3 }, picture:shape())
    local at = (16 * 512 + 16) * 3 -- the middle of the first field
    assert.same({ 204, 77, 77 }, { picture:bytes():byte(at + 1, at + 3) })
  end)
end)
