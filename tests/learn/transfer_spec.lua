-- What two networks have learnt on easier hills helps on the real one.
local child = require "child"
local lfs = require "lfs"

describe("two networks as one #long", function()
  after_each(child.clean)

  it("end at least as good as the better one, with three seeds", function()
    local script = lfs.currentdir() .. "/examples/16_two_networks_as_one.lua"
    for seed = 1, 3 do
      local _, out, err = child.run({ script, "20", tostring(seed) }, { cwd = child.folder(),
        before = "timeout 300" })
      local scores = {}
      for score in out:gmatch ": +(%-%d+%.%d)" do scores[#scores + 1] = tonumber(score) end
      assert.equal(4, #scores, err)
      assert.is_true(scores[4] >= math.max(scores[1], scores[2]), out)
      assert.is_true(scores[4] > -150, out)
    end
  end)
end)
