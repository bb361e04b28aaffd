-- deer.npy and deer.saveNpy: numpy's files. What the files may be is tested in tests/c/test_npy.c.
local child = require "child"
local deer = require "deer"
local raises = require "raises"
local sys = require "deer.sys"

-- a file of version 1
local function write(path, descr, shape, data)
  local header = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n"):format(descr, shape)
  assert(sys.write_file(path, "\x93NUMPY\1\0" .. string.pack("<s2", header) .. data))
end

describe("deer.npy", function()
  local path
  before_each(function() path = child.folder() .. "/f.npy" end)
  after_each(child.clean)

  it("reads tensors", function()
    write(path, "<f8", "(2, 2)", string.pack("<dddd", 1, 0.5, -3, 8))
    local tensor = assert(deer.npy(path))
    assert.same({ 2, 2 }, tensor:shape())
    assert.equal("float32", tensor:dtype())
    assert.same({ { 1, 0.5 }, { -3, 8 } }, tensor:totable())
    write(path, "|b1", "(3,)", "\0\1\1")
    assert.equal("uint8", assert(deer.npy(path)):dtype())
    write(path, ">i4", "(1,)", string.pack(">i4", -7))
    assert.same({ -7 }, assert(deer.npy(path)):totable())
  end)

  it("reads numbers as they are in the file", function()
    write(path, "<f8", "(2,)", string.pack("<dd", 0.1, 1e300))
    assert.same({ 0.1, 1e300 }, deer.npy(path, "table"))
    write(path, "<i8", "(1, 2)", string.pack("<i8i8", math.maxinteger, -1))
    local numbers = deer.npy(path, "table")
    assert.same({ { math.maxinteger, -1 } }, numbers)
    assert.equal("integer", math.type(numbers[1][1]))
    write(path, "|b1", "(2,)", "\0\1")
    assert.same({ false, true }, deer.npy(path, "table"))
    write(path, "<f4", "()", string.pack("<f", 2.5))
    assert.equal(2.5, deer.npy(path, "table"))
  end)

  it("reads what saveNpy writes", function()
    for _, case in ipairs { { "float32", { 2, 3 }, { { 1, 2, 3 }, { 4, 5.5, -6 } } },
      { "uint8", { 2 }, { 0, 255 } }, { "int32", { 1, 1, 1 }, { { { -2147483648 } } } } } do
      assert.is_true(deer.saveNpy(path, deer.Tensor(table.unpack(case))))
      local tensor = assert(deer.npy(path))
      assert.equal(case[1], tensor:dtype())
      assert.same(case[3], tensor:totable())
    end
  end)

  it("returns nil and a message for what may fail", function()
    local none, message = deer.npy(path)
    assert.is_nil(none)
    assert.equal("cannot read " .. path .. ": No such file or directory", message)
    write(path, "<i8", "(1,)", string.pack("<i8", 1 << 40))
    none, message = deer.npy(path)
    assert.is_nil(none)
    assert.equal("cannot read " .. path .. ": element 1, 1099511627776, is too large for int32",
      message)
    none, message = deer.saveNpy("/none/f.npy", deer.Tensor("uint8", { 1 }))
    assert.is_nil(none)
    assert.equal("cannot write /none/f.npy: No such file or directory", message)
  end)

  it("raises for wrong arguments", function()
    raises(function() deer.npy(7, "list") end, "bad argument #2 to 'npy' %(invalid option 'list'%)")
    raises(function() deer.npy {} end, "bad argument #1 to 'npy' %(string expected")
    raises(function() deer.saveNpy(path, { 1 }) end, "bad argument #2 to 'saveNpy' %(deer.Tensor")
  end)
end)
