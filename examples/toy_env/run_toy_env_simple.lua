--- The toy market with as little as possible: everything not said here has its default.
local deer = require "deer"
local bc = deer.controllers

local params = deer.launcher(arg, {
  epochs = 10, steps_per_epoch = 1000, steps_per_test = 500, period_btw_summary_perfs = 10,
  seed = 123456,
})
deer.saveParameters(params, "toy_env_")

local env = deer.env "toy_env" { seed = params.seed }
local qnetwork = deer.QNetwork{ environment = env, seed = params.seed }
local agent = deer.NeuralAgent{ environment = env, learning_algo = qnetwork, seed = params.seed }

agent:attach(bc.VerboseController{})
agent:attach(bc.TrainerController{})
agent:attach(bc.InterleavedTestEpochController{
  epoch_length = params.steps_per_test, summarize_every = params.period_btw_summary_perfs,
})
agent:run(params.epochs, params.steps_per_epoch)
