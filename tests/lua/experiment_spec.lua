-- What DeeR's launchers share, on a task of a few steps.
local child = require "child"
local sys = require "deer.sys"

local SCRIPT = [[
  local deer = require "deer"
  local params = deer.launcher(arg, { epochs = 3, steps_per_epoch = 30, steps_per_test = 20,
    period_btw_summary_perfs = 2, learning_rate = 0.01, learning_rate_decay = 1, discount = 0.9,
    discount_inc = 1, discount_max = 0.99, epsilon_start = 1, epsilon_min = 0.1,
    epsilon_decay = 50, update_frequency = 1, own = true, seed = 7 })
  local name = deer.saveParameters(params, "task_")
  local env = deer.env "cartpole" { seed = params.seed,
    path = params.period_btw_summary_perfs > 0 and name .. ".gif" or nil }
  local algo = deer.QNetwork{ environment = env, seed = params.seed }
  local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, seed = params.seed }
  local best = deer.experiment.attach(agent, params, { name = name, updates = 2 })
  agent:run(params.epochs, params.steps_per_epoch)
  print(algo:updates(), deer.experiment.finish(agent, best, 40))]]

local function run(...)
  local root = child.tree { ["run.lua"] = SCRIPT }
  local status, out, err = child.run({ "run.lua", ... }, { cwd = root })
  assert.same({ 0, "" }, { status, err })
  return out, root
end

local function read(path)
  local file = assert(io.open(path))
  local content = file:read "a"
  file:close()
  return content
end

describe("an experiment", function()
  after_each(child.clean)

  it("leaves scores, the best network and a film", function()
    local out, root = run()
    local name = "task_" .. out:match "^The parameters hash is: (%x+)\n"
    assert.same({ "nnets", "params", "run.lua", "scores", name .. ".gif" }, sys.listdir(root))
    assert.equal(4, select(2, read(("%s/scores/%s_scores.csv"):format(root, name)):gsub("\n", "")))
    assert.equal(3, select(2, out:gsub("Testing score per episode", "")))
    -- after the second test epoch and at the end
    assert.equal(2, select(2, out:gsub("Summary Perf", "")))
    -- two for every step but the first, when there is nothing to learn from
    assert.matches("\n178\t%d", out)
    -- the best network is that whose score was the best of the tests
    local n = out:match "Best neural net obtained after (%d+) epochs"
    assert.same({ ("%s.epoch=%s"):format(name, n) }, sys.listdir(root .. "/nnets"))
    local mean = out:match "\nThe policy learnt: a mean return of (%S+) over %d"
    assert.equal(tonumber(mean), tonumber(out:match "(%S+)\n$"))
  end)

  it("writes no film when none is wanted", function()
    local _, root = run("-f", "-1", "-e", "1")
    assert.same({ "nnets", "params", "run.lua", "scores" }, sys.listdir(root))
  end)

  it("runs without epochs", function()
    local out = run("-e", "0")
    assert.matches("No validation epoch was run", out)
    assert.matches("The policy learnt: a mean return of", out)
  end)
end)
