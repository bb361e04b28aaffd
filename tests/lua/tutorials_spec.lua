--- The numbered examples do what they are there to show.
local lfs = require "lfs"

local child = require "child"

local here = lfs.currentdir()

--- What an example prints, run in an empty folder.
local function output(name, ...)
  local script = ("%s/examples/%s.lua"):format(here, name)
  local status, out, err = child.run({ script, ... }, { cwd = child.folder() })
  assert.same({ 0, "" }, { status, err })
  return out
end

describe("tutorial", function()
  after_each(child.clean)

  it("01: the walk takes the shortest way", function()
    assert.matches("\n10 episodes in 90 steps, 1 reward in each\n$", output "01_own_environment")
  end)

  it("02: the controller ends the run", function()
    local epochs = tonumber(output "02_own_controller":match "\ngood enough after (%d+) epochs\n$")
    assert.is_true(epochs >= 1 and epochs < 20)
  end)

  -- the value of going right from cell c is 0.9 ^ (6 - c)
  it("03: the table holds the true values", function()
    local out, n = output "03_own_algorithm", 0
    for cell, left, right in out:gmatch "cell (%d): left ([%d.]+), right ([%d.]+)" do
      assert.is_true(math.abs(right - 0.9 ^ (6 - cell)) < 0.02)
      assert.is_true(tonumber(left) < tonumber(right))
      n = n + 1
    end
    assert.equal(7, n)
  end)

  it("04: the network catches nearly every dot", function()
    local last
    for score in output "04_own_network":gmatch "is ([-%d.]+) %(average" do last = score end
    assert.is_true(tonumber(last) > 0.9)
  end)

  it("05: a loaded network plays as the saved one", function()
    local new, saved, further = output "05_save_and_load":match
      "network:%s+([-%d.]+)\n.*one:%s+([-%d.]+)\n.*further:%s+([-%d.]+)\n$"
    assert.is_true(tonumber(saved) > 45 and tonumber(new) < 30 and tonumber(further) > 45)
  end)

  -- random actions keep the pole up for 22 steps; the whole run reaches 475 and more
  it("07: the pole stands longer", function()
    local score = output("07_dqn_in_lua", "12000"):match "\ngreedy, 100 episodes: ([%d.]+)\n$"
    assert.is_true(tonumber(score) > 100)
  end)

  -- random actions score -1200; the best that can be done is about -145
  it("08: the pendulum is swung up and held", function()
    local score = output "08_ddpg_in_lua":match "\ngreedy, 100 episodes: ([-%d.]+)\n$"
    assert.is_true(tonumber(score) >= -170)
  end)

  -- 500 steps of trading the pattern, and nothing else, are worth 54.6; a test is of 1000
  it("09: the algorithm on a graph learns to trade", function()
    local last
    for score in output "09_algorithm_on_a_graph":gmatch "is ([-%d.]+) " do last = score end
    assert.is_true(tonumber(last) > 95)
  end)

  it("10: the network remembers every signal", function()
    local out, score = output "10_network_from_json", nil
    assert.matches("^q.subject0.gru1.weight_x +%[1, 48%]\n", out)
    for each in out:gmatch "is ([-%d.]+) %(average" do score = each end
    assert.equal("1.0", score)
  end)

  it("11: the pendulum is swung up", function()
    local out, best = output "11_pendulum_sac", -math.huge
    for score in out:gmatch "is ([-%d.]+) %(average" do best = math.max(best, tonumber(score)) end
    assert.is_true(best > -200, out)
    local hanging, upright = out:match "hanging: .* value (%S+)\nupright: .* value (%S+)\n$"
    assert.is_true(tonumber(hanging) < tonumber(upright) - 100)
  end)

  -- owning all the time earns next to nothing, every rise alone 33
  it("12: the prices of a file are traded", function()
    local earned, owned = output "12_trade_prices":match
      "^on days never seen: ([-%d.]+) earned; owning all the time: ([-%d.]+)\n$"
    assert.is_true(tonumber(earned) > 10 and tonumber(owned) < 5)
  end)

  it("13: short sales earn more", function()
    local owning, short = output "13_sell_short":match "only: +([-%d.]+)\n.*sales: +([-%d.]+)\n$"
    assert.is_true(tonumber(owning) > 75 and tonumber(short) > tonumber(owning) + 40)
  end)

  it("14: each run goes on where the last one stood", function()
    local script, folder = here .. "/examples/14_continue_training.lua", child.folder()
    local scores = {}
    for i = 1, 3 do
      local status, out, err = child.run({ script }, { cwd = folder })
      assert.same({ 0, "" }, { status, err })
      scores[i] = tonumber(out:match("^after " .. 3 * i .. " epochs: ([-%d.]+)\n$"))
    end
    assert.is_true(scores[1] > 20 and scores[3] > 50 and scores[3] >= scores[1])
  end)

  it("15: the JSON says what the network says", function()
    local n = 0
    for json, network in output "15_network_as_json":gmatch ": (%S+) from the JSON, (%S+) from" do
      assert.is_true(math.abs(tonumber(json) - tonumber(network)) < 2e-5)
      n = n + 1
    end
    assert.equal(2, n)
  end)

  it("16: two networks drive where neither has been", function()
    local status, out, err = child.run({ here .. "/examples/16_two_networks_as_one.lua", "2" },
      { cwd = child.folder() })
    assert.same({ 0, "" }, { status, err })
    local number = "%-%d+%.%d"
    assert.matches(("^an engine twice as strong: %s on the real hill\na hill half as high: +%s\n"
      .. "the mean of both: +%s\nboth, after learning: +%s\n$"):format(number, number, number,
      number), out)
  end)

  it("17: what is kept is not forgotten", function()
    local first, second = {}, {}
    for weight, task, a, b in output "17_several_tasks":gmatch
      "weight ([%d.]+), after task (%d): return ([-%d.]+) in task 0, ([-%d.]+) in task 1" do
      local list = weight == "0" and first or second
      list[#list + 1] = { task, tonumber(a), tonumber(b) }
    end
    assert.equal(3, #first)
    assert.same(first[1], second[1])
    -- after the second task: the first is lost, or half kept
    assert.is_true(first[2][2] < 0.5 and first[2][3] > 4)
    assert.is_true(second[2][2] > 2 and second[2][3] > 2)
    assert.is_true(first[3][2] > 4.5 and second[3][2] > 4.5)
  end)

  -- random actions keep the pole up for 22 steps; 500 is the longest episode
  for _, algo in ipairs { "dqn", "ppo" } do
    it(("18: a loop of one's own balances the pole by %s"):format(algo), function()
      local score = output("18_stand_alone_agent", algo):match
        "^%d+ steps; greedy, 20 episodes: ([%d.]+)\n$"
      assert.is_true(tonumber(score) >= 475)
    end)
  end
end)
