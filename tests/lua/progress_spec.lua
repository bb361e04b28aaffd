-- What deerlua train shows on its way: a line that moves on a terminal, plain lines elsewhere.
local child = require "child"
local json = require "deer.json"

local TRAIN = "train --env cartpole --algo dqn --hyperparam replay_start_size=50 --epochs %d \z
  --steps-per-epoch %d --eval-episodes 2 %s"

local function words(epochs, steps, more)
  local list = {}
  for word in TRAIN:format(epochs, steps, more or ""):gmatch "%S+" do list[#list + 1] = word end
  return list
end

-- what a terminal gets
local function on_terminal(command, env)
  local line = ("cd %s && %s script -qec %s /dev/null"):format(child.folder(), env or "",
    child.quote(child.quote(child.program) .. " " .. command))
  local status, out = child.shell(line)
  assert.equal(0, status)
  return out
end

describe("progress", function()
  after_each(child.clean)

  it("is a line for now and then where there is no terminal", function()
    local status, out, err = child.run(words(3, 100), { cwd = child.folder() })
    assert.equal(0, status)
    assert.matches("^step 300 of 300  %d+ steps/s  return [%d.]+  loss [%d.e-]+  0:00 left\n$", err)
    assert.matches("\n +ID +Step +MaxR | +avgR +stdR | +ExpR +LossA +LossC\n +1 +100 ", out)
    assert.is_nil(out:find "\27")
    -- the last epoch is cut
    status, out, err = child.run({ "train", "--env", "cartpole", "--num-timesteps", "150",
      "--steps-per-epoch", "100", "--eval-every", "0" }, { cwd = child.folder() })
    assert.matches("^step 150 of 150 ", err)
    assert.same({ 0, nil }, { status, (out:find "\27") })
  end)

  it("is nothing at all, or JSON, when that is asked for", function()
    local status, out, err = child.run(words(2, 100, "--quiet"), { cwd = child.folder() })
    assert.same({ 0, "", "" }, { status, out, err })
    status, out, err = child.run(words(2, 100, "--quiet --attach trainerController \z
      --attach verbose"), { cwd = child.folder() })
    assert.same({ 0, "", "" }, { status, out, err })
    status, out, err = child.run(words(2, 100, "--json --attach verboseController"),
      { cwd = child.folder() })
    -- what controllers say does not come between the lines
    assert.equal(0, status)
    assert.matches("^epoch 1:\nLearning rate: [^\n]+\n", err)
    local n = 0
    for line in out:gmatch "[^\n]+" do
      n = n + 1
      local row = assert(json.decode(line))
      assert.same({ 100 * n, n }, { row["time/total_timesteps"], row["time/iterations"] })
      assert.equal("number", type(row["eval/mean_reward"]))
    end
    assert.equal(2, n)
  end)

  if child.shell "command -v script" ~= 0 then return end

  it("is one line with speed, return, loss and time left on a terminal", function()
    local out = on_terminal(TRAIN:format(4, 2000, ""), "COLUMNS=120")
    local line = out:match "\r\27%[K(epoch %d/4 train %[[#.]+%] +%d+%%  %d+ steps/s[^\r\n]*left)"
    assert.is_string(line)
    assert.is_true(#line < 80)
    assert.matches("  return [%d.]+  loss [%d.e-]+  %d+:%d%d left\r",
      on_terminal("-e 'require(\"deer.sys\").columns = function() return 140 end' "
        .. TRAIN:format(4, 2000, "")))
    -- the best line of the table is bold
    assert.matches("\27%[1m +1 +2000 ", out)
    assert.is_nil(on_terminal(TRAIN:format(1, 60, ""), "NO_COLOR=1"):find "\27%[1m")
    assert.equal("", on_terminal(TRAIN:format(1, 60, "--quiet")))
  end)
end)
