-- Space Invaders: its rules, worked out by hand frame by frame, and games played with MinAtar
-- itself.
local board = require "board"
local deer = require "deer"
local golden = require("golden").read "minatar_space_invaders"
local raises = require "raises"

local NOTHING, LEFT, RIGHT, FIRE = 0, 1, 3, 5
local CANNON, ALIENS, TO_LEFT, TO_RIGHT, SHOTS, BOMBS = 1, 2, 3, 4, 5, 6

local function begin(options)
  local env = deer.env "space_invaders" (board.calm(options))
  env:reset(-1)
  return env
end

-- the rows of a channel as hexadecimal numbers, bit 0 for column 0; those below the last are left
-- out, as in the golden games
local function aliens(env)
  local rows = {}
  for r, row in ipairs(board.rows(env, ALIENS)) do
    local bits = tonumber(row:reverse():gsub(".", { ["#"] = 1, ["."] = 0 }), 2)
    rows[r] = bits > 0 and ("%x"):format(bits) or ""
  end
  return (table.concat(rows, "."):gsub("%.+$", ""))
end

-- a frame as the golden games tell it
local function frame(env, last_aliens)
  local now, to_left = aliens(env), board.places(env, TO_LEFT)
  -- each alien is marked as one on its way
  assert.equal(board.places(env, ALIENS), to_left .. board.places(env, TO_RIGHT))
  local function cells(channel)
    return (board.places(env, channel):gsub(",", ""):gsub(" ", ","))
  end
  return board.places(env, CANNON):sub(3) .. (to_left ~= "" and "<" or ">")
    .. (now ~= last_aliens and now or "") .. "/" .. cells(SHOTS) .. "/" .. cells(BOMBS), now
end

describe("Space Invaders", function()
  it("is the game of MinAtar, frame by frame", function()
    for n, played in ipairs(golden.space_invaders) do
      local env = begin { ramping = played.ramping }
      local rewards, expected, now = {}, played.frames:gmatch "%S+", nil
      for t = 1, #played.actions do
        assert.is_false(env:inTerminalState())
        local reward = env:act(tonumber(played.actions:sub(t, t)))
        if reward > 0 then
          rewards[#rewards + 1] = reward > 1 and ("%d:%d"):format(t, reward) or t
        end
        local seen
        seen, now = frame(env, now)
        assert.equal(expected(), seen, ("game %d, frame %d"):format(n, t))
      end
      assert.is_nil(expected())
      assert.equal(played.rewarded, table.concat(rewards, " "))
      assert.equal(played.ends, env:inTerminalState())
    end
  end)

  it("begins with 24 aliens that go left, first in frame 13, and turn at the edge", function()
    local env = begin()
    local wave = { "..######..", "..######..", "..######..", "..######..", "..........",
      "..........", "..........", "..........", "..........", ".........." }
    assert.same(wave, board.rows(env, ALIENS))
    assert.same(wave, board.rows(env, TO_LEFT))
    assert.equal("", board.places(env, TO_RIGHT))
    assert.equal("9,5", board.places(env, CANNON))
    -- the cannon keeps away from the bombs in the far corner
    local tops = {}
    for t = 1, 49 do
      env:act(t <= 4 and RIGHT or NOTHING)
      if t % 12 < 2 then tops[#tops + 1] = board.rows(env, ALIENS)[1] end
    end
    assert.same({ "..######..", "..######..", ".######...", ".######...", "######....",
      "######....", "..........", "..........", ".........." }, tops)
    assert.equal(".######...", board.rows(env, ALIENS)[2])
    assert.equal("", board.places(env, TO_LEFT))
  end)

  it("begins as it is told to, and ends when an alien is on the cannon", function()
    local env = begin { start_state = { 0, 5, 4, 1 } }
    assert.equal("9,0", board.places(env, CANNON))
    assert.equal("....######", board.rows(env, ALIENS)[9])
    assert.equal(board.places(env, ALIENS), board.places(env, TO_RIGHT))
    -- at the edge they move down, onto the ground, and then over it
    for t = 1, 61 do
      assert.is_false(env:inTerminalState())
      env:act(NOTHING)
      if t == 13 then assert.equal("....######", board.rows(env, ALIENS)[10]) end
    end
    assert.is_true(env:inTerminalState())
    assert.equal("######....", board.rows(env, ALIENS)[10])
    raises(function() begin { start_state = { 9, 6, 0, 1 } } end, "0 to 5")
    raises(function() begin { start_state = { 9, 0, 0, 0 } } end, "step of 1 or %-1")
    raises(function() begin { start_state = { 9, 0, 5, 1 } } end, "0 to 4")
  end)

  it("fires one shot in 5 frames, which hits the lowest alien", function()
    local env, rewards, shots = begin(), {}, {}
    for t = 1, 11 do
      rewards[t] = env:act(FIRE)
      shots[t] = board.places(env, SHOTS)
    end
    assert.equal("8,5 7,5 6,5 5,5 4,5 8,5 7,5 6,5 5,5 4,5 3,5 8,5", table.concat(shots, " "))
    assert.same({ 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0 }, rewards)
    assert.equal("..###.##..", board.rows(env, ALIENS)[4])
  end)

  it("drops a bomb every 10 frames from the column nearest to the cannon", function()
    local env, bombs = begin(), {}
    for t = 1, 16 do
      env:act(NOTHING)
      bombs[t] = board.places(env, BOMBS)
      assert.is_false(env:inTerminalState())
    end
    assert.equal("3,5 4,5 5,5 6,5 7,5 8,5", table.concat(bombs, " "):match "%S.*")
    env:act(NOTHING)
    assert.is_true(env:inTerminalState())
    -- out of the way in time
    env:reset(-1)
    for _ = 1, 16 do env:act(NOTHING) end
    env:act(LEFT)
    assert.equal("9,5", board.places(env, BOMBS))
    env:act(RIGHT)
    assert.is_false(env:inTerminalState())
    -- far to the right the nearest column is the last
    env:reset(-1)
    for t = 1, 11 do env:act(t <= 4 and RIGHT or NOTHING) end
    assert.equal("3,7", board.places(env, BOMBS))
  end)
end)
