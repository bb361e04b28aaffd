-- How much memory a run takes: what its replay says, and next to nothing else. Measured in a
-- process of its own, as the most that was ever resident.
local child = require "child"
local sys = require "deer.sys"
local works = require "deer.bench.works"

local SCRIPT = [[
local deer = require "deer"
local steps = tonumber(arg[1])
local env = deer.env "toy_env" { seed = 1 }
local agent = deer.NeuralAgent{ environment = env, seed = 1, train_every = 20,
  learning_algo = deer.QNetwork{ environment = env, seed = 1 }, replay_memory_size = steps }
local function peak() -- bytes
  local status = assert(io.open "/proc/self/status"):read "a"
  return 1024 * tonumber(status:match "VmHWM:%s*(%d+)")
end
agent:run(2, 1000)
local before = peak()
agent:run((steps - 2000) // 1000, 1000)
assert(agent:dataset():nElems() == steps)
print(peak() - before, agent:dataset():bytes())
]]

local function check(steps)
  local path = child.tree { ["run.lua"] = SCRIPT } .. "/run.lua"
  local status, out, err = child.run({ path, tostring(steps) }, { before = "timeout 600" })
  assert.equal("", err)
  assert.equal(0, status)
  local grown, told = out:match "^(%d+)%s+(%d+)"
  grown, told = tonumber(grown), tonumber(told)
  -- an observation of two numbers, an action, a reward and what belongs to the episode
  assert.is_true(told < 25 * steps * 17 / 16, told)
  assert.is_true(grown < 1.1 * told, ("%d bytes, the replay says %d"):format(grown, told))
end

describe("a run in the toy market #learn", function()
  after_each(child.clean)
  it("needs no more memory than its replay", function() check(300000) end)
end)

describe("a long run in the toy market #long", function()
  after_each(child.clean)
  it("needs no more memory than its replay", function() check(1000000) end)
end)

describe("a batch of 32 samples with histories of 12 #long", function()
  -- DeeR needs 1.5 ms; what disturbs the machine spares one of a hundred rounds
  it("is put together in less than 1/200 of the time that DeeR takes", function()
    local assemble
    for _, work in ipairs(works) do
      if work.name == "batch_b32_h12" then assemble = work.make() end
    end
    local best, deadline = math.huge, sys.time() + 30
    for _ = 1, 100 do
      local start = sys.time()
      assemble(100)
      best = math.min(best, (sys.time() - start) / 100)
      if best < 1500e-6 / 200 or sys.time() > deadline then break end
    end
    assert.is_true(best < 1500e-6 / 200, ("%.2f us"):format(best * 1e6))
  end)
end)
