-- What every controller must do: each one that kinds.list finds is tried.
local lfs = require "lfs"

local class = require "deer.class"
local deer = require "deer"
local options = require "deer.options"
local scripted = require "scripted"
local text = require "deer.text"

local function agent_with(controller)
  local environment = scripted.environment({}, 4)
  local policy, sigma = deer.policies.EpsilonGreedyPolicy{}, 1
  -- explores in every way that a controller may want to change
  function policy.sigma() return sigma end
  function policy.setSigma(_, x) sigma = x end
  local agent = deer.NeuralAgent{ environment = environment, replay_start_size = 4,
    learning_algo = scripted.algo({}, environment), train_policy = policy }
  agent:attach(controller)
  return agent
end

-- runs f in an empty folder, with nothing printed
local function quietly(f)
  local before, folder, say, out = lfs.currentdir(), os.tmpname(), text.say, io.stdout
  os.remove(folder)
  assert(lfs.mkdir(folder) and lfs.chdir(folder))
  text.say, io.stdout = function() end, io.tmpfile() -- luacheck: ignore 122
  local ok, message = pcall(f)
  text.say, io.stdout = say, out -- luacheck: ignore 122
  lfs.chdir(before)
  os.execute("rm -rf " .. folder)
  assert(ok, message)
end

for _, name in ipairs(deer.kinds.list "controller") do
  local class_name = deer.kinds.className("controller", name)
  describe(class_name, function()
    local Controller = deer.controllers[class_name]

    it("is called as its file says", function()
      assert.equal(class_name, Controller.__name)
      assert.is_true(class.is(Controller, deer.Controller))
    end)

    it("has a line of help for each option", function()
      for _, option in ipairs(class.options(Controller)) do
        assert(option.help and option.help ~= "", ("option '%s'"):format(option.name))
        local default = option.default
        if default ~= nil then assert.equal(default, options.accept(option, default)) end
      end
    end)

    -- one that needs to be told something has a spec of its own
    local needs = {}
    for _, option in ipairs(class.options(Controller)) do
      if option.required then needs[#needs + 1] = option.name end
    end

    if #needs > 0 then
      it("says what it needs", function()
        local _, message = pcall(Controller, {})
        assert.matches("option '" .. needs[1] .. "' is missing", message)
      end)
      return
    end

    it("runs with its defaults, twice, in training and in a test", function()
      quietly(function()
        local agent = agent_with(Controller{})
        agent:run(3, 9)
        agent:run(1, 9)
        agent:startMode(0, 5)
        agent:run(1, 5)
        agent:resumeTrainingMode()
        agent:run(1, 9)
      end)
    end)

    it("hears nothing when it is not active", function()
      quietly(function()
        local controller = Controller{}
        local agent, called = agent_with(controller), false
        for _, signal in ipairs(deer.Controller.signals) do
          if controller[signal] then controller[signal] = function() called = true end end
        end
        agent:detach(0)
        agent:attach(controller)
        agent:setControllersActive({ 0 }, false)
        agent:run(2, 9)
        assert.is_false(called)
      end)
    end)

    it("refuses an option it does not have", function()
      assert.has_error(function() Controller{ no_such_option = 1 } end)
    end)
  end)
end
