local child = require "child"
local launcher = require "deer.launcher"
local raises = require "raises"

local DEFAULTS = {
  epochs = 10, steps_per_epoch = 1000, steps_per_test = 500, period_btw_summary_perfs = 1,
  update_rule = "rmsprop", learning_rate = 0.01, discount = 0.9, discount_inc = 1.0,
  epsilon_decay = 10000, replay_memory_size = 1000000, seed = 123456,
}
local EXTRA = {
  presets = { slow = { epochs = 50, learning_rate = 0.0002 }, fast = { epochs = 1 } },
}

local function parse(words, defaults)
  words[0] = "run.lua"
  return launcher.parse(words, defaults or DEFAULTS, not defaults and EXTRA or nil)
end

-- the one line that a wrong command line gets
local function complaint(words, defaults)
  local params, message, status = parse(words, defaults)
  assert.is_nil(params)
  assert.equal(2, status)
  assert.matches("^run.lua: [^\n]* %(try %-%-help%)\n$", message)
  return message
end

describe("launcher", function()
  it("gives the defaults by DeeR's names", function()
    local params = parse{}
    for name, value in pairs(DEFAULTS) do assert.equal(value, params[name], name) end
    assert.is_true(params.deterministic)
  end)

  it("reads DeeR's options in every form", function()
    for _, words in ipairs { { "--epochs", "3" }, { "--epochs=3" }, { "-e", "3" },
      { "--Epochs=3" }, { "-e", "7", "--epochs", "3" } } do
      assert.equal(3, parse(words).epochs, words[1])
    end
    assert.equal(20, parse{ "--steps-per-epoch", "20" }.steps_per_epoch)
    assert.equal(20, parse{ "--steps_per_epoch=20" }.steps_per_epoch)
    assert.equal(30, parse{ "-t", "30" }.steps_per_test)
    assert.equal(30, parse{ "--test-length=30" }.steps_per_test)
    assert.equal(-1, parse{ "-f", "-1" }.period_btw_summary_perfs)
    assert.equal(5, parse{ "--freq_summary_perfs", "5" }.period_btw_summary_perfs)
    assert.equal("sgd", parse{ "--update-rule", "sgd" }.update_rule)
    assert.equal(5e-4, parse{ "--learning-rate", "5e-4" }.learning_rate)
    assert.equal(0.99, parse{ "--discount_inc=.99" }.discount_inc)
    assert.equal(77, parse{ "--max-history", "77" }.replay_memory_size)
  end)

  it("takes DeeR's capital names of defaults", function()
    local params = parse({}, { STEPS_PER_EPOCH = 7, EPOCHS = 2 })
    assert.equal(7, params.steps_per_epoch)
    assert.equal(2, params.epochs)
  end)

  it("lets the command line win over the preset, the preset over the defaults", function()
    local params = parse{ "--preset", "slow" }
    assert.same({ 50, 0.0002, 1000 }, { params.epochs, params.learning_rate,
      params.steps_per_epoch })
    params = parse{ "-e", "4", "--preset=slow" }
    assert.same({ 4, 0.0002 }, { params.epochs, params.learning_rate })
    assert.matches("'%-%-preset': expected one of 'fast', 'slow', got 'x'",
      complaint{ "--preset", "x" })
  end)

  it("fixes the seed, or draws one from the clock", function()
    assert.equal(123456, parse{}.seed)
    assert.equal(5, parse{ "--seed", "5" }.seed)
    local params = parse{ "--no-deterministic" }
    assert.is_false(params.deterministic)
    assert.equal("integer", math.type(params.seed))
    assert.is_true(params.seed >= 0 and params.seed < 2 ^ 31)
    assert.equal(123456, parse{ "--no-deterministic", "--deterministic" }.seed)
    assert.matches("contradict each other", complaint{ "--seed", "5", "--no-deterministic" })
  end)

  it("makes options of the script's own defaults", function()
    local defaults = { my_word = "a", myCount = 3, share = 0.5, quick = false }
    local params = parse({ "--my-word", "b", "--my_count=4", "--share", "1", "--quick", "yes" },
      defaults)
    assert.same({ "b", 4, 1, true }, { params.my_word, params.myCount, params.share, params.quick })
    assert.matches("'%-%-my%-count': expected an integer, got '1.5'",
      complaint({ "--my-count", "1.5" }, defaults))
  end)

  it("answers a wrong word with one line and the nearest known one", function()
    assert.matches("unknown option '%-%-epoch'; did you mean '%-%-epochs'%?",
      complaint{ "--epoch", "3" })
    assert.matches("unknown option '%-x'", complaint{ "-x" })
    assert.matches("unexpected argument 'word'", complaint{ "word" })
    assert.matches("'%-%-epochs': expected an integer of at least 0, got 'many'",
      complaint{ "--epochs", "many" })
    assert.matches("expected an integer of at least 0, got '1.5'", complaint{ "--epochs=1.5" })
    assert.matches("expected an integer of at least 1, got '0'", complaint{ "-s", "0" })
    assert.matches("expected a number from 0 to 1, got '1.5'", complaint{ "--discount", "1.5" })
    assert.matches("expected a number of at least 0, got 'nan'",
      complaint{ "--learning-rate", "nan" })
    assert.matches("option '%-%-epochs' needs an integer", complaint{ "--epochs" })
    assert.matches("option '%-e' needs an integer", complaint{ "-e", "--seed", "1" })
    assert.matches("takes no value", complaint{ "--deterministic=yes" })
    -- an option of DeeR's that this script has no use for
    assert.matches("no option '%-%-momentum' %(part of the last step taken again%)",
      complaint{ "--momentum", "0.9" })
  end)

  it("takes each of DeeR's options that has a default, and names the others", function()
    for words, name in pairs { ["-e 3"] = "epochs", ["--epochs 3"] = "epochs",
      ["-s 3"] = "steps_per_epoch", ["--steps-per-epoch 3"] = "steps_per_epoch",
      ["-t 3"] = "steps_per_test", ["--test-length 3"] = "steps_per_test",
      ["-f 3"] = "period_btw_summary_perfs",
      ["--freq_summary_perfs 3"] = "period_btw_summary_perfs",
      ["--frame-skip 3"] = "frame_skip", ["--update-rule sgd"] = "update_rule",
      ["--batch-accumulator sum"] = "batch_accumulator", ["--learning-rate 3"] = "learning_rate",
      ["--learning-rate-decay 3"] = "learning_rate_decay", ["--rms-decay 0.5"] = "rms_decay",
      ["--rms-epsilon 3"] = "rms_epsilon", ["--momentum 0.5"] = "momentum",
      ["--clip-delta 3"] = "clip_delta", ["--clip-norm 3"] = "clip_norm",
      ["--discount 0.5"] = "discount", ["--discount_inc 3"] = "discount_inc",
      ["--discount_max 0.5"] = "discount_max", ["--epsilon-start 0.5"] = "epsilon_start",
      ["--epsilon-min 0.5"] = "epsilon_min", ["--epsilon-decay 3"] = "epsilon_decay",
      ["--max-history 3"] = "replay_memory_size", ["--batch-size 3"] = "batch_size",
      ["--freeze-interval 3"] = "freeze_interval", ["--update-frequency 3"] = "update_frequency",
      ["--network-type x"] = "network_type", ["--param1 x"] = "param1", ["--param2 x"] = "param2",
      ["--param3 x"] = "param3" } do
      local option, value = words:match "^(%S+) (%S+)$"
      local default = tonumber(value) or value == "x" and "y" or value == "sgd" and "adam" or "mean"
      if math.type(default) == "integer" then default = 7 end
      local params = parse({ option, value }, { [name] = default })
      assert.equal(tonumber(value) or value, params[name])
      assert.matches("this launcher has no option '" .. option:gsub("%-", "%%-") .. "' %(",
        complaint({ option, value }, { own = 1 }))
    end
  end)

  it("prints what there is", function()
    local params, message, status = parse{ "--help" }
    assert.is_nil(params)
    assert.equal(0, status)
    assert.matches("^usage: deerlua run.lua %[options%]\n", message)
    for _, words in ipairs { "%-e %-%-epochs N +training epochs %(10%)", "%-t %-%-test%-length N",
      "%-%-update%-rule WORD .*%(rmsprop%)", "%-%-learning%-rate X .*%(0.01%)", "%-%-seed N",
      "%-%-no%-deterministic", "%-%-preset WORD .*fast, slow", "%-h %-%-help" } do
      assert.matches("\n +" .. words, message)
    end
    assert.not_matches("momentum", message)
    for text in message:gmatch "[^\n]+" do assert.is_true(#text <= 100, text) end
  end)

  it("says what is wrong with the script that calls it", function()
    raises(function() launcher.parse(nil, {}) end, "deer.launcher: expected deer.launcher%(arg")
    raises(function() launcher.parse({}, { epochs = "ten" }) end,
      "launcher: defaults: 'epochs': expected an integer of at least 0, got the string \"ten\"")
    raises(function() launcher.parse({}, { epochs = 1 }, { presets = { a = { epoch = 2 } } }) end,
      "launcher: preset a: unknown parameter 'epoch'; did you mean 'epochs'%?")
    raises(function() launcher.parse({}, { list = {} }) end, "default 'list': expected a number")
    raises(function() launcher.parse({}, { epochs = 1 }, { preset = {} }) end,
      "expected { presets = ..., help = ... } after the defaults, got 'preset'")
    raises(function() launcher.parse({}, { epochs = 1 }, { presets = 5 }) end,
      "presets: expected .* got 5")
  end)

  it("gives no parameter that there is not", function()
    local params = parse{}
    assert.equal(1000, params.stepsPerEpoch)
    assert.is_nil(params.preset) -- not given
    raises(function() return params.step_per_epoch end,
      "the launcher has no parameter 'step_per_epoch'; did you mean 'steps_per_epoch'%?")
  end)

  it("ends the program: status 2 for a wrong command line, 0 for help", function()
    finally(child.clean)
    local root = child.tree { ["run.lua"] = [[
      local deer = require "deer"
      local params = deer.launcher(arg, { epochs = 3, seed = 7 })
      print(params.epochs, params.seed, math.random(1000))]] }
    local status, out, err = child.run({ "run.lua", "--epoch", "4" }, { cwd = root })
    assert.same({ 2, "", "run.lua: unknown option '--epoch'; did you mean '--epochs'? "
      .. "(try --help)\n" }, { status, out, err })
    status, out, err = child.run({ "run.lua", "-h" }, { cwd = root })
    assert.same({ 0, "" }, { status, err })
    assert.matches("^usage: deerlua run.lua", out)
    local _, once = child.run({ "run.lua", "-e", "4" }, { cwd = root })
    local _, twice = child.run({ "run.lua", "-e", "4" }, { cwd = root })
    assert.matches("^4\t7\t%d+\n$", once)
    assert.equal(once, twice)
    _, out = child.run({ "run.lua", "--no-deterministic" }, { cwd = root })
    local seed = out:match "^Seed: (%d+)\n"
    assert.equal(seed, out:match "\n3\t(%d+)")
  end)
end)
