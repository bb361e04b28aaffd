--- Keeps the network with the best validation score in nnets/<unique_fname>.epoch=<n>, and at the
--- end prints which it was and writes all scores to scores/<unique_fname>_scores.csv: epoch n,
--- validation score vs, test score ts. With `restore` it writes nothing: the best parameters are
--- kept in memory, of equal ones the latest, and are those of the agent when the run has ended.
---
--- It needs the test epochs of an InterleavedTestEpochController for validation_id and, for the
--- test score, of another one for test_id.

local Controller = require "deer.controller"
local sys = require "deer.sys"
local text = require "deer.text"

---@class deer.FindBestController: deer.Controller
---@field rows { n: integer, vs: number, ts: number? }[] the scores so far
---@overload fun(options: table): deer.FindBestController
local FindBestController = Controller:extend "FindBestController"

FindBestController.options = {
  validation_id = { default = 0, type = "integer", help = "mode whose score decides" },
  test_id = { type = "integer", help = "mode whose score is reported" },
  unique_fname = { default = "nnet", help = "name of the files" },
  deviations = { default = 0.0, range = { 0, 1000 },
    help = "standard deviations of the returns that are taken off the score" },
  store = { default = false,
    help = "also keep the best one in memory, for agent:fetchNetwork(unique_fname)" },
  restore = { default = false, help = "no files: put the best parameters back at the end" },
}

function FindBestController:init(options)
  self.validation_id, self.test_id = options.validation_id, options.test_id
  self.fname, self.restore = options.unique_fname, options.restore
  self.deviations, self.store = options.deviations, options.store
  self.rows, self.best, self.returns = {}, nil, {}
end

---@param agent deer.NeuralAgent
function FindBestController:onEpisodeEnd(agent)
  if agent:mode() == self.validation_id then
    self.returns[#self.returns + 1] = agent:lastEpisode()
  end
end

-- of the population
local function deviation(list)
  local sum, squares = 0, 0
  for _, x in ipairs(list) do sum = sum + x end
  for _, x in ipairs(list) do squares = squares + (x - sum / #list) ^ 2 end
  return math.sqrt(squares / math.max(#list, 1))
end

---@param agent deer.NeuralAgent
function FindBestController:onEpochEnd(agent)
  local mode = agent:mode()
  if mode == self.validation_id then
    local score = agent:totalRewardOverLastTest()
    if self.deviations > 0 then score = score - self.deviations * deviation(self.returns) end
    self.returns = {}
    self:validated(agent, score)
  elseif mode == self.test_id and #self.rows > 0 then
    self.rows[#self.rows].ts = agent:totalRewardOverLastTest()
  end
end

---@param agent deer.NeuralAgent
---@param score number
function FindBestController:validated(agent, score)
  local row = { n = agent:epochs(), vs = score }
  self.rows[#self.rows + 1] = row
  if self.best and score < self.best.vs then return end
  if self.restore then
    self.best, self.params = row, agent.learning_algo:getAllParams()
    return
  end
  -- of equal scores the first is kept
  if self.best and score == self.best.vs then return end
  self.best = row
  if self.store then agent:storeNetwork(self.fname) end
  local path, message = agent:dumpNetwork(self.fname, row.n)
  if not path then text.fail("FindBestController: %s", message) end
end

---@param agent deer.NeuralAgent
function FindBestController:onEnd(agent)
  local best = self.best
  if self.restore then
    if best then agent.learning_algo:setAllParams(self.params) end
    return
  end
  if not best then
    text.say("No validation epoch was run, so there is no best neural net")
    return
  end
  text.say("Best neural net obtained after %d epochs, with validation score %s", best.n,
    text.format(best.vs))
  if best.ts then text.say("Test score of this neural net: %s", text.format(best.ts)) end
  self:write()
end

--- Writes the table of scores.
function FindBestController:write()
  local lines = { "n,vs,ts" }
  for _, row in ipairs(self.rows) do
    lines[#lines + 1] = ("%d,%s,%s"):format(row.n, text.format(row.vs),
      row.ts and text.format(row.ts) or "")
  end
  local path = ("scores/%s_scores.csv"):format(self.fname)
  local done, message = sys.mkdir(path:match "^(.*)/")
  if done then done, message = sys.write_file(path, table.concat(lines, "\n") .. "\n") end
  if not done then text.fail("FindBestController: %s", message) end
end

return FindBestController
