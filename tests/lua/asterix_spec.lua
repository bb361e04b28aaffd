-- Asterix: its rules, worked out by hand cell by cell.
local board = require "board"
local deer = require "deer"
local golden = require("golden").read "minatar_asterix"
local raises = require "raises"

local STAY, LEFT, UP, RIGHT, DOWN, FIRE = 0, 1, 2, 3, 4, 5
local PLAYER, ENEMIES, TRAIL, TREASURES = 1, 2, 3, 4
local KIND = { r = 1, l = -1, R = 2, L = -2 }

-- What is seen, as text: row and column of the player, then of rows 1 to 8 what is there and its
-- column: nothing, an enemy on its way to the right (r) or left (l), a treasure (R, L).
local function seen(env)
  local enemies, treasures = board.rows(env, ENEMIES), board.rows(env, TREASURES)
  local trail = board.rows(env, TRAIL)
  local text = { (board.places(env, PLAYER):gsub(",", "")) }
  for row = 1, 8 do
    local enemy, treasure = enemies[row + 1]:find "#", treasures[row + 1]:find "#"
    local at = enemy or treasure
    local letter = "."
    if at then
      local right = trail[row + 1]:sub(at - 1, at - 1) == "#" and at > 1
      -- the trail of what has just appeared lies beyond the edge
      if not trail[row + 1]:find "#" then right = at == 1 end
      letter = (right and "r" or "l") .. at - 1
      if treasure then letter = letter:upper() end
    end
    text[row + 1] = letter
  end
  return table.concat(text)
end

-- a game that begins as such a text says, after some frames
local function game(text, frames, options)
  local state = { tonumber(text:sub(1, 1)), tonumber(text:sub(2, 2)) }
  local row = 0
  for kind, column in text:sub(3):gmatch "([.%a])(%d?)" do
    row = row + 1
    state[2 + row], state[10 + row] = KIND[kind] or 0, tonumber(column) or 0
  end
  state[19] = frames
  local given = board.calm(options)
  given.start_state = state
  local env = deer.env "asterix" (given)
  env:reset(-1)
  return env
end

-- of a text from `seen`: the player, and a list of what is in rows 1 to 8
local function parts(text)
  local rows = {}
  for thing in text:sub(3):gmatch "[.%a]%d?" do rows[#rows + 1] = thing end
  return text:sub(1, 2), rows
end

local function after(env, ...)
  local reward
  for _, button in ipairs { ... } do reward = env:act(button) end
  return seen(env), reward, env:inTerminalState()
end

describe("Asterix", function()
  it("is the game of MinAtar, frame by frame", function()
    for n, played in ipairs(golden.asterix) do
      local options = { ramping = played.ramping }
      local last, drawn, t = "55........", {}, 0
      local env = game(last, 0, options)
      for frame in played.drawn:gmatch "%d+" do drawn[tonumber(frame)] = true end
      for frame in played.frames:gmatch "%S+" do
        t = t + 1
        local where = ("game %d, frame %d"):format(n, t)
        assert.is_false(env:inTerminalState(), where)
        local reward = env:act(tonumber(played.actions:sub(t, t)))
        if drawn[t] then
          -- here something else appeared: only rows that were free may differ
          local was, before = parts(seen(env)), select(2, parts(last))
          local now, rows = parts(frame)
          assert.equal(now, was, where)
          for row, thing in ipairs(select(2, parts(seen(env)))) do
            if thing ~= rows[row] then assert.equal(".", before[row], where) end
          end
          if t < #played.actions then env = game(frame, t, options) end
        else
          assert.equal(tonumber(played.rewards:sub(t, t)), reward, where)
          assert.equal(played.ends and t == #played.actions, env:inTerminalState(), where)
        end
        if not drawn[t] or t < #played.actions then assert.equal(frame, seen(env), where) end
        last = frame
      end
      assert.equal(#played.actions, t)
    end
  end)

  it("lets the player move in rows 1 to 8", function()
    local env = deer.env "asterix" { sticky = 0 }
    env:reset(-1)
    assert.equal("5,5", board.places(env, PLAYER))
    for _, button in ipairs { UP, LEFT, LEFT, DOWN, RIGHT, FIRE, STAY } do env:act(button) end
    assert.equal("5,4", board.places(env, PLAYER))
    local corners = { [UP] = "^1,", [DOWN] = "^8,", [LEFT] = ",0$", [RIGHT] = ",9$" }
    for button, corner in deer.spairs(corners) do
      env:reset(-1)
      for _ = 1, 9 do env:act(button) end
      assert.truthy(board.places(env, PLAYER):match(corner))
    end
  end)

  it("shows enemies, treasures and where they come from", function()
    local env = game("34..r2.L6...", 0)
    assert.equal("3,4", board.places(env, PLAYER))
    assert.equal("3,2", board.places(env, ENEMIES))
    assert.equal("5,6", board.places(env, TREASURES))
    assert.equal("3,1 5,7", board.places(env, TRAIL))
    assert.equal("", board.places(game("34r0L9......", 0), TRAIL))
  end)

  it("moves things in every fifth frame, and lets them leave", function()
    local env = game("88r2L8l0R9....", 0)
    for _ = 1, 5 do assert.equal("88r2L8l0R9....", (after(env, STAY))) end
    for _ = 1, 4 do assert.equal("88r3L7......", (after(env, STAY))) end
    assert.equal("88r3L7......", (after(env, STAY)))
    -- in frame 11 something appears as well, and moves at once
    local text = after(env, STAY)
    assert.equal("88r4L6", text:sub(1, 6))
    assert.truthy(text:match "[rR]1" or text:match "[lL]8")
  end)

  it("pays for a treasure and ends with an enemy, whoever comes", function()
    local function check(expected, reward, over, ...)
      assert.same({ expected, reward, over }, { after(...) })
    end
    -- the player steps on it
    check("45........", 1, false, game("35...R5....", 0), DOWN)
    check("45...r5....", 0, true, game("35...r5....", 0), DOWN)
    -- it steps on the player; an enemy in the next cell may be passed, when both step
    check("45........", 1, false, game("45...R4....", 5), STAY)
    check("45...r5....", 0, true, game("45...r4....", 5), STAY)
    check("45...l5....", 0, true, game("45...l6....", 5), STAY)
    check("44...r4....", 0, true, game("45...r4....", 0), LEFT)
    check("44...r5....", 0, true, game("45...r4....", 5), LEFT)
    check("46...r5....", 0, false, game("45...r4....", 5), RIGHT)
    check("35...r5....", 0, false, game("45...r4....", 5), UP)
  end)

  -- the frames in which the text changes, of a game that begins with it in the frame before
  local function changes(text, from, to, options)
    local at = {}
    for t = from, to do
      if after(game(text, t - 1, options), STAY) ~= text then at[#at + 1] = t end
    end
    return table.concat(at, " ")
  end

  it("becomes harder after every 102 frames", function()
    local hard, even = { ramping = true }, { ramping = false }
    -- something appears
    local empty = "85........"
    assert.equal("11 21 31", changes(empty, 1, 33, hard))
    assert.equal("101 111 120 129", changes(empty, 98, 130, hard))
    assert.equal("201 210 218 226", changes(empty, 196, 228, hard))
    assert.equal("811 814 817 819", changes(empty, 810, 820, hard))
    assert.equal("915 917 919 920 921 922", changes(empty, 915, 922, hard))
    assert.equal("5001 5002 5003", changes(empty, 5001, 5003, hard))
    assert.equal("911 921", changes(empty, 911, 922, even))
    -- all move; there is no room for more
    local full = "85r2l2R2L2r2r2r2r2"
    assert.equal("6 11 16", changes(full, 1, 20, hard))
    assert.equal("201 206 210 214", changes(full, 200, 216, hard))
    assert.equal("814 816 818 819 820", changes(full, 813, 820, hard))
    assert.equal("811 816 821", changes(full, 810, 822, even))
  end)

  it("draws free rows, sides and kinds", function()
    local counts, p, n = {}, {}, 3000
    local env = game("60.r4r4.r4r4r4.", 10, { seed = 5 })
    for _ = 1, n do
      env:reset(-1)
      local _, rows = parts((after(env, STAY)))
      for row, thing in ipairs(rows) do
        if thing ~= "r5" and thing ~= "." then
          counts[row] = (counts[row] or 0) + 1
          counts[thing] = (counts[thing] or 0) + 1
        end
      end
    end
    p[1], p[4], p[8], p.r1, p.l8, p.R1, p.L8 = 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 6, 1 / 6
    for what, count in deer.spairs(counts) do
      local spread = math.sqrt(p[what] * (1 - p[what]) * n)
      assert.is_true(math.abs(count - p[what] * n) < 4 * spread, what .. ": " .. count)
    end
  end)

  it("refuses wrong options", function()
    local function refuses(text, frames, message)
      raises(function() game(text, frames) end, message)
    end
    refuses("04........", 0, "expected a row of 1 to 8")
    refuses("94........", 0, "expected a row of 1 to 8")
    refuses("44........", -1, "frames of 0 to 10000")
    refuses("44........", 10001, "'start_state'")
    local state = { 1, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
    local function begin()
      local env = deer.env "asterix" { start_state = state }
      env:reset(-1)
    end
    raises(begin, "things of %-2 to 2")
    state[3], state[11] = 1, 10
    raises(begin, "columns of 0 to 9")
    state[11], state[2] = 9, -1
    raises(begin, "columns of 0 to 9")
  end)
end)
