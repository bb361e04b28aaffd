--- Learning: the launcher of the toy market reaches the scores it promises. A policy that trades at
--- random loses about one a step; never trading scores 0; the pattern by itself is worth 54.6.
local child = require "child"

local LAUNCHER = "examples/toy_env/run_toy_env.lua"

--- The test scores after each epoch.
local function scores(arguments)
  local status, out, err = child.shell(("%s %s -f -1 %s"):format(child.quote(child.program),
    LAUNCHER, arguments))
  assert.are.equal(0, status, err)
  local list = {}
  for score in out:gmatch "Testing score per episode %(id: 0%) is (%S+)" do
    list[#list + 1] = assert(tonumber(score))
  end
  return list, out
end

local function mean(list, first, last)
  local sum = 0
  for i = first, last do sum = sum + list[i] end
  return sum / (last - first + 1)
end

--- Scores after the last of ten epochs, for some seeds.
local function final_scores(seeds)
  local list = {}
  for i, seed in ipairs(seeds) do
    local run = scores("--seed " .. seed)
    assert.are.equal(10, #run)
    list[i] = run[10]
  end
  return list
end

describe("the toy market #learn", function()
  teardown(child.clean)

  it("is traded well after ten epochs of the shipped launcher", function()
    local list = final_scores { 1, 2, 3 }
    for _, score in ipairs(list) do assert.is_true(score >= 50, "a score of " .. score) end
    assert.is_true(mean(list, 1, 3) >= 54)
  end)

  it("gives the same scores for the same seed", function()
    local _, first = scores "--seed 5 --epochs 2"
    local _, second = scores "--seed 5 --epochs 2"
    assert.are.equal(first, second)
    local _, other = scores "--seed 6 --epochs 2"
    assert.are_not.equal(first, other)
  end)
end)

describe("the toy market at length #long", function()
  teardown(child.clean)

  it("scores at least 50 on each of ten seeds, 54 in the mean", function()
    local list = final_scores { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }
    print(table.concat(list, " "))
    for _, score in ipairs(list) do assert.is_true(score >= 50, "a score of " .. score) end
    assert.is_true(mean(list, 1, 10) >= 54)
  end)

  -- DeeR 0.2 itself with these seeds, which give the same prices and first weights here: the score
  -- after 10 epochs, the means of epochs 11 to 20 and 41 to 50
  local DEER = { [123456] = { 36.1, 48.5, 56.1 }, [1] = { 42.0, 49.9, 53.5 },
    [2] = { 45.8, 55.2, 58.2 } }

  it("follows DeeR 0.2's curve of each seed with its hyper-parameters", function()
    for seed, expected in require("deer").spairs(DEER) do
      local run = scores("--preset deer-0.2 --seed " .. seed)
      assert.are.equal(50, #run)
      local got = { run[10], mean(run, 11, 20), mean(run, 41, 50) }
      local said = ("seed %d: %.1f %.1f %.1f, DeeR %.1f %.1f %.1f"):format(seed, got[1], got[2],
        got[3], table.unpack(expected))
      print(said)
      for k, most in ipairs { 6, 3, 1.5 } do
        assert.is_true(math.abs(got[k] - expected[k]) < most, said)
      end
    end
  end)
end)
