--- Learning: the actor-critics swing up Pendulum-v1, all with the same options. Chance gives about
--- -1200, the best that is known about -145; the deviation of the mean of 100 episodes over other
--- starts is 9.
local deer = require "deer"

describe("the pendulum #learn", function()
  -- at 3000 steps the scores are still below -800
  it("is swung up after 6000 steps", function()
    for name, least in deer.spairs { ddpg = -200, sac = -200, td3 = -350 } do
      local preset = deer.preset("pendulum/" .. name)
      local agent = preset:agent{ seed = 1 }
      agent:run(1, 6000)
      local mean, episodes = preset:score(agent, 20000)
      assert.equal(100, episodes)
      assert.is_true(mean >= least, ("%s: %.1f"):format(name, mean))
    end
  end)
end)
