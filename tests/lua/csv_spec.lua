-- deer.csv. What the files may be is tested in tests/c/test_csv.c.
local child = require "child"
local deer = require "deer"
local raises = require "raises"

describe("deer.csv", function()
  local function file(text) return child.tree{ ["f.csv"] = text } .. "/f.csv" end
  after_each(child.clean)

  it("gives columns by position and by name", function()
    local data, names = deer.csv(file 'day,"close, adjusted",\nMon,1.5,x\nTue,,"a ""b"""\n')
    assert.same({ "day", "close, adjusted", "" }, names)
    assert.same({ "Mon", "Tue" }, data.day)
    assert.equal(data[2], data["close, adjusted"])
    assert.equal(1.5, data[2][1])
    assert.is_true(data[2][2] ~= data[2][2])
    assert.same({ "x", 'a "b"' }, data[3])
    assert.is_nil(data[4])
  end)

  it("reads files without a header and with other separators", function()
    local path = file "1\ta\n2\tb\n"
    local data, names = deer.csv(path, { separator = "\t" })
    assert.same({}, names)
    assert.same({ { 1, 2 }, { "a", "b" } }, { data[1], data[2] })
    data, names = deer.csv(path, { separator = "\t", header = true })
    assert.same({ "1", "a" }, names)
    assert.same({ 2 }, data["1"])
  end)

  it("returns nil and a message with line and column", function()
    for text, message in deer.spairs {
      ["a,b\n1,2\n3,x\n"] = "line 3, column 2 %(b%): expected a number, got 'x'",
      ["a,b\n1\n"] = "line 2: expected 2 cells as in the first, got 1",
      ["a,b,a\n1,2,3\n"] = "line 1, column 3: the name 'a' comes twice",
      [""] = "there is nothing in it",
    } do
      local data, came = deer.csv(file(text))
      assert.is_nil(data)
      assert.matches("^cannot read .*/f%.csv: " .. message .. "$", came)
    end
    assert.matches("^cannot read none: No such file", select(2, deer.csv "none"))
  end)

  it("raises for mistakes in the script", function()
    local path = file "close\n1\n"
    raises(function() return deer.csv(path).clsoe end,
      "the file has no column 'clsoe'; did you mean 'close'%?")
    raises(function() deer.csv(path, { separator = "::" }) end, "csv: option 'separator'")
    raises(function() deer.csv(path, { seperator = ";" }) end, "csv: .*separator")
    raises(function() deer.csv {} end, "csv: expected the name of a file, got a table")
  end)
end)

describe("deer.json and deer.saveParameters", function()
  after_each(child.clean)

  it("write what can be read again", function()
    local value = { list = { 1, 2.5, { deep = true } }, text = 'a "b"\n\1é', whole = 3 }
    for _, pretty in ipairs { false, true } do
      assert.same(value, deer.json.decode(deer.json.encode(value, pretty)))
    end
    assert.equal('{"a": 1.5, "b": [1, 2]}', deer.json.encode{ b = { 1, 2 }, a = 1.5 })
    assert.has_error(function() deer.json.encode{ 0 / 0 } end)
  end)

  it("keep the parameters of a launcher under a name of their own", function()
    local root = child.tree{ ["run.lua"] = [[
      local deer = require "deer"
      local params = deer.launcher(arg, { epochs = 3, rate = 0.5 },
        { help = { rate = "of change" } })
      print(deer.saveParameters(params, "X_"))]] }
    local _, out = child.run({ "run.lua" }, { cwd = root })
    local hash, name = out:match "^The parameters hash is: (%x+)\nThe parameters are: {.*}\n(.*)\n$"
    assert.equal("X_" .. hash, name)
    local kept = io.open(("%s/params/%s.json"):format(root, name)):read "a"
    local params = deer.json.decode(kept)
    assert.equal(3, params.epochs)
    assert.equal(0.5, params.rate)
    local _, again = child.run({ "run.lua" }, { cwd = root })
    assert.equal(out, again)
    local _, other = child.run({ "run.lua", "--epochs", "4" }, { cwd = root })
    assert.not_equal(out:match "%x+\n", other:match "%x+\n")
    local _, help = child.run({ "run.lua", "--help" }, { cwd = root })
    assert.matches("%-%-rate X +of change %(0%.5%)", help)
  end)
end)
