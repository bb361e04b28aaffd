--- At the end prints mean and standard deviation of each number that was observed, over the samples
--- in the memory: what to subtract from observations and to divide them by.

local Controller = require "deer.controller"
local flatten = require "deer.flatten"
local text = require "deer.text"

---@class deer.StateStatisticsController: deer.Controller
---@overload fun(options: table?): deer.StateStatisticsController
local StateStatisticsController = Controller:extend "StateStatisticsController"

StateStatisticsController.modes = { -1 }

StateStatisticsController.options = {
  most = { default = 64, type = "integer", range = { 1, 2 ^ 20 },
    help = "numbers of a subject beyond which it is only averaged as a whole" },
}

function StateStatisticsController:init(options) self.most = options.most end

--- Means and standard deviations of the columns of rows, by Welford's running sums.
---@param rows any[]
---@param most integer
---@return number[] means
---@return number[] deviations
function StateStatisticsController.statistics(rows, most)
  local means, sums, counts = {}, {}, {}
  for _, observation in ipairs(rows) do
    local numbers = flatten(observation, {})
    for i, x in ipairs(numbers) do
      local at = #numbers <= most and i or 1
      local n = (counts[at] or 0) + 1
      local mean = means[at] or 0
      counts[at], means[at] = n, mean + (x - mean) / n
      sums[at] = (sums[at] or 0) + (x - mean) * (x - means[at])
    end
  end
  for i, sum in ipairs(sums) do sums[i] = math.sqrt(sum / counts[i]) end
  return means, sums
end

local function join(list)
  local words = {}
  for i, x in ipairs(list) do words[i] = ("%.6g"):format(x) end
  return "{ " .. table.concat(words, ", ") .. " }"
end

---@param agent deer.NeuralAgent
function StateStatisticsController:onEnd(agent)
  for subject, rows in ipairs(agent:dataset():observations()) do
    local means, deviations = self.statistics(rows, self.most)
    text.say("state_mean[%d] = %s", subject - 1, join(means))
    text.say("state_std[%d] = %s", subject - 1, join(deviations))
  end
end

return StateStatisticsController
