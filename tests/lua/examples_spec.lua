-- The examples as people start them, made short.
local lfs = require "lfs"

local child = require "child"
local deer = require "deer"
local sys = require "deer.sys"

local here = lfs.currentdir()
local TOY = here .. "/examples/toy_env/run_toy_env.lua"
local SIMPLE = here .. "/examples/toy_env/run_toy_env_simple.lua"
local MICRO_GRID = here .. "/examples/mg_two_storages/run_mg_two_storages.lua"
local SHORT = { "-e", "2", "-s", "60", "-t", "220", "-f", "2" }

-- runs an example in an empty folder; returns it after what child.run returns
local function run(script, ...)
  local args = table.move(SHORT, 1, #SHORT, 2, { script })
  for _, word in ipairs { ... } do args[#args + 1] = word end
  local folder = child.folder()
  local status, out, err = child.run(args, { cwd = folder })
  return status, out, err, folder
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end

-- what DeeR prints, line by line
local NUMBER = "%-?%d[%d.e-]*"
local EPOCH = {
  "^Average %(on the epoch%) training loss: " .. NUMBER .. "$",
  "^Episode average V value: " .. NUMBER .. "$",
  "^epoch %d:$", "^Learning rate: 0%.%d+$", "^Discount factor: 0%.9$",
  "^Epsilon: " .. NUMBER .. "$",
  "^Testing score per episode %(id: 0%) is " .. NUMBER .. " %(average over 1 episode%(s%)%)$",
}
local PARAMETERS = { "^The parameters hash is: %x+$", "^The parameters are: {.*}$" }
local SUMMARY = {
  "^Summary Perf$", "^A plot of the policy obtained has been saved under the name plot%.png$",
}

describe("the toy examples", function()
  after_each(child.clean)

  for _, script in ipairs { TOY, SIMPLE } do
    it("print DeeR's lines and draw the policy: " .. script:match "[^/]*$", function()
      local status, out, err, folder = run(script)
      assert.same({ 0, "" }, { status, err })
      local lines, i = lines_of(out), 0
      for _, patterns in ipairs { PARAMETERS, EPOCH, EPOCH, SUMMARY } do
        for _, pattern in ipairs(patterns) do
          i = i + 1
          assert.matches(pattern, lines[i])
        end
      end
      assert.equal(i, #lines)
      assert.same({ "params", "plot.png" }, sys.listdir(folder))
      local name = "toy_env_" .. out:match "hash is: (%x+)"
      assert.same({ name .. ".json" }, sys.listdir(folder .. "/params"))
      assert.equal("\137PNG\r\n\26\n", io.open(folder .. "/plot.png", "rb"):read(8))
    end)

    it("repeat themselves to the last digit: " .. script:match "[^/]*$", function()
      local _, once = run(script, "--seed", "4")
      local _, twice = run(script, "--seed", "4")
      local _, other = run(script, "--seed", "5")
      assert.equal(once, twice)
      assert.not_equal(once, other)
    end)
  end

  it("run in the spelling of DeeR 0.2", function()
    local root = child.tree { ["run.lua"] = [[
      local deer = require "deer"
      local bc, rng = deer.controllers, deer.RandomState(123456)
      local env = deer.env "toy_env" { randomState = rng }
      local qnetwork = deer.QNetwork{ environment = env, rho = 0.9, rms_epsilon = 0.0001,
        momentum = 0, clip_delta = 1, freezeInterval = 1000, batchSize = 32,
        networkType = "General_DQN_0", updateRule = "deepmind_rmsprop", batchAccumulator = "sum",
        randomState = rng, double_Q = false }
      local agent = deer.NeuralAgent{ environment = env, q_network = qnetwork,
        replayMemorySize = 1000, replayStartSize = 6, batchSize = 32, randomState = rng,
        exp_priority = 0 }
      local Own = deer.Controller:extend "Own"
      function Own:OnStart(a) print("own", a:mode()) end
      agent:attach(bc.VerboseController{ evaluateOn = "epoch", periodicity = 1 })
      agent:attach(bc.TrainerController{ evaluateOn = "action", periodicity = 1,
        showEpisodeAvgVValue = true, showAvgBellmanResidual = true })
      agent:attach(bc.LearningRateController{ initialLearningRate = 0.0002,
        learningRateDecay = 1, periodicity = 1 })
      agent:attach(bc.DiscountFactorController{ initialDiscountFactor = 0.9,
        discountFactorGrowth = 1, discountFactorMax = 0.99, periodicity = 1 })
      agent:attach(bc.EpsilonController{ initialE = 1, eDecays = 10000, eMin = 0.1,
        evaluateOn = "action", periodicity = 1, resetEvery = "none" })
      agent:attach(bc.InterleavedTestEpochController{ id = 0, epochLength = 50,
        controllersToDisable = {0, 1, 2, 3, 4}, periodicity = 2, showScore = true,
        summarizeEvery = 2 })
      agent:attach(Own{})
      agent:run(2, 60)]] }
    local status, out, err = child.run({ "run.lua" }, { cwd = root })
    assert.same({ 0, "" }, { status, err })
    assert.matches("^own\t%-1\n", out)
    assert.equal(2, select(2, out:gsub("Testing score per episode", "")))
    assert.matches("Summary Perf\n", out)
  end)

  it("take DeeR's defaults of each version", function()
    for version, rate in deer.spairs { ["0.2"] = "0.0002", ["0.3"] = "0.005", ["0.4"] = "0.005" } do
      local status, out = run(TOY, "--preset", "deer-" .. version)
      assert.equal(0, status)
      assert.matches("Learning rate: " .. rate .. "\n", out)
    end
  end)

  it("take a preset, over which the command line wins", function()
    local _, out = run(TOY, "--preset", "deer-0.2")
    assert.matches("Learning rate: 0.0002\n", out)
    assert.matches("epoch 2:", out)
    assert.not_matches("epoch 3:", out)
  end)
end)

describe("the launcher of", function()
  after_each(child.clean)

  local NAMES = { "cartpole", "catcher", "mountain_car", "mountain_car_continuous",
    "pendulum_cart" }

  local function launch(name, ...)
    return run(("%s/examples/%s/run_%s.lua"):format(here, name, name), "--seed", "3", ...)
  end

  for _, name in ipairs(NAMES) do
    it(name .. " learns, tests and films", function()
      local status, out, err, folder = launch(name)
      assert.same({ 0, "" }, { status, err })
      local fname = ("%s_%s"):format(name, out:match "^The parameters hash is: (%x+)\n")
      assert.matches("\nepoch 2:\nLearning rate: ", out)
      assert.equal(2, select(2, out:gsub("Testing score per episode", "")))
      assert.matches("\nThe policy learnt: a mean return of " .. NUMBER
        .. " over %d+ episode%(s%)\nSummary Perf\n", out)
      local film = out:match "saved under the name ([^%s,]+)"
      assert.equal(fname, film:match "^(.*)%.[mp][pn][4g]$")
      assert.is_true(sys.exists(folder .. "/" .. film))
      assert.same({ fname .. ".json" }, sys.listdir(folder .. "/params"))
      assert.same({ fname .. "_scores.csv" }, sys.listdir(folder .. "/scores"))
    end)

    it(name .. " repeats itself, without a film when none is wanted", function()
      local _, once, _, folder = launch(name, "-f", "-1")
      local _, twice = launch(name, "-f", "-1")
      assert.equal(once, twice)
      assert.same({ "nnets", "params", "scores" }, sys.listdir(folder))
    end)
  end

  it("a task that DeeR has takes DeeR's own parameters", function()
    local presets = { cartpole = "0.2 0.3 0.4", mountain_car = "0.2 0.3 0.4",
      mountain_car_continuous = "0.3 0.4", pendulum_cart = "0.2 0.3" }
    for name, versions in deer.spairs(presets) do
      for version in versions:gmatch "%S+" do
        local status, out = launch(name, "--preset", "deer-" .. version, "-e", "1", "-f", "-1")
        assert.equal(0, status)
        assert.matches("\nThe policy learnt", out)
      end
    end
  end)

  it("every one explains its options", function()
    for _, name in ipairs(NAMES) do
      local status, out, err = launch(name, "--help")
      assert.same({ 0, "" }, { status, err })
      assert.matches("^usage: deerlua %S+ %[options%]\n", out)
      for _, word in ipairs { "-e --epochs N", "--freq_summary_perfs N", "--max-history N",
        "--learning-rate X", "--deterministic" } do
        assert.is_truthy(out:find(word, 1, true), word)
      end
    end
  end)
end)

describe("the micro-grid example", function()
  after_each(child.clean)

  it("keeps parameters, scores, the best network and pictures of its test", function()
    local status, out, err, folder = run(MICRO_GRID, "--pred", "yes", "--param2", "6")
    assert.same({ 0, "" }, { status, err })
    local name = "MG2S_" .. out:match "^The parameters hash is: (%x+)\nThe parameters are: {.*}\n"
    for _, year in ipairs { "training", "validation", "test" } do
      assert.matches("\nA day of the " .. year .. " year: 1%d%.%d+ kWh consumed, ", out)
    end
    local best = out:match "\nBest neural net obtained after (%d) epochs, with validation score "
    assert.matches("\nTest score of this neural net: " .. NUMBER .. "\nSummary Perf\n"
      .. "Hydrogen stored in the end: %S+ kWh\n$", out)
    assert.same({ "nnets", "params", "plot_winter.png", "plot_year.png", "scores" },
      sys.listdir(folder))
    assert.same({ name .. ".json" }, sys.listdir(folder .. "/params"))
    assert.same({ name .. ".epoch=" .. best }, sys.listdir(folder .. "/nnets"))
    assert.same({ name .. "_scores.csv", name .. "_scores.png" }, sys.listdir(folder .. "/scores"))
    local scores = deer.csv(("%s/scores/%s_scores.csv"):format(folder, name))
    assert.same({ 1, 2 }, scores.n)
  end)

  it("takes DeeR's hyper-parameters", function()
    local RATES = { ["0.2"] = "0.0002", ["0.3"] = "0.005", ["0.4"] = "0.0002" }
    local RULES = { ["0.2"] = "deepmind_rmsprop", ["0.3"] = "rmsprop", ["0.4"] = "rmsprop" }
    for version, rate in deer.spairs(RATES) do
      local status, out = run(MICRO_GRID, "--preset", "deer-" .. version)
      assert.equal(0, status)
      assert.is_truthy(out:find(('"update_rule": "%s"'):format(RULES[version]), 1, true))
      assert.is_truthy(out:find(("\nLearning rate: %s\n"):format(rate), 1, true))
    end
  end)
end)
