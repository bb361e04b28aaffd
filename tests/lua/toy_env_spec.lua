-- The toy market against the numbers of DeeR's own.
local deer = require "deer"
local golden = require("golden").read "toy_env"

local ToyEnv = deer.env "toy_env"

local function near(expected, came, what)
  assert(math.abs(expected - came) < 1e-9, ("%s: expected %.17g, came %.17g"):format(what, expected,
    came))
end

local function golden_action(t) return (t * t + 3 * t) % 7 < 3 and 1 or 0 end

-- the score of a policy, which sees step and observation, over 500 steps
local function score(env, mode, policy)
  env:reset(mode)
  local total = 0
  for t = 0, 499 do total = total + env:act(policy(t, env:observe())) end
  return total
end

-- the level changes every nine steps: own the unit from the step before the fall to the peak
local function pattern_policy(t)
  local phase = t % 9
  return (phase == 3 or phase == 4) and 1 or 0
end

describe("the toy market", function()
  for _, case in ipairs(golden.cases) do
    describe("of seed " .. case.seed, function()
      local env = ToyEnv{ seed = case.seed }

      it("has DeeR's prices", function()
        for name, prices in deer.spairs { train = env.train_prices, valid = env.test_prices } do
          assert.equal(case.len_train, #prices)
          local sum = 0
          for _, price in ipairs(prices) do sum = sum + price end
          near(case["sum_" .. name], sum, name)
          for i, level in ipairs(case["first_block_constants_" .. name]) do
            near(level, prices[9 * (i - 1) + 1], "level " .. i)
            near(level - 1, prices[9 * (i - 1) + 4], "fall " .. i)
            near(level + 1, prices[9 * (i - 1) + 6], "peak " .. i)
          end
        end
      end)

      for mode, name in deer.spairs { [-1] = "train", [0] = "valid" } do
        local expected = case[name]
        it("gives DeeR's rewards and observations: " .. name, function()
          assert.same(expected.reset_returns, env:reset(mode))
          local sum = 0
          for t = 0, #expected.rewards - 1 do
            if expected.observations[t + 1] then
              local observed = env:observe()
              near(expected.observations[t + 1][1], observed[1], "price " .. t)
              assert.equal(math.tointeger(expected.observations[t + 1][2]), observed[2])
            end
            local reward = env:act(golden_action(t))
            near(expected.rewards[t + 1], reward, "reward " .. t)
            sum = sum + reward
            assert.is_false(env:inTerminalState())
            assert.is_false(env:isTruncated())
          end
          near(expected.sum_rewards, sum, "sum")
        end)

        it("scores fixed policies as DeeR's does: " .. name, function()
          local scores = expected.policies_500_steps
          near(scores.always_0, score(env, mode, function() return 0 end), "always 0")
          near(scores.always_1, score(env, mode, function() return 1 end), "always 1")
          near(scores.buy_at_phase3_sell_at_phase5, score(env, mode, pattern_policy), "pattern")
        end)
      end
    end)
  end

  it("has the generator of numpy", function()
    local check = golden.numpy_rng_check
    local random = deer.RandomState(123456)
    for _, expected in ipairs(check["RandomState(123456).uniform(0,3)x5"]) do
      assert.equal(expected, random:uniform(0, 3))
    end
    random = deer.RandomState(123456)
    for _, expected in ipairs(check["rand x5 seed 123456"]) do
      assert.equal(expected, random:rand())
    end
    random = deer.RandomState(123456)
    for _, expected in ipairs(check["randint(5,1000) scalar calls x10 seed 123456"]) do
      assert.equal(expected, random:randint(5, 1000))
    end
  end)

  it("cuts an episode at the end of its prices instead of failing", function()
    local env = ToyEnv{ seed = 1 }
    env:reset(0)
    for step = 1, 4499 do
      assert.is_false(env:isTruncated(), step)
      env:act(step % 2)
      assert.equal("number", type(env:observe()[1]))
    end
    assert.is_true(env:isTruncated())
    assert.is_false(env:inTerminalState())
    env:reset(0)
    assert.is_false(env:isTruncated())
  end)
end)
