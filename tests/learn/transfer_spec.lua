-- What two networks have learnt on easier hills helps on the real one, and what a network could do
-- is not forgotten.
local Judge = require "deer.judge"
local child = require "child"
local deer = require "deer"
local lfs = require "lfs"

describe("two networks as one #long", function()
  after_each(child.clean)

  it("end at least as good as the better one, with three seeds", function()
    local script = lfs.currentdir() .. "/examples/16_two_networks_as_one.lua"
    for seed = 1, 3 do
      local _, out, err = child.run({ script, "20", tostring(seed) }, { cwd = child.folder(),
        before = "timeout 300" })
      local scores = {}
      for score in out:gmatch ": +(%-%d+%.%d)" do scores[#scores + 1] = tonumber(score) end
      assert.equal(4, #scores, err)
      assert.is_true(scores[4] >= math.max(scores[1], scores[2]), out)
      assert.is_true(scores[4] > -150, out)
    end
  end)
end)

describe("a skill keeper #long", function()
  local CAR = { start_anywhere = true, frame_skip = 4, max_steps = 50 }

  local function car(power, seed)
    local options = { power = power, seed = seed }
    for name, value in pairs(CAR) do options[name] = value end
    return deer.env "mountain_car" (options)
  end

  -- returns in the tasks, after each of A, B and A: an engine that has to swing the car up, and one
  -- three times as strong that drives straight up
  local function learn(weight, seed)
    local tasks = { car(1, seed), car(3, seed) }
    local algo = deer.QNetwork{ environment = tasks[1], update_rule = "adam", skills = 2,
      learning_rate = 0.001, discount = 0.99, batch_accumulator = "mean", batch_size = 128,
      tau = 0.02, normalize_observations = true, seed = seed,
      network = { { "dense", units = 64 }, { "dense", units = 64 } } }
    local agent = deer.MultiTaskAgent{ environments = tasks, learning_algo = algo, seed = seed,
      train_every = 1, replay_start_size = 200, replay_memory_size = 50000 }
    if weight > 0 then agent:attach(deer.controllers.SkillKeeperController{ weight = weight }) end
    agent:attach(deer.controllers.EpsilonController{ e_decays = 1666, e_min = 0.2 })
    local scores = {}
    for i, task in ipairs { 0, 1, 0 } do
      agent:setEnvironment(task)
      agent:run(1, 5000)
      scores[i] = {}
      for k, environment in ipairs(tasks) do
        local judge = Judge.new{ environment = environment, learning_algo = algo, seed = 9 }
        judge:play(20)
        scores[i][k] = judge:mean()
      end
    end
    return scores
  end

  it("forgets less than plain training, with three seeds", function()
    for seed = 1, 3 do
      local plain, kept = learn(0, seed), learn(3, seed)
      assert.equal(plain[1][1], kept[1][1]) -- nothing to keep yet
      assert.is_true(kept[1][1] > -150, kept[1][1])
      -- -200: the car is never up
      assert.is_true(plain[2][1] < -185, plain[2][1])
      assert.is_true(kept[2][1] > kept[1][1] - 35, kept[2][1])
      -- the other task is learnt as well as without
      assert.is_true(kept[2][2] > plain[2][2] - 5, kept[2][2])
      assert.is_true(kept[3][1] > -150, kept[3][1])
    end
  end)
end)
