--- Learning: every goal on each of its seeds, with a report (make learn-full), or on two, but for
--- runs of hours (make learn).
local goals = require "goals"
local report = require "report"

local function check(goal, result)
  assert.is_true(result.episodes >= 100, result.episodes .. " episodes")
  assert.is_true(result.score >= goal.least, ("%s: %.1f"):format(goal.name, result.score))
end

describe("learning by presets #long", function()
  for _, goal in ipairs(goals) do
    if not goal.seeds then
      it(("reaches its goal by %s on two seeds"):format(goal.name), function()
        for seed = 1, 2 do check(goal, report.train(goal, seed)) end
      end)
    end
  end
end)

describe("learning by presets in full #full", function()
  local written

  for _, goal in ipairs(goals) do
    local seeds = goal.seeds or 5
    it(("reaches its goal by %s on each of %d seeds"):format(goal.name, seeds), function()
      written = written or report.new(5)
      local results = {}
      for seed = 1, seeds do results[seed] = report.train(goal, seed) end
      written:add(goal, results)
      for _, result in ipairs(results) do check(goal, result) end
    end)
  end
end)
