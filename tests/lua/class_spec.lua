local class = require "deer.class"

local raises = require "raises"

describe("class", function()
  local Base = class.new "Base"

  it("makes objects with checked options", function()
    local Point = Base:extend "Point"
    Point.options = { x = { default = 1 }, y = { default = 2 } }
    function Point:init(options) self.x, self.y = options.x, options.y end
    local point = Point{ y = 5 }
    assert.same({ 1, 5 }, { point.x, point.y })
    assert.same({ 1, 2 }, { Point().x, Point{}.y })
  end)

  it("inherits methods, metamethods and options", function()
    local A = Base:extend "A"
    A.options = { size = { default = 3 } }
    A.__len = function(self) return self.size end
    function A:init(options) self.size = options.size end
    function A.name() return "a" end
    local B = A:extend "B"
    B.options = { extra = { default = "e" } }
    local b = B{ size = 7 }
    assert.equal(7, #b)
    assert.equal("a", b:name())
    assert.same({ "size", "extra" }, { class.options(B)[1].name, class.options(B)[2].name })
    raises(function() A{ extra = "e" } end, "A: unknown option 'extra'")
  end)

  it("lets a subclass give an option another default", function()
    local A = Base:extend "A"
    A.options = { size = { default = 3 } }
    function A:init(options) self.size = options.size end
    local B = A:extend "B"
    B.options = { size = { default = 4 } }
    assert.equal(4, B{}.size)
    assert.equal(3, A{}.size)
  end)

  it("knows what an object is", function()
    local A = Base:extend "A"
    local B = A:extend "B"
    assert.is_true(class.is(B{}, A))
    assert.is_true(class.is(B, A))
    assert.is_false(class.is(A{}, B))
    assert.is_false(class.is({}, A))
    assert.is_false(class.is(nil, A))
    assert.is_true(class.isClass(A))
    assert.is_false(class.isClass(A{}))
  end)

  it("names classes and objects", function()
    local A = Base:extend "A"
    assert.equal("class A", tostring(A))
    assert.matches("^A: ", tostring(A{}))
  end)

  it("does not share defaults that are tables", function()
    local A = Base:extend "A"
    A.options = { list = { default = {} } }
    function A:init(options) self.list = options.list end
    local one, two = A{}, A{}
    one.list[1] = "x"
    assert.same({}, two.list)
  end)

  it("refuses a field that hides a method, where it is set", function()
    local A = class.new("A", { "step" }):extend "A"
    function A.name() return "a" end
    local B = A:extend "B"
    for _, name in ipairs { "init", "extend", "name", "step" } do
      local expected = ("B: '%s' is the name of a method: expected a function there, got 3;")
        :format(name)
      raises(function() B{}[name] = 3 end, expected)
      raises(function() B[name] = 3 end, expected)
      local b, mine = B{}, function() end
      b[name], b.field, b.other = mine, 3, nil
      assert.same({ mine, 3 }, { b[name], b.field })
      b[name] = nil
      b[name] = false -- none, as a controller says that hears no signal
      assert.equal(A[name], B[name])
    end
    B.field = 3
    assert.equal(3, B{}.field)
  end)

  it("wants a name, and says where it is missing", function()
    for _, name in ipairs { 7, "", " ", false } do
      raises(function() Base:extend(name) end,
        "Base:extend: expected a name for the new class")
    end
    raises(function() Base:extend() end, ".*got nothing")
    raises(function() Base.extend("X") end, "extend is called with a colon")
  end)

  it("says where options are wrong", function()
    local A = Base:extend "A"
    A.options = { size = { default = 3, range = { 1, 9 } } }
    raises(function() A{ size = 10 } end,
      "A: option 'size': expected a number from 1 to 9, got 10")
    raises(function() A "text" end, "A: expected a table of options")
  end)
end)
