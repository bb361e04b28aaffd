--- Learning: the launchers of DeeR's tasks reach what they promise, with their own parameters and,
--- where DeeR's runs are known, with DeeR's.
local child = require "child"
local lfs = require "lfs"

local HERE = lfs.currentdir()

--- Runs a launcher; returns the mean return at the end and the scores of the test epochs.
local function launch(name, seed, ...)
  local script = ("%s/examples/%s/run_%s.lua"):format(HERE, name, name)
  local status, out, err = child.run({ script, "-f", "-1", "--seed", tostring(seed), ... },
    { cwd = child.folder(), before = "timeout 900" })
  assert.equal(0, status, err)
  local scores = {}
  for score in out:gmatch "Testing score per episode %(id: 0%) is (%S+)" do
    scores[#scores + 1] = assert(tonumber(score))
  end
  local mean = out:match "The policy learnt: a mean return of (%S+) over %d+ episode"
  return assert(tonumber(mean)), scores
end

local function mean(list, first, last)
  local sum = 0
  for i = first, last do sum = sum + list[i] end
  return sum / (last - first + 1)
end

describe("DeeR's tasks #learn", function()
  after_each(child.clean)

  it("a block is caught after three epochs, seen as pixels", function()
    assert.is_true(launch("catcher", 1, "-e", "3") >= 0.95)
  end)

  it("a car is out of its valley after two epochs, by pushes of any strength", function()
    assert.is_true(launch("mountain_car_continuous", 1, "-e", "2") >= 0.85)
  end)

  -- one that hangs scores about -3000 or less
  it("a pole on a cart is swung up now and then after six epochs", function()
    assert.is_true(launch("pendulum_cart", 1, "-e", "6") >= -1000)
  end)
end)

describe("DeeR's tasks at length #long", function()
  after_each(child.clean)

  local GOALS = { cartpole = 475, catcher = 0.95, mountain_car = -110,
    mountain_car_continuous = 0.9, pendulum_cart = -150 }
  for name, goal in require("deer").spairs(GOALS) do
    it(name .. " is solved on each of five seeds", function()
      local reached = {}
      for seed = 1, 5 do reached[seed] = launch(name, seed) end
      print(("%s: %s"):format(name, table.concat(reached, " ")))
      for _, score in ipairs(reached) do assert.is_true(score >= goal, "a score of " .. score) end
    end)
  end

  -- DeeR 0.2 itself, seeds 12345, 1 and 2: -2202, -1819 and -2099 in the mean of epochs 11 to 20,
  -- -781, -1321 and -965 from 41 to 50, -408, -543 and -477 from 91 to 100; DeeR 0.3, which differs
  -- little here, reaches -829 and -667 there
  it("the pole on a cart follows DeeR's curve with its hyper-parameters", function()
    local sums = { 0, 0, 0 }
    for _, seed in ipairs { 12345, 1, 2 } do
      local _, scores = launch("pendulum_cart", seed, "--preset", "deer-0.2", "-e", "100")
      local parts = { mean(scores, 11, 20), mean(scores, 41, 50), mean(scores, 91, 100) }
      print(("seed %d: %.0f %.0f %.0f"):format(seed, table.unpack(parts)))
      for i, part in ipairs(parts) do sums[i] = sums[i] + part / 3 end
      assert.is_true(parts[3] > -829 and parts[3] < -350, "epochs 91 to 100: " .. parts[3])
    end
    assert.is_true(sums[1] > -2300 and sums[1] < -1700, "epochs 11 to 20: " .. sums[1])
    assert.is_true(sums[2] > -1619 and sums[2] < -700, "epochs 41 to 50: " .. sums[2])
  end)
end)
