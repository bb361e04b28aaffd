-- deerlua enjoy and deerlua eval: a run is made again from its folder alone.
local child = require "child"
local deer = require "deer"
local json = require "deer.json"
local states = require "deer.states"
local sys = require "deer.sys"
local terminal = require "deer.terminal"

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
    refused "there is no env 'cartpol'; did you mean 'cartpole'%?; the run used it [^\n]+"
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
    os.remove(folder .. "/last.safetensors") -- as when the run was killed
    refused("there are no last parameters in 'runs/cartpole/dqn/a' yet, only the best ones; \z
      leave out %-%-last", "eval runs/cartpole/dqn/a --last")
    assert(sys.write_file(folder .. "/best.safetensors", "no tensors"))
    refused "[^\n]+best%.safetensors[^\n]+"
    os.remove(folder .. "/best.safetensors")
    refused("there are no parameters in 'runs/cartpole/dqn/a'", "eval runs/cartpole/dqn/a --last")
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

  it("leaves an episode that has no end out of the mean, if there is another", function()
    local root = train "--env cartpole --epochs 1 --steps-per-epoch 30"
    local lengths = json.decode(select(2, run(root, "eval runs --episodes 2 --json"))).lengths
    local steps = lengths[1] + lengths[2] + 3
    local _, out = run(root, "enjoy runs --num-timesteps " .. steps)
    assert.matches(("\nepisode 3: return 3.0 after 3 steps, not at its end: left out of the mean\n"
      .. "mean %s %%+%%- [%%d.]+ over 2 episodes, "):format((lengths[1] + lengths[2]) / 2), out)
    _, out = run(root, "enjoy runs --json --num-timesteps " .. steps)
    assert.same(lengths, json.decode(out).lengths)
    -- one that ends with the last step is whole, one that is cut by --max-steps was asked for
    _, out = run(root, "enjoy runs --json --num-timesteps " .. steps - 3)
    assert.same(lengths, json.decode(out).lengths)
    _, out = run(root, "enjoy runs --json --max-steps 4 --num-timesteps 8")
    assert.same({ 4, 4 }, json.decode(out).lengths)
    _, out = run(root, "enjoy runs --json --num-timesteps 3")
    assert.same({ 3 }, json.decode(out).lengths)
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
    local line = "action  0 %[[#.]+%] number %(number %+%- number%)\n"
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

  it("shows where the states lie, on the terminal while it plays", function()
    local root = train "--env cartpole --epochs 1 --steps-per-epoch 30"
    local status, out, err = run(root, "enjoy runs --num-timesteps 9 --plotting", "NO_COLOR=1")
    assert.same({ 0, "" }, { status, err })
    -- nothing moves where there is no terminal
    local _, n = out:gsub("across: principal component 1; up: principal component 2; colour", "")
    assert.equal(1, n)
    assert.matches("\n[ *+=:.-]*[*+=:-][ *+=:.-]*\n", out)
    if child.shell "command -v script" ~= 0 then return end
    local played = ("cd %s && script -qec %s /dev/null"):format(root, child.quote("stty rows 20 \z
      columns 50; " .. child.quote(child.program) .. " enjoy runs --num-timesteps 9 --plotting \z
      --render --action-proba --fps 900"))
    status, out = child.shell(played)
    assert.equal(0, status)
    _, n = out:gsub("episode 1, step %d", "")
    assert.equal(9, n)
    -- each picture stands in the place of the one before, and is no higher than the terminal
    local _, moves = out:gsub("\27%[(%d+)A", function(lines)
      assert.is_true(tonumber(lines) < 20)
    end)
    assert.equal(8, moves)
  end)

  it("says nothing when that is asked for", function()
    local root = train "--env cartpole --epochs 1 --steps-per-epoch 30"
    assert.same({ 0, "", "" }, { run(root, "enjoy runs --quiet --plotting states.png -n 2") })
    assert.is_true(sys.exists(root .. "/states.png"))
    assert.same({ 0, "", "" }, { run(root, "enjoy runs -q") })
    for _, words in ipairs { "--quiet --render", "--json --plotting", "--quiet --json",
      "--plotting=x.jpg", "--video x.avi", "--video no/x.gif", "--plotting no/x.png" } do
      local status, out, err = run(root, "enjoy runs " .. words)
      assert.same({ 2, "" }, { status, out })
      assert.matches("^deerlua enjoy: [^\n]+\n$", err)
    end
  end)

  it("takes another environment, with the options that it knows", function()
    local root = train "--env cartpole --epochs 1 --steps-per-epoch 30 --env-option gravity=5"
    assert(sys.mkdir(root .. "/envs"))
    assert(sys.write_file(root .. "/envs/other.lua", [[
      local O = require("deer").Environment:extend "Other"
      O.options = { gravity = { default = 9 } }
      function O:init(options) self.gravity = options.gravity end
      function O:reset() self.at = 0 return { { 0, 0, 0, 0 } } end
      function O:act() self.at = self.at + 1 return self.gravity end
      function O:observe() return { { 0, 0, 0, 0 } } end
      function O:inTerminalState() return self.at == 3 end
      function O:inputDimensions() return { { 1, 4 } } end
      function O:nActions() return 2 end
      return O]]))
    local status, out, err = run(root, "enjoy runs --env other")
    assert.same({ 0, "" }, { status, err })
    assert.matches("episode 1: return 15%.0, 3 steps", out)
    status, out, err = run(root, "enjoy runs --env othr")
    assert.same({ 2, "deerlua enjoy: there is no env 'othr'; did you mean 'other'?\n" },
      { status, err })
    assert.equal("", out)
    local path = root .. "/runs/cartpole/dqn/a/config.json"
    local source = io.open(path):read "a"
    assert(sys.write_file(path, (source:gsub('"environment": "cartpole"',
      '"environment": "cart_pol"'))))
    status, out, err = run(root, "enjoy runs")
    assert.same({ 2, "" }, { status, out })
    assert.matches("^deerlua enjoy: there is no env 'cart_pol'; did you mean 'cartpole'%?; the run "
      .. "used it %(%-%-env names another one%)\n$", err)
    assert(sys.write_file(path, source:sub(1, 200)))
    status, out, err = run(root, "enjoy runs")
    assert.same({ 2, "" }, { status, out })
    assert.matches("^deerlua enjoy: [^\n]+config.json: byte %d+: expected [^\n]+, but there the "
      .. "text ends\n$", err)
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
    local root = train "--env cartpole --epochs 1 --steps-per-epoch 30"
    local status, out, err = run(root, "enjoy runs --num-timesteps 3 --frames shots --video a.gif")
    assert.same({ 0, "" }, { status, err })
    assert.matches("\n3 pictures in shots\nfilm: a%.gif\n", out)
    assert.same({ "frame000001.png", "frame000002.png", "frame000003.png" },
      sys.listdir(root .. "/shots"))
    local file = assert(io.open(root .. "/a.gif", "rb"))
    assert.matches("^GIF89a", file:read(6))
    file:close()
    if child.shell "command -v ffprobe" ~= 0 then return end
    assert.matches("\nfilm: a%.mp4\n",
      select(2, run(root, "enjoy runs --num-timesteps 7 --video a.mp4 --fps 10")))
    local _, about = child.shell(("cd %s && ffprobe -v error -count_frames -show_entries \z
      stream=codec_name,width,height,r_frame_rate,nb_read_frames -of csv a.mp4"):format(root))
    assert.equal("stream,h264,600,300,10/1,7\n", about)
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

describe("a cloud of states", function()
  it("has the directions in which they differ most", function()
    local cloud, n = states.new(), 64
    -- along (3, 4, 0, 0) / 5, less along (-4, 3, 0, 0) / 5, less again along the third axis
    for i = 1, n do
      local a, b = 10 * math.cos(i), 3 * math.sin(i)
      cloud:add { 1 + (3 * a - 4 * b) / 5, { 2 + (4 * a + 3 * b) / 5 },
        { { 7 + math.cos(3 * i) }, 5 } }
    end
    assert.is_true(cloud:principal())
    assert.equal(n, #cloud.points)
    -- the sense of an axis is any, the same for all points
    for axis, expected in ipairs {
      function(i) return 10 * math.cos(i) end,
      function(i) return 3 * math.sin(i) end,
      function(i) return math.cos(3 * i) end,
    } do
      local sum = 0
      for i, point in ipairs(cloud.points) do sum = sum + point[axis] * expected(i) end
      local sign = sum > 0 and 1 or -1
      for i, point in ipairs(cloud.points) do
        assert.is_true(math.abs(sign * point[axis] - expected(i)) < 0.6, ("axis %d"):format(axis))
      end
    end
  end)

  it("takes up to three numbers as they are, and keeps some thousands", function()
    local cloud = states.new()
    for i = 1, 10000 do cloud:add { i, { -i, 2 * i } } end
    assert.is_false(cloud:principal())
    assert.same({ "number 1 of the state", "number 2 of the state", "number 3 of the state" },
      { cloud:names() })
    assert.is_true(#cloud.points > 1500 and #cloud.points < 4000)
    for i, point in ipairs(cloud.points) do
      assert.same({ -point[1], 2 * point[1] }, { point[2], point[3] })
      assert.is_true(i == 1 or point[1] > cloud.points[i - 1][1])
    end
    assert.same({ 10000, -10000, 20000 }, cloud.now)
    assert.is_true(cloud.points[#cloud.points][1] > 9990)
  end)

  it("is drawn from blue to red, with the present state in black", function()
    local cloud = states.new()
    cloud:add { 0, 0, 0 }
    cloud:add { 1, 1, 1 }
    cloud:add { 1, 0, 1 }
    local bytes = cloud:picture(4, 3):bytes()
    local function pixel(x, y)
      local at = 3 * (4 * y + x)
      return { bytes:byte(at + 1, at + 3) }
    end
    assert.same({ 0, 114, 178 }, pixel(0, 2))
    assert.same({ 213, 94, 0 }, pixel(3, 0))
    assert.same({ 0, 0, 0 }, pixel(3, 2))
    assert.same({ 255, 255, 255 }, pixel(1, 1))
    -- one state alone, one number alone
    cloud = states.new()
    cloud:add { 7 }
    assert.same({ "number 1 of the state", "", "" }, { cloud:names() })
    assert.same({ 2, 2, 3 }, cloud:picture(2, 2):shape())
    assert.equal("table", type(cloud:figure()))
  end)
end)
