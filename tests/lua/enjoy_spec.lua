-- deerlua enjoy and deerlua eval: a run is made again from its folder alone.
local child = require "child"
local deer = require "deer"
local json = require "deer.json"
local sys = require "deer.sys"
local terminal = require "deer.terminal"
local watch = require "deer.watch"

-- a short run in a folder of its own
local function train(line, root)
  root = root or child.folder()
  local words = { "train", "--quiet", "--run-name", "a" }
  for word in line:gmatch "%S+" do words[#words + 1] = word end
  local status, _, err = child.run(words, { cwd = root })
  assert.same({ 0, "" }, { status, err })
  return root
end

local function run(root, line, env)
  local words = {}
  for word in line:gmatch "%S+" do words[#words + 1] = word end
  return child.run(words, { cwd = root, env = env })
end

-- the values of the last column of that name which has one
local function column(path, tag)
  local at, values
  for line in io.lines(path) do
    local cells = {}
    for cell in (line .. ","):gmatch "([^,]*)," do cells[#cells + 1] = cell end
    if not at then
      for i, name in ipairs(cells) do at = name == tag and i or at end
      values = {}
    else
      values[#values + 1] = tonumber(cells[at])
    end
  end
  return values
end

describe("deerlua eval", function()
  after_each(child.clean)

  for _, case in ipairs {
    { "cartpole", "dqn", "--hyperparam replay_start_size=50" },
    { "cartpole", "noisy", "--hyperparam replay_start_size=50" },
    { "pendulum", "sac", "--hyperparam replay_start_size=50 batch_size=8" },
  } do
    it(("reaches in %s by %s what the evaluations in training reached"):format(case[1], case[2]),
      function()
        local root = train(("--env %s --algo %s --epochs 3 --steps-per-epoch 200 "
          .. "--eval-episodes 3 %s"):format(table.unpack(case)))
        local folder = ("runs/%s/%s/a"):format(case[1], case[2])
        local means = column(root .. "/" .. folder .. "/progress.csv", "eval/mean_reward")
        assert.equal(3, #means)
        -- the last parameters, by the episodes of the first stage or of both
        local reached = {}
        for _, n in ipairs { 3, 6 } do
          local line = "eval %s --last --json --episodes %d"
          local status, out, err = run(root, line:format(folder, n))
          assert.same({ 0, "" }, { status, err })
          local result = json.decode(out)
          assert.equal(n, #result.returns)
          reached[n] = result.mean
        end
        assert.is_true(reached[3] == means[3] or reached[6] == means[3],
          ("%s and %s, expected %s"):format(reached[3], reached[6], means[3]))
        -- the best ones
        local best = math.max(table.unpack(means))
        local _, out = run(root, ("eval %s --json --episodes 6"):format(folder))
        assert.equal(best, json.decode(out).mean)
      end)
  end

  it("prints every return, mean and spread, and finds the newest run", function()
    local root = train "--env cartpole --epochs 1 --steps-per-epoch 30"
    local status, out = run(root, "eval runs --episodes 3")
    assert.equal(0, status)
    assert.matches("^episode 1: return %d+%.0, %d+ steps\nepisode 2[^\n]+\nepisode 3[^\n]+\n"
      .. "mean [%d.]+ %+%- [%d.]+ over 3 episodes, from [%d.]+ to [%d.]+, [%d.]+ steps each\n$",
      out)
    local _, again = run(root, "eval runs/cartpole --episodes 3")
    assert.equal(out, again)
    local _, other = run(root, "eval runs --episodes 3 --seed 7")
    assert.not_equal(out, other)
  end)

  it("says in one line what is wrong with a run, and runs nothing that lies in it", function()
    local root = train "--env cartpole --epochs 1 --steps-per-epoch 30"
    local folder = root .. "/runs/cartpole/dqn/a"
    local function refused(pattern, line)
      local status, out, err = run(root, line or "eval runs/cartpole/dqn/a")
      assert.same({ 2, "" }, { status, out })
      assert.matches("^deerlua eval: " .. pattern .. "\n$", err)
    end
    local path = folder .. "/config.json"
    local file = assert(io.open(path))
    local good = json.decode(file:read "a")
    file:close()
    local function with(changes)
      local config = setmetatable({}, { __index = good })
      for key, value in pairs(good) do config[key] = value end
      for key, value in pairs(changes) do config[key] = value end
      assert(sys.write_file(path, json.encode(setmetatable(config, nil))))
    end
    refused("expected the folder of a run, as train printed it", "eval")
    refused("'nowhere' is not the folder of a run, and there is none in it", "eval nowhere")
    assert(sys.write_file(root .. "/evil.lua", "io.stderr:write 'run' os.exit(9)"))
    with { environment = "./evil.lua" }
    refused "the run used the environment in the file '%./evil%.lua'; [^\n]+ %-%-env %./evil%.lua"
    with { environment = "cartpol" }
    refused "there is no env 'cartpol'; did you mean 'cartpole'%?"
    with { algo = "os" }
    refused "[^\n]+config%.json: there is no algorithm 'os'"
    with { algo_options = { batchsize = 4, nonsense = 1 } }
    refused "QNetwork: unknown option 'nonsense'[^\n]+"
    with { format = 99 }
    refused "[^\n]+config%.json: it was written by a newer deerlua, [^\n]+"
    with { seed = "x" }
    refused "[^\n]+config%.json: seed: expected a number, got the string \"x\""
    assert(sys.write_file(path, "{"))
    refused "[^\n]+config%.json: byte 1: [^\n]+"
    assert(sys.write_file(path, "[]"))
    refused "[^\n]+config%.json: expected the configuration of a run"
    with {}
    assert(sys.write_file(folder .. "/best.safetensors", "no tensors"))
    refused "[^\n]+best%.safetensors[^\n]+"
  end)
end)

describe("deerlua enjoy", function()
  after_each(child.clean)

  it("plays the episodes of eval, and shows actions and states", function()
    local root = train "--env cartpole --epochs 1 --steps-per-epoch 30"
    local _, expected = run(root, "eval runs --episodes 2")
    local status, out, err = run(root, "enjoy runs --episodes 2 --plotting states.png")
    assert.same({ 0, "" }, { status, err })
    assert.matches("^QNetwork in cartpole, runs/cartpole/dqn/a/best.safetensors\n"
      .. "states: states.png\n", out)
    assert.equal(expected, out:match "(episode 1:.*)$")
    assert.is_true(sys.exists(root .. "/states.png"))
    status, out = run(root, "enjoy runs --num-timesteps 3 --action-proba")
    assert.equal(0, status)
    local _, n = out:gsub("action  0 %[[#.]+%] [^\n]+\naction  1 %[[#.]+%] [^\n]+\n", "")
    assert.equal(3, n)
    assert.matches("return 3%.0, 3 steps", out)
  end)

  for _, name in ipairs { "ppo", "a2c", "reinforce", "sac_discrete" } do
    it("shows how probable the actions are by " .. name, function()
      local root = train(("--env cartpole --algo %s --epochs 1 --steps-per-epoch 30"):format(name))
      local status, out, err = run(root, "enjoy runs --num-timesteps 2 --action-proba")
      assert.same({ 0, "" }, { status, err })
      local n = 0
      local pair = "action  0 %[[#.]+%] ([%d.]+)[ <]*\naction  1 %[[#.]+%] ([%d.]+)"
      for left, right in out:gmatch(pair) do
        assert.is_true(math.abs(left + right - 1) < 1e-3, out)
        n = n + 1
      end
      assert.equal(2, n)
    end)
  end

  it("shows from what continuous actions are drawn, and several choices", function()
    local root = train "--env pendulum --algo ppo --epochs 1 --steps-per-epoch 30"
    local _, out = run(root, "enjoy runs --num-timesteps 2 --action-proba")
    local number = "%-?[%d.e-]+"
    local line = "action  0 %[[#.]+%] number, mean number, deviation number\n"
    local _, n = out:gsub(line:gsub("number", function() return number end), "")
    assert.equal(2, n)
    local levers = [[
      local L = require("deer").Environment:extend "Levers"
      function L:reset() self.at = 0 return { 0 } end
      function L:act(action) self.at = self.at + 1 return action[1] end
      function L:observe() return { self.at } end
      function L:inTerminalState() return self.at == 5 end
      function L:inputDimensions() return { { 1 } } end
      function L:nActions() return { 3, 2 } end
      return L]]
    root = train("--env levers --algo ppo --epochs 1 --steps-per-epoch 30",
      child.tree { ["levers.lua"] = levers })
    _, out = run(root, "enjoy runs --num-timesteps 1 --action-proba")
    local choices = {}
    for label, p in out:gmatch "action (%d%.%d) %[[#.]+%] ([%d.]+)" do
      choices[#choices + 1] = label
      choices[label:sub(1, 1)] = (choices[label:sub(1, 1)] or 0) + p
    end
    assert.same({ "0.0", "0.1", "0.2", "1.0", "1.1" }, { table.unpack(choices) })
    assert.is_true(math.abs(choices["0"] - 1) < 1e-3 and math.abs(choices["1"] - 1) < 1e-3)
    -- one that tells neither
    root = train "--env pendulum --algo td3 --epochs 1 --steps-per-epoch 30"
    _, out = run(root, "enjoy runs --num-timesteps 1 --action-proba")
    assert.matches("\naction  0 %[[#.]+%] %-?[%d.e-]+\n", out)
  end)

  it("draws on the terminal, in colours or without", function()
    local root = train "--env cartpole --epochs 1 --steps-per-epoch 30"
    local _, out = run(root, "enjoy runs --num-timesteps 1 --render", "COLUMNS=40")
    assert.matches("\27%[38;2;%d+;%d+;%d+;48;2;%d+;%d+;%d+m\u{2580}", out)
    _, out = run(root, "enjoy runs --num-timesteps 1 --render", "NO_COLOR=1 COLUMNS=40")
    assert.is_nil(out:find "\27")
    assert.matches("\n[ .:=+*#%%@-]+\n", out)
  end)

  it("writes pictures and films", function()
    if not sys.source "deer.video" then return pending "no films yet" end
    local root = train "--env cartpole --epochs 1 --steps-per-epoch 30"
    local status, out, err = run(root, "enjoy runs --num-timesteps 3 --frames shots --video a.gif")
    assert.same({ 0, "" }, { status, err })
    assert.matches("\n3 pictures in shots\nfilm: a%.gif\n", out)
    assert.same({ "frame000001.png", "frame000002.png", "frame000003.png" },
      sys.listdir(root .. "/shots"))
    local file = assert(io.open(root .. "/a.gif", "rb"))
    assert.matches("^GIF89a", file:read(6))
    file:close()
  end)

  it("refuses pictures of what draws none", function()
    local walk = [[
      local W = require("deer").Environment:extend "Walk"
      function W:reset() self.at = 0 return { 0 } end
      function W:act() self.at = self.at + 1 return 1 end
      function W:observe() return { self.at } end
      function W:inTerminalState() return self.at == 5 end
      function W:inputDimensions() return { { 1 } } end
      function W:nActions() return 2 end
      return W]]
    local root = train("--env walk --epochs 1 --steps-per-epoch 30",
      child.tree { ["walk.lua"] = walk })
    local status, _, err = run(root, "enjoy runs --render")
    assert.equal(2, status)
    assert.equal("deerlua enjoy: the environment 'walk' draws no pictures: it has no method "
      .. "render\n", err)
    assert.matches("episode 1: return 5%.0, 5 steps", select(2, run(root, "enjoy runs")))
  end)
end)

describe("a picture on the terminal", function()
  it("has the colours of the picture", function()
    -- left half red, right half blue above and green below
    local bytes = {}
    for row = 0, 7 do
      for x = 0, 7 do
        bytes[#bytes + 1] = x < 4 and "\255\0\0" or row < 4 and "\0\0\255" or "\0\255\0"
      end
    end
    local picture = deer.Tensor("uint8", { 8, 8, 3 }, table.concat(bytes))
    local colors = terminal.colors
    finally(function() terminal.colors = colors end)
    terminal.colors = function() return true end
    local lines = terminal.picture(picture, 2, 5)
    assert.same({ "\27[38;2;255;0;0;48;2;255;0;0m\u{2580}"
      .. "\27[38;2;0;0;255;48;2;0;255;0m\u{2580}\27[0m" }, lines)
    terminal.colors = function() return false end
    assert.same({ "**" }, terminal.picture(picture, 2, 5))
  end)
end)

describe("the main directions of states", function()
  it("are those in which they differ most", function()
    local rows, n = {}, 60
    -- along (3, 4, 0) / 5, less along (-4, 3, 0) / 5, hardly along the third axis
    for i = 1, n do
      local a, b = 10 * math.cos(i), 2 * math.sin(i)
      rows[i] = { 1 + (3 * a - 4 * b) / 5, 2 + (4 * a + 3 * b) / 5, 7 + 0.01 * math.cos(3 * i) }
    end
    local xs, ys, principal = watch.States.project(rows)
    assert.is_true(principal)
    local sign_x, sign_y = xs[60] > 0 and 1 or -1, ys[1] > 0 and 1 or -1
    sign_x = sign_x * (math.cos(60) > 0 and 1 or -1)
    for i = 1, n do
      assert.is_true(math.abs(sign_x * xs[i] - 10 * math.cos(i)) < 0.5)
      assert.is_true(math.abs(sign_y * ys[i] - 2 * math.sin(i)) < 0.5)
    end
  end)
end)
