--- What DeeR's launchers do around the learning itself: attach the usual controllers, and judge and
--- show the policy at the end.
---
---   local params = deer.launcher(arg, { ... })
---   local name = deer.saveParameters(params, "cartpole_")
---   local agent = deer.NeuralAgent{ ... }
---   local best = deer.experiment.attach(agent, params, { name = name })
---   agent:run(params.epochs, params.steps_per_epoch)
---   deer.experiment.finish(agent, best, 50000)
---
--- Files go to folders of the current one: scores holds the score of each test epoch, nnets the
--- best network.

local controllers = require("deer.kinds").table "controller"
local options = require "deer.options"
local text = require "deer.text"

local experiment = {}

local VALIDATION, JUDGEMENT = 0, 1 -- modes: after each epoch, and at the end

local ATTACH = options.list {
  name = { required = true, type = "string", help = "of the files" },
  updates = { default = 1, type = "integer", range = { 1, 1000 },
    help = "updates each time that it is time for one" },
  show_episodes = { default = true, help = "print how each episode went" },
}

--- Attaches the controllers of DeeR's launchers in their order, and those that find the best
--- network and show how far the run is.
---@param agent deer.NeuralAgent
---@param params table of deer.launcher
---@param given { name: string, updates: integer?, show_episodes: boolean? }
---@return deer.FindBestController best
function experiment.attach(agent, params, given)
  given = options.check("deer.experiment.attach", ATTACH, given)
  local shown = given.show_episodes
  agent:attach(controllers.VerboseController{ evaluate_on = "epoch", periodicity = 1 })
  agent:attach(controllers.TrainerController{ evaluate_on = "action",
    periodicity = params.update_frequency, show_episode_avg_V_value = shown,
    show_avg_Bellman_residual = shown })
  for _ = 2, given.updates do
    agent:attach(controllers.TrainerController{ periodicity = params.update_frequency,
      show_episode_avg_V_value = false, show_avg_Bellman_residual = false })
  end
  agent:attach(controllers.LearningRateController{ initial_learning_rate = params.learning_rate,
    learning_rate_decay = params.learning_rate_decay, periodicity = 1 })
  agent:attach(controllers.DiscountFactorController{ initial_discount_factor = params.discount,
    discount_factor_growth = params.discount_inc, discount_factor_max = params.discount_max,
    periodicity = 1 })
  agent:attach(controllers.EpsilonController{ initial_e = params.epsilon_start,
    e_decays = params.epsilon_decay, e_min = params.epsilon_min, evaluate_on = "action",
    periodicity = 1, reset_every = "none" })
  local best = controllers.FindBestController{ validation_id = VALIDATION,
    unique_fname = given.name }
  agent:attach(best)
  agent:attach(controllers.InterleavedTestEpochController{ id = VALIDATION,
    epoch_length = params.steps_per_test, periodicity = 1, show_score = true,
    summarize_every = params.period_btw_summary_perfs })
  agent:attach(controllers.ProgressController{})
  return best
end

--- Judges the policy of the best network by a test epoch of its own, prints its mean return and
--- lets the environment summarize it.
---@param agent deer.NeuralAgent
---@param best deer.FindBestController what attach returned
---@param steps integer of the test epoch
---@return number mean
function experiment.finish(agent, best, steps)
  if best.best then -- else there was no test epoch
    local done, message = agent:setNetwork(best.fname, best.best.n)
    if not done then text.fail("experiment: %s", message) end
  end
  agent:startMode(JUDGEMENT, steps)
  agent:run(1, steps)
  local mean, episodes = agent:totalRewardOverLastTest()
  text.say("The policy learnt: a mean return of %s over %d episode(s)",
    text.format(mean), episodes)
  agent:summarizeTestPerformance()
  agent:resumeTrainingMode()
  return mean
end

return experiment
