-- Breakout: its rules, worked out by hand cell by cell.
local board = require "board"
local deer = require "deer"
local golden = require("golden").read "minatar_breakout"
local raises = require "raises"

local STAY, LEFT, RIGHT = 0, 1, 3
local PADDLE, BALL, TRAIL, BRICKS = 1, 2, 3, 4

-- a game without chance; the start is paddle, row, column, down, right
local function game(...)
  local env = deer.env "breakout" { sticky = 0, start_state = { ... } }
  env:reset(-1)
  return env
end

-- where the ball is after each of some frames: "row,column"
local function path(env, ...)
  local places = {}
  for i, button in ipairs { ... } do
    env:act(button)
    places[i] = board.places(env, BALL)
  end
  return table.concat(places, " ")
end

-- the three rows of bricks as 30 bits
local function bits(env)
  local all = table.concat(board.rows(env, BRICKS), "", 2, 4):gsub("#", "1"):gsub("%.", "0")
  return ("%08x"):format(tonumber(all, 2))
end

describe("Breakout", function()
  it("is the game of MinAtar, frame by frame", function()
    for n, played in ipairs(golden.breakout) do
      local env = deer.env "breakout" { sticky = 0, start_state = played.start_state }
      env:reset(-1)
      local bricks, trail = {}, nil
      for t, rows in played.bricks:gmatch "(%d+):(%x+)" do bricks[tonumber(t)] = rows end
      local t, left = 0, bricks[0]
      for frame in played.frames:gmatch "%d+" do
        local where = ("game %d, frame %d"):format(n, t)
        if t > 0 then
          assert.is_false(env:inTerminalState())
          local reward = env:act(tonumber(played.actions:sub(t, t)))
          assert.equal(tonumber(played.rewards:sub(t, t)), reward, where)
        end
        local paddle, row, column = frame:match "(%d)(%d)(%d)"
        assert.equal("9," .. paddle, board.places(env, PADDLE), where)
        assert.equal(row .. "," .. column, board.places(env, BALL), where)
        assert.equal(trail or row .. "," .. column, board.places(env, TRAIL), where)
        trail, left = row .. "," .. column, bricks[t] or left
        assert.equal(left, bits(env), where)
        t = t + 1
      end
      assert.equal(#played.actions + 1, t)
      assert.equal(played.ends, env:inTerminalState())
    end
  end)

  it("begins below three rows of bricks, the ball at either edge", function()
    local env, seen = deer.env "breakout" { seed = 1 }, {}
    assert.same({ { 1, 4, 10, 10 } }, env:inputDimensions())
    assert.equal("uint8", env:observationType(0))
    assert.equal(6, env:nActions())
    assert.equal(3, deer.env "breakout" { actions = "minimal" }:nActions())
    for _ = 1, 20 do
      env:reset(-1)
      assert.equal("9,4", board.places(env, PADDLE))
      assert.equal(board.places(env, BALL), board.places(env, TRAIL))
      local bricks = board.rows(env, BRICKS)
      for row = 0, 9 do
        assert.equal(row >= 1 and row <= 3 and "##########" or "..........", bricks[row + 1])
      end
      seen[board.places(env, BALL)] = true
    end
    assert.same({ ["3,0"] = true, ["3,9"] = true }, seen)
  end)

  it("lets the ball fall along a diagonal and ends when it is lost", function()
    local env = game(9, 4, 0, 1, 1)
    assert.equal("5,1 6,2 7,3 8,4", path(env, STAY, STAY, STAY, STAY))
    assert.equal("7,3", board.places(env, TRAIL))
    assert.is_false(env:inTerminalState())
    assert.equal("9,5", path(env, STAY))
    assert.is_true(env:inTerminalState())
    assert.is_false(env:isTruncated())
  end)

  it("moves the paddle between the walls", function()
    local env = game(1, 1, 5, 1, 1)
    local places = {}
    for i, button in ipairs { LEFT, LEFT, RIGHT, STAY, 2, 4, 5 } do
      env:act(button)
      places[i] = board.places(env, PADDLE)
    end
    assert.equal("9,0 9,0 9,1 9,1 9,1 9,1 9,1", table.concat(places, " "))
    env = game(9, 4, 0, 1, 1)
    env:act(RIGHT)
    assert.equal("9,9", board.places(env, PADDLE))
  end)

  it("sends the ball on from above the paddle, and back from ahead of it", function()
    -- the ball is in 8,4 on its way to 9,5
    assert.equal("8,5 7,6", path(game(4, 8, 4, 1, 1), STAY, STAY))
    assert.equal("8,5 7,4", path(game(5, 8, 4, 1, 1), STAY, STAY))
    assert.equal("8,3 7,2", path(game(4, 8, 4, 1, -1), STAY, STAY))
    assert.equal("8,3 7,4", path(game(3, 8, 4, 1, -1), STAY, STAY))
    -- the paddle moves first
    assert.equal("8,5 7,4", path(game(6, 8, 4, 1, 1), LEFT, STAY))
    assert.equal("9,5", path(game(6, 8, 4, 1, 1), STAY))
    -- in a corner the wall turns it before the paddle does
    assert.equal("8,9 7,8", path(game(9, 8, 9, 1, 1), STAY, STAY))
  end)

  it("turns the ball at the sides and the top", function()
    assert.equal("6,9 7,8", path(game(0, 5, 9, 1, 1), STAY, STAY))
    assert.equal("6,0 7,1", path(game(0, 5, 0, 1, -1), STAY, STAY))
    -- above the bricks: it stays in row 0 and then breaks the one below
    local env = game(0, 0, 5, -1, 1)
    assert.equal(0, env:act(STAY))
    assert.equal("0,6", board.places(env, BALL))
    assert.equal(1, env:act(STAY))
    assert.equal("0,7", board.places(env, BALL))
    assert.equal("#######.##", board.rows(env, BRICKS)[2])
    -- and another one as soon as the top has sent it back
    assert.same({ 0, 1 }, { env:act(STAY), env:act(STAY) })
    assert.equal("0,9", board.places(env, BALL))
    assert.equal("#######.#.", board.rows(env, BRICKS)[2])
  end)

  it("breaks bricks, each for 1", function()
    local env = game(0, 4, 3, -1, 1)
    assert.equal(1, env:act(STAY)) -- 3,4 breaks; the ball goes to 4,4 and falls
    assert.equal("4,4", board.places(env, BALL))
    assert.equal("####.#####", board.rows(env, BRICKS)[4])
    assert.equal(0, env:act(STAY))
    assert.equal("5,5", board.places(env, BALL))
    -- from among them: 1,4 breaks, and the ball passes over the brick in 3,5, which stays
    env = game(0, 2, 3, -1, 1)
    assert.equal(1, env:act(STAY))
    assert.equal("2,4", board.places(env, BALL))
    assert.equal("####.#####", board.rows(env, BRICKS)[2])
    assert.equal(0, env:act(STAY))
    assert.equal("3,5", board.places(env, BALL))
    assert.equal("##########", board.rows(env, BRICKS)[4])
    assert.equal("4,6", path(env, STAY))
  end)

  it("plays a long way as worked out by hand", function()
    -- the ball comes back from the paddle, breaks a brick in the corner and falls
    local env, rewards = game(4, 4, 0, 1, 1), {}
    local frames = { STAY, STAY, STAY, STAY, STAY, STAY, STAY, STAY, STAY, STAY }
    local places = {}
    for i, button in ipairs(frames) do
      rewards[i] = env:act(button)
      places[i] = board.places(env, BALL)
    end
    assert.equal("5,1 6,2 7,3 8,4 8,5 7,6 6,7 5,8 4,9 4,9", table.concat(places, " "))
    assert.same({ 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, rewards)
    assert.equal("#########.", board.rows(env, BRICKS)[4])
    assert.equal("5,8 6,7 7,6", path(env, STAY, STAY, STAY))
  end)

  it("has new bricks when the ball comes down after the last one", function()
    -- a player that is never late: it stands where the ball will come down
    local env, earned, empty = game(4, 4, 0, 1, 1), 0, 0
    for _ = 1, 2000 do
      local ball = tonumber(board.places(env, BALL):match "%d$")
      local paddle = tonumber(board.places(env, PADDLE):match "%d$")
      local button = ball < paddle and LEFT or ball > paddle and RIGHT or STAY
      earned = earned + env:act(button)
      assert.is_false(env:inTerminalState())
      local _, left = table.concat(board.rows(env, BRICKS)):gsub("#", "")
      assert.equal(left % 30, -earned % 30)
      if earned == 30 and left == 0 then empty = empty + 1 end
      if earned == 30 and left == 30 then
        -- the paddle has just sent it back
        assert.equal("8,", board.places(env, BALL):match "^%d,")
        assert.equal("8,", board.places(env, TRAIL):match "^%d,")
        assert.is_true(empty >= 5)
        return
      end
    end
    error(("only %d bricks broken"):format(earned))
  end)

  it("repeats the last action now and then", function()
    local env = deer.env "breakout" { sticky = 0.25, seed = 3 }
    local wrong, n = 0, 0
    env:reset(-1)
    for t = 1, 8000 do
      if env:inTerminalState() then env:reset(-1) end
      local before = board.places(env, PADDLE)
      env:act(t % 2 == 0 and LEFT or RIGHT)
      if before ~= "9,0" and before ~= "9,9" then
        n = n + 1
        local left = board.places(env, PADDLE) < before
        if left ~= (t % 2 == 0) then wrong = wrong + 1 end
      end
    end
    -- w = 0.25 (1 - w), since the last action is a wrong one unless it was repeated itself
    assert.is_true(n > 7000 and math.abs(wrong / n - 0.2) < 0.02, wrong .. " of " .. n)
  end)

  it("refuses wrong options", function()
    raises(function() game(10, 4, 0, 1, 1) end, "'start_state'")
    raises(function() game(4, 9, 0, 1, 1) end, "columns of 0 to 9, a row of 0 to 8")
    raises(function() game(4, 4, -1, 1, 1) end, "columns of 0 to 9, a row of 0 to 8")
    raises(function() game(4, 4, 0, 0, 1) end, "steps of 1 or %-1")
    raises(function() game(4, 4, 0, 1, 2) end, "steps of 1 or %-1")
    raises(function() deer.env "breakout" { sticky = 1.5 } end, "'sticky'")
    raises(function() deer.env "breakout" { actions = "some" } end, "'actions'")
    raises(function() deer.env "breakout" { ramping = true } end, "ramping")
  end)
end)
