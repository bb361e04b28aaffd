-- The controllers that record a run: their files are read back here by other means than those that
-- wrote them.
local child = require "child"
local deer = require "deer"
local sys = require "deer.sys"

local bc = deer.controllers

-- six steps an episode, rewards 1 to 6 and `bonus` for action 1; the state is the step
local function walk_class(bonus)
  local Walk = deer.Environment:extend "Walk"
  function Walk:reset() self.at = 0 return { 0 } end
  function Walk:act(action) self.at = self.at + 1 return self.at + bonus * action end
  function Walk:observe() return { self.at } end
  function Walk:inTerminalState() return self.at == 6 end
  function Walk.inputDimensions() return { { 1 } } end
  function Walk.nActions() return 2 end
  return Walk
end

local function agent_with(folder, controllers, options)
  options = options or {}
  local environment = walk_class(options.bonus or 0){}
  local algo = deer.QNetwork{ environment = environment, batch_size = 4 }
  local agent = deer.NeuralAgent{ environment = environment, learning_algo = algo,
    train_every = 1, train_policy = deer.policies.EpsilonGreedyPolicy{ epsilon = 0.5 } }
  agent.folder = folder
  for _, controller in ipairs(controllers) do agent:attach(controller) end
  return agent
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read "a"
  file:close()
  return content
end

local function find(folder, pattern)
  for _, name in ipairs(assert(sys.listdir(folder))) do
    if name:find(pattern) then return folder .. "/" .. name end
  end
end

describe("MonitorController", function()
  after_each(child.clean)

  it("writes what Stable-Baselines3 writes, without episodes that the epoch cuts", function()
    local folder = child.folder()
    local before = sys.date()
    agent_with(folder, { bc.MonitorController{ env_id = 'a"b' } }):run(2, 14)
    local content = read(folder .. "/monitor.csv")
    local start, rows = content:match '^#{"t_start": (%d+%.%d+), "env_id": "a\\"b"}\nr,l,t\r\n(.*)$'
    assert.is_true(tonumber(start) >= before and tonumber(start) <= sys.date())
    local n, last = 0, 0
    for line in rows:gmatch "([^\n]*)\n" do
      local t = line:match "^21%.0,6,(%d+%.%d+)\r$" or line:match "^21%.0,6,(%d+%.?%d*e%-%d+)\r$"
      assert.is_true(tonumber(t) >= last, line)
      n, last = n + 1, tonumber(t)
    end
    assert.equal(4, n)
  end)
end)

describe("ProgressCsvController", function()
  after_each(child.clean)

  it("writes one line per epoch, cells as numbers or empty", function()
    local folder = child.folder()
    agent_with(folder, { bc.EvaluationController{ periodicity = 2, episodes = 2 },
      bc.ProgressCsvController{} }):run(3, 30)
    local lines = {}
    for line in read(folder .. "/progress.csv"):gmatch "([^\n]*)\n" do
      local cells = {}
      for cell in (line .. ","):gmatch "([^,]*)," do cells[#cells + 1] = cell end
      lines[#lines + 1] = cells
    end
    assert.equal(4, #lines)
    local column = {}
    for i, tag in ipairs(lines[1]) do column[tag] = i end
    local function value(row, tag) return tonumber(lines[row + 1][column[tag]]) end
    for row = 1, 3 do
      assert.equal(14, #lines[row + 1])
      assert.same({ 21, 6, 30 * row, row, 5 * row }, { value(row, "rollout/ep_rew_mean"),
        value(row, "rollout/ep_len_mean"), value(row, "time/total_timesteps"),
        value(row, "time/iterations"), value(row, "time/episodes") })
      assert.equal(row == 2 and 21 or nil, value(row, "eval/mean_reward"))
    end
    assert.is_true(value(3, "train/loss") > 0)
  end)
end)

describe("TensorBoardController", function()
  -- a reader of its own: bit by bit, from the descriptions of CRC-32C, TFRecord and protobuf
  local function crc(bytes)
    local rest = 0xffffffff
    for i = 1, #bytes do
      for bit = 0, 7 do
        local feed = (rest ~ bytes:byte(i) >> bit) & 1
        rest = rest >> 1
        if feed == 1 then rest = rest ~ 0x82f63b78 end
      end
    end
    return rest ~ 0xffffffff
  end

  local function unmask(masked)
    local rotated = (masked - 0xa282ead8) & 0xffffffff
    return (rotated >> 17 | rotated << 15) & 0xffffffff
  end

  local function fields(bytes)
    local list, at = {}, 1
    local function varint()
      local value, shift = 0, 0
      while true do
        local byte = bytes:byte(at)
        at = at + 1
        value = value | (byte & 0x7f) << shift
        if byte < 0x80 then return value end
        shift = shift + 7
      end
    end
    while at <= #bytes do
      local key = varint()
      local kind, value = key & 7
      if kind == 0 then value = varint()
      elseif kind == 1 then value, at = string.unpack("<d", bytes, at)
      elseif kind == 5 then value, at = string.unpack("<f", bytes, at)
      else
        local n = varint()
        value, at = bytes:sub(at, at + n - 1), at + n
      end
      list[#list + 1] = { key >> 3, value }
    end
    return list
  end

  after_each(child.clean)

  it("knows the check values of CRC-32C", function()
    assert.equal(0xe3069283, crc "123456789")
    assert.equal(0x8a9136aa, crc(("\0"):rep(32)))
  end)

  it("writes records whose checksums and messages are right", function()
    local folder = child.folder()
    agent_with(folder, { bc.EvaluationController{ episodes = 2 },
      bc.TensorBoardController{} }):run(3, 200)
    local content, at, events = read(find(folder, "^events%.out%.tfevents%.%d+")), 1, {}
    while at <= #content do
      local length, check, bytes
      length, check = string.unpack("<I8I4", content, at)
      assert.equal(crc(content:sub(at, at + 7)), unmask(check))
      bytes = content:sub(at + 12, at + 11 + length)
      assert.equal(crc(bytes), unmask((string.unpack("<I4", content, at + 12 + length))))
      events[#events + 1] = fields(bytes)
      at = at + 16 + length
    end
    assert.equal(4, #events)
    assert.same({ 3, "brain.Event:2" }, events[1][3])
    for epoch = 1, 3 do
      local event, values = events[epoch + 1], {}
      assert.same({ 2, 200 * epoch }, event[2])
      assert.is_true(math.abs(event[1][2] - sys.date()) < 60)
      for _, value in ipairs(fields(event[3][2])) do
        local parts = fields(value[2])
        values[parts[1][2]] = parts[2][2]
      end
      assert.same({ 21, 6, 21, 200 * epoch }, { values["rollout/ep_rew_mean"],
        values["rollout/ep_len_mean"], values["eval/mean_reward"],
        values["time/total_timesteps"] })
      assert.is_true(values["train/loss"] > 0)
    end
  end)
end)

describe("EvaluationController", function()
  it("plays more episodes only when the first ones beat the best", function()
    local evaluation = bc.EvaluationController{ episodes = 2, all_episodes = 5 }
    local agent = agent_with(nil, { evaluation })
    agent:run(3, 20)
    -- 21 every time: better than nothing once
    local counts = {}
    for i, result in ipairs(evaluation.results) do counts[i] = #result.returns end
    assert.same({ 5, 2, 2 }, counts)
    assert.same({ true, false, false }, { evaluation.results[1].best, evaluation.results[2].best,
      evaluation.results[3].best })
    assert.same({ 21, 0, 6 }, { agent.evaluation.mean, agent.evaluation.deviation,
      agent.evaluation.mean_length })
    assert.equal(60, agent:steps()) -- training goes on as if nothing had been
  end)

  it("changes nothing in training", function()
    local function weights(controllers)
      local agent = agent_with(nil, controllers)
      agent:run(3, 40)
      return agent.learning_algo:getAllParams()
    end
    assert.same(weights {}, weights { bc.EvaluationController{} })
  end)
end)

describe("StopController", function()
  after_each(child.clean)

  local function steps(options, more)
    options.show = false
    local folder = child.folder()
    local agent = agent_with(folder, { bc.EvaluationController{ episodes = 2 },
      bc.StopController(options) })
    if more then more(folder) end
    agent:run(5, 20)
    return agent:steps()
  end

  it("ends a run at a target, a budget or a file, and else not", function()
    assert.equal(20, steps{ target_reward = 21 })
    assert.equal(100, steps{ target_reward = 21.5 })
    assert.equal(47, steps{ steps = 47 })
    assert.equal(20, steps({}, function(folder)
      assert(sys.write_file(folder .. "/stop", ""))
    end))
    assert.equal(20, steps({ file = "enough" }, function(folder)
      assert(sys.write_file(folder .. "/enough", ""))
    end))
  end)
end)

describe("NetworkFilesController", function()
  after_each(child.clean)

  it("keeps the best and the last parameters", function()
    local folder = child.folder()
    local agent = agent_with(folder, { bc.EvaluationController{ episodes = 1, all_episodes = 1 },
      bc.NetworkFilesController{ config = "{}" } })
    agent:run(2, 60)
    local load = require("deer.core").safetensors.load
    local best, about = load(folder .. "/best.safetensors")
    assert.same({ "QNetwork", "60", "1", "{}" },
      { about.algo, about.steps, about.epochs, about.config })
    local last = load(folder .. "/last.safetensors")
    assert.equal(#last, #best)
    assert.not_same(last, best)
    for i, param in ipairs(agent.learning_algo:getAllParams()) do
      assert.equal(param.data, last[i].data)
    end
  end)
end)

describe("LearningCurveController", function()
  after_each(child.clean)

  -- how many pixels of the picture are of a kind
  local function count(canvas, is_one)
    local rgb, n = canvas:rgb(), 0
    for i = 1, #rgb, 3 do
      if is_one(rgb:byte(i, i + 2)) then n = n + 1 end
    end
    return n
  end

  it("draws all layers to a file whose name tells episodes, steps and seconds", function()
    local folder = child.folder()
    local controller = bc.LearningCurveController{}
    local agent = agent_with(folder, { bc.EvaluationController{ episodes = 2 }, controller },
      { bonus = 5 })
    agent:run(4, 30)
    local names = sys.listdir(folder .. "/plots")
    assert.equal(1, #names)
    assert.matches("^plot_0020E_120T_%d+s%.png$", names[1])
    assert.equal("\137PNG", read(folder .. "/plots/" .. names[1]):sub(1, 4))
    local canvas <close> = controller:figure(agent):draw()
    for name, is_one in pairs {
      blue = function(r, _, b) return b - r > 80 end,
      red = function(r, g, b) return r - b > 80 and r - g > 40 end,
      green = function(r, g) return g - r > 80 end,
      grey_area = function(r, g, b) return r == g and g == b and r > 0xd0 and r < 0xe0 end,
      green_area = function(r, g, b) return r == 0xcc and g == 0xec and b == 0xe3 end,
    } do
      assert.is_true(count(canvas, is_one) > 300, name)
    end
  end)

  it("draws the loss alone where no values were asked for", function()
    local controller = bc.LearningCurveController{}
    local agent = agent_with(child.folder(), { controller })
    agent:run(1, 30)
    controller:open()
    for n = 1, 3 do
      local later = setmetatable({ steps = function() return 30 * n end }, { __index = agent })
      controller:write(later, nil, { ["train/loss"] = 2 })
    end
    local canvas <close> = controller:figure(agent):draw()
    assert.is_true(count(canvas, function(r, g, b) return r == 0xcc and g == 0xec and b == 0xe3 end)
      > 300)
    assert.equal(0, count(canvas, function(r, g) return g - r > 80 end))
  end)

  it("removes the picture before", function()
    local folder = child.folder()
    local agent = agent_with(folder, { bc.LearningCurveController{ periodicity = 0, width = 300,
      height = 300 } })
    agent:run(3, 30)
    assert.equal(1, #sys.listdir(folder .. "/plots"))
  end)
end)

describe("StateStatisticsController", function()
  it("prints mean and deviation of what the memory holds", function()
    local means, deviations = bc.StateStatisticsController.statistics({ { 1, 10 }, { 2, 10 },
      { 6, 40 } }, 8)
    assert.same({ "3.000000 20.000000", "2.160247 14.142136" }, {
      ("%.6f %.6f"):format(table.unpack(means)), ("%.6f %.6f"):format(table.unpack(deviations)) })
    -- against two passes over the numbers of the memory
    local said = {}
    local text = require "deer.text"
    local say = text.say
    text.say = function(format, ...) said[#said + 1] = format:format(...) end
    finally(function() text.say = say end)
    local agent = agent_with(nil, { bc.StateStatisticsController{} })
    agent:run(1, 100)
    local all, sum, squares = agent:dataset():observations()[1], 0, 0
    for _, x in ipairs(all) do sum = sum + x end
    for _, x in ipairs(all) do squares = squares + (x - sum / #all) ^ 2 end
    assert.same({ ("state_mean[0] = { %.6g }"):format(sum / #all),
      ("state_std[0] = { %.6g }"):format(math.sqrt(squares / #all)) }, said)
  end)
end)
