--- Tests of one's own parts: each function raises an error that says in plain words what is wrong,
--- so it can be called from a test of any framework or from a script alone.
---
---   deer.test.op{ build = function(x, y) return x:matmul(y) end,
---     inputs = { {{1, 2}}, {{3}, {4}} }, expect = {{11}} }        -- values, and gradients
---   deer.test.network(net)                                        -- what every network must
---   deer.test.environment(Walk, { length = 9 })                   -- what every environment must

return {
  op = require "deer.test.op",
  network = require "deer.test.network",
  environment = require "deer.test.environment",
}
