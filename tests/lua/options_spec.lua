local options = require "deer.options"

local raises = require "raises"

local LIST = options.list {
  evaluate_on = { default = "epoch", choices = { "epoch", "action" } },
  show_episode_avg_V_value = { default = true },
  initial_e = { default = 1.0, range = { 0, 1 } },
  e_decays = { default = 10000, type = "integer", range = { 1, 2 ^ 53 } },
  double_q = { default = false },
  learning_algo = { type = "any", alias = { "q_network", "learner" } },
  fname = { default = "nnet" },
}

local function check(given) return options.check("Thing", LIST, given) end

describe("options", function()
  it("fills in defaults", function()
    local checked = check(nil)
    assert.equal("epoch", checked.evaluate_on)
    assert.equal(true, checked.show_episode_avg_V_value)
    assert.equal(10000, checked.e_decays)
    assert.is_nil(checked.learning_algo)
    assert.equal(false, check{}.double_q)
  end)

  it("knows DeeR's spellings", function()
    local checked = check{ evaluateOn = "action", showEpisodeAvgVValue = false, initialE = 0.5,
      eDecays = 3, double_Q = true, q_network = "q" }
    assert.same({ "action", false, 0.5, 3, true, "q" }, { checked.evaluate_on,
      checked.show_episode_avg_V_value, checked.initial_e, checked.e_decays, checked.double_q,
      checked.learning_algo })
  end)

  it("names the nearest known option", function()
    raises(function() check{ evaluate_om = "action" } end,
      "Thing: unknown option 'evaluate_om'; did you mean 'evaluate_on'%?")
    raises(function() check{ zzzzzzzzzzzz = 1 } end, ".*known are double_q, ")
    raises(function() options.check("Bare", {}, { a = 1 }) end, "it has none")
    raises(function() check{ "action" } end, "Thing: options have names")
  end)

  it("refuses wrong types, ranges and choices", function()
    local wrong = {
      { { initial_e = "1" }, 'expected a number from 0 to 1, got the string "1"' },
      { { initial_e = 1.5 }, "expected a number from 0 to 1, got 1.5" },
      { { initial_e = 0 / 0 }, "expected a number from 0 to 1, got %-?nan" },
      { { e_decays = 0.5 }, "expected an integer of at least 1, got 0.5" },
      { { e_decays = 0 }, "expected an integer of at least 1, got 0" },
      { { evaluate_on = "step" }, "expected one of 'epoch', 'action', got the string \"step\"" },
      { { evaluate_on = 1 }, "expected one of 'epoch', 'action', got 1" },
      { { double_q = 1 }, "expected true or false, got 1" },
      { { fname = {} }, "expected a string, got a table" },
    }
    for _, case in ipairs(wrong) do
      raises(function() check(case[1]) end,
        "Thing: option '[%w_]+': " .. case[2])
    end
  end)

  it("refuses the same option twice", function()
    raises(function() check{ e_decays = 3, eDecays = 4 } end,
      "Thing: option 'e_decays' is given twice")
  end)

  it("asks for what is required", function()
    local list = options.list { environment = { required = true, type = "any" } }
    raises(function() options.check("Thing", list, {}) end,
      "Thing: option 'environment' is missing")
  end)

  it("turns whole floats into integers where integers are wanted", function()
    assert.equal("integer", math.type(check{ e_decays = 5.0 }.e_decays))
  end)

  it("takes a seed as a number or from a generator", function()
    local core = require "deer.core"
    local list = options.list { seed = { type = "seed" } }
    assert.equal(7, options.check("T", list, { seed = 7 }).seed)
    local drawn = options.check("T", list, { seed = core.Rng(1) }).seed
    assert.equal("integer", math.type(drawn))
    assert.equal(drawn, options.check("T", list, { seed = core.Rng(1) }).seed)
    raises(function() options.check("T", list, { seed = 1.5 }) end, "expected a seed")
  end)

  it("understands the fields of C classes", function()
    local rows = options.fromFields(require("deer.core").fields("algo", "dqn"))
    local list = options.list(rows)
    assert.equal(#rows, #list)
    local checked = options.check("QNetwork", list, { updateRule = "adam", batch_size = 8 })
    assert.equal("adam", checked.update_rule)
    assert.equal(8, checked.batch_size)
    assert.equal(false, checked.double_q)
    raises(function() options.check("Q", list, { update_rule = "sgdd" }) end,
      "expected one of 'sgd', 'rmsprop', 'deepmind_rmsprop', 'adam'")
    raises(function() options.check("Q", list, { batch_size = 0 }) end,
      "an integer .*1.*, got 0")
  end)

  it("reads words of the command line", function()
    local find = function(name) return options.find(LIST, name) end
    assert.equal(0.25, options.parse(find "initial_e", "0.25"))
    assert.is_nil(options.parse(find "initial_e", "2"))
    assert.is_nil(options.parse(find "initial_e", "abc"))
    assert.equal(10, options.parse(find "e_decays", "1e1"))
    assert.is_nil(options.parse(find "e_decays", "1.5"))
    assert.equal(false, options.parse(find "double_q", "no"))
    assert.is_nil(options.parse(find "double_q", "perhaps"))
    assert.equal("action", options.parse(find "evaluate_on", "action"))
    assert.equal("12", options.parse(find "fname", "12"))
    local start = { name = "start", type = "wholes", parts = { "row", "column" } }
    for _, word in ipairs { "4,-1", "4, -1", "{4,-1}", " { 4, -1 } ", "[4, -1]", "4.0 -1" } do
      assert.same({ 4, -1 }, options.parse(start, word), word)
      assert.same({ 4, -1 }, options.parse({ name = "any", type = "table" }, word), word)
    end
    for _, word in ipairs { "4", "{4}", "{4,1.5}", "{4,a}", "{}", "{4,1" } do
      assert.is_nil(options.parse(start, word), word)
    end
    assert.same({ a = 1 }, options.parse({ name = "any", type = "table" }, '{"a": 1}'))
    assert.same({}, options.parse({ name = "any", type = "table" }, "{}"))
  end)

  it("refuses a table of options that is none", function()
    raises(function() options.list { length = 7 } end,
      "options.length: expected a table such as { default = 7 }, got 7")
    raises(function() options.list(5) end, "options: expected a table such as .* got 5")
    for _, case in ipairs {
      { { defualt = 5 }, "there is no 'defualt' .*; did you mean 'default'" },
      { { default = 5, range = 3 }, "range: expected a table, got 3" },
      { { type = "nmber" }, "there is no type 'nmber'; did you mean 'number'" },
      { { default = 50, range = { 1, 3 } }, "default: expected a number from 1 to 3, got 50" },
    } do
      raises(function() options.list { length = case[1] } end, "options.length: " .. case[2])
    end
  end)

  it("writes whole bounds without a point", function()
    for _, case in ipairs { { { 0.0, 2 ^ 31 }, "an integer from 0 to 2147483648" },
      { { 1.0, math.huge }, "an integer of at least 1" } } do
      assert.equal(case[2], options.expected { name = "n", type = "integer", range = case[1] })
    end
  end)
end)
