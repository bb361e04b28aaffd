--- Learning: the actor-critics swing up Pendulum-v1, all with the same options. Chance gives about
--- -1200, the best that is known about -145; the deviation of the mean of 100 episodes over other
--- starts is 9.
local deer = require "deer"

describe("the pendulum #learn", function()
  -- at 3000 steps the scores are still below -800
  it("is swung up after 6000 steps, by TD3, which begins later, after 8000", function()
    local goals = { ddpg = { 6000, -200 }, sac = { 6000, -200 }, td3 = { 8000, -250 } }
    for name, goal in deer.spairs(goals) do
      local steps, least = table.unpack(goal)
      local preset = deer.preset("pendulum/" .. name)
      local agent = preset:agent{ seed = 1 }
      agent:run(1, steps)
      local mean, episodes = preset:score(agent, 20000)
      assert.equal(100, episodes)
      assert.is_true(mean >= least, ("%s: %.1f"):format(name, mean))
    end
  end)
end)
