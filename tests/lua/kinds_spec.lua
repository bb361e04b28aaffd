local child = require "child"
local deer = require "deer"
local kinds = require "deer.kinds"
local raises = require "raises"
local sys = require "deer.sys"

local function run(files, script, options)
  local root = child.tree(files)
  options = options or {}
  options.cwd = root .. (options.folder or "")
  options.env = options.env and options.env:gsub("ROOT", root)
  return child.run({ script }, options)
end

local function env(word)
  return ([[
    local E = require "deer".Environment:extend "Mine"
    E.word = %q
    return E]]):format(word)
end

local SHOW = "print(require('deer').env('mine').word)"

describe("kinds", function()
  after_each(child.clean)

  it("lists what comes with deerlua", function()
    local envs, controllers = kinds.list "env", kinds.list "controller"
    local function has(list, word)
      for _, name in ipairs(list) do if name == word then return true end end
    end
    assert.is_true(has(envs, "toy_env"))
    for _, name in ipairs { "verbose", "trainer", "find_best", "progress" } do
      assert.is_true(has(controllers, name), name)
    end
    assert.is_true(has(kinds.list "policy", "epsilon_greedy"))
  end)

  it("turns class names into file names and back", function()
    for class, file in deer.spairs {
      InterleavedTestEpochController = "interleaved_test_epoch", EpsilonController = "epsilon",
      FindBestController = "find_best", MyOwn2Controller = "my_own2",
    } do
      assert.equal(file, kinds.fileName("controller", class))
      assert.equal(class, kinds.className("controller", file))
    end
    assert.equal("epsilon_greedy", kinds.fileName("policy", "EpsilonGreedyPolicy"))
    assert.equal("controller", kinds.fileName("controller", "Controller"))
  end)

  it("loads a file once", function()
    assert.equal(deer.env "toy_env", deer.env "toy_env")
    assert.equal("ToyEnv", deer.env("toy_env").__name)
  end)

  it("takes a path", function()
    local root = child.tree { ["deep/own.lua"] = env "path" }
    assert.equal("path", deer.env(root .. "/deep/own.lua").word)
    assert.equal("path", deer.env(root .. "/deep/own").word)
  end)

  it("looks beside the script first", function()
    local _, out, err = run({ ["s/run.lua"] = SHOW, ["s/mine.lua"] = env "beside",
      ["envs/mine.lua"] = env "current" }, "s/run.lua")
    assert.same({ "beside\n", "" }, { out, err })
  end)

  it("looks into envs of the script's and the current folder, then $DEERLUA_PATH", function()
    local files = { ["s/run.lua"] = SHOW, ["s/envs/mine.lua"] = env "script's",
      ["here/envs/mine.lua"] = env "current", ["path/mine.lua"] = env "path",
      ["other/envs/mine.lua"] = env "other" }
    local options = { folder = "/here", env = "DEERLUA_PATH=ROOT/none:ROOT/path:ROOT/other" }
    local function shown()
      local _, out, err = run(files, "../s/run.lua", { folder = options.folder, env = options.env })
      return out .. err
    end
    assert.equal("script's\n", shown())
    files["s/envs/mine.lua"] = nil
    assert.equal("current\n", shown())
    files["here/envs/mine.lua"], files["here/x"] = nil, ""
    assert.equal("path\n", shown())
    files["path/mine.lua"] = nil
    assert.equal("other\n", shown())
  end)

  it("does not take the running script for the environment it asks for", function()
    local _, out, err = run({ ["toy_env.lua"] = "print(require('deer').env('toy_env').__name)" },
      "toy_env.lua")
    assert.same({ "ToyEnv\n", "" }, { out, err })
  end)

  it("finds controllers of one's own by class name", function()
    local files = {
      ["run.lua"] = "print(require('deer').controllers.MyOwnController.__name)",
      ["controllers/my_own.lua"] = [[
        local C = require("deer").Controller:extend "MyOwnController"
        function C:onEnd() end
        return C]],
      ["verbose.lua"] = "error 'not a controller'",
    }
    local _, out, err = run(files, "run.lua")
    assert.same({ "MyOwnController\n", "" }, { out, err })
    -- a file that only looks like one of ours is left alone
    files["run.lua"] = "print(require('deer').controllers.VerboseController.__name)"
    _, out, err = run(files, "run.lua")
    assert.same({ "VerboseController\n", "" }, { out, err })
  end)

  -- reinforce.c once more, as if a file and a line in algos.def had been added
  it("finds an algorithm in C that has no file in Lua", function()
    local status, out, err = run({ ["try.lua"] = [[
      local core = require "deer.core"
      local names = core.names
      function core.names(kind)
        local all = names(kind)
        if kind == "algo" then all[#all + 1] = "my_rule" end
        return all
      end
      for _, asks in ipairs { "about", "fields" } do
        local ask = core[asks]
        core[asks] = function(kind, name)
          return ask(kind, name == "my_rule" and "reinforce" or name)
        end
      end
      local make = core.algo
      function core.algo(name, ...) return make(name == "my_rule" and "reinforce" or name, ...) end
      local deer = require "deer"
      assert(deer.algos.PPO == deer.PPO and deer.algos.Dqn == deer.QNetwork)
      local env = deer.env "cartpole" {}
      local rule = deer.algos.MyRule{ environment = env, episodes = 2 }
      deer.NeuralAgent{ environment = env, learning_algo = rule, train_every = 1 }:run(1, 500)
      local shares = rule:actionProba{ { { 0, 0, 0, 0 } } }
      print(rule:updates() > 0, rule:explorationPolicy().__name, #shares)
      local rows = require("deer.catalogue").rows "algos"
      print(rows[#rows].name, rows[#rows].kind, rows[#rows].actions)
      local train = assert(require("deer.plan").algos "cartpole")
      print(require("deer.core").nearest("my_rul", train))]] }, "try.lua")
    assert.same({ 0, "", "true\tStochasticPolicy\t2\n"
      .. "MyRule\tC\tdiscrete, continuous, multi-discrete\nmy_rule\n" }, { status, err, out })
  end)

  it("names the nearest when there is none", function()
    raises(function() deer.env "toy_emv" end,
      "there is no env 'toy_emv'; did you mean 'toy_env'%?")
    raises(function() deer.env "qqqqqqqqqq" end, "there are .*toy_env")
    raises(function() deer.env(3) end, "expected the name of an env, got 3")
    raises(function() return deer.controllers.TrainController end,
      "there is no controller 'TrainController'; did you mean 'TrainerController'%?")
  end)

  it("says when a file does not return a class of its kind", function()
    local root = child.tree { ["a.lua"] = "return 7", ["b.lua"] = "x = = 1",
      ["c.lua"] = "return require('deer').Controller:extend 'C'" }
    raises(function() deer.env(root .. "/a.lua") end,
      "a.lua: expected the file to return a class that extends Environment, got 7")
    assert.matches("/b.lua:1: unexpected symbol", select(2, pcall(deer.env, root .. "/b.lua")))
    raises(function() deer.env(root .. "/c.lua") end, "extends Environment, got ")
  end)

  it("works with the program copied away from its source tree", function()
    local root = child.folder()
    assert(os.execute(("cp %s %s/deerlua"):format(child.quote(child.program), root)))
    local status, out, err = child.run({ "-e", "local d = require 'deer' print(d.env('toy_env')) \z
      print(d.controllers.FindBestController) print(#d.kinds.list 'controller')" },
      { program = root .. "/deerlua", cwd = root })
    assert.equal("", err)
    assert.equal(("class ToyEnv\nclass FindBestController\n%d\n"):format(
      #kinds.list "controller"), out)
    assert.equal(0, status)
    assert.is_true(sys.exists(root .. "/deerlua"))
  end)
end)
