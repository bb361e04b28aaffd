-- deer.sys: the embedded files, the file system, the terminal and the clock.
local sys = require "deer.sys"
local child = require "child"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

describe("deer.sys", function()
  after_each(child.clean)

  it("lists and hands out embedded files", function()
    local names = sys.embedded "deer.cli"
    local sorted = table.move(names, 1, #names, 1, {})
    table.sort(sorted)
    assert.same(sorted, names)
    assert.equal("deer.cli", names[1])
    assert.same({}, sys.embedded "no.such")
    for _, name in ipairs(sys.embedded()) do
      local text, path = sys.source(name)
      assert.is_true(read(path) == text, "rebuild: the embedded " .. path .. " is old")
      assert(load(text, "@" .. path, "t"))
    end
    assert.is_nil(sys.source "no.such")
  end)

  it("lists a folder, sorted by bytes", function()
    local root = child.tree { b = "", a = "", B = "", [".h"] = "", ["d/x"] = "" }
    assert.same({ ".h", "B", "a", "b", "d" }, sys.listdir(root))
    local names, message = sys.listdir(root .. "/none")
    assert.is_nil(names)
    assert.equal(root .. "/none: No such file or directory", message)
    assert.is_nil((sys.listdir(root .. "/a")))
  end)

  it("makes folders with their parents", function()
    local root = child.tree { file = "" }
    assert.is_true(sys.mkdir(root .. "/a/b//c/"))
    assert.is_true(sys.mkdir(root .. "/a/b/c"))
    assert.same({ "c" }, sys.listdir(root .. "/a/b"))
    local ok, message = sys.mkdir(root .. "/file/x")
    assert.is_nil(ok)
    assert.matches("^/.*/file: Not a directory$", message)
    assert.is_nil((sys.mkdir ""))
    assert.is_nil((sys.mkdir(("x/"):rep(4000))))
    -- one that has to be new, in folders that may be there
    assert.is_true(sys.mkdir(root .. "/a/new", true))
    ok, message = sys.mkdir(root .. "/a/new", true)
    assert.is_nil(ok)
    assert.matches("^/.*/a/new: File exists$", message)
  end)

  it("knows what exists", function()
    local root = child.tree { file = "" }
    assert.is_true(sys.exists(root))
    assert.is_true(sys.exists(root .. "/file"))
    assert.is_false(sys.exists(root .. "/none"))
  end)

  describe("write_file", function()
    it("writes every byte and leaves nothing beside the file", function()
      local root = child.tree { f = "old" }
      local bytes = ("\0\r\n\255"):rep(100000)
      assert.is_true(sys.write_file(root .. "/f", bytes))
      assert.equal(bytes, read(root .. "/f"))
      assert.is_true(sys.write_file(root .. "/new", ""))
      assert.equal("", read(root .. "/new"))
      assert.same({ "f", "new" }, sys.listdir(root))
    end)

    it("follows a link and does not replace a device", function()
      local root = child.tree { f = "old" }
      os.execute(("ln -s f '%s/link'"):format(root))
      assert.is_true(sys.write_file(root .. "/link", "new"))
      assert.equal("new", read(root .. "/f"))
      assert.is_true(sys.write_file("/dev/null", "x"))
      assert.equal("", read "/dev/null")
    end)

    it("says why it failed", function()
      local root = child.tree { f = "old" }
      local ok, message = sys.write_file(root .. "/none/f", "x")
      assert.is_nil(ok)
      assert.equal("cannot write " .. root .. "/none/f: No such file or directory", message)
      ok, message = sys.write_file(root, "x")
      assert.is_nil(ok)
      assert.equal("cannot write " .. root .. ": Is a directory", message)
    end)

    it("keeps the old file when the disk is full", function()
      local root = child.tree { f = "old" }
      -- a file may not grow beyond 8 KiB in this shell
      local _, out, err = child.shell(([[cd %s; ulimit -f 8; %s -e '
        print(require("deer.sys").write_file("f", ("x"):rep(1e6)))']]):format(root,
        child.quote(child.program)))
      assert.equal("nil\tcannot write f: File too large\n", out, err)
      assert.equal("old", read(root .. "/f"))
      assert.same({ "f" }, sys.listdir(root))
    end)
  end)

  it("tells time, terminal and its width", function()
    local before = sys.time()
    assert.equal("float", math.type(before))
    assert.is_true(sys.time() >= before)
    assert.is_false(sys.isatty(99))
    assert.equal("integer", math.type(sys.columns()))
    local width = "print(require('deer.sys').columns())"
    local _, out = child.run({ "-e", width }, { env = "COLUMNS=57" })
    assert.equal("57\n", out)
  end)
end)
