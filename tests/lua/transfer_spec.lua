-- What carries over from one task to another: networks in files, two networks as one, skills that
-- are kept, and an agent with several tasks.
local child = require "child"
local core = require "deer.core"
local deer = require "deer"
local fails = require "raises"
local run_folder = require "deer.run_folder"

local bc = deer.controllers

-- two numbers drawn at each step are seen; action 1 pays what the task's weights make of them
local function task_class()
  local Task = deer.Environment:extend "Task"
  Task.options = { first = { default = 1.0, help = "weight" }, second = { default = 0.0,
    help = "weight" } }
  function Task:init(o) self.rng, self.first, self.second = o.rng, o.first, o.second end
  local function draw(self) self.x, self.y = self.rng:uniform(-1, 1), self.rng:uniform(-1, 1) end
  function Task:reset() self.steps = 0 draw(self) return { { { 0, 0 } } } end
  function Task:act(action)
    local reward = (2 * action - 1) * (self.first * self.x + self.second * self.y)
    self.steps = self.steps + 1
    draw(self)
    return reward
  end
  function Task:observe() return { { self.x, self.y } } end
  function Task:inTerminalState() return self.steps == 10 end
  function Task.inputDimensions() return { { 1, 2 } } end
  function Task.nActions() return 2 end
  return Task
end

local Task = task_class()

-- f(...) raises what matches, from a line of this spec
local function raises(pattern, f, ...)
  local args = table.pack(...)
  fails(function() f(table.unpack(args, 1, args.n)) end, pattern)
end

local STATES = {}
for i = 1, 20 do STATES[i] = { { { math.sin(i), math.cos(3 * i) } } } end

local function network(options)
  options.environment = options.environment or Task{}
  options.batch_size = options.batch_size or 4
  return deer.QNetwork(options)
end

local function agent_of(algo, controllers)
  local agent = deer.NeuralAgent{ environment = algo.environment, learning_algo = algo,
    train_every = 1, seed = 3 }
  for _, controller in ipairs(controllers or {}) do agent:attach(controller) end
  return agent
end

local function near(a, b, tolerance)
  assert.is_true(math.abs(a - b) <= (tolerance or 1e-6) * math.max(1, math.abs(a)),
    ("%s and %s"):format(a, b))
end

local function flat(params, pattern)
  local all = {}
  for _, param in ipairs(params) do
    if param.name:find(pattern) then all[#all + 1] = param.data end
  end
  return table.concat(all)
end

describe("two networks as one", function()
  after_each(child.clean)

  local function fused(a, b, options)
    options = options or {}
    options.network = deer.fusion.network(a:description(), b:description())
    options.environment = a.environment
    local both = network(options)
    both:setAllParams(deer.fusion.join(both:getAllParams(), a:getAllParams(), b:getAllParams()))
    return both
  end

  it("say the mean of both at first, whatever they are made of", function()
    local conv = { "conv", rows = 1, columns = 1, filters = 3 }
    local pairs_of = {
      { { network = { { "dense", units = 7 } } }, { dueling = true, dueling_hidden = 5 } },
      { {}, { network = { { "parallel", layers = { { "dense", units = 3 }, { "dense" } } } } } },
      { { network = { conv, { "dense", units = 4 } } }, { network = { conv } } },
      { { noisy = true }, { noisy = true, dueling = true, dueling_hidden = 4 } },
      { { network = { { "noisy", units = 5 }, { "dense" } } }, { noisy = true,
        network = { { "noisy", units = 3 }, { "dense", units = 4 } } } },
    }
    for _, pair in ipairs(pairs_of) do
      local env, nets = Task{}, {}
      for k, options in ipairs(pair) do
        options.environment, options.seed = env, k
        nets[k] = network(options)
      end
      local both = fused(nets[1], nets[2])
      for _, state in ipairs(STATES) do
        local q, qa, qb = both:qValues(state), nets[1]:qValues(state), nets[2]:qValues(state)
        for action = 1, 2 do near((qa[action] + qb[action]) / 2, q[action]) end
      end
    end
  end)

  it("have a target network that says the same, and learn on in all their parts", function()
    local a, b = network{ seed = 1 }, network{ seed = 2 }
    local both = fused(a, b, { update_rule = "sgd", learning_rate = 0.01 })
    local before = both:getAllParams()
    assert.equal(flat(before, "^q%."), flat(before, "^target%."))
    agent_of(both):run(1, 60)
    for i, param in ipairs(both:getAllParams()) do
      if param.name:find "^q%." then assert.not_equal(before[i].data, param.data, param.name) end
    end
  end)

  it("are begun with by a controller, from a run and a file", function()
    local root = child.folder()
    local env = Task{}
    local a, b = network{ environment = env, seed = 1 }, network{ environment = env, seed = 2 }
    assert(run_folder.save(root .. "/a.safetensors", a, {}))
    assert(run_folder.save(root .. "/b", b, {}))
    local both = network{ environment = env,
      network = deer.fusion.network(a:description(), b:description()) }
    local agent = agent_of(both, { bc.NetFusionController{ first = root .. "/a.safetensors",
      second = root .. "/b" } })
    agent:ready()
    local q, qa, qb = both:qValues(STATES[1]), a:qValues(STATES[1]), b:qValues(STATES[1])
    near((qa[1] + qb[1]) / 2, q[1])
    agent:run(1, 30)
    local learnt = flat(both:getAllParams(), "^q%.")
    agent:run(1, 1) -- a second run goes on from there
    local again = fused(a, b)
    assert.not_equal(flat(again:getAllParams(), "^q%."), learnt)
    assert.not_equal(flat(again:getAllParams(), "^q%."), flat(both:getAllParams(), "^q%."))
  end)

  it("are refused when they do not fit", function()
    local env = Task{}
    local a = network{ environment = env }
    raises("only networks that say values .* not those with distributions %(quantile%)",
      deer.fusion.network,
      a:description(), network{ environment = env, distribution = "quantile" }:description())
    raises("the second network: expected the description of a QNetwork, got nothing",
      deer.fusion.network, a:description(), nil)
    local gridworld = deer.env "gridworld" {}
    raises("for different tasks: 2 and 4 actions", deer.fusion.network, a:description(),
      deer.QNetwork{ environment = gridworld }:description())
    raises("expected a QNetwork whose network is that of deer.fusion.network", deer.fusion.join,
      a:getAllParams(), a:getAllParams(), a:getAllParams())
    local both = fused(a, a)
    raises("does not fit", deer.fusion.join, both:getAllParams(), a:getAllParams(),
      network{ environment = env, network = { { "dense", units = 3 } } }:getAllParams())
    raises("is not the folder of a run", function()
      agent_of(both, { bc.NetFusionController{ first = "nowhere", second = "nowhere" } }):ready()
    end)
  end)
end)

describe("NetSaveLoadController", function()
  after_each(child.clean)

  it("saves at the end what another one loads at the start", function()
    local path = child.folder() .. "/net.safetensors"
    local algo = network{ seed = 1 }
    local agent = agent_of(algo, { bc.NetSaveLoadController{ output_file = path } })
    agent:run(1, 30)
    local other = network{ seed = 2 }
    local controller = bc.NetSaveLoadController{ input_file = path, output_file = path .. "2" }
    local after = agent_of(other, { controller })
    after:ready()
    assert.equal(flat(algo:getAllParams(), ""), flat(other:getAllParams(), ""))
    after:run(1, 30) -- loading is for once
    assert.not_equal(flat(algo:getAllParams(), ""), flat(other:getAllParams(), ""))
    local params = core.safetensors.load(path .. "2")
    assert.equal(flat(other:getAllParams(), ""), flat(params, ""))
  end)

  it("says what it cannot load or save", function()
    local root = child.folder()
    raises("is not the folder of a run", function()
      agent_of(network{}, { bc.NetSaveLoadController{ input_file = root,
        output_file = root .. "/b.safetensors" } }):run(1, 5)
    end)
    assert.is_nil(io.open(root .. "/b.safetensors")) -- it has learnt nothing
    assert(run_folder.save(root .. "/a.safetensors", network{}, {}))
    local small = network{ network = { { "dense", units = 3 } } }
    raises("does not fit this QNetwork", function()
      agent_of(small, { bc.NetSaveLoadController{ input_file = root .. "/a.safetensors" } }):ready()
    end)
    raises("NetSaveLoadController", function()
      agent_of(network{}, { bc.NetSaveLoadController{ output_file = root .. "/no/where" } })
        :run(1, 5)
    end)
  end)
end)

describe("skills", function()
  -- an episode is one step, always the same, so that every batch is
  local Same = deer.Environment:extend "Same"
  function Same:reset() self.over = false return { { { 0.3, -0.7 } } } end
  function Same:act() self.over = true return 0.5 end
  function Same.observe() return { { 0.3, -0.7 } } end
  function Same:inTerminalState() return self.over end
  function Same.inputDimensions() return { { 1, 2 } } end
  function Same.nActions() return 2 end

  local Second = deer.Policy:extend "Second"
  function Second.action() return 1, 0, false end

  local function softmax(q)
    local a, b = math.exp(q[1]), math.exp(q[2])
    return { a / (a + b), b / (a + b) }
  end

  local function with_skill(algo, other, weight)
    local theirs = {}
    for _, param in ipairs(other:getAllParams()) do theirs[param.name] = param.data end
    local params = algo:getAllParams()
    for _, param in ipairs(params) do
      local name = param.name:match "^skill0%.(.*)$"
      if name then param.data = theirs["q." .. name] end
      if param.name == "skill_weight" then param.data = string.pack("<f", weight) end
    end
    algo:setAllParams(params)
  end

  it("add the divergence from what was to the loss", function()
    local env = Same{}
    local old = network{ environment = env, seed = 5 }
    for _, weight in ipairs { 0, 0.5, 3 } do
      local algo = network{ environment = env, seed = 6, skills = 1, batch_accumulator = "mean",
        learning_rate = 0 }
      with_skill(algo, old, weight)
      local state = { { { 0.3, -0.7 } } }
      local q, p, p_old = algo:qValues(state), softmax(algo:qValues(state)),
        softmax(old:qValues(state))
      local kl = p[1] * math.log(p[1] / p_old[1]) + p[2] * math.log(p[2] / p_old[2])
      local agent = deer.NeuralAgent{ environment = env, learning_algo = algo, train_every = 1,
        train_policy = Second{}, replay_start_size = 1 }
      for _ = 1, 5 do -- nothing random in the first steps
        agent:overrideNextAction(1)
        agent:run(1, 1)
      end
      near(math.sqrt((0.5 - q[2]) ^ 2 / 2 + weight * kl), agent:avgBellmanResidual(), 1e-5)
    end
  end)

  it("are stored, taken over by files without them, and limited to those there is room for",
    function()
      local env = Task{}
      local algo, plain = network{ environment = env, seed = 6, skills = 2 },
        network{ environment = env, seed = 5 }
      local skills = flat(algo:getAllParams(), "^skill")
      assert.is_true(#skills > 0)
      algo:setAllParams(plain:getAllParams())
      assert.equal(flat(plain:getAllParams(), "^q%."), flat(algo:getAllParams(), "^q%."))
      assert.equal(skills, flat(algo:getAllParams(), "^skill"))
      plain:setAllParams(algo:getAllParams())
      -- also between other parameters
      algo = network{ environment = env, seed = 6, skills = 2, normalize_observations = true }
      skills = flat(algo:getAllParams(), "^skill")
      plain = network{ environment = env, seed = 5, normalize_observations = true }
      for _ = 1, 2 do
        algo:setAllParams(plain:getAllParams())
        assert.equal(flat(plain:getAllParams(), "^q%."), flat(algo:getAllParams(), "^q%."))
        assert.equal(skills, flat(algo:getAllParams(), "^skill"))
        algo:setAllParams(algo:getAllParams())
      end
      plain:setAllParams(algo:getAllParams())
    end)

  it("are what the network could do at the start, when a controller is told so", function()
    local algo = network{ seed = 6, skills = 1 }
    local start = flat(algo:getAllParams(), "^q%.")
    local agent = agent_of(algo, { bc.SkillKeeperController{ from_start = true, weight = 2 } })
    agent:run(1, 30)
    assert.equal(start, flat(algo:getAllParams(), "^skill0"))
    assert.equal(string.pack("<f", 2), flat(algo:getAllParams(), "^skill_weight"))
    assert.not_equal(start, flat(algo:getAllParams(), "^q%."))
  end)

  it("need room in the network", function()
    local keeper = bc.SkillKeeperController{ from_start = true }
    raises("the QNetwork has no room for skills; expected a QNetwork with the option skills = 1",
      function() agent_of(network{}, { keeper }):ready() end)
  end)
end)

describe("MultiTaskAgent", function()
  local function multi(options)
    options = options or {}
    options.environments = { Task{ first = 1 }, Task{ first = -1 } }
    options.learning_algo = network{ environment = options.environments[1], seed = 4,
      skills = options.skills }
    options.skills = nil
    options.train_every, options.seed = 1, 3
    return deer.MultiTaskAgent(options)
  end

  it("leaves a task as it was until it comes back", function()
    local agent = multi()
    agent:run(2, 25)
    local policy, rewards = agent.train_policy, agent:dataset():rewards()
    assert.same({ 0, 50, 2 }, { agent:task(), agent:steps(), agent:epochs() })
    agent:setEnvironment(1)
    assert.same({ 1, 0, 0 }, { agent:task(), agent:steps(), agent:dataset():nElems() })
    assert.not_equal(policy, agent.train_policy)
    assert.equal(agent.environments[2], agent.environment)
    agent:setEpsilon(0.75)
    agent:run(1, 30)
    agent:setEnvironment(0)
    assert.same({ 0, 50, 2 }, { agent:task(), agent:steps(), agent:epochs() })
    assert.same(rewards, agent:dataset():rewards())
    assert.equal(policy, agent.train_policy)
    assert.equal(0.1, agent:epsilon())
    agent:run(1, 10)
    assert.equal(60, agent:steps())
    agent:setEnvironment(1, true)
    assert.same({ 0, 0.1 }, { agent:dataset():nElems(), agent:epsilon() })
  end)

  it("gives the signals of every task to the same controllers", function()
    local agent, heard = multi(), {}
    local Ear = deer.Controller:extend "Ear"
    function Ear.onEpochEnd(_, a) heard[#heard + 1] = a:task() .. " " .. a:mode() end
    agent:attach(Ear{})
    agent:run(1, 20)
    agent:setEnvironment(1)
    agent:run(2, 20)
    agent:startMode(0, 20)
    agent:run(1, 20)
    agent:resumeTrainingMode()
    agent:setEnvironment(0)
    agent:run(1, 20)
    assert.same({ "0 -1", "1 -1", "1 -1", "1 0", "0 -1" }, heard)
  end)

  it("keeps the skill of a task that it leaves", function()
    local agent = multi{ skills = 2 }
    local keeper = bc.SkillKeeperController{ weight = 4 }
    agent:attach(keeper)
    agent:run(1, 40)
    local first = flat(agent.learning_algo:getAllParams(), "^q%.")
    agent:setEnvironment(1)
    agent:run(1, 40)
    assert.equal(first, flat(agent.learning_algo:getAllParams(), "^skill0"))
    assert.equal(string.pack("<ff", 4, 0), flat(agent.learning_algo:getAllParams(),
      "^skill_weight"))
    local second = flat(agent.learning_algo:getAllParams(), "^q%.")
    agent:setEnvironment(0)
    agent:run(1, 40) -- its own skill does not count
    assert.equal(second, flat(agent.learning_algo:getAllParams(), "^skill1"))
    assert.equal(string.pack("<ff", 0, 4), flat(agent.learning_algo:getAllParams(),
      "^skill_weight"))
  end)

  it("forgets less with a skill keeper, in tasks A, B, A", function()
    -- what is left of A after B, and how well B is done
    local function after_b(weight, seed)
      local tasks = { Task{ first = 1, second = 0, seed = seed },
        Task{ first = 0, second = 1, seed = seed } }
      local algo = deer.QNetwork{ environment = tasks[1], update_rule = "adam", skills = 2,
        learning_rate = 0.003, discount = 0, batch_accumulator = "mean", seed = seed }
      local agent = deer.MultiTaskAgent{ environments = tasks, learning_algo = algo, seed = seed,
        train_every = 1 }
      if weight > 0 then agent:attach(bc.SkillKeeperController{ weight = weight }) end
      local scores = {}
      for i, task in ipairs { 0, 1, 0 } do
        agent:setEnvironment(task)
        agent:run(1, 1500)
        for k, environment in ipairs(tasks) do
          local judge = deer.NeuralAgent{ environment = environment:copy(99), seed = 99,
            learning_algo = algo }
          judge:startMode(0, 1000)
          judge:run(1, 1000)
          scores[2 * i - 2 + k] = judge:totalRewardOverLastTest()
        end
      end
      return scores
    end
    for seed = 1, 3 do
      local plain, kept = after_b(0, seed), after_b(0.5, seed)
      near(plain[1], kept[1]) -- nothing to keep yet
      -- the best is 5: plain training forgets all of it, the keeper less than two thirds
      assert.is_true(plain[1] - plain[3] > 4.5, plain[3])
      assert.is_true(kept[1] - kept[3] < 0.67 * (plain[1] - plain[3]), kept[3])
      assert.is_true(kept[4] > 2, kept[4]) -- and learns B
      assert.is_true(kept[5] > 4.5, kept[5]) -- and A again
    end
  end)

  it("refuses what makes no sense", function()
    raises("expected a list of environments", deer.MultiTaskAgent, { environments = {},
      learning_algo = network{} })
    raises("expected a list of 2 policies, one for each environment", multi,
      { train_policy = deer.policies.EpsilonGreedyPolicy{} })
    local agent = multi()
    raises("expected an integer from 0 to 1, got 2", agent.setEnvironment, agent, 2)
    local Switch = deer.Controller:extend "Switch"
    function Switch.onEpochEnd(_, a) a:setEnvironment(1) end
    agent:attach(Switch{})
    raises("not while the agent runs", agent.run, agent, 1, 10)
    agent:detach(0)
    agent:setEnvironment(1)
  end)

  it("keeps networks in memory", function()
    local agent = multi()
    local start = flat(agent.learning_algo:getAllParams(), "")
    assert.equal(1, agent:storeNetwork())
    agent:run(1, 30)
    agent:storeNetwork "later"
    local later = flat(agent.learning_algo:getAllParams(), "")
    agent:fetchNetwork(1)
    assert.equal(start, flat(agent.learning_algo:getAllParams(), ""))
    agent:fetchNetwork "later"
    assert.equal(later, flat(agent.learning_algo:getAllParams(), ""))
    raises('there is no network the string "never"', agent.fetchNetwork, agent, "never")
  end)
end)
