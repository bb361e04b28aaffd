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

  -- DeeR 0.2 itself (its agent, controllers and pendulum; its network in numpy) with 20 seeds: the
  -- scores from one epoch to another, their mean and deviation from seed to seed. Single seeds
  -- say little: after 50 epochs some balance the pole, others still spin it.
  local DEER = { { 1, 10, -4368, 837 }, { 11, 20, -1985, 446 }, { 21, 50, -1701, 393 },
    { 51, 100, -938, 375 } }
  local SEEDS = 20

  it("the pole on a cart follows DeeR's curves with its hyper-parameters", function()
    local sums = { 0, 0, 0, 0 }
    for seed = 1, SEEDS do
      local _, scores = launch("pendulum_cart", seed, "--preset", "deer-0.2", "-e", "100")
      for i, block in ipairs(DEER) do sums[i] = sums[i] + mean(scores, block[1], block[2]) end
    end
    for i, block in ipairs(DEER) do
      local first, last, expected, deviation = table.unpack(block)
      local got, of_means = sums[i] / SEEDS, deviation * math.sqrt(1 / 20 + 1 / SEEDS)
      local said = ("epochs %d to %d: %.0f, DeeR %.0f, %.1f standard errors apart"):format(first,
        last, got, expected, (got - expected) / of_means)
      print(said)
      assert.is_true(math.abs(got - expected) < 3 * of_means, said)
    end
  end)
end)
