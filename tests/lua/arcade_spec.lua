-- What all games on a board share.
local board = require "board"
local deer = require "deer"

local function begin(name, options)
  local env = deer.env(name)(options or {})
  env:reset(-1)
  return env
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
    local env = begin("space_invaders", { actions = "minimal", sticky = 0 })
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
