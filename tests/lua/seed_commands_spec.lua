-- The command lines of lua/deer/cli/README.md, with fewer steps, in the order in which they stand.
local child = require "child"

-- the commands in the right column of tables
local function commands()
  local list = {}
  for line in io.lines "lua/deer/cli/README.md" do
    local command = line:match "^| .* | `deerlua ([^`]+)` |$"
    list[#list + 1] = command
  end
  return list
end

local function words_of(command)
  local words = {}
  for word in command:gmatch "%S+" do words[#words + 1] = word end
  return words
end

-- as short as it can be
local function shorten(command)
  if not command:find "^train" and not command:find "^%-%-" then return command end
  if command:find "%-%-help" then return command end
  if command:find "%-%-num%-timesteps" then
    return (command:gsub("%-%-num%-timesteps %d+", "--num-timesteps 60"))
  end
  return command .. " --epochs 2 --steps-per-epoch 60"
end

describe("the command lines of other systems", function()
  local root
  setup(function() root = child.folder() end)
  teardown(child.clean)

  for _, command in ipairs(commands()) do
    it(command, function()
      local status, out, err = child.run(words_of(shorten(command)), { cwd = root })
      assert.equal(0, status, err)
      assert.is_true(#out > 0)
    end)
  end
end)
