-- What all games on a board share; Asterix: what is seen from frame to frame obeys the rules.
local board = require "board"
local deer = require "deer"
local raises = require "raises"

local NOTHING, LEFT, UP, RIGHT, DOWN, FIRE = 0, 1, 2, 3, 4, 5

local function begin(name, options)
  local given = { sticky = 0, seed = 1 }
  for key, value in deer.spairs(options or {}) do given[key] = value end
  local env = deer.env(name)(given)
  env:reset(-1)
  return env
end

-- a channel as a set of places, { ["3,4"] = true }, and how many there are
local function set(env, channel)
  local places, n = {}, 0
  for place in board.places(env, channel):gmatch "%S+" do
    places[place] = true
    n = n + 1
  end
  return places, n
end

local function split(place)
  local row, column = place:match "(%d),(%d)"
  return tonumber(row), tonumber(column)
end

describe("every game on a board", function()
  it("has the actions asked for", function()
    local minimal = { asterix = 5, breakout = 3, freeway = 3, seaquest = 6, space_invaders = 4 }
    local channels = { asterix = 4, breakout = 4, freeway = 7, seaquest = 10, space_invaders = 6 }
    for name, n in deer.spairs(minimal) do
      local env = begin(name)
      assert.equal(6, env:nActions())
      assert.equal(n, begin(name, { actions = "minimal" }):nActions())
      assert.same({ { 1, channels[name], 10, 10 } }, env:inputDimensions())
      assert.equal("uint8", env:observationType(0))
      assert.same({ 320, 320, 3 }, env:render():shape())
    end
    -- nothing, left, right, fire
    local env = begin("space_invaders", { actions = "minimal" })
    env:act(2)
    assert.equal("9,6", board.places(env, 1))
    env:act(3)
    assert.equal("8,6", board.places(env, 5))
  end)
end)

describe("the picture of a game", function()
  it("has a square of 32 pixels for each cell", function()
    local env = deer.env "breakout" { start_state = { 7, 5, 2, 1, 1 } }
    env:reset(-1)
    local picture = env:render()
    local function color(row, column)
      local at = ((row * 32 + 16) * 320 + column * 32 + 16) * 3
      return table.concat({ picture:bytes():byte(at + 1, at + 3) }, " ")
    end
    local paddle, ball, brick, ground = color(9, 7), color(5, 2), color(1, 0), color(9, 0)
    assert.same({ "225 228 232", "240 200 80", "28 32 40" }, { paddle, ball, ground })
    assert.equal(brick, color(3, 9))
    assert.not_equal(brick, ground)
  end)
end)

describe("Asterix", function()
  local PLAYER, ENEMIES, TRAIL, TREASURES = 1, 2, 3, 4

  it("lets the player move in rows 1 to 8", function()
    local env = begin "asterix"
    assert.equal("5,5", board.places(env, PLAYER))
    for _, button in ipairs { UP, LEFT, LEFT, DOWN, RIGHT, FIRE, NOTHING } do env:act(button) end
    assert.equal("5,4", board.places(env, PLAYER))
    local corners = { [UP] = "^1,", [DOWN] = "^8,", [LEFT] = ",0$", [RIGHT] = ",9$" }
    for button, corner in deer.spairs(corners) do
      env = begin "asterix"
      for _ = 1, 9 do env:act(button) end
      assert.truthy(board.places(env, PLAYER):match(corner))
    end
  end)

  it("begins as it is told to", function()
    -- the player at (3, 4), an enemy to its left going right, a treasure in row 5 going left
    local env = begin("asterix",
      { start_state = { 3, 4, 0, 0, 1, 0, -2, 0, 0, 0, 0, 0, 2, 0, 6, 0, 0, 0 } })
    assert.equal("3,4", board.places(env, PLAYER))
    assert.equal("3,2", board.places(env, ENEMIES))
    assert.equal("5,6", board.places(env, TREASURES))
    assert.equal("3,1 5,7", board.places(env, TRAIL))
    -- the treasure is taken; the enemy meets who comes back
    assert.same({ 0, 0, 0, 1 }, { env:act(DOWN), env:act(DOWN), env:act(RIGHT), env:act(RIGHT) })
    env:reset(-1)
    for _ = 1, 4 do env:act(NOTHING) end
    env:act(LEFT)
    assert.is_true(env:inTerminalState())
    raises(function() begin("asterix", { start_state = { 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0 } }) end, "expected a row of 1 to 8")
    raises(function() begin("asterix", { start_state = { 1, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0 } }) end, "things of %-2 to 2")
  end)

  -- a player in a corner, where hardly anything comes, watches; frame(t, now, before, new) of what
  -- is where, "row,column" to the step it makes, and of how many have just come in at an edge
  local function watch(env, frames, frame)
    local before = {}
    for t = 1, frames do
      env:act(t < 20 and (t % 2 == 0 and LEFT or UP) or NOTHING)
      if env:inTerminalState() then return t end
      local now, new = {}, 0
      local trail, enemies, treasures = set(env, TRAIL), set(env, ENEMIES), set(env, TREASURES)
      for _, places in ipairs { enemies, treasures } do
        for place in deer.spairs(places) do
          local row, column = split(place)
          local from_left = trail[("%d,%d"):format(row, column - 1)]
          local from_right = trail[("%d,%d"):format(row, column + 1)]
          local step = (from_left or column == 0 and not from_right) and 1 or -1
          now[place] = step
          if column == (step > 0 and 0 or 9) and before[place] ~= step then new = new + 1 end
        end
      end
      frame(t, now, before, new)
      before = now
    end
  end

  local function count(places)
    local n = 0
    for _ in deer.spairs(places) do n = n + 1 end
    return n
  end

  it("has something appear every 10 frames and move every 5", function()
    local ends = watch(begin("asterix", { ramping = false, seed = 3 }), 400,
      function(t, now, before, new)
        local old = 0
        for place, step in deer.spairs(now) do
          local row, column = split(place)
          assert.is_true(row >= 1 and row <= 8)
          local came = ("%d,%d"):format(row, column - (t % 5 == 0 and step or 0))
          if before[came] == step then old = old + 1 end
        end
        assert.equal(count(now), old + new)
        assert.equal(t % 10 == 0 and 1 or 0, new)
      end)
    assert.is_true(ends == nil or ends > 40)
  end)

  it("becomes harder every 100 frames", function()
    -- until the player meets an enemy; seeds are tried until one lives on
    local function appearances(ramping)
      for seed = 1, 200 do
        local frames = {}
        local ends = watch(begin("asterix", { ramping = ramping, seed = seed }), 230,
          function(t, _, _, new)
            if new > 0 then frames[#frames + 1] = t end
          end)
        if not ends then return table.concat(frames, " ") end
      end
    end
    assert.equal("10 20 30 40 50 60 70 80 90 100 110 120 130 140 150 160 170 180 190 200 210 \z
      220 230", appearances(false))
    -- in frame 100 and in frame 200, each time once the one under way is there
    assert.equal("10 20 30 40 50 60 70 80 90 100 110 119 128 137 146 155 164 173 182 191 200 209 \z
      217 225", appearances(true))
  end)

  it("pays for treasures, and ends with an enemy", function()
    -- a player that goes anywhere
    local taken, lost, kinds = 0, 0, { [ENEMIES] = 0, [TREASURES] = 0 }
    local env = deer.env "asterix" { sticky = 0, seed = 5 }
    local rng = deer.Rng(1)
    env:reset(-1)
    for _ = 1, 6000 do
      local treasures, enemies = set(env, TREASURES), set(env, ENEMIES)
      local button = rng:below(5)
      local reward = env:act(button)
      local at = board.places(env, PLAYER)
      if reward == 1 then
        taken = taken + 1
        -- it was there, or came there
        local row, column = split(at)
        local near = false
        for step = -1, 1 do near = near or treasures[("%d,%d"):format(row, column + step)] end
        assert.truthy(near)
      end
      if env:inTerminalState() then
        lost = lost + 1
        local row, column = split(at)
        local near = false
        for step = -1, 1 do near = near or enemies[("%d,%d"):format(row, column + step)] end
        assert.truthy(near)
        env:reset(-1)
      end
      kinds[ENEMIES] = kinds[ENEMIES] + select(2, set(env, ENEMIES))
      kinds[TREASURES] = kinds[TREASURES] + select(2, set(env, TREASURES))
    end
    assert.is_true(taken > 10 and lost > 20, taken .. " taken, lost " .. lost)
    -- one of three
    local share = kinds[TREASURES] / (kinds[ENEMIES] + kinds[TREASURES])
    assert.is_true(share > 0.25 and share < 0.4, share)
  end)
end)
