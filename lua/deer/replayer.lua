--- What `deerlua enjoy` and `deerlua eval` share: a judge with what a run has learnt, and the words
--- for how it did.

local Judge = require "deer.judge"
local json = require "deer.json"
local run_folder = require "deer.run_folder"
local text = require "deer.text"
local usage = require "deer.usage"

local replayer = {}

local SIZE = { 1, 2 ^ 53 }

--- The options of both.
---@return deer.commandline.Option[]
function replayer.options()
  return {
    { name = "run", positional = true, type = "string", place = "RUN",
      help = "folder of a run; of several in it the newest" },
    { name = "log_dir", type = "string", place = "RUN", help = "the same" },
    { name = "last", flag = true, help = "its last parameters instead of the best" },
    { name = "load", type = "string", place = "FILE", help = "these parameters instead" },
    { name = "env", letter = "E", also = { "env-module" }, type = "string", place = "NAME",
      help = "this environment instead" },
    { name = "seed", type = "integer", range = { 0, 2 ^ 32 - 1 }, default = 0,
      help = "of the starts; 0 are those of evaluations in training" },
    { name = "max_steps", type = "integer", range = SIZE, default = 10000,
      help = "an episode is cut after so many" },
    { name = "json", flag = true, help = "one line of JSON" },
  }
end

--- A judge of what a run has learnt, ready to play.
---@param said table<string, any>
---@param watchers? fun(made: deer.Preset, algo: deer.Algo): deer.Controller[]
---@return deer.Judge
---@return deer.Preset made
---@return string path of the parameters
function replayer.judge(said, watchers)
  local folder = said.run or said.log_dir
  if not folder then usage.fail "expected the folder of a run, as train printed it" end
  folder = run_folder.find(folder)
  local made = run_folder.read(folder, said.env)
  local environment = usage.try(made.makeEnvironment, made, said.seed)
  local algo = usage.try(made.makeAlgo, made, environment, made.seed)
  local file = said.run and said.run:find "%.safetensors$" and said.run
  local path = run_folder.load({ learning_algo = algo }, said.load or file or folder,
    said.last and not said.load and "last" or nil)
  return Judge.new{ environment = environment, learning_algo = algo, seed = said.seed,
    test_policy = usage.try(made.makePolicy, made, "test_policy"), max_steps = said.max_steps,
    watchers = watchers and watchers(made, algo) }, made, path
end

--- Says how the episodes went.
---@param judge deer.Judge
---@param said table<string, any>
function replayer.report(judge, said)
  local n = #judge.returns
  if said.json then
    io.write(json.encode{ mean = judge:mean(), std = judge:deviation(), returns = judge.returns,
      lengths = judge.lengths, mean_length = judge:meanLength() }, "\n")
    return
  end
  local low, high = math.huge, -math.huge
  for i, x in ipairs(judge.returns) do
    low, high = math.min(low, x), math.max(high, x)
    text.say("episode %d: return %s, %d steps", i, text.brief(x), judge.lengths[i])
  end
  local stopped = judge.stopped
  if stopped then
    text.say("episode %d: return %s after %d steps, not at its end: left out of the mean", n + 1,
      text.brief(stopped.reward), stopped.steps)
  end
  text.say("mean %s +- %s over %d episode%s, from %s to %s, %s steps each",
    text.brief(judge:mean()), text.brief(judge:deviation()), n, n == 1 and "" or "s",
    text.brief(low), text.brief(high), text.brief(judge:meanLength()))
end

return replayer
