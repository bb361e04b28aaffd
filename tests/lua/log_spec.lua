--- Warnings of the core reach standard error.
local child = require "child"

describe("a warning of the core", function()
  teardown(child.clean)

  -- a history of five steps in episodes of two: there is never a whole history to learn from
  it("is printed on standard error", function()
    local status, out, err = child.run { "-e", [[
      local deer = require "deer"
      local Blink = deer.Environment:extend "Blink"
      function Blink:reset() self.at = 0; return { { 0, 0, 0, 0, 0 } } end
      function Blink:act() self.at = self.at + 1; return 0 end
      function Blink:observe() return { self.at } end
      function Blink:inTerminalState() return self.at == 2 end
      function Blink:inputDimensions() return { { 5 } } end
      function Blink:nActions() return 2 end
      local env = Blink{}
      local qnetwork = deer.QNetwork{ environment = env }
      local agent = deer.NeuralAgent{ environment = env, q_network = qnetwork }
      agent:attach(deer.controllers.TrainerController{
        show_avg_Bellman_residual = false, show_episode_avg_V_value = false })
      agent:run(1, 50)
    ]] }
    assert.are.equal(0, status)
    assert.are.equal("", out)
    assert.are.equal("deerlua: warning: epoch 1: 45 updates asked for, none done: "
      .. "no sample has a full history\n", err)
  end)
end)
