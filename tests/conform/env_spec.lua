-- What every environment must do: each one that kinds.list finds is tried.
local deer = require "deer"

local SEED, STEPS = 3, 200

for _, name in ipairs(deer.kinds.list "env") do
  describe("environment " .. name, function()
    local Env = deer.env(name)

    it("can be made without options", function()
      assert.equal("string", type(Env.__name))
      Env{}
    end)

    it("does what an agent relies on", function()
      assert.equal(2 * STEPS, deer.test.environment(Env, {}, { steps = STEPS }).steps)
    end)

    it("runs in an agent that learns", function()
      local env = Env{ seed = SEED }
      local Algo = type(env:nActions()) == "number" and deer.QNetwork or deer.TD3
      local agent = deer.NeuralAgent{ environment = env, seed = SEED, replay_memory_size = 1000,
        learning_algo = Algo{ environment = env, seed = SEED } }
      agent:run(1, STEPS)
      assert.equal(STEPS, agent:dataset():nElems())
    end)

    it("refuses an option it does not have", function()
      assert.has_error(function() Env{ no_such_option = 1 } end)
    end)
  end)
end
