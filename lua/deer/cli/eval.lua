--- deerlua eval: how good what a run has learnt is, over whole episodes without exploration.
local replayer = require "deer.replayer"

local options = replayer.options()
table.insert(options, { name = "episodes", letter = "n", type = "integer", range = { 1, 2 ^ 31 },
  default = 20, help = "episodes" })
table.insert(options, { name = "help", letter = "h", flag = true, help = "print this" })

return {
  summary = "play episodes with what a run has learnt: mean, spread, every return",
  synopsis = "deerlua eval RUN [options]",
  options = options,
  run = function(said)
    local judge = replayer.judge(said)
    judge:play(said.episodes)
    replayer.report(judge, said)
    return 0
  end,
}
