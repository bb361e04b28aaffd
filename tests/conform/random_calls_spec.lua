-- Whatever is called with whatever: it works, or says what is wrong.
local child = require "child"

describe("random calls", function()
  teardown(child.clean)

  for seed = 1, 3 do
    it(("do not take the program down (seed %d)"):format(seed), function()
      local script = require("lfs").currentdir() .. "/tests/conform/random_calls.lua"
      local folder = child.folder()
      local status, out, err = child.run({ script, tostring(seed), "4000" }, { cwd = folder })
      assert.equal(0, status, err)
      local failed, functions = out:match "^4000 calls, (%d+) failed, (%d+) functions"
      -- far from all succeed, and far from all fail
      assert.is_true(tonumber(failed) > 1000 and tonumber(failed) < 3500, out)
      assert.is_true(tonumber(functions) > 300, out)
    end)
  end
end)
