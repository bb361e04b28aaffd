-- What people add: skeletons, files found by their folders, what is said about them and what is
-- wrong with them.
local child = require "child"
local core = require "deer.core"
local deer = require "deer"
local json = require "deer.json"
local kinds = require "deer.kinds"
local raises = require "raises"
local sys = require "deer.sys"

local function words(line)
  local list = {}
  for word in line:gmatch "%S+" do list[#list + 1] = word end
  return list
end

local function run(line, root, env) return child.run(words(line), { cwd = root, env = env }) end

-- what succeeds, silently but for standard output
local function good(line, root)
  local status, out, err = run(line, root)
  assert.same({ 0, "" }, { status, err }, line)
  return out
end

-- what is refused in one line
local function refused(line, expected, root)
  local status, out, err = run(line, root or child.folder())
  assert.equal(expected .. "\n", err)
  assert.same({ 2, "" }, { status, out })
end

local QUICK = " --epochs 1 --steps-per-epoch 80 --quiet --eval-episodes 1 --no-vis"

describe("an algorithm of one's own", function()
  it("says which actions it can learn", function()
    local Mine = deer.Algo:extend "Mine"
    Mine.action_kinds = "discrete, continuous"
    function Mine.chooseBestAction() return 0, 0 end
    function Mine.train() return 0 end
    local function make(n_actions)
      return Mine{ input_dimensions = { { 1 } }, n_actions = n_actions }
    end
    for _, n_actions in ipairs { 3, { { -1, 1 } } } do assert.is_table(make(n_actions)) end
    raises(function() make { 3, 2 } end,
      "Mine works with discrete, continuous actions, the environment has multi%-discrete ones")
    Mine.action_kinds = "multi"
    raises(function() make(2) end, "action_kinds: expected discrete, .*, got 'multi'")
  end)
end)

describe("deerlua new", function()
  local root
  setup(function()
    root = child.folder()
    for _, kind in ipairs { "env", "controller", "algo", "policy", "network" } do
      good(("new %s own_%s"):format(kind, kind), root)
    end
  end)
  teardown(child.clean)

  it("writes an environment that nothing is wrong with", function()
    assert.same({ "own_env.lua" }, { sys.listdir(root .. "/envs")[1] })
    assert.matches("^own_env: nothing is wrong\n", good("check env own_env", root))
    assert.matches("nothing is wrong", good("check env envs/own_env.lua length=20", root))
    good("train --env own_env --algo dqn --run-name a" .. QUICK, root)
    assert.matches("mean ", good("eval runs/own_env/dqn/a --episodes 1", root))
    assert.matches("\u{2580}", good("enjoy runs/own_env/dqn/a --render --num-timesteps 2", root))
  end)

  it("writes a controller that is heard", function()
    local out = good("train --env own_env --algo dqn --attach own periodicity=1" .. QUICK, root)
    assert.matches("^epoch 1: %d+ episodes, mean return ", out)
    assert.matches("^OwnController: Say in a sentence what it does\n", good("help own", root))
  end)

  it("writes an algorithm that is trained, kept and played", function()
    good("train --env own_env --algo own_algo --hyperparam cells=64 --run-name b --seed 1 "
      .. "--train-policy epsilonGreedy epsilon=1 --num-timesteps 3000 --quiet --no-vis", root)
    local path = root .. "/runs/own_env/own_algo/b/last.safetensors"
    local params = assert(core.safetensors.load(path))
    assert.same({ 64, 2 }, params[1].shape)
    assert.matches("mean 1.0 ", good("eval runs/own_env/own_algo/b --episodes 3", root))
    assert.matches("action  1 %[#+%] [%d.]+  <", good("enjoy runs/own_env/own_algo --action-proba",
      root))
    assert.matches("cells +4096", good("help own_algo", root))
  end)

  it("writes a policy and a network that are used", function()
    good("train --env own_env --algo dqn --train-policy own probability=0.5 --network own_network "
      .. "--run-name c" .. QUICK, root)
    local config = json.decode(io.open(root .. "/runs/own_env/dqn/c/config.json"):read "a")
    assert.same({ "own", { probability = 0.5 } }, config.train_policy)
    assert.equal(32, config.algo_options.network[1].units) -- the file is not needed any more
    local function units(given)
      local line = "train --env own_env --algo dqn --dry-run --network own_network " .. given
      return json.decode(good(line, root)).algo_options.network[2].units
    end
    assert(sys.write_file(root .. "/networks/own_network.small.lua", "return { units = 3 }"))
    assert.same({ 7, 3, 5 }, { units "units=7", units "small", units "small units=5" })
    refused("train --env own_env --algo dqn --network own_network unit=3",
      "deerlua train: network own_network: unknown option 'unit'; did you mean 'units'?", root)
    refused("train --env own_env --algo dqn --network own_network units=0",
      "deerlua train: network own_network: option 'units': expected an integer from 1 to 65536, "
      .. "got '0'", root)
    assert.matches("^network own_network: Say [^\n]+\n  units  32  an integer",
      good("help own_network", root))
    refused("train --env own_env --algo dqn --network deer units=3",
      "deerlua train: network deer: unknown option 'units'", root)
    assert.same({}, config.controllers) -- nobody lowers an epsilon that is not there
    refused("train --env pendulum --algo sac --network own_network",
      "deerlua train: the network 'own_network' is for QNetwork, not for SAC", root)
  end)

  it("overwrites nothing, and says what it needs", function()
    refused("new env own_env",
      "deerlua new: there is a file 'envs/own_env.lua'; nothing is overwritten", root)
    refused("new controler x", "deerlua new: option 'what': expected one of 'env', 'controller', \z
      'algo', 'policy', 'network', got 'controler'; did you mean 'controller'?", root)
    refused("new env", "deerlua new: expected a kind and a name, as in `deerlua new env my_own`",
      root)
    refused("new env ../x", "deerlua new: expected a name of letters, digits and '_', got '../x'",
      root)
    assert.same({ "algos", "controllers", "envs", "networks", "policies", "runs" },
      (function(list) table.sort(list) return list end)(sys.listdir(root)))
  end)
end)

describe("deerlua list", function()
  after_each(child.clean)

  it("tells name, origin, actions, purpose and paper", function()
    local root = child.folder()
    for _, kind in ipairs { "env", "controller", "algo" } do
      good(("new %s own_%s"):format(kind, kind), root)
    end
    local out = good("list envs", root)
    assert.matches("\ncartpole +C +2 +keep a pole upright .*%(jupiter, moon%)\n", out)
    assert.matches("\npendulum +C +1 continuous +swing", out)
    assert.matches("\nown_env +envs/own_env.lua +2 +Say in a sentence what has to be done", out)
    assert.matches("\ntoy_env +Lua +2 +A toy market[^\n]*\n", out)
    assert.equal(#kinds.list "env" + 1, select(2, out:gsub("\n", "")))
    out = good("list algos", root)
    assert.matches("QNetwork +C +discrete +deep Q%-network.* %[Mnih et al. 2015", out)
    assert.matches("\nown_algo +algos/own_algo.lua +discrete +Say in a sentence how it learns \z
      %[Author", out)
    out = good("list controllers", root)
    assert.matches("\nOwnController +controllers/own.lua +Say in a sentence what it does\n", out)
    assert.matches("\nTrainerController +Lua +Lets the agent learn", out)
    assert.matches("BoltzmannPolicy +Lua +.*%[Sutton and Barto 2018", good("list policies", root))
    assert.matches("deer%-lstm", good("list networks", root))
    assert.matches("\nFrameStack +C +%l", good("list wrappers", root))
    assert.matches("\ncartpole/ppo +PPO +%d+ steps +%u", good("list presets", root))
    assert.equal(good("list envs", root), good("list environments", root))
  end)

  it("has a line of help for everything", function()
    for _, what in ipairs { "envs", "algos", "controllers", "policies", "wrappers", "presets" } do
      for line in good("list " .. what):gmatch "[^\n]+" do
        assert.matches("  %a[^\n]+ %a", line)
      end
    end
  end)
end)

describe("plug-ins", function()
  after_each(child.clean)

  it("are found beside the script, here, in $DEERLUA_PATH and built in", function()
    local function algo(name)
      return ("local A = require('deer').Algo:extend '%s' return A"):format(name)
    end
    local show = "print(require('deer').algos.Mine.__name)"
    local files = { ["s/run.lua"] = show, ["s/algos/mine.lua"] = algo "beside",
      ["here/algos/mine.lua"] = algo "here", ["path/mine_algo.lua"] = algo "path" }
    local function shown()
      local root = child.tree(files)
      local _, out, err = child.run({ "../s/run.lua" }, { cwd = root .. "/here",
        env = "DEERLUA_PATH=" .. root .. "/path" })
      return out .. err
    end
    assert.equal("beside\n", shown())
    files["s/algos/mine.lua"] = nil
    assert.equal("here\n", shown())
    files["here/algos/mine.lua"], files["here/x"] = nil, ""
    assert.equal("path\n", shown())
  end)

  it("take configurations, which are checked", function()
    local root = child.tree {
      ["controllers/epsilon.default.lua"] = "return { e_min = 0.25 }",
      ["controllers/epsilon.bad.lua"] = "return { e_min = 2 }",
      ["controllers/epsilon.newer.lua"] = "return { e_mn = 0.5, e_decays = 9, [1] = 2 }",
      ["envs/cartpole.heavy.lua"] = "return { gravity = 20 }",
      ["envs/cartpole.wrong.lua"] = "return { gravity = 'much' }",
      ["envs/cartpole.broken.lua"] = "return {",
    }
    local function config(line)
      return json.decode(good("train --env cartpole --dry-run " .. line, root))
    end
    local function epsilon(line) return config("--attach " .. line).controllers[1][2] end
    assert.equal(0.25, epsilon("epsilonController").e_min)
    assert.same({ 0.25, 7 }, { epsilon("epsilon e_decays=7").e_min,
      epsilon("epsilon e_decays=7").e_decays })
    assert.equal(0.001, epsilon("epsilon legorl").e_min)
    assert.equal(20, config("--env-conf-file heavy").environment_options.gravity)
    local moon = config("--env-conf-file moon max_steps=7").environment_options
    assert.same({ 1.622, 7 }, { moon.gravity, moon.max_steps })
    for line, expected in pairs {
      ["--attach epsilon bad"] =
        "controllers/epsilon.bad.lua: option 'e_min': expected a number from 0 to 1, got 2",
      ["--attach epsilon legorll"] = "EpsilonController: there is no configuration 'legorll'; \z
        did you mean 'legorl'?",
      ["--env-conf-file wrong"] = "envs/cartpole.wrong.lua: option 'gravity': expected a number \z
        from 0 to 1000, got the string \"much\"",
      ["--env-conf-file moom"] =
        "environment cartpole: there is no configuration 'moom'; did you mean 'moon'?",
      ["--env-conf-file ./none.lua"] = "environment cartpole: cannot read the file './none.lua'",
    } do refused("train --env cartpole " .. line, "deerlua train: " .. expected, root) end
    -- what it does not know is left out, but on the command line it is a mistake
    local status, out, err = run("train --env cartpole --dry-run --attach epsilon newer", root)
    assert.equal("deerlua: warning: controllers/epsilon.newer.lua: unknown option '1' is left out\n"
      .. "deerlua: warning: controllers/epsilon.newer.lua: unknown option 'e_mn' is left out; "
      .. "did you mean 'e_min'?\n", err)
    local given = json.decode(out).controllers[1][2]
    assert.same({ 0, 9, 0.1 }, { status, given.e_decays, given.e_min })
    refused("train --env cartpole --attach epsilon e_mn=0.5",
      "deerlua train: EpsilonController: unknown option 'e_mn'; did you mean 'e_min'?", root)
    status, out, err = run("train --env cartpole --env-conf-file broken", root)
    assert.equal(2, status)
    assert.matches("^deerlua train: envs/cartpole.broken.lua:1: [^\n]+\n$", err)
    assert.equal("", out)
    assert.is_false(sys.exists(root .. "/runs"))
  end)

  it("name the nearest when there is none, and leave nothing behind", function()
    local root = child.tree { ["mine/mase.lua"] = "x = = 1" }
    for line, expected in pairs {
      ["--env cartpole --network der"] = "there is no network 'der'; did you mean 'deer'?",
      ["--env cartpole --attach netSaveLoad input_file=none"] =
        "'none' is not the folder of a run, and there is none in it",
      ["--env cartpole --attach netFusion first=none"] =
        "NetFusionController: option 'second' is missing",
      ["--env cartpole --attach netFusion first=none second=none"] =
        "'none' is not the folder of a run, and there is none in it",
      ["--env ./cartpole.lua"] = "there is no file './cartpole.lua'",
      ["--env mine/maze.lua"] = "there is no file 'mine/maze.lua'; did you mean 'mine/mase.lua'?",
      ["--env mine/mase.lua"] = "mine/mase.lua:1: unexpected symbol near '='",
      ["--env cartpole --attach mine/stop_now.lua"] = "there is no file 'mine/stop_now.lua'",
      ["--env cartpole --algo ./own.lua"] = "there is no file './own.lua'",
      ["--env pendulum --attach skillKeeper"] =
        "SkillKeeperController: only a deep Q-network keeps skills, not a DDPG",
      ["--env cartpole --attach noiseCoeff"] = "NoiseCoeffController: the training policy, an \z
        EpsilonGreedyPolicy, has no noise; expected one such as GaussianNoisePolicy or \z
        OrnsteinUhlenbeckPolicy",
      ["--env pendulum --algo sac --attach epsilon"] =
        "EpsilonController: the training policy, a StochasticPolicy, has no epsilon",
    } do refused("train " .. line, "deerlua train: " .. expected, root) end
    assert.same({ "mine" }, sys.listdir(root))
  end)

  it("in a run from elsewhere are not run by their paths", function()
    local root = child.tree { ["evil.lua"] = "io.open('ran', 'w'):close() return { { 'dense' } }" }
    good("train --env cartpole --algo dqn --run-name a" .. QUICK, root)
    local path = root .. "/runs/cartpole/dqn/a/config.json"
    local config = json.decode(io.open(path):read "a")
    config.algo_options.network = "./evil.lua"
    assert(sys.write_file(path, json.encode(config)))
    refused("eval runs/cartpole/dqn/a", "deerlua eval: runs/cartpole/dqn/a/config.json: \z
      './evil.lua' is a file; expected a name", root)
    assert.is_false(sys.exists(root .. "/ran"))
  end)
end)

describe("deerlua check env", function()
  after_each(child.clean)

  local GOOD = [[
local deer = require "deer"
local E = deer.Environment:extend "E"
function E:reset() self.at = 0 return { 0 } end
function E:act(a) self.at = self.at + a return 1 end
function E:observe() return { self.at } end
function E:inTerminalState() return self.at >= 5 end
function E:inputDimensions() return { { 1 } } end
function E:nActions() return 2 end
%s
return E
]]

  it("says what is wrong, in which line", function()
    for change, expected in pairs {
      ["function E:observe() return { self.at, 2 } end"] =
        "mine.lua:9 (observe): expected a list with 1 entry, one per subject, got a table with 2",
      ["function E:observe() return { 0 / 0 } end"] =
        "mine.lua:9 (observe): subject 0: expected a finite number, got",
      ["function E:act() return 'x' end"] =
        "mine.lua:9 (act): expected a finite number as the reward, got the string 'x'",
      ["function E:observe() return { self.at + math.random() } end"] =
        "mine.lua:9 (observe): asked twice at step 1 it gives two answers",
      ["function E:observe() return { self.x.y } end"] =
        "mine.lua:9: attempt to index a nil value (field 'x')",
      ["E.observe = nil"] = "mine.lua:5: E: expected a method 'observe', got nothing",
      ["E.inTerminalState = nil function E:inTerminal() return true end"] =
        "mine.lua:9: E: 'inTerminal' is no method of an environment; did you mean",
      ["function E:inputDimensions() return { 1 } end"] =
        "mine.lua:9 (inputDimensions): subject 0: expected a row such as {history}",
      ["function E:nActions() return 0 end"] =
        "mine.lua:9 (nActions): expected a whole number from 1 to 16777216",
      ["function E:reset() self.at = math.random(3) return { self.at } end"] =
        "mine.lua:9 (reset): it does not repeat itself with a seed",
      ["function E:inTerminalState() return 1 end"] =
        "mine.lua:9 (inTerminalState): expected true or false, got 1",
      ["E.options = { size = { default = 3 } }"] = "mine.lua:9: E: option 'size' has no help",
      ["x = = 1"] = "mine.lua:9: unexpected symbol near '='",
    } do
      local root = child.tree { ["mine.lua"] = GOOD:format(change) }
      local status, out, err = run("check env mine.lua", root)
      assert.same({ 1, "" }, { status, out }, change)
      assert.is_truthy(err:find("deerlua check: " .. expected, 1, true), err)
      assert.equal(1, select(2, err:gsub("\n", "")), err)
    end
  end)

  it("tells what a good one is like", function()
    local root = child.tree { ["envs/mine.lua"] = GOOD:format "" }
    assert.matches("^mine: nothing is wrong\n  observes {1}; 2 actions\n  %d+ episodes ended",
      good("check env mine", root))
    assert.matches("2 actions\n.* in 60 steps", good("check env cartpole moon --steps 30", root))
    refused("check env min", "deerlua check: there is no env 'min'; did you mean 'mine'?", root)
    refused("check", "deerlua check: expected 'env' and a name, as in `deerlua check env cartpole`",
      root)
    refused("check env cartpole gravty=3",
      "deerlua check: Cartpole: unknown option 'gravty'; did you mean 'gravity'?", root)
  end)
end)

describe("every algorithm", function()
  it("written in C has a class that is listed", function()
    local known = {}
    for line in good("list algos"):gmatch "[^\n]+" do known[line:match "^%S+"] = true end
    for _, name in ipairs(core.names "algo") do
      assert.is_true(known[kinds.load("algo", name).__name], name)
    end
  end)
end)
