--- Learning: the micro-grid is run better than by the best rule of two thresholds, and hydrogen is
--- stored in summer for the winter.
local lfs = require "lfs"

local child = require "child"
local deer = require "deer"
local sys = require "deer.sys"

local STEPS = 8759
local here = lfs.currentdir()
local LAUNCHER = here .. "/examples/mg_two_storages/run_mg_two_storages.lua"
-- DeeR's data are not part of this program
local DATA = os.getenv "DEERLUA_MG_DATA" or here .. "/../shared/spec/data"

-- hydrogen is used when the battery is low, made when it is nearly full
local function two_thresholds(env, mode)
  env:reset(mode)
  local total = 0
  while not env:isTruncated() do
    local level = env:observe()[1]
    total = total + env:act(level < 0.45 and 0 or level > 0.95 and 2 or 1)
  end
  return total
end

-- hydrogen made less used, in steps, from hour `first` on
local function made(actions, first, hours)
  local n = 0
  for i = first + 1, first + hours do n = n + actions[i] - 1 end
  return n
end

describe("the micro-grid #learn", function()
  it("stores hydrogen in summer after eight years", function()
    local preset = deer.preset "mg_two_storages/dqn"
    local agent = preset:agent{ seed = 1 }
    agent:run(8, STEPS)
    agent:startMode(1, STEPS)
    agent:run(1, STEPS)
    local score = agent:totalRewardOverLastTest()
    local rule = two_thresholds(deer.env "mg_two_storages" { seed = 1 }, 1)
    assert.is_true(score > rule + 50, ("%.1f; two thresholds: %.1f"):format(score, rule))
    local actions = agent:testDataset():actions()
    assert.is_true(made(actions, 0, 1440) < -500)
    assert.is_true(made(actions, 3600, 1440) > 100)
  end)
end)

describe("the micro-grid at length #long", function()
  teardown(child.clean)

  it("scores above -209.7 on DeeR's test year, with each of three seeds", function()
    if not sys.listdir(DATA) then return pending "the data are not there" end
    for seed = 1, 3 do
      local began = sys.time()
      local status, out, err = child.run({ LAUNCHER, "--data-dir", DATA, "--seed", tostring(seed) },
        { cwd = child.folder(), before = "timeout 600" })
      assert.are.equal(0, status, err)
      local best, score = out:match "score (%S+)\nTest score of this neural net: (%S+)\n"
      print(("seed %d: validation %s, test %s, in %.0f s"):format(seed, best, score,
        sys.time() - began))
      assert.is_true(tonumber(score) > -209.7)
    end
  end)
end)
