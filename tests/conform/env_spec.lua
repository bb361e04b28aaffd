-- What every environment must do: each one that kinds.list finds is tried.
local deer = require "deer"

local SEED, STEPS = 3, 200

-- numbers in a value of nested lists
local function count(value)
  if type(value) ~= "table" then return 1 end
  local n = 0
  for _, item in ipairs(value) do n = n + count(item) end
  return n
end

local function product(dims, from)
  local n = 1
  for i = from, #dims do n = n * dims[i] end
  return n
end

local function random_action(env, rng)
  local n = env:nActions()
  if type(n) == "number" then return rng:below(n) end
  local action = {}
  for i, bounds in ipairs(n) do action[i] = rng:uniform(bounds[1], bounds[2]) end
  return action
end

-- everything that can be seen of a number of steps, as one text
local function seen(env, mode)
  local rng, words = deer.Rng(7), {}
  local function see(value)
    if type(value) == "table" then
      for _, item in ipairs(value) do see(item) end
    else
      words[#words + 1] = type(value) == "number" and deer.format(value) or tostring(value)
    end
  end
  see(env:reset(mode))
  for _ = 1, STEPS do
    see(env:observe())
    see(env:act(random_action(env, rng)))
    see(env:inTerminalState())
    see(env:isTruncated())
    if env:inTerminalState() or env:isTruncated() then see(env:reset(mode)) end
  end
  return table.concat(words, " ")
end

for _, name in ipairs(deer.kinds.list "env") do
  describe("environment " .. name, function()
    local Env = deer.env(name)

    it("can be made without options, and says what they are", function()
      assert.equal("string", type(Env.__name))
      Env{}
      for option, row in deer.spairs(Env.options or {}) do
        assert(row.help and row.help ~= "", ("option '%s' has no help"):format(option))
      end
    end)

    it("observes what inputDimensions says", function()
      local env, rng = Env{ seed = SEED }, deer.Rng(1)
      local dims = env:inputDimensions()
      for _, mode in ipairs { -1, 0 } do
        local history = env:reset(mode)
        assert.equal(#dims, #history)
        for s, d in ipairs(dims) do
          local n = count(history[s])
          assert(n == product(d, 1) or d[1] == 1 and n == product(d, 2), "history of " .. s - 1)
        end
        for _ = 1, STEPS do
          local observed = env:observe()
          assert.equal(#dims, #observed)
          for s, d in ipairs(dims) do
            if type(observed[s]) ~= "string" and type(observed[s]) ~= "userdata" then
              assert.equal(product(d, 2), count(observed[s]))
            end
          end
          local reward = env:act(random_action(env, rng))
          assert(type(reward) == "number" and reward == reward)
          assert.equal("boolean", type(env:inTerminalState()))
          assert.equal("boolean", type(env:isTruncated()))
          if env:inTerminalState() or env:isTruncated() then env:reset(mode) end
        end
      end
    end)

    it("repeats itself with a seed", function()
      for _, mode in ipairs { -1, 0 } do
        assert.equal(seen(Env{ seed = SEED }, mode), seen(Env{ seed = SEED }, mode))
      end
    end)

    it("runs in an agent", function()
      local env = Env{ seed = SEED }
      local agent = deer.NeuralAgent{ environment = env, seed = SEED, replay_memory_size = 1000,
        q_network = deer.QNetwork{ environment = env, seed = SEED } }
      agent:run(1, STEPS)
      assert.equal(STEPS, agent:dataset():nElems())
    end)

    it("refuses an option it does not have", function()
      assert.has_error(function() Env{ no_such_option = 1 } end)
    end)
  end)
end
