--- Every command in README.md runs. With sanitizers the launchers, which train for minutes then,
--- stop after their first epoch: the code that runs is the same.
local lfs = require "lfs"

local child = require "child"

local here = lfs.currentdir()

--- The indented lines that begin with `word`, without their comments.
local function commands(word)
  local list = {}
  for line in io.lines "README.md" do
    local command = line:match("^    (" .. word .. ".*)$")
    if command then list[#list + 1] = (command:gsub("%s+#.*$", "")) end
  end
  return list
end

-- what is run instead of a command
local function shortened(command)
  local launcher = command:find "examples/[%w_]+/run_" and not command:find "%-%-"
  return child.is_slow and launcher and command .. " --epochs 1" or command
end

describe("README.md", function()
  local folder -- one for all commands: some go on with what others left
  setup(function() folder = child.folder() end)
  teardown(child.clean)

  it("has the commands it is known for", function()
    assert.same({ "make demo", "make test" }, commands "make ")
    assert.is_true(#commands "build/deerlua" >= 5)
  end)

  for _, said in ipairs(commands "build/deerlua") do
    local command = shortened(said)
    it(("says: %s%s"):format(said, command ~= said and ", run with --epochs 1" or ""), function()
      local ours = child.quote(child.program)
        .. command:sub(#"build/deerlua" + 1):gsub("examples/", here .. "/examples/")
      local status, out, err = child.shell(("cd %s && COLUMNS=20 %s"):format(folder, ours))
      err = err:gsub("step %d+ of %d+ [^\n]+\n", "") -- how training goes
      assert.same({ 0, "" }, { status, err })
      assert.is_true(#out > 0 or command == "build/deerlua")
    end)
  end
end)
