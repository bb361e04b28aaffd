-- deerlua train, as people type it: what the command line becomes, what is refused, what is left.
local child = require "child"
local core = require "deer.core"
local json = require "deer.json"
local sys = require "deer.sys"

local QUICK = { "--epochs", "1", "--steps-per-epoch", "60", "--quiet", "--eval-every", "0" }

local function words(line, more)
  local list = { "train" }
  for word in line:gmatch "%S+" do list[#list + 1] = word end
  table.move(more or {}, 1, #(more or {}), #list + 1, list)
  return list
end

-- the configuration that a command line stands for
local function config(line, options)
  local list = words(line, { "--dry-run" })
  local status, out, err = child.run(list, options)
  assert.same({ 0, "" }, { status, err })
  return json.decode(out)
end

local function refused(line, expected, options)
  local root = child.folder()
  options = options or {}
  options.cwd = options.cwd or root
  local status, out, err = child.run(words(line), options)
  assert.equal("deerlua train: " .. expected .. "\n", err)
  assert.same({ 2, "" }, { status, out })
  assert.is_false(sys.exists(options.cwd .. "/runs"), "something was written")
end

describe("deerlua train", function()
  after_each(child.clean)

  it("takes its options from the preset of the environment and algorithm", function()
    local made = config "--env cartpole --algo double --seed 3"
    assert.equal("cartpole/double", made.preset)
    assert.same({ "QNetwork", true, 128 },
      { made.algo, made.algo_options.double_q, made.algo_options.batch_size })
    assert.same({ { type = "dense", units = 64 }, { type = "dense", units = 64 } },
      made.algo_options.network)
    assert.same({ 3, 30, 1000 }, { made.seed, made.epochs, made.epoch_length })
    assert.equal("any/td3", config("--env mountain_car_continuous --algo td3").preset)
    for _, algo in ipairs { "c51", "per", "rainbow" } do
      assert.equal("any/" .. algo, config("--env gridworld --algo " .. algo).preset)
    end
    assert.same(made.controllers, config("--preset cartpole/double").controllers)
  end)

  it("wraps the environment", function()
    local walk = [[
      local W = require("deer").Environment:extend "Walk"
      function W:reset() self.at = 0 return { 0 } end
      function W:act() self.at = self.at + 1 return self.at end
      function W:observe() return { self.at } end
      function W:inputDimensions() return { { 1 } } end
      function W:nActions() return 2 end
      return W]]
    local root = child.tree { ["walk.lua"] = walk }
    local status, _, err = child.run(words("--env walk --run-name a --num-timesteps 9 "
      .. "--max-size-episode 3 --action-repeat 2 --num-stack 4 --eval-episodes 2", { "--quiet" }),
      { cwd = root })
    assert.same({ 0, "" }, { status, err })
    -- 1 + 2, 3 + 4 and 5 + 6, three times
    local n = 0
    for line in io.lines(root .. "/runs/walk/dqn/a/monitor.csv") do
      n = n + (line:find "^21%.0,3," and 1 or 0)
    end
    assert.equal(3, n)
    local file = assert(io.open(root .. "/runs/walk/dqn/a/config.json"))
    assert.same({ { "ActionRepeat", { repeats = 2 } }, { "FrameStack", { frames = 4 } },
      { "TimeLimit", { max_steps = 3 } } }, json.decode(file:read "a").wrappers)
    file:close()
    local _, out = child.run({ "eval", "runs", "--episodes", "2", "--json" }, { cwd = root })
    assert.same({ returns = { 21, 21 }, lengths = { 3, 3 }, mean = 21, std = 0, mean_length = 3 },
      json.decode(out))
    assert.same({ 60 }, { config("--env cartpole --max-size-episode 60").environment_options
      .max_steps })
  end)

  it("puts any wrappers around it", function()
    local root = child.folder()
    local status, _, err = child.run(words("--env pendulum --algo ddpg --run-name a --epochs 1 "
      .. "--steps-per-epoch 30 --action-repeat 2 --wrap time-limit max_steps=5 --wrap ScaleReward "
      .. "factor=0 shift=3 --wrap monitor file=here.csv", { "--quiet" }), { cwd = root })
    assert.same({ 0, "" }, { status, err })
    for path, n in pairs { ["here.csv"] = 6, ["runs/pendulum/ddpg/a/monitor.csv"] = 6 } do
      for line in io.lines(root .. "/" .. path) do n = n - (line:find "^15%.0,5," and 1 or 0) end
      assert.equal(0, n, path)
    end
    local wrong = { ["limit"] = "there is no wrapper 'limit'",
      ["time_limit max_step=3"] = "TimeLimit: unknown option 'max_step'; did you mean 'max_steps'",
      ["time_limit 3"] = "TimeLimit: expected key=value, got '3'",
      ["scale_action"] = "scale_action scales continuous actions" }
    for given, message in pairs(wrong) do
      status, _, err = child.run(words("--env cartpole --algo dqn --wrap " .. given))
      assert.equal(2, status, given)
      assert.truthy(err:find(message, 1, true), err)
    end
  end)

  it("lets the command line win", function()
    local made = config("--env cartpole --algo dqn --hyperparam batch_size=16 discount:0.5 "
      .. "replay_start_size=9 --replay-memory-size 77 --num-timesteps 2500")
    assert.same({ 16, 0.5 }, { made.algo_options.batch_size, made.algo_options.discount })
    assert.same({ 9, 77 },
      { made.agent_options.replay_start_size, made.agent_options.replay_memory_size })
    assert.same({ 3, 1000, 2500 }, { made.epochs, made.epoch_length, made.num_timesteps })
    -- a rate that is said holds all the time
    local function controllers(line)
      local names = {}
      for i, entry in ipairs(config(line).controllers) do names[i] = entry[1] end
      return names
    end
    local validation = { "InterleavedTestEpochController", "FindBestController" }
    assert.same({ "EpsilonController", validation[1], validation[2] },
      controllers "--env cartpole --algo dqn --hyperparam lr=0.1")
    assert.same({ "EpsilonController", validation[1], validation[2], "LearningRateController" },
      controllers "--env cartpole --algo dqn --lr-schedule linear")
  end)

  it("takes an algorithm beside a preset only where it is the preset's own", function()
    local expected = config "--preset cartpole/double"
    for _, algo in ipairs { "double", "QNetwork", "qnetwork", "dqn", "deepq" } do
      assert.same(expected, config("--preset cartpole/double --algo " .. algo), algo)
    end
    local message = "--algo %s contradicts --preset %s; expected one of them"
    refused("--preset cartpole/dqn --algo ppo", message:format("ppo",
      "cartpole/dqn, which is a QNetwork"))
    refused("--preset cartpole/double --algo rainbow", message:format("rainbow",
      "cartpole/double, which is a QNetwork"))
    refused("--preset any/ppo --env cartpole --algo nonsense", message:format("nonsense",
      "any/ppo, which is a PPO"))
    -- the environment is what is said
    assert.equal("gridworld", config("--preset any/dqn --env gridworld").environment)
    assert.equal("gridworld", config("--preset cartpole/dqn --env gridworld").environment)
  end)

  it("takes one environment where the preset has several", function()
    assert.equal(1, config("--env cartpole --algo ppo --num-envs 1").agent_options.n_envs)
    assert.equal(4, config("--env cartpole --algo ppo").agent_options.n_envs)
  end)

  it("lowers no epsilon where the algorithm explores without one", function()
    local with = config("--env cartpole --algo dqn").controllers
    assert.equal("EpsilonController", table.remove(with, 1)[1])
    assert.same(with, config("--env cartpole --algo dqn --hyperparam noisy=true").controllers)
    refused("--env cartpole --algo dqn --hyperparam noisy=true --attach epsilon",
      "EpsilonController: the training policy, a StochasticPolicy, has no epsilon")
  end)

  it("reads a controller in all three syntaxes, in order", function()
    local root = child.tree {
      ["slow.lua"] = "return { initial_e = 0.5, e_decays = 10 * 4 }",
      ["slow.json"] = '{ "initial_e": 0.25, "e_decays": 30 }',
      ["controllers/epsilon.mild.lua"] = "return { e_min = 0.3 }",
    }
    local made = config("--env cartpole --attach epsilonController --attach trainerController "
      .. "periodicity=2 --attach epsilon slow.lua e_decays=7 --attach EpsilonController "
      .. "./slow.json --attach epsilon default e_min=0.2 --attach epsilon mild "
      .. "--attach epsilon evaluate_on=epoch", { cwd = root })
    local seen = {}
    for i, entry in ipairs(made.controllers) do
      local o = entry[2]
      seen[i] = ("%s %s"):format(entry[1], entry[1] == "trainer" and o.periodicity
        or ("%s %s %s %s"):format(o.initial_e, o.e_decays, o.e_min, o.evaluate_on))
    end
    assert.same({ "epsilon 1.0 10000 0.1 action", "trainer 2", "epsilon 0.5 7 0.1 action",
      "epsilon 0.25 30 0.1 action", "epsilon 1.0 10000 0.2 action", "epsilon 1.0 10000 0.3 action",
      "epsilon 1.0 10000 0.1 epoch" }, seen)
  end)

  it("attaches what suits an algorithm, but not beside another of its class", function()
    local made = config "--env cartpole --algo dqn --attach epsilon e_min=0.2 --attach trainer"
    local names = {}
    for i, entry in ipairs(made.controllers) do names[i] = entry[1] end
    assert.same({ "LearningRateController", "InterleavedTestEpochController", "FindBestController",
      "epsilon", "trainer" }, names)
    assert.equal(0, made.agent_options.train_every) -- the trainer decides
  end)

  it("delivers signals in the order of attaching", function()
    local tracer = [[
      local C = require("deer").Controller:extend "TraceController"
      C.options = { mark = { default = "", help = "printed" } }
      function C:init(options) self.mark = options.mark end
      function C:onEpisodeEnd() io.write(self.mark) end
      return C]]
    local root = child.tree { ["controllers/trace.lua"] = tracer }
    local _, out = child.run(words("--env cartpole --attach trace mark=a --attach trace mark=b "
      .. "--attach trace mark=c --num-timesteps 3", { "--quiet" }), { cwd = root })
    assert.equal("abc", out)
  end)

  it("evaluates before the controllers hear of the end of an epoch", function()
    local root = child.tree { ["controllers/judge.lua"] = [[
      local C = require("deer").Controller:extend "JudgeController"
      function C:onEpochEnd(agent) print(agent.evaluation.epoch, #agent.evaluation.returns) end
      return C]] }
    local _, out = child.run(words("--env cartpole --attach judge --epochs 2 --steps-per-epoch 30 "
      .. "--eval-episodes 3 --quiet"), { cwd = root })
    assert.matches("^1\t6\n2\t[36]\n$", out)
  end)

  it("works without the word, as LegoRL's main script", function()
    local root = child.folder()
    local status, out, err = child.run({ "--env-module", "cartpole", "--attach",
      "trainerController", "show_episode_avg_V_value=no", "show_avg_Bellman_residual=no",
      table.unpack(QUICK) }, { cwd = root })
    assert.same({ 0, "", "" }, { status, out, err })
    assert.is_true(sys.exists(root .. "/runs/cartpole/dqn"))
  end)

  it("without controllers only explores, and still writes the random network", function()
    local root = child.folder()
    local function last(name, line)
      local status, _, err = child.run(words(line .. " --run-name " .. name, QUICK),
        { cwd = root })
      assert.same({ 0, "" }, { status, err })
      return assert(core.safetensors.load(("%s/runs/cartpole/dqn/%s/last.safetensors"):format(
        root, name)))
    end
    local first = last("short", "--env cartpole")
    -- longer, and the same to the bit; trained, and another
    assert.same(first, last("long", "--env cartpole --steps-per-epoch 300"))
    assert.not_same(first, last("trained", "--env cartpole --attach trainer"))
    local _, out = child.run(words "--env cartpole --num-timesteps 20", { cwd = root })
    assert.matches("nothing trains: exploration only", out)
  end)

  it("ends with what was reached, where the curve lies and how to watch it", function()
    local root = child.folder()
    local _, out = child.run(words("--env cartpole --algo dqn --run-name a --num-timesteps 300 \z
      --eval-episodes 2"), { cwd = root })
    local score, step, curve = out:match("\nbest evaluation: ([%d.]+), after (%d+) steps\n"
      .. "its curve: (runs/cartpole/dqn/a/plots/plot_[^\n]+png)\n"
      .. "to watch it: deerlua enjoy runs/cartpole/dqn/a %-%-render\n$")
    assert.equal("300", step)
    assert.is_true(sys.exists(root .. "/" .. curve))
    local _, judged = child.run({ "eval", "runs", "--episodes", "4", "--json" }, { cwd = root })
    assert.equal(tonumber(score), json.decode(judged).mean)
  end)

  it("begins with the parameters of another run", function()
    local root = child.folder()
    local base = "--env cartpole --run-name %s %s"
    child.run(words(base:format("a", "--attach trainer"), QUICK), { cwd = root })
    child.run(words(base:format("b", "--load runs/cartpole/dqn/a"), QUICK), { cwd = root })
    local path = root .. "/runs/cartpole/dqn/%s/last.safetensors"
    local b = assert(core.safetensors.load(path:format "b"))
    assert.same(assert(core.safetensors.load(path:format "a")), b)
  end)

  it("does the same with the same seed, and another run with another", function()
    local root = child.folder()
    local function last(name, seed)
      child.run(words(("--env cartpole --algo dqn --hyperparam replay_start_size=5 --run-name %s "
        .. "--seed %d"):format(name, seed), QUICK), { cwd = root })
      local path = ("%s/runs/cartpole/dqn/%s/last.safetensors"):format(root, name)
      return (core.safetensors.load(path))
    end
    local a = last("a", 4)
    assert.same(a, last("b", 4))
    assert.not_same(a, last("c", 5))
  end)

  it("says what is wrong in one line, and writes nothing", function()
    local nearest = "; did you mean '%s'?"
    for line, expected in pairs {
      [""] = "an environment is needed: --env NAME; `deerlua list` shows them",
      ["--env cartpol"] = "there is no env 'cartpol'" .. nearest:format "cartpole",
      ["--env cartpole --algo dqm"] = "there is no algorithm 'dqm'" .. nearest:format "dqn",
      ["--env cartpole --algo sac"] =
        "sac works with continuous actions, the environment has discrete ones",
      ["--env pendulum --algo dqn"] =
        "dqn works with discrete actions, the environment has continuous ones",
      ["--env cartpole -c"] = "the environment 'cartpole' has no continuous actions",
      ["--env cartpole --attach trainerControler"] =
        "there is no controller 'trainerControler'" .. nearest:format "TrainerController",
      ["--env cartpole --attach trainer evaluate_on=actoin"] = "TrainerController: option \z
        'evaluate_on': expected one of 'action', 'episode', 'epoch', got 'actoin'"
        .. nearest:format "action",
      ["--env cartpole --attach trainer perodicity=3"] =
        "TrainerController: unknown option 'perodicity'" .. nearest:format "periodicity",
      ["--env cartpole --attach epsilon e_min=2"] =
        "EpsilonController: option 'e_min': expected a number from 0 to 1, got '2'",
      ["--env cartpole --attach trainer none.lua"] =
        "TrainerController: cannot read the file 'none.lua'",
      ["--env cartpole --attach trainer a=1 b"] = "TrainerController: unknown option 'a'; known \z
        are modes, evaluate_on, periodicity, show_avg_Bellman_residual, show_episode_avg_V_value, \z
        training_repeat",
      ["--env cartpole --attach"] = "option '--attach' needs NAME [config] [key=value]...",
      ["--env cartpole --algo dqn --hyperparam batchsiz=3"] =
        "QNetwork: unknown option 'batchsiz'" .. nearest:format "batch_size",
      ["--env cartpole --algo dqn --hyperparam 3"] = "--hyperparam: expected key=value, got '3'",
      ["--env cartpole --algo dqn --epoch 3"] = "unknown option '--epoch'"
        .. nearest:format "--epochs",
      ["--env cartpole --epochs x"] =
        "option '--epochs': expected an integer of at least 0, got 'x'",
      ["--env cartpole --epochs"] = "option '--epochs' needs an integer of at least 0",
      ["--env cartpole --epochs 3 --num-timesteps 4"] =
        "--epochs and --num-timesteps contradict each other; expected one of them",
      ["--env cartpole --quiet --json"] = "--quiet and --json contradict each other",
      ["--env cartpole --preset cartpole/dq"] =
        "there is no preset 'cartpole/dq'" .. nearest:format "cartpole/dqn",
      ["--env cartpole --load nowhere"] =
        "'nowhere' is not the folder of a run, and there is none in it",
      ["--env cartpole --train-policy gredy"] = "there is no policy 'gredy'; there are",
      ["--env cartpole --algo dqn --replay-memory-size 100"] =
        "a replay memory of 100 never holds more than replay_start_size 1000 (expected less)",
      ["--env cartpole --run-name a/b"] =
        "--run-name: expected letters, digits, '_', '-' and '.', got 'a/b'",
      ["--env cartpole --run-name ."] =
        "--run-name: expected letters, digits, '_', '-' and '.', got '.'",
      ["--env cartpole --log-dir="] = "--log-dir: expected a folder, got ''",
      ["--env cartpole --log-dir /dev/null/x"] = "/dev/null: Not a directory",
      ["--env cartpole --env-option x=1"] =
        "environment cartpole: unknown option 'x'; known are seed, curves, gravity, max_steps, "
        .. "path, split, start_state",
      ["cartpole"] = "unexpected argument 'cartpole'",
    } do
      if line:find "gredy" then
        local status, _, err = child.run(words(line), { cwd = child.folder() })
        assert.equal(2, status)
        assert.matches("^deerlua train: " .. expected .. "[^\n]+\n$", err)
      else
        refused(line, expected)
      end
    end
  end)

  it("names the line of a person's own code that fails", function()
    local root = child.tree { ["walk.lua"] = "local x = nil\nreturn x.y\n",
      ["broken.lua"] = "return = 1\n" }
    local status, _, err = child.run(words "--env walk", { cwd = root })
    assert.equal(1, status)
    assert.matches("^deerlua: [^\n]*walk%.lua:2: attempt to index", err)
    status, _, err = child.run(words "--env broken.lua", { cwd = root })
    assert.equal(2, status) -- nothing of it was run
    assert.matches("^deerlua train: broken%.lua:1: [^\n]+\n$", err)
  end)

  it("says in one line, and with status 1, what went wrong on the way", function()
    local root = child.folder()
    -- the folder of the run cannot be written to any more when its curve is drawn
    local status, _, err = child.run(words("--env cartpole --algo dqn --num-timesteps \z
      200 --attach ./spoil.lua --quiet"), { cwd = child.tree { ["spoil.lua"] = [[
        local S = require("deer").Controller:extend "SpoilController"
        function S:onEpochEnd(agent) assert(io.open(agent.folder .. "/plots", "w")):close() end
        return S]] } })
    assert.equal(1, status)
    assert.matches("^deerlua train: LearningCurveController: [^\n]+/plots: Not a directory\n$",
      err)
    -- a mistake in a person's code keeps its traceback
    status, _, err = child.run(words("--env cartpole --algo dqn --num-timesteps 200 --quiet \z
      --attach ./fail.lua"), { cwd = child.tree { ["fail.lua"] = [[
        local F = require("deer").Controller:extend "FailController"
        function F:onEpochEnd() error("no place", 0) end
        return F]] } })
    assert.equal(1, status)
    assert.matches("no place\nstack traceback:", err)
    -- Ctrl-C is nobody's mistake, nor is kill; what was learnt is kept
    for signal, expected in pairs { INT = 130, TERM = 143 } do
      local done
      status, done, err = child.shell(("cd %s && { %s train --env cartpole --algo dqn \z
        --run-name %s --num-timesteps 9000000 --quiet & p=$!; sleep 0.7; kill -%s $p; \z
        wait $p; }"):format(
        child.quote(root), child.quote(child.program), signal, signal))
      assert.same({ expected, "", "deerlua: interrupted\n" }, { status, done, err })
      assert.is_true(sys.exists(root .. "/runs/cartpole/dqn/" .. signal .. "/last.safetensors"))
    end
  end)

  it("gives runs that begin at the same time folders of their own", function()
    local root = child.tree { ["s.lua"] = [[
      local made = require "deer".preset "cartpole/dqn"
      made.seed = 1
      for _ = 1, 40 do
        print((require "deer.run_folder".create(made, { log_dir = "runs", run_name = "a" })))
      end]] }
    local s = child.quote(child.program) .. " s.lua &"
    local status, out, err = child.shell(("cd %s && { %s wait; }"):format(child.quote(root),
      s:rep(4, " ")))
    assert.same({ 0, "" }, { status, err })
    local seen, n = {}, 0
    for path in out:gmatch "[^\n]+" do
      assert.is_nil(seen[path], path)
      seen[path], n = true, n + 1
    end
    assert.equal(160, n)
    assert.is_true(seen["runs/cartpole/QNetwork/a"] and seen["runs/cartpole/QNetwork/a-160"])
  end)

  it("refuses the parameters of another network", function()
    local root = child.folder()
    child.run(words("--env cartpole --run-name a", QUICK), { cwd = root })
    local status, _, err = child.run(words("--env mountain_car --load runs/cartpole/dqn/a", QUICK),
      { cwd = root })
    assert.equal(2, status)
    assert.matches("^deerlua train: runs/cartpole/dqn/a/last.safetensors does not fit this "
      .. "QNetwork: [^/\n]+\n$", err)
  end)
end)
