--- deerlua enjoy: plays with what a run has learnt, and shows it: on the terminal, as pictures, as
--- a film, with the values of actions, and where the states lie.
local replayer = require "deer.replayer"
local sys = require "deer.sys"
local text = require "deer.text"
local usage = require "deer.usage"
local watch = require "deer.watch"

local options = replayer.options()
for _, option in ipairs {
  { name = "quiet", letter = "q", flag = true, help = "say nothing" },
  { name = "episodes", letter = "n", type = "integer", range = { 1, 2 ^ 31 }, default = 1,
    help = "episodes" },
  { name = "num_timesteps", type = "integer", range = { 1, 2 ^ 53 },
    help = "steps, instead of episodes" },
  { name = "render", letter = "r", flag = true, group = "what is shown",
    help = "pictures on the terminal" },
  { name = "fps", type = "number", range = { 0.1, 1000 }, default = 25,
    help = "pictures in a second" },
  { name = "frames", type = "string", place = "FOLDER", help = "pictures as PNG files" },
  { name = "video", type = "string", place = "FILE", help = "a film: .mp4, .gif or .png" },
  { name = "action_proba", flag = true, help = "how probable the actions are, or their values" },
  { name = "plotting", flag = true, optional = "%.png$", place = "FILE.png",
    help = "where states lie, on the terminal or in a file: their numbers, or main directions" },
  { name = "help", letter = "h", flag = true, help = "print this" },
} do options[#options + 1] = option end

-- what is to be watched
local function watchers_of(said, list)
  local function add(Class, given) list[#list + 1] = usage.try(Class, given) end
  local live = said.plotting == true
  if said.render or said.action_proba or live then
    add(watch.Terminal, { picture = said.render, actions = said.action_proba, states = live,
      fps = said.fps })
  end
  if said.frames then add(watch.Frames, { folder = said.frames }) end
  if said.video then add(watch.Film, { file = said.video, fps = said.fps }) end
  if said.plotting and not live then add(watch.States, { file = said.plotting }) end
  if said.num_timesteps then add(watch.Limit, { steps = said.num_timesteps }) end
  return list
end

-- what is for the eyes contradicts what is for none, and what is to be written has to be possible
local function check(said)
  if said.quiet and said.json then usage.fail "--quiet and --json contradict each other" end
  for _, name in ipairs { "render", "action_proba", "plotting" } do
    local shown = said[name] == true
    if shown and (said.json or said.quiet) then
      usage.fail("--%s is shown on the terminal; expected it without --%s", name:gsub("_", "-"),
        said.json and "json" or "quiet")
    end
  end
  for _, file in ipairs { said.video or "", said.plotting or "" } do
    local folder = type(file) == "string" and file:match "^(.+)/"
    if folder and not sys.listdir(folder) then
      usage.fail("cannot write '%s': there is no folder '%s'", file, folder)
    end
  end
end

return {
  summary = "play with what a run has learnt, and watch it",
  synopsis = "deerlua enjoy RUN [options]",
  options = options,
  run = function(said)
    check(said)
    local list = {}
    local judge, made, path = replayer.judge(said, function() return watchers_of(said, list) end)
    if (said.render or said.frames or said.video) and not judge.environment.render then
      usage.fail("the environment '%s' draws no pictures: it has no method render",
        made.environment)
    end
    local say = (said.json or said.quiet) and function() end or text.say
    say("%s in %s, %s", made.algo, made.environment, path)
    local limit = list[#list]
    if said.num_timesteps then
      while not limit.spent do judge:play(1) end
      judge:leaveOutStopped()
    else
      judge:play(said.episodes)
    end
    for _, watcher in ipairs(list) do usage.try(watcher.finish, watcher, say) end
    if not said.quiet then replayer.report(judge, said) end
    return 0
  end,
}
