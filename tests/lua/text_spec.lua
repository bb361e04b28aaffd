local deer = require "deer"
local text = require "deer.text"

-- what f writes to the standard output and error, in order
local function written(f)
  local out, stdout, stderr = {}, io.stdout, io.stderr
  local function fake(name)
    return { flush = function() end, write = function(_, ...)
      out[#out + 1] = name .. table.concat { ... }
    end }
  end
  rawset(io, "stdout", fake "out:")
  rawset(io, "stderr", fake "err:")
  local ok, message = pcall(f)
  rawset(io, "stdout", stdout)
  rawset(io, "stderr", stderr)
  assert(ok, message)
  return out
end

describe("text", function()
  it("says what a value is", function()
    local Walk = deer.Environment:extend "Walk"
    Walk.inputDimensions = function() return { { 1 } } end
    for _, case in ipairs { { nil, "nothing" }, { 7, "7" }, { 7.0, "7.0" }, { true, "true" },
      { "a\nb", 'the string "a\\nb"' }, { {}, "a table" }, { print, "a function" },
      { Walk{}, "a Walk" }, { deer.Environment:extend "Arm" {}, "an Arm" } } do
      assert.equal(case[2], text.describe(case[1]))
    end
    assert.matches('^the string "x+%.%.%."$', text.describe(("x"):rep(100)))
  end)

  it("takes a progress line away before it prints another", function()
    assert.same({ "err:\r\27[Khalf done", "err:\r\27[K", "out:score 3\n", "out:next\n" },
      written(function()
        text.status "half done"
        text.say("score %d", 3)
        text.say "next"
      end))
  end)

  it("names the nearest word", function()
    assert.equal("; did you mean '--epochs'?", text.meant("epoch", { "seed", "epochs" }, "--"))
    assert.equal("", text.meant("qqqqqqq", { "seed", "epochs" }))
  end)
end)
