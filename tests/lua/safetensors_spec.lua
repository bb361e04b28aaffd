-- core.safetensors: arrays with names in one portable file.
local core = require "deer.core"
local sys = require "deer.sys"
local child = require "child"
local raises = require "raises"

local save, load = core.safetensors.save, core.safetensors.load

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "a"
  file:close()
  return bytes
end

local function entry(name, shape, dtype, data)
  return { name = name, shape = shape, dtype = dtype, data = data }
end

local function sample()
  return {
    entry("pixels", { 3 }, "uint8", "\0\128\255"),
    entry("layer.0/weight \"é\"\n", { 2, 1, 2 }, "float32", string.pack("<ffff", 1, 2, 3, 4)),
    entry("counts", { 2 }, "int32", string.pack("<i4i4", -1, 2147483647)),
    entry("scalar", {}, "float32", string.pack("<f", 0.5)),
  }
end

describe("core.safetensors", function()
  local root
  before_each(function() root = child.folder() end)
  after_each(child.clean)

  it("gives back what it was given, in its order", function()
    local path = root .. "/f"
    local metadata = { writer = "deerlua", ["quo\"te\\ \1\t"] = "é €\n", empty = "", [""] = "x" }
    assert.is_true(save(path, sample(), metadata))
    local list, back = load(path)
    assert.same(sample(), list)
    assert.same(metadata, back)
    assert.is_true(save(path, {}))
    list, back = load(path)
    assert.same({}, list)
    assert.same({}, back)
    assert.same({ "f" }, sys.listdir(root))
  end)

  it("writes the same bytes for the same content", function()
    -- tables filled in another order go through their keys in another order
    local one, two = {}, {}
    for i = 1, 50 do one["key" .. i] = tostring(i) end
    for i = 50, 1, -1 do two["key" .. i] = tostring(i) end
    assert.is_true(save(root .. "/1", sample(), one))
    assert.is_true(save(root .. "/2", sample(), two))
    assert.is_true(read(root .. "/1") == read(root .. "/2"))
    assert.is_truthy(read(root .. "/1"):find('"key1":"1","key10":"10","key11"', 1, true))
  end)

  it("lays a file out as the format says", function()
    local path = root .. "/f"
    assert.is_true(save(path, sample(), { a = "b" }))
    local bytes = read(path)
    local length = string.unpack("<I8", bytes)
    assert.equal(0, length % 8)
    local header = bytes:sub(9, 8 + length)
    local first, last = header:match
      '"counts":{"dtype":"I32","shape":%[2%],"data_offsets":%[(%d+),(%d+)%]}'
    local data = bytes:sub(9 + length)
    assert.equal(string.pack("<i4i4", -1, 2147483647), data:sub(first + 1, last))
    -- 20 bytes of float32, 8 of int32, 3 of uint8
    assert.equal(31, #data)
    assert.equal("\0\128\255", data:sub(29))
  end)

  it("reads 64-bit numbers as float32", function()
    local header = '{"x":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}'
    sys.write_file(root .. "/f", string.pack("<s8", header) .. string.pack("<dd", 0.1, -3))
    local list = assert(load(root .. "/f"))
    assert.same({ entry("x", { 2 }, "float32", string.pack("<ff", 0.1, -3)) }, list)
  end)

  it("returns nil and a message for what may fail", function()
    local ok, message = save(root .. "/none/f", sample())
    assert.is_nil(ok)
    assert.equal("cannot write " .. root .. "/none/f: No such file or directory", message)
    ok, message = save(root, sample())
    assert.is_nil(ok)
    assert.equal("cannot write " .. root .. ": Is a directory", message)
    ok, message = load(root .. "/none")
    assert.is_nil(ok)
    assert.equal("cannot read " .. root .. "/none: No such file or directory", message)
    sys.write_file(root .. "/f", "a Lua script, say")
    ok, message = load(root .. "/f")
    assert.is_nil(ok)
    assert.matches("^cannot read " .. root:gsub("%p", "%%%0") .. "/f: its header claims %d+ bytes",
      message)
  end)

  it("refuses a file that is cut anywhere", function()
    assert.is_true(save(root .. "/f", sample(), { a = "b" }))
    local bytes = read(root .. "/f")
    for n = 0, #bytes - 1 do
      sys.write_file(root .. "/cut", bytes:sub(1, n))
      local list, message = load(root .. "/cut")
      assert.is_nil(list)
      assert.equal("string", type(message))
    end
  end)

  it("keeps the old file when the disk is full", function()
    assert.is_true(save(root .. "/f", sample()))
    local old = read(root .. "/f")
    -- a file may not grow beyond 8 KiB in this shell
    local _, out, err = child.shell(([[cd %s; ulimit -f 8; %s -e '
      local list = { { name = "w", shape = { 100000 }, dtype = "uint8", data = ("x"):rep(1e5) } }
      print(require("deer.core").safetensors.save("f", list))']]):format(root,
      child.quote(child.program)))
    assert.equal("nil\tcannot write f: File too large\n", out, err)
    assert.is_true(old == read(root .. "/f"))
    assert.same({ "f" }, sys.listdir(root))
  end)

  describe("raises for", function()
    local function refuses(change, pattern)
      local list = sample()
      change(list)
      raises(function() save(root .. "/f", list) end, "bad argument #2 to 'save' %(" .. pattern)
    end

    it("arguments of another kind", function()
      raises(function() save(nil, {}) end, "bad argument #1 to 'save'")
      raises(function() save(root .. "/f") end, "bad argument #2 to 'save' %(table expected")
      raises(function() save(root .. "/f", {}, 7) end, "bad argument #3 to 'save' %(table expected")
      raises(function() load {} end, "bad argument #1 to 'load'")
    end)

    it("entries of another kind", function()
      refuses(function(list) list[2] = 7 end, "entry 2: table expected, got number")
      refuses(function(list) list[1].name = nil end, "entry 1: name: string expected, got nil")
      refuses(function(list) list[1].name = 7 end, "entry 1: name: string expected, got number")
      refuses(function(list) list[1].name = "a\0b" end, "entry 1: name: it contains a zero byte")
      refuses(function(list) list[3].dtype = "float64" end,
        'entry 3: dtype: "float32", "uint8" or "int32" expected, got "float64"')
      refuses(function(list) list[1].shape = 3 end, "entry 1: shape: table expected, got number")
      refuses(function(list) list[1].shape = { 3, 0 } end,
        "entry 1: shape%[2%]: whole number from 1 expected, got 0")
      refuses(function(list) list[1].shape = { 1.5 } end,
        "entry 1: shape%[1%]: whole number from 1 expected, got 1.5")
      refuses(function(list) list[1].shape = { "x" } end, "entry 1: shape%[1%]: .* got x")
      refuses(function(list) list[1].shape = { 1 << 40 } end, "entry 1: shape%[1%]")
      refuses(function(list) list[1].shape = { 65536, 65536 } end, "entry 1: shape: .* more than")
      refuses(function(list) list[1].shape = { 1, 1, 1, 1, 1, 1, 3 } end,
        "entry 1: shape: at most 6 dimensions expected")
      refuses(function(list) list[3].data = "abc" end,
        "entry 3: data: 8 bytes expected for int32 of this shape, got 3")
      refuses(function(list) list[3].data = { 1, 2 } end,
        "entry 3: data: string expected, got table")
    end)

    it("names that no file can hold", function()
      local function with(name)
        return { entry("a", {}, "uint8", "x"), entry(name, {}, "uint8", "y") }
      end
      raises(function() save(root .. "/f", with "a") end, 'tensor "a": the name is taken')
      raises(function() save(root .. "/f", with "__metadata__") end, "the name is taken")
      raises(function() save(root .. "/f", with "\xff") end, "is not UTF%-8")
      assert.same({}, sys.listdir(root))
    end)

    it("metadata that is not made of strings", function()
      for _, bad in ipairs { { a = 1 }, { 1 }, { [1] = "a" }, { [true] = "a" }, { a = {} } } do
        raises(function() save(root .. "/f", {}, bad) end,
          "bad argument #3 to 'save' %(table of strings by string expected, got a %w+ in it")
      end
      raises(function() save(root .. "/f", {}, { a = "\0" }) end, "zero byte in metadata")
      raises(function() save(root .. "/f", {}, { a = "\xc3" }) end, "is not UTF%-8")
    end)
  end)

  it("leaves no memory behind, whatever happens", function()
    assert.is_true(save(root .. "/f", sample(), { a = "b" }))
    sys.write_file(root .. "/bad", read(root .. "/f"):sub(1, -2))
    collectgarbage()
    collectgarbage() -- what had a finalizer goes at the second
    local before = collectgarbage "count"
    for _ = 1, 300 do
      assert(load(root .. "/f"))
      assert(save(root .. "/f", sample(), { a = "b" }))
      assert.is_nil((load(root .. "/bad")))
      pcall(save, root .. "/f", { {} })
    end
    collectgarbage()
    collectgarbage()
    assert.is_true(collectgarbage "count" - before < 20)
  end)
end)
