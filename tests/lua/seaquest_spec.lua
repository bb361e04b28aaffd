-- Seaquest: games played with MinAtar itself, rules worked out by hand, and how often what happens
-- by chance does.
local board = require "board"
local deer = require "deer"
local golden = require("golden").read "minatar_seaquest"
local raises = require "raises"

local NOTHING, LEFT, UP, RIGHT, DOWN, FIRE = 0, 1, 2, 3, 4, 5
local FRONT, BACK, SHOTS, TRAIL, TORPEDOES, FISH, SUBMARINES, OXYGEN, ABOARD, DIVERS =
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10

local function begin(options)
  local given = board.calm(options)
  given.seed = given.seed or 1
  local env = deer.env "seaquest" (given)
  env:reset(-1)
  return env
end

-- the beginning of a game: row, column, heading, oxygen, divers aboard, and who is in which row
local function state(player, rows)
  for row = 1, 8 do player[5 + row] = rows and rows[row] or 0 end
  return player
end

local function act(env, ...)
  local reward
  for _, button in ipairs { ... } do reward = env:act(button) end
  return reward
end

describe("Seaquest", function()
  it("is the game of MinAtar, frame by frame", function()
    for n, played in ipairs(golden.seaquest) do
      local env = begin { start_state = played.start_state, ramping = played.ramping }
      local expected, rewards, frames = {}, {}, played.frames:gmatch "%S+"
      for t = 1, #played.actions do
        assert.is_false(env:inTerminalState())
        local reward = env:act(tonumber(played.actions:sub(t, t)))
        if reward ~= 0 then rewards[#rewards + 1] = ("%d:%d"):format(t, reward) end
        local channel = 0
        for cells in (frames() .. "/"):gmatch "([^/]*)/" do
          channel = channel + 1
          if cells ~= "" and cells ~= "." then expected[channel] = cells:gsub("-", "") end
        end
        for c = FRONT, DIVERS do
          assert.equal(expected[c] or "", (board.places(env, c):gsub("[, ]", "")),
            ("game %d, frame %d, channel %d"):format(n, t, c))
        end
      end
      assert.is_nil(frames())
      assert.equal(played.rewarded, table.concat(rewards, " "))
      assert.equal(played.ends, env:inTerminalState())
    end
  end)

  it("steers a submarine of two cells", function()
    local env = begin()
    assert.equal("0,5 0,6", board.places(env, FRONT) .. " " .. board.places(env, BACK))
    act(env, RIGHT)
    assert.equal("0,6 0,5", board.places(env, FRONT) .. " " .. board.places(env, BACK))
    for _ = 1, 9 do act(env, DOWN) end
    assert.equal("8,6", board.places(env, FRONT))
    act(env, RIGHT, RIGHT, RIGHT, RIGHT)
    assert.equal("8,9 8,8", board.places(env, FRONT) .. " " .. board.places(env, BACK))
  end)

  it("begins as it is told to", function()
    -- a fish that moves in its next frame, a submarine that does and fires, a diver just arrived
    local env = begin { start_state = state({ 4, 0, -1, 41, 2 }, { 105, -254, [8] = -300 }) }
    assert.equal("4,0", board.places(env, FRONT))
    assert.equal("4,1", board.places(env, BACK))
    assert.equal("##........", board.rows(env, OXYGEN)[10])
    assert.equal(".......##.", board.rows(env, ABOARD)[10])
    local function seen()
      return table.concat({ board.places(env, FISH), board.places(env, SUBMARINES),
        board.places(env, DIVERS), board.places(env, TRAIL), board.places(env, TORPEDOES) }, "|")
    end
    assert.equal("1,0|2,0|8,9|2,1|", seen())
    act(env, NOTHING)
    assert.equal("1,1|2,0|8,9|1,0 2,1|", seen())
    raises(function() begin { start_state = state { 9, 0, 1, 9, 0 } } end, "a row of 0 to 8")
    raises(function() begin { start_state = state { 1, 0, 0, 9, 0 } } end, "heading of 1 or %-1")
    raises(function() begin { start_state = state { 1, 0, 2, 9, 0 } } end, "heading of 1 or %-1")
    raises(function() begin { start_state = state { 1, 0, 1, 9, 7 } } end, "0 to 6 divers")
    raises(function() begin { start_state = state { 1, 0, 1, 201, 0 } } end, "1 to 200 frames")
    raises(function() begin { start_state = state({ 1, 0, 1, 9, 0 }, { 160 }) } end, "0 to 59")
    raises(function() begin { start_state = state({ 1, 0, 1, 9, 0 }, { -5 }) } end, "0 to 59")
    raises(function() begin { start_state = { 1, 0, 1, 9, 0 } } end, "'start_state'")
  end)

  it("fires ahead, once in 5 frames", function()
    local env, shots = begin(), {}
    for t = 1, 6 do
      act(env, FIRE)
      shots[t] = board.places(env, SHOTS)
    end
    assert.same({ "0,4", "0,3", "0,2", "0,1", "0,0", "0,4" }, shots)
    act(env, RIGHT)
    assert.equal("0,3", board.places(env, SHOTS))
  end)

  it("has oxygen for 200 frames under water", function()
    local env = begin { start_state = state { 8, 5, 1, 20, 1 } }
    act(env, NOTHING)
    for t = 2, 20 do
      act(env, NOTHING)
      assert.equal("", board.places(env, OXYGEN), t)
    end
    assert.is_false(env:inTerminalState())
    act(env, NOTHING)
    assert.is_true(env:inTerminalState())
    -- even on the way up
    env = begin { start_state = state { 1, 5, 1, 1, 1 } }
    act(env, NOTHING, UP)
    assert.is_true(env:inTerminalState())
    env = begin { start_state = state { 1, 5, 1, 1, 1 } }
    act(env, UP)
    assert.is_false(env:inTerminalState())
    assert.equal("##########", board.rows(env, OXYGEN)[10])
  end)

  it("is paid for six divers by its oxygen, and owes one then", function()
    local env = begin { start_state = state({ 1, 8, -1, 120, 6 }, { 0, -300, -300, -300 }) }
    assert.equal(6, act(env, UP))
    assert.equal("", board.places(env, ABOARD))
    -- nobody aboard, and yet it may surface
    assert.equal(0, act(env, DOWN, UP))
    assert.is_false(env:inTerminalState())
    -- of three divers it takes up it owes two
    act(env, DOWN, NOTHING, NOTHING)
    for row = 2, 4 do
      act(env, DOWN)
      assert.equal(4 - row, select(2, board.places(env, DIVERS):gsub(",", "")))
      assert.equal(row == 4 and "9,8" or "", board.places(env, ABOARD))
    end
    -- with none, neither owing one, surfacing ends it
    env = begin { start_state = state { 1, 6, -1, 120, 1 } }
    act(env, UP, DOWN)
    assert.is_false(env:inTerminalState())
    act(env, UP)
    assert.is_true(env:inTerminalState())
  end)

  it("lets a submarine fire that moves onto a shot", function()
    local env = begin { start_state = state({ 1, 7, -1, 200, 6 }, { 202 }) }
    act(env, UP, DOWN, UP, DOWN, FIRE, NOTHING, NOTHING)
    assert.equal("1,1 1,4", board.places(env, SUBMARINES) .. " " .. board.places(env, SHOTS))
    act(env, NOTHING)
    assert.equal("1,1 1,3", board.places(env, SUBMARINES) .. " " .. board.places(env, SHOTS))
    assert.equal(1, act(env, LEFT))
    assert.equal("", board.places(env, SUBMARINES) .. board.places(env, SHOTS))
    assert.equal("1,3", board.places(env, TORPEDOES))
  end)

  -- Tells `watch` who appears in `frames` frames at the surface, in which row and from which side,
  -- 1 or 2. They are known by the trail that they do not have yet.
  local function arrivals(env, frames, watch)
    local before = {}
    for t = 1, frames do
      act(env, NOTHING)
      assert.is_false(env:inTerminalState())
      local now, trail = {}, board.rows(env, TRAIL)
      for _, channel in ipairs { FISH, SUBMARINES, DIVERS } do
        local rows = board.rows(env, channel)
        for row = 1, 8 do
          for side, edge in ipairs { 1, 10 } do
            local here = rows[row + 1]:sub(edge, edge) == "#"
            local from = side == 1 and 2 or 9 -- where one that leaves comes from
            local key = ("%d %d %d"):format(channel, row, side)
            now[key] = here and trail[row + 1]:sub(from, from) ~= "#"
            if now[key] and not before[key] then watch(t, channel, row, side) end
          end
        end
      end
      before = now
    end
  end

  it("lets enemies and divers appear by chance, where no enemy comes against them", function()
    local kinds, rows, sides = {}, {}, {}
    local here = {} -- enemies of the last 60 frames: { frame, row, side }
    arrivals(begin { ramping = false, seed = 3 }, 12000, function(t, channel, row, side)
      local key = channel == DIVERS and DIVERS or FISH
      assert.equal(1, channel == DIVERS and t % 30 or t % 20)
      assert.is_true(t > 20)
      kinds[channel] = (kinds[channel] or 0) + 1
      rows[key], sides[key] = rows[key] or { 0, 0, 0, 0, 0, 0, 0, 0 }, sides[key] or { 0, 0 }
      rows[key][row], sides[key][side] = rows[key][row] + 1, sides[key][side] + 1
      if channel == DIVERS then return end
      for i = #here, 1, -1 do
        if t - here[i].t >= 60 then table.remove(here, i) end
      end
      for _, other in ipairs(here) do assert.is_false(other.row == row and other.side ~= side) end
      here[#here + 1] = { t = t, row = row, side = side }
    end)
    -- Of 599 chances for an enemy and 399 for a diver. MinAtar: 89.1 % of 34999, 33.3 % of them
    -- submarines, and all of 23333. A diver is overlooked where one leaves as another comes.
    local enemies = kinds[FISH] + kinds[SUBMARINES]
    assert.is_true(math.abs(enemies / 599 - 0.891) < 4 * 0.0128, enemies)
    assert.is_true(math.abs(kinds[SUBMARINES] / enemies - 1 / 3) < 4 * 0.0204)
    assert.is_true(kinds[DIVERS] > 385, kinds[DIVERS])
    for key, n in deer.spairs { [FISH] = enemies, [DIVERS] = kinds[DIVERS] } do
      assert.is_true(math.abs(sides[key][1] - n / 2) < 4 * math.sqrt(n / 4))
      for row = 1, 8 do
        assert.is_true(math.abs(rows[key][row] - n / 8) < 4 * math.sqrt(n * 7 / 64))
      end
    end
  end)

  it("becomes harder every time that the player surfaces", function()
    -- owing divers it does so at will; 7 times make 13 frames from enemy to enemy after the one
    -- that was under way
    local buttons = { UP, DOWN, UP, DOWN, UP, DOWN, UP, DOWN, UP, DOWN, UP, DOWN, UP }
    local function watch(ramping)
      local function start(rows)
        return begin { start_state = state({ 1, 5, 1, 200, 6 }, rows), ramping = ramping, seed = 4 }
      end
      local env = start { [8] = 100 }
      local moved, appeared = {}, {}
      for t = 1, 33 do
        local last = board.places(env, FISH):match "8,%d"
        act(env, buttons[t] or NOTHING)
        if board.places(env, FISH):match "8,%d" ~= last then moved[#moved + 1] = t end
      end
      env = start()
      act(env, table.unpack(buttons))
      arrivals(env, 120 - #buttons, function(t, channel)
        if channel ~= DIVERS then appeared[#appeared + 1] = t + #buttons end
      end)
      return table.concat(moved, " "), table.concat(appeared, " ")
    end
    local moved, appeared = watch(true)
    -- 5 frames for a cell after the second time, 4 after the fourth, 3 after the sixth
    assert.equal("6 11 15 18 21 24 27 30 33", moved)
    assert.equal("21 34 47 60 73 86 99 112", appeared)
    moved, appeared = watch(false)
    assert.equal("6 12 18 24 30", moved)
    assert.equal("21 41 61 81 101", appeared)
  end)
end)
