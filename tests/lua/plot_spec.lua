local core = require "deer.core"
local canvas = core.canvas
local plot = require "deer.plot"

-- the colour of a pixel as "#rrggbb"
local function pixel(c, x, y)
  local width = c:size()
  local at = (y * width + x) * 3 + 1
  return ("#%02x%02x%02x"):format(c:rgb():byte(at, at + 2))
end

-- how many pixels have a colour, and the middle of them
local function find_color(c, color)
  local width, height = c:size()
  local n, sum_x, sum_y = 0, 0, 0
  local bytes = c:rgb()
  for y = 0, height - 1 do
    for x = 0, width - 1 do
      local at = (y * width + x) * 3 + 1
      if ("#%02x%02x%02x"):format(bytes:byte(at, at + 2)) == color then
        n, sum_x, sum_y = n + 1, sum_x + x, sum_y + y
      end
    end
  end
  return n, sum_x / n, sum_y / n
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("a")
  file:close()
  return bytes
end

-- calls f, which must fail, and returns its message
local function message_of(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  return message
end

describe("a canvas", function()
  it("has a size, is white, and can be filled and clipped", function()
    local c <close> = canvas.new(4, 3)
    assert.are.same({ 4, 3 }, { c:size() })
    assert.are.equal(("\255"):rep(36), c:rgb())
    c:clip(1, 1, 2, 1)
    c:fill("#102030")
    c:clip()
    assert.are.equal("#102030", pixel(c, 1, 1))
    assert.are.equal("#102030", pixel(c, 2, 1))
    assert.are.equal(2, (find_color(c, "#102030")))
  end)

  it("is a picture for render, rows first", function()
    local c <close> = require("deer").canvas(4, 3)
    c:rect(1, 2, 1, 1, "#102030")
    local picture = c:picture()
    assert.are.same({ 3, 4, 3 }, picture:shape())
    assert.are.equal("uint8", picture:dtype())
    assert.are.equal(c:rgb(), picture:bytes())
    c:fill("#000000") -- a copy
    assert.are.equal("\x10\x20\x30", picture:bytes():sub(28, 30))
  end)

  it("takes colours as text and as tables", function()
    local c <close> = canvas.new(1, 1)
    c:fill("#0a0B0c")
    assert.are.equal("#0a0b0c", pixel(c, 0, 0))
    c:fill { 1, 2, 3 }
    assert.are.equal("#010203", pixel(c, 0, 0))
    c:fill { 255, 255, 255, 0 }
    c:fill "#ffffff00"
    assert.are.equal("#010203", pixel(c, 0, 0))
    for _, wrong in ipairs { "red", "#12345", "#12345g", "#", "123456#", "#ff\0f00", true,
      { 1, 2 }, { 1, 2, 256 }, { 1, 2, -1 }, { 1, 2, 0.5 }, { 1, 2, "x" }, {} } do
      local message = message_of(c.fill, c, wrong)
      assert.truthy(message:find("#rrggbb", 1, true), message)
    end
  end)

  it("draws shapes where they belong", function()
    local c <close> = canvas.new(40, 40)
    c:rect(2, 3, 4, 5, "#ff0000")
    assert.are.equal(20, (find_color(c, "#ff0000")))
    c:fill("#ffffff")
    c:circle(20, 20, 10, "#00ff00")
    assert.are.equal("#00ff00", pixel(c, 20, 11))
    assert.are.equal("#ffffff", pixel(c, 20, 8))
    c:line(0, 0.5, 40, 0.5, "#0000ff")
    assert.are.equal("#0000ff", pixel(c, 39, 0))
    c:polyline({ 0.5, 0.5 }, { 10, 30 }, "#0000ff", 1)
    assert.are.equal("#0000ff", pixel(c, 0, 20))
    c:polygon({ 30, 40, 40, 30 }, { 30, 30, 40, 40 }, "#ff00ff")
    assert.are.equal(100, (find_color(c, "#ff00ff")))
    c:fill("#ffffff")
    c:marker("square", 20, 20, 10, "#123456", "#654321", 2)
    assert.are.equal(36, (find_color(c, "#123456")))
    assert.are.equal(64, (find_color(c, "#654321")))
  end)

  it("takes pictures in", function()
    local c <close> = canvas.new(4, 3)
    local bytes = "abcdefghijklmnopqr"
    c:image(1, 1, core.Tensor("uint8", { 2, 3, 3 }, bytes))
    assert.are.equal(bytes:sub(1, 9), c:rgb():sub(16, 24))
    assert.are.equal(bytes:sub(10), c:rgb():sub(28))
    assert.are.equal(("\255"):rep(15), c:rgb():sub(1, 15))
    local message = message_of(c.image, c, 0, 0, "abc")
    assert.truthy(message:find("tensor of bytes {rows, columns, 3} expected", 1, true), message)
    message_of(c.image, c, 0, 0, core.Tensor("float32", { 2, 3, 3 }))
    message_of(c.image, c, "x", 0, core.Tensor("uint8", { 2, 3, 3 }))
  end)

  it("writes and measures text", function()
    local c <close> = canvas.new(60, 60)
    local width, height = c:textWidth("deer")
    c:text(5, 5, "deer", { color = "#ff0000" })
    local n, x, y = find_color(c, "#ff0000")
    assert.is_true(n > 20)
    assert.is_true(x > 5 and x < 5 + width and y > 5 and y < 5 + height)
    assert.is_true(c:textWidth("deer", { font = "large" }) > width)
    assert.are.equal(2 * width, (c:textWidth("deer", { scale = 2, vertical = true })))
  end)

  it("answers wrong arguments with their position and does not crash", function()
    local c <close> = canvas.new(10, 10)
    local wrong = {
      { canvas.new }, { canvas.new, 0, 5 }, { canvas.new, 5, 1 << 40 }, { canvas.new, 1.5, 3 },
      { canvas.new, 16384, 16384 }, { c.size }, { c.size, 3 }, { c.size, io.stdout }, { c.fill, c },
      { c.rect, c, 1, 2, 3, 4 }, { c.rect, c, 1, 2, "x", 4, "#000000" }, { c.clip, c, 1 },
      { c.line, c, 1, 2, 3, "#000000" }, { c.line, c, 1, 2, 3, 4, "#000000", "wide" },
      { c.polyline, c, { 1, 2 }, { 1 }, "#000000" }, { c.polyline, c, 5, { 1 }, "#000000" },
      { c.polyline, c, { 1, "2" }, { 1, 2 }, "#000000" },
      { c.polygon, c, { 1 }, { {} }, "#000000" },
      { c.circle, c, 1, 2, "#000000" }, { c.marker, c, "star", 1, 1, 1, "#000000" },
      { c.marker, c, "circle", 1, 1, 1, "#000000", 5 }, { c.text, c, 1, 1 },
      { c.text, c, 1, 1, "a", { font = "huge" } }, { c.text, c, 1, 1, "a", { font = 3 } },
      { c.text, c, 1, 1, "a", { scale = 0 } }, { c.text, c, 1, 1, "a", { scale = 1e9 } },
      { c.text, c, 1, 1, "a", { color = 7 } }, { c.text, c, 1, 1, "a", "large" },
      { c.textWidth, c }, { c.save, c }, { c.save, c, {} },
    }
    for _, case in ipairs(wrong) do
      local message = message_of(table.unpack(case, 1, 9))
      assert.are.equal("string", type(message))
    end
    assert.truthy(message_of(c.polyline, c, { 1, 2 }, { 3 }, "#000000"):find("#3 to", 1, true))
  end)

  it("draws nothing for numbers that are not finite", function()
    local c <close> = canvas.new(10, 10)
    for _, v in ipairs { 0 / 0, math.huge, -math.huge } do
      c:line(v, 1, 5, 5, "#000000", v)
      c:rect(v, v, v, v, "#000000")
      c:circle(v, 1, v, "#000000")
      c:marker("triangle", v, v, v, "#000000", "#000000", v)
      c:text(v, v, "text")
    end
    assert.are.equal(("\255"):rep(300), c:rgb())
  end)

  it("can be closed twice, and used no more", function()
    local c = canvas.new(10, 10)
    c:close()
    c:close()
    assert.truthy(message_of(c.size, c):find("closed", 1, true))
  end)

  it("saves, or says why it cannot", function()
    local c <close> = canvas.new(10, 10)
    local path = os.tmpname()
    assert.is_true(c:save(path))
    assert.are.equal("\137PNG\r\n\26\n", read(path):sub(1, 8))
    os.remove(path)
    local saved, message = c:save("/no/such/folder/a.png")
    assert.is_nil(saved)
    assert.are.equal("cannot write /no/such/folder/a.png: No such file or directory", message)
  end)
end)

-- a figure with a flat red line over the whole width, in the middle of its limits
local function flat()
  local fig = plot.figure { width = 300, height = 200 }
  local ax = fig:axes { xlim = { 0, 10 }, ylim = { -1, 1 }, grid = false }
  ax:line({ 0, 10 }, { 0, 0 }, { color = "#ff0000", width = 3 })
  return fig, ax
end

describe("a figure", function()
  it("is the same bytes every time, and the path comes back", function()
    local first, second = os.tmpname(), os.tmpname()
    assert.are.equal(first, flat():save(first))
    assert.are.equal(second, flat():save(second))
    assert.are.equal(read(first), read(second))
    -- drawing a figure again changes nothing either
    local fig = flat()
    assert(fig:save(first))
    assert(fig:save(first))
    assert.are.equal(read(first), read(second))
    os.remove(first)
    os.remove(second)
  end)

  it("draws a line at its values", function()
    local fig, ax = flat()
    local c <close> = fig:draw()
    local n, _, y = find_color(c, "#ff0000")
    -- three full rows over the whole box, around the middle
    assert.is_true(n >= 3 * (ax.box.w - 2))
    assert.is_true(math.abs(y - (ax.box.y + ax.box.h / 2)) <= 0.5)
    assert.are.equal("#ff0000", pixel(c, ax.box.x + ax.box.w // 2, ax.box.y + ax.box.h // 2))
  end)

  it("tells where a value lies once it is drawn", function()
    local fig, ax = flat()
    assert.truthy(message_of(ax.column, ax, 1):find("that was drawn", 1, true))
    fig:draw():close()
    local left, top, height = ax:column(ax.x_low)
    assert.are.same({ ax.box.x + 0.5, ax.box.y, ax.box.h }, { left, top, height })
    assert.are.equal(ax.box.x + ax.box.w + 0.5, (ax:twin():column(ax.x_high)))
  end)

  it("draws a step at the old value until the next x", function()
    local fig = plot.figure { width = 300, height = 200 }
    local ax = fig:axes { xlim = { 0, 2 }, ylim = { 0, 1 } }
    ax:step({ 0, 1, 2 }, { 0.25, 0.75, 0.75 }, { color = "#ff0000", width = 3 })
    local c <close> = fig:draw()
    local b = ax.box
    local low, high = b.y + b.h * 3 // 4, b.y + b.h // 4
    assert.are.equal("#ff0000", pixel(c, b.x + b.w // 4, low))
    assert.are_not.equal("#ff0000", pixel(c, b.x + b.w // 4, high))
    assert.are.equal("#ff0000", pixel(c, b.x + b.w * 3 // 4, high))
    assert.are_not.equal("#ff0000", pixel(c, b.x + b.w * 3 // 4, low))
    assert.are.equal("#ff0000", pixel(c, b.x + b.w // 2, b.y + b.h // 2))
  end)

  it("draws markers of the second axis on its own scale", function()
    local fig, ax = flat()
    local right = ax:twin { ylim = { 0, 100 }, ylabel = "percent" }
    right:markers({ 5, 5 }, { 100, 1000 }, { color = "#00ff00", size = 9, label = nil })
    local c <close> = fig:draw()
    local n, x, y = find_color(c, "#00ff00")
    -- one marker at the top in the middle, the one beyond the limits is left out
    assert.is_true(n > 30 and n < 90)
    assert.is_true(math.abs(x - (ax.box.x + ax.box.w / 2)) < 1)
    assert.is_true(math.abs(y - ax.box.y) < 1)
  end)

  it("fills a band and leaves its gaps", function()
    local fig = plot.figure { width = 300, height = 200 }
    local ax = fig:axes { xlim = { 0, 5 }, ylim = { 0, 1 }, grid = false }
    local low, high = { 0.2, 0.2, 0 / 0, 0.2, 0.2, 0.2 }, { 0.8, 0.8, 0.8, 0.8, 0.8, 0.8 }
    ax:band({ 0, 1, 2, 3, 4, 5 }, low, high, { color = { 255, 0, 0 }, opacity = 1 })
    local c <close> = fig:draw()
    local b = ax.box
    assert.are.equal("#ff0000", pixel(c, b.x + b.w // 10, b.y + b.h // 2))
    assert.are.equal("#ffffff", pixel(c, b.x + b.w * 2 // 5, b.y + b.h // 2))
    assert.are.equal("#ff0000", pixel(c, b.x + b.w * 4 // 5, b.y + b.h // 2))
    assert.are.equal("#ffffff", pixel(c, b.x + b.w * 4 // 5, b.y + b.h // 10))
  end)

  it("stacks panels of equal width", function()
    local fig = plot.figure { width = 300, height = 400, rows = 2 }
    local top, bottom = fig:axes(), fig:axes { ylabel = "wide" }
    top:line({ 1, 2 }, { 0.001, 0.002 })
    bottom:line({ 1, 2 }, { 10000, 50000 })
    fig:draw():close()
    assert.are.equal(top.box.x, bottom.box.x)
    assert.are.equal(top.box.w, bottom.box.w)
    assert.is_true(top.box.y + top.box.h < bottom.box.y)
    assert.truthy(message_of(fig.axes, fig):find("rows = 2", 1, true))
  end)

  it("puts the legend where no data is, else above the box", function()
    local fig, ax = flat()
    ax:line({ 0, 10 }, { 0.1, 0.1 }, { label = "a" })
    fig:draw():close()
    assert.are.equal("table", type(ax.legend_box))
    assert.are.equal(0, ax.above)
    -- now data touches every corner
    ax:line({ 0, 10, 10, 0, 5, 5 }, { -1, 1, -1, 1, 1, -1 }, { label = "b" })
    fig:draw():close()
    assert.is_nil(ax.legend_box)
    assert.is_true(ax.above > 0)
    assert.is_true(ax.entries[1].y + 13 < ax.box.y)
  end)

  it("survives every kind of empty and extreme data", function()
    local values = { 0, 1, -1, 1e-320, 1e-300, 1e300, 1.7e308, -1.7e308, 1e9, 1e9 + 1e-3, 0 / 0,
      math.huge, -math.huge }
    for _, a in ipairs(values) do
      for _, b in ipairs(values) do
        local fig = plot.figure { width = 120, height = 90 }
        local ax = fig:axes { xlabel = "x", ylabel = "y" }
        ax:step({ a, b }, { b, a }, { label = "s" }):markers({ a }, { b }, { label = "m" })
        ax:band({ a, b }, { a, a }, { b, b }):twin():line({ b }, { a }, { label = "l" })
        fig:draw():close()
      end
    end
    local fig = plot.figure { width = 64, height = 64, title = ("long "):rep(50) }
    fig:draw():close()
    fig:axes { ylabel = ("long "):rep(50) }:line({}, {}, { label = ("long "):rep(50) })
    fig:draw():close()
  end)

  it("says why a file cannot be written", function()
    local path, message = flat():save("/no/such/folder/a.png")
    assert.is_nil(path)
    assert.truthy(message:find("/no/such/folder/a.png: No such file", 1, true))
  end)
end)

describe("ticks", function()
  local layout = require "deer.plot.layout"
  local function labels(...)
    local list = {}
    for i, tick in ipairs(layout.ticks(...)) do list[i] = tick.label end
    return table.concat(list, " ")
  end

  it("are round values inside the limits", function()
    assert.are.equal("0 20 40 60 80 100", labels(0, 100, 5))
    assert.are.equal("0.0 0.2 0.4 0.6 0.8 1.0", labels(-0.09, 1.09, 6))
    assert.are.equal("-0.05 0.00 0.05", labels(-0.06, 0.06, 3))
    assert.are.equal("-5 0 5", labels(-5, 5, 2))
  end)

  it("share the power of ten of large and small numbers", function()
    assert.are.equal("0 1 2 3", labels(0, 3.2e6, 4))
    assert.are.equal("1e6", layout.ticks(0, 3.2e6, 4).exponent)
    assert.are.equal("1e-5", layout.ticks(0, 2e-5, 4).exponent)
    assert.is_nil(layout.ticks(0, 2000, 4).exponent)
  end)
end)

describe("wrong input to a figure", function()
  it("gets one message with the line of the script", function()
    local fig, ax = flat()
    -- the line of the error is the one that defines f
    local function check(expected, f)
      local message = message_of(f)
      local line = "plot_spec.lua:" .. debug.getinfo(f, "S").linedefined .. ": "
      assert.truthy(message:find(line .. expected, 1, true), message)
      assert.is_nil(message:find("\n", 1, true))
    end
    check('figure: unknown option "widht" (known: height, rows, title, width)',
      function() plot.figure { widht = 3 } end)
    check("figure: width: a whole number from 64 to 8192 expected, got 3",
      function() plot.figure { width = 3 } end)
    check("axes: ylim: {low, high} with low < high expected",
      function() fig:axes { ylim = { 1, 0 } } end)
    check("axes: a table of options expected, got 7", function() fig:axes(7) end)
    check("line: xs: a list of numbers expected, got nil", function() ax:line() end)
    check('step: ys[2]: number expected, got "b"', function() ax:step({ 1, 2 }, { 1, "b" }) end)
    check("markers: ys has 1 values, xs has 2", function() ax:markers({ 1, 2 }, { 1 }) end)
    check('markers: shape: "circle", "square", "triangle" or "diamond" expected, got "star"',
      function() ax:markers({}, {}, { shape = "star" }) end)
    check('line: color: a colour ("blue", "#rrggbb" or {r, g, b, a} of 0 to 255) expected, got "x"',
      function() ax:line({}, {}, { color = "x" }) end)
    check("band: high: a list of numbers expected, got true", function() ax:band({}, {}, true) end)
    ax:twin()
    check("twin: these axes have a second y axis already", function() ax:twin() end)
    check("save: a file name expected, got nil", function() fig:save() end)
  end)
end)
