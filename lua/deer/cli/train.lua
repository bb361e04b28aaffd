--- deerlua train: makes an environment, an algorithm and controllers of what the command line says,
--- and runs them. What they leave behind lies in one folder.
local Preset = require "deer.preset"
local deer = require "deer"
local json = require "deer.json"
local kinds = require "deer.kinds"
local plan = require "deer.plan"
local recorders = require "deer.recorders"
local run_folder = require "deer.run_folder"
local sys = require "deer.sys"
local text = require "deer.text"
local usage = require "deer.usage"

local COUNT, SIZE = { 0, 2 ^ 53 }, { 1, 2 ^ 53 }

local function names_of(kind)
  return function() return kinds.list(kind) end
end

-- in small letters, as those of everything else
local function wrapper_names()
  local names = deer.wrappers.Wrapper.names()
  for i, name in ipairs(names) do names[i] = kinds.fileName("env", name) end
  return names
end

local train = {
  summary = "train an agent and keep what it learns in a folder",
  synopsis = "deerlua train --env NAME [--algo NAME] [options]",
  options = {
    { name = "env", letter = "E", also = { "env-module" }, type = "string", place = "NAME",
      names = names_of "env", group = "what is learnt",
      help = "environment: a name shown by `deerlua list`, or a file" },
    { name = "algo", letter = "a", also = { "qnetw-module" }, type = "string", place = "NAME",
      names = plan.algos, help = "what learns, with controllers that suit it; without it only \z
        controllers that are attached" },
    { name = "preset", type = "string", place = "NAME", names = Preset.names,
      help = "options known to work, such as cartpole/dqn; else that of --env and --algo" },
    { name = "attach", many = true, repeated = true, place = "NAME [config] [key=value]...",
      names = names_of "controller", help = "a controller; several hear signals in this order" },
    { name = "load", also = { "load-rl-model-path" }, type = "string", place = "RUN|FILE",
      help = "begin with the parameters of this run" },

    { name = "env_conf_file", many = true, place = "CONFIG [key=value]...",
      group = "environment", help = "configuration: a variant's name or a file, and options" },
    { name = "env_option", many = true, place = "key=value...",
      help = "options of the environment" },
    { name = "max_size_episode", type = "integer", range = SIZE,
      help = "steps after which an episode is cut short" },
    { name = "num_stack", type = "integer", range = { 1, 1000 },
      help = "observations that are seen together" },
    { name = "action_repeat", type = "integer", range = { 1, 1000 },
      help = "steps that an action lasts; their rewards are summed" },
    { name = "wrap", many = true, repeated = true, place = "NAME [key=value]...",
      names = wrapper_names, help = "a wrapper around it; each is outside of those before" },
    { name = "continuous", letter = "c", words = "continuous-actions", flag = true,
      help = "its form with continuous actions" },
    { name = "random_target", letter = "r", flag = true, help = "its option random_target" },
    { name = "shape_reward", flag = true, help = "its option shape_reward" },

    { name = "hyperparam", many = true, repeated = true, place = "key=value...",
      group = "learning", help = "options of the algorithm or the agent" },
    { name = "network", also = { "backend-nnet" }, many = true,
      place = "NAME|JSON|FILE [key=value]...",
      names = function() return require("deer.network_spec").names() end,
      help = "layers of the network" },
    { name = "batch_size", type = "integer", range = SIZE, help = "samples of an update" },
    { name = "replay_memory_size", type = "integer", range = SIZE, help = "samples remembered" },
    { name = "only_full_history", type = "boolean",
      help = "learn only from samples with a whole history" },
    { name = "exp_priority", type = "number", range = { 0, 2 },
      help = "above 0: prioritised replay with this exponent" },
    { name = "lr_schedule", type = "string", place = "SCHEDULE",
      help = "of the learning rate: linear, constant or 'linear(0.001, 0.0001, 50)'" },
    { name = "train_policy", also = { "pol-train-module" }, many = true,
      place = "NAME [key=value]...", names = names_of "policy", help = "how it explores" },
    { name = "test_policy", also = { "pol-test-module" }, many = true,
      place = "NAME [key=value]...", names = names_of "policy", help = "how it is tested" },

    { name = "epochs", letter = "e", type = "integer", range = COUNT, group = "length",
      help = "epochs of training" },
    { name = "steps_per_epoch", letter = "s", type = "integer", range = SIZE,
      help = "steps of an epoch" },
    { name = "num_timesteps", letter = "n", type = "integer", range = SIZE,
      help = "steps altogether, instead of epochs" },
    { name = "target_reward", type = "number", help = "end when an evaluation reaches it" },
    { name = "seed", also = { "rng" }, type = "integer", range = { -1, 2 ^ 32 - 1 },
      help = "same number, same run; -1 draws one from the clock" },
    { name = "num_envs", also = { "num-cpu" }, type = "integer", range = { 1, 4096 },
      help = "environments in step" },
    { name = "threads", type = "integer", range = { 1, 64 }, help = "threads" },

    { name = "log_dir", type = "string", default = "runs", place = "FOLDER",
      group = "what is kept",
      help = "where the folder of the run is made" },
    { name = "run_name", also = { "out-prefix" }, type = "string", place = "NAME",
      help = "its name, in place of date and seed" },
    { name = "eval_every", type = "integer", range = COUNT,
      help = "epochs between evaluations; 0: none" },
    { name = "eval_episodes", type = "integer", range = SIZE, help = "episodes of an evaluation" },
    { name = "episode_window", type = "integer", range = SIZE, default = 100,
      help = "episodes of which means are shown" },
    { name = "no_vis", flag = true, help = "draw no curve and write no event file" },
    { name = "dry_run", flag = true, help = "print the whole configuration as JSON and stop" },
    { name = "quiet", letter = "q", flag = true, help = "say nothing" },
    { name = "json", flag = true, help = "one line of JSON for each epoch" },
    { name = "help", letter = "h", flag = true, help = "print this" },
  },
  notes = "`deerlua help NAME` tells the options of an environment, an algorithm or a controller.",
}

local function check(said)
  if said.quiet and said.json then usage.fail "--quiet and --json contradict each other" end
  local name = said.run_name
  if name and (not name:find "^[%w_.-]+$" or name == "." or name == "..") then
    usage.fail("--run-name: expected letters, digits, '_', '-' and '.', got '%s'", name)
  end
  if said.log_dir == "" then usage.fail "--log-dir: expected a folder, got ''" end
end

-- what a person wants to know before it begins
local function announce(made, folder)
  text.say("%s in %s, %d epochs of %d steps, seed %d%s", made.algo, made.environment, made.epochs,
    made.epoch_length, made.seed, made.preset and (", preset " .. made.preset) or "")
  local names = {}
  for i, entry in ipairs(made.controllers) do names[i] = plan.controllerClass(entry).__name end
  text.say("controllers: %s", #names > 0 and table.concat(names, ", ") or "none")
  if not plan.learns(made) then
    text.say "nothing trains: exploration only (attach a TrainerController, or choose an --algo)"
  end
  text.say("folder: %s", folder)
end

-- what a person may do with it when it is over
local function conclude(agent)
  local folder, best = agent.folder, agent.best_evaluation
  local curve = (sys.listdir(folder .. "/plots") or {})[1]
  if best then
    text.say("best evaluation: %s, after %d steps", text.brief(best.mean), best.step)
  end
  if curve then text.say("its curve: %s/plots/%s", folder, curve) end
  if agent.environment.render then
    text.say("to watch it: deerlua enjoy %s --render", folder)
  else
    text.say("to judge it: deerlua eval %s", folder)
  end
end

-- without training all actions are drawn at random, where the policy can do so
local function explore(agent)
  if agent:epsilon() then agent:setEpsilon(1) end
end

---@param said table<string, any>
---@return integer status
function train.run(said)
  check(said)
  -- controllers say things as well, which are no JSON
  if said.quiet then text.sayTo(nil) elseif said.json then text.sayTo(io.stderr) end
  if said.threads then deer.threads(said.threads) end
  local made, environment = plan.make(said)
  local agent = usage.try(made.agent, made, { environment = environment, seed = made.seed,
    before = recorders.before(made, said) })
  if said.load then run_folder.load(agent, said.load) end
  usage.try(agent.ready, agent)
  if said.dry_run then
    io.write(json.encode(run_folder.config(made), true), "\n")
    return 0
  end
  if not plan.learns(made) then explore(agent) end
  recorders.attach(agent, made, said)
  agent.folder = run_folder.create(made, said)
  if not said.json then announce(made, agent.folder) end
  agent:run(made.epochs, made.epoch_length)
  if not said.json then conclude(agent) end
  return 0
end

return train
