-- deer.schedule: the three ways to make one, and what is said about wrong ones.
local deer = require "deer"
local raises = require "raises"

describe("a schedule", function()
  it("is a number, a text, a table or a schedule", function()
    assert.equal(0.5, deer.schedule(0.5)(77))
    assert.equal(0.5, deer.schedule "0.5":at(77))
    local linear = deer.schedule "linear(1, 0, 10)"
    for t, expected in pairs { [-1] = 1, [0] = 1, [5] = 0.5, [10] = 0, [11] = 0 } do
      assert.equal(expected, linear(t))
      assert.equal(expected, linear:at(t))
    end
    assert.equal("linear(1, 0, 10)", tostring(linear))
    assert.equal(linear, deer.schedule(linear))
  end)

  it("is made from a table by the names of its parameters", function()
    local function text(t) return tostring(deer.schedule(t)) end
    assert.equal("constant(3)", text{ kind = "constant", value = 3 })
    assert.equal("linear(1, 0, 10)", text{ kind = "linear", from = 1, to = 0, steps = 10 })
    assert.equal("polynomial(1, 0, 10, 2)",
      text{ kind = "polynomial", from = 1, to = 0, steps = 10, power = 2 })
    assert.equal("exponential(1, 2, 3)", text{ kind = "exponential", from = 1, to = 2, steps = 3 })
    assert.equal("cosine(1, 2, 3)", text{ kind = "cosine", from = 1, to = 2, steps = 3 })
    assert.equal("piecewise(0, 1, 5, 2)",
      text{ kind = "piecewise", points = { { 0, 1 }, { 5, 2 } } })
  end)

  it("says what is wrong with it, and where", function()
    for message, given in pairs {
      ["linear(from, to, steps), got 2 numbers"] = "linear(1, 2)",
      ["did you mean 'linear'?"] = "liner(1, 2, 3)",
      ["option 'kind' is missing"] = {},
      ["unknown schedule 'cubic'"] = { kind = "cubic" },
      ["option 'kind': expected a name, got true"] = { kind = true },
      ["option 'to': expected a number, got nil"] = { kind = "linear", from = 1, steps = 2 },
      ["beside kind expected from, to, steps, got power"] =
        { kind = "linear", from = 1, to = 2, steps = 2, power = 3 },
      ["beside kind expected value, got 1"] = { 3, kind = "constant" },
      ["steps must be above 0"] = { kind = "cosine", from = 1, to = 2, steps = 0 },
      ["option 'points': expected a list such as"] = { kind = "piecewise" },
      ["option 'points': expected pairs {time, value}, got 1"] =
        { kind = "piecewise", points = { 1 } },
      ["option 'points': expected a number, got nil"] = { kind = "piecewise", points = { { 1 } } },
      ["must not go back"] = { kind = "piecewise", points = { { 2, 1 }, { 1, 1 } } },
      ["expected a number, a text or a table, got true"] = true,
    } do
      raises(function() deer.schedule(given) end, (message:gsub("%p", "%%%0")))
    end
    raises(function() deer.schedule() end, "got nil")
    raises(function() deer.schedule(1)() end, "schedule: expected a time, a number, got nil")
    raises(function() deer.schedule(1):at(0 / 0) end, "expected a time, a number, got nan")
    local many = { kind = "piecewise", points = {} }
    for i = 1, 33 do many.points[i] = { i, 1 } end
    raises(function() deer.schedule(many) end, "more than 32 points")
  end)
end)
