-- deer.video: the Lua face; what is in the files is checked by tests/c/test_video.c.
local child = require "child"
local deer = require "deer"
local raises = require "raises"
local sys = require "deer.sys"

local function picture(rows, columns, byte)
  return deer.Tensor("uint8", { rows, columns, 3 }, string.char(byte):rep(rows * columns * 3))
end

describe("a film", function()
  local folder
  before_each(function() folder = child.folder() end)
  after_each(child.clean)

  it("is written when it is closed, as what its name says", function()
    local first = { ["a.png"] = "\137PNG", ["a.apng"] = "\137PNG", ["a.gif"] = "GIF89a" }
    for name, magic in deer.spairs(first) do
      local film = deer.video(folder .. "/" .. name, { fps = 10 })
      assert.equal(film, film:add(picture(4, 6, 1)))
      film:add(picture(4, 6, 200))
      assert.equal(2, #film)
      assert.is_false(sys.exists(folder .. "/" .. name))
      assert.same({ folder .. "/" .. name }, { film:close() })
      local file = assert(io.open(folder .. "/" .. name, "rb"))
      assert.equal(magic, file:read(#magic))
      file:close()
    end
  end)

  it("is not written when it is not closed", function()
    do
      local film <close> = deer.video(folder .. "/a.gif")
      film:add(picture(2, 2, 0))
    end
    deer.video(folder .. "/b.gif"):add(picture(2, 2, 0))
    collectgarbage()
    assert.same({}, sys.listdir(folder))
  end)

  it("is a PNG instead of an MP4 where there is no ffmpeg", function()
    local status, out, err = child.run({ "-e", [[
      local deer = require "deer"
      local env = deer.env "cartpole" {}
      env:reset(0)
      print(deer.video "film.mp4":add(env:render()):close())]] },
      { cwd = folder, env = "PATH=/nowhere", before = "/usr/bin/timeout 60" })
    assert.same({ 0, "" }, { status, err })
    assert.equal("film.png\tthere is no ffmpeg (No such file or directory)\n", out)
    assert.same({ "film.png" }, sys.listdir(folder))
  end)

  it("says what is wrong with what it is given", function()
    raises(function() deer.video() end, "deer.video: expected the path of a file, got nothing")
    raises(function() deer.video "film.avi" end, "a name that ends with .mp4, .png or .gif")
    raises(function() deer.video("a.gif", { fsp = 3 }) end, "unknown option 'fsp'.*'fps'")
    raises(function() deer.video("a.gif", { fps = 0 }) end, "fps.*0.1 to 240")
    local film = deer.video(folder .. "/no/a.gif")
    raises(function() film:add "frame" end,
      "bad argument #1 to 'add' %(tensor of bytes {rows, columns, 3} expected, got the string")
    raises(function() film:add(deer.Tensor("float32", { 2, 2, 3 })) end, "tensor of bytes")
    raises(function() film:add(deer.Tensor("uint8", { 2, 2, 4 })) end, "tensor of bytes")
    film:add(picture(2, 3, 0))
    raises(function() film:add(picture(3, 2, 0)) end,
      "picture 1 of the film: expected 3 x 2 pixels, got 2 x 3")
    local path, message = film:close()
    assert.is_nil(path)
    assert.matches("cannot write .*/no/a.gif: No such file or directory", message)
    raises(function() film:close() end, "the film is closed")
    path, message = deer.video(folder .. "/a.gif"):close()
    assert.is_nil(path)
    assert.matches("no picture was added", message)
  end)
end)
