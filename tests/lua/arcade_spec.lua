-- Seaquest and Space Invaders: what is seen from frame to frame obeys the rules.
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

describe("Space Invaders", function()
  local CANNON, ALIENS, TO_LEFT, TO_RIGHT, SHOTS, BOMBS = 1, 2, 3, 4, 5, 6

  it("begins with 24 aliens that go left and turn at the edge", function()
    local env = begin "space_invaders"
    local wave = { "..######..", "..######..", "..######..", "..######..", "..........",
      "..........", "..........", "..........", "..........", ".........." }
    assert.same(wave, board.rows(env, ALIENS))
    assert.same(wave, board.rows(env, TO_LEFT))
    assert.equal("", board.places(env, TO_RIGHT))
    assert.equal("9,5", board.places(env, CANNON))
    -- the cannon keeps away from the bombs in the far corner
    local tops = {}
    for t = 1, 60 do
      env:act(t <= 4 and RIGHT or NOTHING)
      if t % 12 == 0 then tops[#tops + 1] = board.rows(env, ALIENS)[1] end
    end
    assert.same({ ".######...", "######....", "..........", "..........", ".........." }, tops)
    assert.equal("..######..", board.rows(env, ALIENS)[2])
    assert.equal("", board.places(env, TO_LEFT))
  end)

  it("begins as it is told to", function()
    local env = begin("space_invaders", { start_state = { 0, 5, 4, 1 } })
    assert.equal("9,0", board.places(env, CANNON))
    assert.equal("....######", board.rows(env, ALIENS)[9])
    assert.equal(board.places(env, ALIENS), board.places(env, TO_RIGHT))
    -- at the edge they move down, onto the ground
    for _ = 1, 12 do
      assert.is_false(env:inTerminalState())
      env:act(NOTHING)
    end
    assert.is_true(env:inTerminalState())
    raises(function() begin("space_invaders", { start_state = { 9, 6, 0, 1 } }) end, "0 to 5")
    raises(function() begin("space_invaders", { start_state = { 9, 0, 5, 1 } }) end, "0 to 4")
  end)

  it("fires one shot in 5 frames, which hits the lowest alien", function()
    local env, rewards, shots = begin "space_invaders", {}, {}
    for t = 1, 11 do
      rewards[t] = env:act(FIRE)
      shots[t] = board.places(env, SHOTS)
    end
    assert.equal("8,5 7,5 6,5 5,5 4,5 8,5 7,5 6,5 5,5 4,5 8,5",
      table.concat(shots, " "):gsub("3,5 ", ""):gsub("  ", " "))
    assert.same({ 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0 }, rewards)
    assert.equal("..###.##..", board.rows(env, ALIENS)[4])
  end)

  it("drops a bomb every 10 frames from the column nearest to the cannon", function()
    local env, bombs = begin "space_invaders", {}
    for t = 1, 14 do
      env:act(NOTHING)
      bombs[t] = board.places(env, BOMBS)
      assert.is_false(env:inTerminalState())
    end
    assert.equal("4,5 5,5 6,5 7,5 8,5", table.concat(bombs, " "):match "%S.*")
    env:act(NOTHING)
    assert.is_true(env:inTerminalState())
    -- out of the way in time
    env:reset(-1)
    for _ = 1, 14 do env:act(NOTHING) end
    env:act(LEFT)
    assert.equal("9,5", board.places(env, BOMBS))
    env:act(RIGHT)
    assert.is_false(env:inTerminalState())
    -- far to the right the nearest column is the last
    env:reset(-1)
    for t = 1, 10 do env:act(t <= 4 and RIGHT or NOTHING) end
    assert.equal("4,7", board.places(env, BOMBS))
  end)

  -- a player that steps aside from bombs and else shoots what it can
  local function play(env, frames, watch)
    local last = 0
    for t = 1, frames do
      local row_bombs = set(env, BOMBS)
      local _, at = split(board.places(env, CANNON))
      local function danger(column)
        return row_bombs["8," .. column] or row_bombs["7," .. column]
      end
      local columns = board.places(env, ALIENS)
      local target = tonumber(columns:match ",(%d)$") or at
      local button = FIRE
      if danger(at) then
        button = at < 9 and not danger(at + 1) and RIGHT or LEFT
      elseif t % 2 == 0 and target ~= at and not danger(at + (target > at and 1 or -1)) then
        button = target > at and RIGHT or LEFT
      end
      local reward = env:act(button)
      local _, n = set(env, ALIENS)
      watch(t, n, reward, last)
      last = n
      if env:inTerminalState() then return end
    end
  end

  it("pays for each alien and sends a new wave after the last", function()
    local waves, best = 0, 24
    for seed = 1, 10 do
      local earned = 0
      play(begin("space_invaders", { seed = seed }), 1500, function(_, n, reward, last)
        earned = earned + reward
        if last ~= 0 and n > last then
          waves = waves + 1
          assert.equal(24, n)
        end
        assert.equal(n % 24, -earned % 24)
        best = math.min(best, n)
      end)
    end
    assert.is_true(best <= 12, best)
  end)
end)

describe("Seaquest", function()
  local FRONT, BACK, SHOTS, TRAIL, TORPEDOES, FISH, SUBMARINES, OXYGEN, ABOARD, DIVERS =
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10

  it("steers a submarine of two cells", function()
    local env = begin "seaquest"
    assert.equal("0,5", board.places(env, FRONT))
    assert.equal("0,4", board.places(env, BACK))
    env:act(LEFT)
    assert.equal("0,4", board.places(env, FRONT))
    assert.equal("0,5", board.places(env, BACK))
    for _ = 1, 9 do env:act(DOWN) end
    assert.equal("8,4", board.places(env, FRONT))
    for _ = 1, 3 do env:act(LEFT) end
    assert.equal("8,1", board.places(env, FRONT))
    for _ = 1, 3 do env:act(LEFT) end
    assert.equal("8,0 8,1", board.places(env, FRONT) .. " " .. board.places(env, BACK))
  end)

  it("begins as it is told to, and is paid for six divers by its oxygen", function()
    local env = begin("seaquest", { start_state = { 1, 6, -1, 120, 6 } })
    assert.equal("1,6 1,7", board.places(env, FRONT) .. " " .. board.places(env, BACK))
    assert.equal("######....", board.rows(env, OXYGEN)[10])
    assert.equal("######....", board.rows(env, ABOARD)[10])
    assert.equal(6, env:act(UP))
    assert.equal("", board.places(env, ABOARD))
    assert.equal("##########", board.rows(env, OXYGEN)[10])
    env = begin("seaquest", { start_state = { 2, 0, 1, 2, 3 } })
    env:act(NOTHING)
    assert.is_false(env:inTerminalState())
    env:act(NOTHING)
    assert.is_true(env:inTerminalState())
    raises(function() begin("seaquest", { start_state = { 9, 0, 1, 9, 0 } }) end, "a row of 0 to 8")
    raises(function() begin("seaquest", { start_state = { 1, 0, 1, 9, 7 } }) end, "0 to 6 divers")
  end)

  it("fires ahead, once in 5 frames", function()
    local env, shots = begin "seaquest", {}
    for t = 1, 6 do
      env:act(FIRE)
      shots[t] = board.places(env, SHOTS)
    end
    assert.same({ "0,6", "0,7", "0,8", "0,9", "", "0,6" }, shots)
    env:act(LEFT)
    assert.equal("0,7", board.places(env, SHOTS))
  end)

  it("has oxygen for 200 frames under water", function()
    -- seeds of which nothing comes to row 8 in this time are few: the end is found for one of them
    local longest = 0
    for seed = 1, 60 do
      local env = begin("seaquest", { seed = seed, ramping = false })
      for _ = 1, 20 do env:act(NOTHING) end
      assert.equal("##########", board.rows(env, OXYGEN)[10])
      local frames = 0
      repeat
        env:act(DOWN)
        frames = frames + 1
        if not env:inTerminalState() and frames % 20 == 0 then
          local cells = 10 - frames // 20
          assert.equal(("#"):rep(cells) .. ("."):rep(10 - cells), board.rows(env, OXYGEN)[10])
        end
      until env:inTerminalState()
      longest = math.max(longest, frames)
    end
    assert.equal(200, longest)
  end)

  it("ends when the player surfaces without a diver", function()
    local env = begin "seaquest"
    env:act(UP)
    assert.is_false(env:inTerminalState())
    env:act(DOWN)
    assert.is_false(env:inTerminalState())
    env:act(UP)
    assert.is_true(env:inTerminalState())
  end)

  -- a player that goes after divers, and after what it can shoot, and goes up when its oxygen is
  -- low
  local function pilot(env)
    local row, column = split(board.places(env, FRONT))
    local _, back = split(board.places(env, BACK))
    local heading = column - back
    local _, oxygen = set(env, OXYGEN)
    local _, aboard = set(env, ABOARD)
    if aboard > 0 and (oxygen <= 3 or aboard == 6) then return UP end
    local target = board.places(env, DIVERS):match "%d,%d"
    if not target or aboard == 6 then return FIRE end
    local r, c = split(target)
    if r ~= row then return r > row and DOWN or UP end
    if (c > column) == (heading > 0) and env.turn then return FIRE end
    return c > column and RIGHT or LEFT
  end

  it("follows its rules while a player dives, shoots and surfaces", function()
    local hits, dives, surfaced, ends = 0, 0, 0, 0
    local env = begin("seaquest", { seed = 7 })
    for t = 1, 6000 do
      local _, aboard = set(env, ABOARD)
      local _, oxygen = set(env, OXYGEN)
      local row_before = split(board.places(env, FRONT))
      local button = t % 3 == 0 and FIRE or pilot(env)
      if button == UP and row_before == 1 and aboard == 0 then button = FIRE end
      local reward = env:act(button)
      local row = split(board.places(env, FRONT))
      local _, now = set(env, ABOARD)
      local _, bar = set(env, OXYGEN)
      if row == 0 and row_before == 1 then
        surfaced = surfaced + 1
        assert.equal(10, bar)
        if not env:inTerminalState() then
          -- with all six as much as there was oxygen, up to a hit in the same frame
          if aboard == 6 then
            assert.equal(0, now)
            assert.is_true(reward >= oxygen - 1 and reward <= oxygen + 2)
          else
            assert.is_true(now == aboard - 1 or now == aboard)
          end
        end
      else
        assert.is_true(now == aboard or now == aboard + 1)
        if now > aboard then dives = dives + 1 end
        hits = hits + reward
      end
      if env:inTerminalState() then
        ends = ends + 1
        env:reset(-1)
      end
    end
    assert.is_true(hits > 20 and dives > 20 and surfaced > 3 and ends > 3,
      ("%d hits, %d dives, %d times up, %d ends"):format(hits, dives, surfaced, ends))
  end)

  it("lets enemies and divers appear, move and shoot", function()
    local env = begin("seaquest", { seed = 2, ramping = false })
    local before, fish, submarines, torpedoes = {}, 0, 0, 0
    for t = 1, 1500 do
      env:act(NOTHING) -- at the surface nothing happens to the player
      assert.is_false(env:inTerminalState())
      local trail, now, new = set(env, TRAIL), {}, { 0, 0 }
      for kind, channel in ipairs { FISH, SUBMARINES, DIVERS } do
        for place in deer.spairs((set(env, channel))) do
          local row, column = split(place)
          assert.is_true(row >= 1 and row <= 8)
          now[kind .. place] = true
          local left = trail[("%d,%d"):format(row, column - 1)]
          local right = trail[("%d,%d"):format(row, column + 1)]
          local known = before[kind .. place]
            or t % 5 == 0 and (left and before[("%d%d,%d"):format(kind, row, column - 1)]
              or right and before[("%d%d,%d"):format(kind, row, column + 1)])
          if not known then
            assert.is_true(column == 0 or column == 9)
            local which = channel == DIVERS and 2 or 1
            new[which] = new[which] + 1
          end
        end
      end
      assert.is_true(new[1] == 0 or t % 20 == 0 and new[1] == 1)
      assert.is_true(new[2] == 0 or t % 30 == 0 and new[2] == 1)
      fish = fish + select(2, set(env, FISH))
      submarines = submarines + select(2, set(env, SUBMARINES))
      torpedoes = torpedoes + select(2, set(env, TORPEDOES))
      before = now
    end
    assert.is_true(submarines > 0.2 * fish and submarines < 0.9 * fish,
      ("%d fish, %d submarines"):format(fish, submarines))
    assert.is_true(torpedoes > 50)
  end)
end)
