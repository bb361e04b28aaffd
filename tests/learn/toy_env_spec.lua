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

  -- DeeR 0.2 itself, seeds 123456, 1 and 2: 36.1, 42.0 and 45.8 after 10 epochs; 56.1, 53.5 and
  -- 58.2 in the mean of epochs 41 to 50
  it("follows DeeR 0.2's curve with its hyper-parameters", function()
    local tenth = {}
    for i, seed in ipairs { 123456, 1, 2 } do
      local run = scores("--preset deer-0.2 --seed " .. seed)
      print(("seed %d: %s"):format(seed, table.concat(run, " ")))
      assert.are.equal(50, #run)
      tenth[i] = run[10]
      assert.is_true(run[10] > 25 and run[10] < 52, "a score of " .. run[10])
      assert.is_true(mean(run, 41, 50) >= 52 and mean(run, 41, 50) <= 60)
    end
    assert.is_true(mean(tenth, 1, 3) >= 33 and mean(tenth, 1, 3) <= 49)
  end)
end)
