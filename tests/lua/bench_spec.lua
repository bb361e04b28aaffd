-- deerlua bench: what it prints and what it refuses. Times are too short here to mean anything.
local child = require "child"
local core = require "deer.core"
local cost = require "deer.bench.cost"
local deer = require "deer"
local works = require "deer.bench.works"

local QUICK = { "--runs", "1", "--seconds=1e-5" }

-- runs `deerlua bench` in the quickest way with these arguments
local function bench(words, options)
  local args = { "bench", table.unpack(QUICK) }
  table.move(words, 1, #words, #args + 1, args)
  return child.run(args, options)
end

-- the fields of a flat JSON object
local function parse(line)
  local fields = {}
  local body = assert(line:match "^{(.*)}$", line)
  for name, value in body:gmatch '"([^"]+)":("?[^",]+"?)' do
    if value == "true" or value == "false" then
      fields[name] = value == "true"
    else
      fields[name] = value:match '^"(.*)"$' or assert(tonumber(value), line)
    end
  end
  return fields
end

-- a folder with an executable called `name` that runs these shell commands
local function peer(name, script)
  local root = child.tree { [name] = "#!/bin/sh\n" .. script .. "\n" }
  os.execute("chmod +x " .. child.quote(root .. "/" .. name))
  return root
end

describe("deerlua bench", function()
  after_each(child.clean)

  it("prints one JSON object for each work, in the order asked for", function()
    local status, out, err = bench { "--json", "--no-peers", "--name", "empty_program",
      "--name=act64" }
    assert.equal("", err)
    assert.equal(0, status)
    local first, second, rest = out:match "^([^\n]+)\n([^\n]+)\n(.*)$"
    assert.equal("", rest)
    assert.matches('^{"name":"empty_program","threads":1,"us":[%d.e+-]+[,}]', first)
    local empty, act = parse(first), parse(second)
    assert.equal("act64", act.name)
    assert.equal(1, act.threads)
    assert.is_true(act.us > 0 and act.us < 1e4)
    -- what the machine cannot do faster: 8960 operations at 1 to 5000 GFLOP/s
    assert.is_true(act.limit_us > 0.001 and act.limit_us < 10)
    assert.equal(1, act.goal_us)
    assert.equal(act.us <= 1, act.met)
    assert.is_nil(act.peer_us)
    assert.is_nil(empty.limit_us)
  end)

  it("measures steps of actor-critics with an update each", function()
    local status, out, err = bench { "--json", "--no-peers", "--name", "sac64_b100",
      "--name", "td3_64_b100", "--name", "sac256_b256", "--name", "td3_256_b256" }
    assert.equal("", err)
    assert.equal(0, status)
    local rows = {}
    for line in out:gmatch "[^\n]+" do rows[#rows + 1] = parse(line) end
    assert.equal(4, #rows)
    -- 14 and 10 million operations, or 546 and 392: no machine does a step without its update
    for i, flops in ipairs { 14e6, 10e6, 546e6, 392e6 } do
      assert.is_true(rows[i].us > 1e6 * flops / 5e12, rows[i].name)
      assert.equal(0.5, rows[i].goal_ratio)
    end
  end)

  it("computes with as many threads as it is told", function()
    local status, out = bench { "--json", "--no-peers", "--threads", "2", "--name", "dqn64_b128" }
    assert.equal(0, status)
    assert.matches('^{"name":"dqn64_b128","threads":2,"us":', out)
  end)

  it("measures two of our own side by side", function()
    local status, out, err = bench { "--json", "--no-peers", "--name", "dqn_in_lua" }
    assert.same({ 0, "" }, { status, err })
    local row = parse(out:match "^([^\n]+)\n$")
    assert.is_true(row.us > 1 and row.peer_us > 1 and row.ratio > 0.1 and row.ratio < 10)
  end)

  it("draws from a large memory by priority", function()
    local status, out = bench { "--json", "--no-peers", "--name", "prioritized_1e6" }
    assert.equal(0, status)
    assert.is_true(parse(out:match "^([^\n]+)\n$").us > 1)
  end)

  it("measures an executable of the same name beside a work", function()
    local folder = peer("dqn64_b128", "echo $OPENBLAS_NUM_THREADS$OMP_NUM_THREADS >&2; echo 1e9")
    local status, out = bench({ "--json", "--name", "dqn64_b128" },
      { env = "DEERLUA_PEERS=/nowhere:" .. folder })
    assert.equal(0, status)
    local row = parse(out:match "[^\n]+")
    assert.equal(1e9, row.peer_us)
    assert.near(row.us / 1e9, row.ratio, 1e-5 * row.ratio)
    assert.near(1 / 15, row.goal_ratio, 1e-6)
    assert.is_true(row.met)
  end)

  it("does without a peer that fails or says no number", function()
    for _, script in ipairs { "exit 1", "echo none", "kill -9 $$" } do
      local status, out, err = bench({ "--json", "--name", "dqn64_b128" },
        { env = "DEERLUA_PEERS=" .. peer("dqn64_b128", script) })
      assert.equal("", err)
      assert.equal(0, status)
      local row = parse(out:match "[^\n]+")
      assert.is_nil(row.peer_us)
      assert.is_nil(row.met)
    end
  end)

  it("prints a table with the machine's limit, the peer and the goal", function()
    local status, out = bench({ "--name", "dqn64_b128", "--name", "toy_b32" },
      { env = "DEERLUA_PEERS=" .. peer("dqn64_b128", "echo 0.5") })
    assert.equal(0, status)
    local lines = {}
    for line in out:gmatch "[^\n]+" do
      if not line:find "^the machine was busy: " then lines[#lines + 1] = line end
    end
    assert.matches("^1 thread, 1 run; one core computes %d+ GFLOP/s at most$", lines[1])
    assert.matches("^work +us +GFLOP/s +limit us +of limit +peer us +ratio +goal$", lines[2])
    assert.matches("^dqn64_b128 .* %d+ %% +0%.500 +%S+ +0%.0667 x peer  missed$", lines[3])
    assert.matches("^toy_b32 +[%d.]+$", lines[4])
    assert.equal(4, #lines)
  end)

  it("lists the works", function()
    local status, out = child.run { "bench", "--list" }
    assert.equal(0, status)
    local n = 0
    for name in out:gmatch "([%w_]+) [^\n]+\n" do
      n = n + 1
      assert.equal(works[n].name, name)
    end
    assert.equal(#works, n)
  end)

  it("tells its options", function()
    local status, out = child.run { "bench", "--help" }
    assert.equal(0, status)
    for _, option in ipairs { "name", "threads", "runs", "seconds", "json", "no-peers", "list" } do
      assert.matches("\n  %-%-" .. option:gsub("-", "%%-") .. " ", out)
    end
  end)

  it("refuses what it does not know, with the nearest name and status 2", function()
    for words, message in pairs {
      ["--name dqn64_b12"] = "unknown work 'dqn64_b12'; did you mean 'dqn64_b128'?",
      ["--name qqq"] = "unknown work 'qqq'; `deerlua bench --list` prints them",
      ["--run 3"] = "unknown option '--run'; did you mean '--runs'?",
      ["--runs"] = "option '--runs' needs an integer from 1 to 1000",
      ["--runs 0"] = "option '--runs': expected an integer from 1 to 1000, got '0'",
      ["--threads=two"] = "option '--threads': expected an integer from 1 to 64, got 'two'",
      ["--seconds -1"] = "option '--seconds': expected a number from 1e-06 to 1000, got '-1'",
      ["--json=yes"] = "option '--json' takes no value",
      ["act64"] = "unexpected argument 'act64'",
    } do
      local args = { "bench" }
      for word in words:gmatch "%S+" do args[#args + 1] = word end
      local status, out, err = child.run(args)
      assert.equal("deerlua bench: " .. message .. "\n", err)
      assert.equal("", out)
      assert.equal(2, status)
    end
  end)
end)

describe("the cost of a work", function()
  it("is that of a count by hand", function()
    -- 4-64-64-2: 4480 multiply-adds forward, 4480 for the weights, 4224 for the inner layers
    local net = cost.dense { 4, 64, 64, 2 }
    assert.equal(2 * 4480, net.forward)
    assert.equal(4610, net.parameters)
    assert.equal(128 * 2 * (3 * 4480 + 4224), cost.dqn(net, 128).flops)
    -- 16 filters of 4x3x3 at 8x8 places, then 1024-128-6
    local conv = cost.convolutions(4, 10, { { filters = 16, size = 3, stride = 1 } }, { 128, 6 })
    assert.equal(2 * (64 * 16 * 36 + 1024 * 128 + 128 * 6), conv.forward)
    assert.equal(2 * (1024 * 128 + 128 * 6), conv.inner)
    assert.equal(16 * 37 + 1025 * 128 + 129 * 6, conv.parameters)
    -- SAC computes each critic 6 times forward's operations and the actor 4 times, less what the
    -- first layers need not pass on
    local actor, critic = cost.dense { 3, 8, 2 }, cost.dense { 4, 8, 1 }
    local a, c = 2 * (3 * 8 + 8 * 2), 2 * (4 * 8 + 8)
    assert.equal(10 * (4 * a - 2 * 24 + 2 * (6 * c - 2 * 32)), cost.sac(actor, critic, 10).flops)
    -- PPO: the actor acts, both are valued, then learnt from twice
    local share = cost.ppo(actor, critic, 2, 10)
    assert.equal(a + a + c + 2 * (3 * (a + c) - 2 * 24 - 2 * 32), share.flops)
    assert.equal(2 * 28 * (50 + 49) / 10, share.bytes)
  end)
end)

describe("core.bench", function()
  local function network()
    return deer.QNetwork{ environment = deer.env "toy_env" { seed = 1 }, seed = 1, batch_size = 4 }
  end

  it("updates and acts as often as it is told", function()
    local qnet = network()
    core.bench.updater(qnet:handle())(3)
    assert.equal(3, qnet:updates())
    core.bench.actor(qnet:handle())(2)
    core.bench.empty(5)
  end)

  it("says when an update goes wrong", function()
    local qnet = network()
    qnet:setLearningRate(1e300)
    assert.has_error(function() core.bench.updater(qnet:handle())(100) end)
  end)

  it("refuses what it cannot measure", function()
    local Guess = deer.Algo:extend "Guess"
    function Guess:chooseBestAction() return 0, 0 end
    function Guess:train() return 0 end
    local handle = Guess{ environment = deer.env "toy_env" { seed = 1 } }:handle()
    assert.has_error(function() core.bench.updater(handle) end)
    assert.has_error(function() core.bench.bandwidth(0, 1e-5) end)
    assert.has_error(function() core.bench.bandwidth(1 << 40, 1e-5) end)
  end)

  it("measures the machine", function()
    assert.is_true(core.bench.flops(1e-3) > 1e8)
    assert.is_true(core.bench.bandwidth(10000, 1e-3) > 1e8)
  end)
end)
