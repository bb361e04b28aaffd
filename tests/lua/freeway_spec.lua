-- Freeway: its rules, worked out by hand cell by cell.
local board = require "board"
local deer = require "deer"
local raises = require "raises"

local STAY, UP, DOWN = 0, 2, 4
local PLAYER, CARS, TRAIL = 1, 2, 2 -- TRAIL + n: of cars that need n frames for a cell

-- a game without chance: the columns of the cars in rows 1 to 8, then their speeds
local function game(columns, speeds, options)
  local state = table.move(speeds, 1, 8, 9, table.move(columns, 1, 8, 1, {}))
  local given = { sticky = 0, start_state = state }
  for key, value in deer.spairs(options or {}) do given[key] = value end
  local env = deer.env "freeway" (given)
  env:reset(-1)
  return env
end

-- all cars in the ninth column, driving away from the player and slowly
local function quiet(options)
  return game({ 9, 9, 9, 9, 9, 9, 9, 9 }, { 5, 5, 5, 5, 5, 5, 5, 5 }, options)
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
  it("lets the player move in every third frame", function()
    local env = quiet()
    assert.same({ { 1, 7, 10, 10 } }, env:inputDimensions())
    assert.equal("9,4", board.places(env, PLAYER))
    assert.equal("9,4 8,4 8,4 8,4 7,4 7,4 7,4 8,4 8,4",
      after(env, PLAYER, DOWN, UP, UP, UP, UP, STAY, DOWN, DOWN, STAY))
    -- one that did not move need not wait; other buttons do nothing
    assert.equal("8,4", after(quiet(), PLAYER, UP))
    assert.equal("9,4 9,4 9,4 8,4", after(quiet(), PLAYER, 1, 3, 5, UP))
  end)

  it("drives each car at its own pace, around the edges", function()
    local env = game({ 0, 9, 0, 9, 3, 3, 3, 3 }, { 1, -1, -2, 2, 3, -4, 5, -5 })
    local function car(row) return board.places(env, CARS):match(row .. ",(%d)") end
    local seen = {}
    for t = 1, 5 do
      env:act(STAY)
      seen[t] = ""
      for row = 1, 8 do seen[t] = seen[t] .. car(row) end
    end
    assert.equal("18093333 27903333 36904333 45814233 54814242", table.concat(seen, " "))
    -- the cell behind, in the channel of the pace
    assert.equal("1,4 2,5", board.places(env, TRAIL + 1))
    assert.equal("3,9 4,0", board.places(env, TRAIL + 2))
    assert.equal("5,3", board.places(env, TRAIL + 3))
    assert.equal("6,3", board.places(env, TRAIL + 4))
    assert.equal("7,3 8,3", board.places(env, TRAIL + 5))
  end)

  it("sends the player home when it meets a car", function()
    -- one that stands where it goes, and that drives away in the same frame
    local columns, speeds = { 9, 9, 9, 9, 9, 9, 9, 4 }, { 5, 5, 5, 5, 5, 5, 5, 1 }
    local env = game(columns, speeds)
    assert.equal("9,4", after(env, PLAYER, UP))
    -- one that drives over it
    columns[8] = 2
    env = game(columns, speeds)
    assert.equal("9,4", after(env, PLAYER, STAY))
    assert.equal("9,4", after(env, PLAYER, UP))
    assert.equal("8,4", board.places(env, CARS):match "8,%d")
    columns[8] = 1
    assert.equal("8,4 8,4 9,4", after(game(columns, speeds), PLAYER, UP, STAY, STAY))
    assert.is_false(env:inTerminalState())
  end)

  it("pays for reaching the other side, and then has other cars", function()
    local env = quiet()
    local trails = {}
    for n = 1, 5 do trails[n] = board.places(env, TRAIL + n) end
    assert.equal("1,8 2,8 3,8 4,8 5,8 6,8 7,8 8,8", trails[5])
    -- nine moves, three frames each but for the first
    for t = 1, 25 do
      local reward = env:act(UP)
      assert.equal(t == 25 and 1 or 0, reward)
    end
    assert.equal("9,4", board.places(env, PLAYER))
    assert.not_equal("1,8 2,8 3,8 4,8 5,8 6,8 7,8 8,8", board.places(env, TRAIL + 5))
    local _, cars = board.places(env, CARS):gsub(",", "")
    assert.equal(8, cars)
  end)

  it("is cut short after 2500 frames", function()
    local env = deer.env "freeway" { seed = 1 }
    env:reset(-1)
    for t = 1, 2500 do
      assert.is_false(env:isTruncated(), t)
      env:act(UP)
    end
    assert.is_true(env:isTruncated() and not env:inTerminalState())
  end)

  it("draws cars of every pace and direction", function()
    local env, columns, paces = deer.env "freeway" { seed = 2 }, {}, { 0, 0, 0, 0, 0 }
    for _ = 1, 250 do
      env:reset(-1)
      for column in board.places(env, CARS):gmatch ",(%d)" do
        columns[tonumber(column) + 1] = (columns[tonumber(column) + 1] or 0) + 1
      end
      for n = 1, 5 do
        paces[n] = paces[n] + select(2, board.places(env, TRAIL + n):gsub(",", ""))
      end
    end
    -- 2000 cars: 200 give or take 13 for a column, 400 give or take 18 for a pace
    for column = 1, 10 do assert.is_true(math.abs(columns[column] - 200) < 60) end
    for n = 1, 5 do assert.is_true(math.abs(paces[n] - 400) < 80) end
  end)

  it("refuses wrong options", function()
    local good = { 1, 1, 1, 1, 1, 1, 1, 1 }
    raises(function() game({ -1, 1, 1, 1, 1, 1, 1, 1 }, good) end, "8 columns of 0 to 9 and")
    raises(function() game(good, { 0, 1, 1, 1, 1, 1, 1, 1 }) end, "8 speeds of 1 to 5 or")
    raises(function() game(good, { 6, 1, 1, 1, 1, 1, 1, 1 }) end, "8 speeds of 1 to 5 or")
    raises(function() game({ 1 }, good) end, "'start_state'")
  end)
end)
