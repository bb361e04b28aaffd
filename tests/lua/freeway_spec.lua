-- Freeway: its rules, worked out by hand cell by cell, and games played with MinAtar itself.
local board = require "board"
local deer = require "deer"
local golden = require("golden").read "minatar_freeway"
local raises = require "raises"

local STAY, UP, DOWN = 0, 2, 4
local PLAYER, CARS, TRAIL = 1, 2, 2 -- TRAIL + n: of cars of pace n

-- a game without chance: the columns of the cars in rows 1 to 8, then their paces
local function game(columns, paces)
  local state = table.move(paces, 1, 8, 9, table.move(columns, 1, 8, 1, {}))
  local env = deer.env "freeway" { sticky = 0, start_state = state }
  env:reset(-1)
  return env
end

-- all cars in the ninth column, driving away from the player and slowly
local function quiet()
  return game({ 9, 9, 9, 9, 9, 9, 9, 9 }, { 5, 5, 5, 5, 5, 5, 5, 5 })
end

local function after(env, channel, ...)
  local places = {}
  for i, button in ipairs { ... } do
    env:act(button)
    places[i] = board.places(env, channel)
  end
  return table.concat(places, " ")
end

describe("Freeway", function()
  it("is the game of MinAtar, frame by frame", function()
    for n, played in ipairs(golden.freeway) do
      local env = deer.env "freeway" { sticky = 0, start_state = played.start_state }
      env:reset(-1)
      local frame = played.frames:gmatch "%d+"
      for t = 1, #played.actions do
        local crosses = t == played.crossed_at
        local reward = env:act(tonumber(played.actions:sub(t, t)))
        assert.equal(crosses and 1 or 0, reward)
        local seen = board.places(env, PLAYER):sub(1, 1)
          .. board.places(env, CARS):gsub("%d,(%d) ?", "%1")
        if not crosses then assert.equal(frame(), seen, ("game %d, frame %d"):format(n, t)) end
      end
      assert.is_nil(frame())
    end
  end)

  it("lets the player move in every third frame, and first in the fourth", function()
    local env = quiet()
    assert.same({ { 1, 7, 10, 10 } }, env:inputDimensions())
    assert.equal("9,4", board.places(env, PLAYER))
    assert.equal("9,4 9,4 9,4 8,4 8,4 8,4 7,4 7,4 7,4 8,4 8,4",
      after(env, PLAYER, UP, UP, UP, UP, UP, UP, UP, STAY, DOWN, DOWN, STAY))
    -- a step that leads nowhere takes as long
    assert.equal("9,4 9,4 9,4 9,4 9,4 9,4 8,4",
      after(quiet(), PLAYER, STAY, STAY, STAY, DOWN, UP, UP, UP))
    -- other buttons do nothing
    assert.equal("9,4 9,4 9,4 9,4 9,4 9,4 8,4",
      after(quiet(), PLAYER, 1, 3, 5, 1, 3, 5, UP))
  end)

  it("drives each car at its own pace, around the edges", function()
    local env = game({ 0, 9, 0, 9, 3, 3, 3, 3 }, { 1, -1, -2, 2, 3, -4, 5, -5 })
    local seen = {}
    for t = 1, 6 do
      env:act(STAY)
      seen[t] = board.places(env, CARS):gsub("%d,(%d) ?", "%1")
    end
    assert.equal("09093333 18093333 18903333 27904333 27904233 36814242", table.concat(seen, " "))
    -- the cell behind, in the channel of the pace
    assert.equal("1,2 2,7", board.places(env, TRAIL + 1))
    assert.equal("3,9 4,0", board.places(env, TRAIL + 2))
    assert.equal("5,3", board.places(env, TRAIL + 3))
    assert.equal("6,3", board.places(env, TRAIL + 4))
    assert.equal("7,3 8,3", board.places(env, TRAIL + 5))
  end)

  it("sends the player home when it meets a car", function()
    -- a car in front of row 8 moves in frames 2, 4, 6; the player enters the row in frame 4
    local function met(column)
      local env = game({ 9, 9, 9, 9, 9, 9, 9, column }, { 5, 5, 5, 5, 5, 5, 5, 1 })
      return after(env, PLAYER, UP, UP, UP, UP, STAY, STAY), env
    end
    local home = "9,4 9,4 9,4 9,4 9,4 9,4"
    assert.equal(home, met(3)) -- one that stands there, and drives away in the same frame
    assert.equal(home, met(2)) -- one that drives over it
    assert.equal("9,4 9,4 9,4 8,4 8,4 9,4", met(1)) -- two frames later
    assert.equal("9,4 9,4 9,4 8,4 8,4 8,4", met(0))
    local _, env = met(3)
    assert.is_false(env:inTerminalState())
  end)

  it("pays for reaching the other side, and then has other cars", function()
    local env = quiet()
    local trails = {}
    for n = 1, 5 do trails[n] = board.places(env, TRAIL + n) end
    assert.equal("1,8 2,8 3,8 4,8 5,8 6,8 7,8 8,8", trails[5])
    -- nine moves of three frames, and one frame in the beginning
    for t = 1, 28 do
      local reward = env:act(UP)
      assert.equal(t == 28 and 1 or 0, reward)
    end
    assert.equal("9,4", board.places(env, PLAYER))
    assert.not_equal("1,8 2,8 3,8 4,8 5,8 6,8 7,8 8,8", board.places(env, TRAIL + 5))
    local _, cars = board.places(env, CARS):gsub(",", "")
    assert.equal(8, cars)
  end)

  it("is cut short after 2501 frames", function()
    local env = deer.env "freeway" { seed = 1 }
    env:reset(-1)
    for t = 1, 2501 do
      assert.is_false(env:isTruncated(), t)
      env:act(UP)
    end
    assert.is_true(env:isTruncated() and not env:inTerminalState())
  end)

  it("draws cars of every pace and direction", function()
    local env, paces, rightward = deer.env "freeway" { seed = 2 }, { 0, 0, 0, 0, 0 }, 0
    for _ = 1, 250 do
      env:reset(-1)
      assert.equal("1,0 2,0 3,0 4,0 5,0 6,0 7,0 8,0", board.places(env, CARS))
      for n = 1, 5 do
        local behind = board.places(env, TRAIL + n)
        paces[n] = paces[n] + select(2, behind:gsub(",", ""))
        rightward = rightward + select(2, behind:gsub(",9", ""))
      end
    end
    -- 2000 cars: 400 give or take 18 for a pace, 1000 give or take 22 for a direction
    for n = 1, 5 do assert.is_true(math.abs(paces[n] - 400) < 80) end
    assert.is_true(math.abs(rightward - 1000) < 100)
  end)

  it("refuses wrong options", function()
    local good = { 1, 1, 1, 1, 1, 1, 1, 1 }
    raises(function() game({ -1, 1, 1, 1, 1, 1, 1, 1 }, good) end, "8 columns of 0 to 9 and")
    raises(function() game(good, { 0, 1, 1, 1, 1, 1, 1, 1 }) end, "8 paces of 1 to 5 or")
    raises(function() game(good, { 6, 1, 1, 1, 1, 1, 1, 1 }) end, "8 paces of 1 to 5 or")
    raises(function() game({ 1 }, good) end, "'start_state'")
  end)
end)
