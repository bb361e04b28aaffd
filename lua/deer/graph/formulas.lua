--- Formulas of reinforcement learning over the nodes of a graph: deer.rl. Each takes one table of
--- named nodes. Names carry the time index of Sutton and Barto: in state s_tm1 the action a_tm1 was
--- taken; it led to the reward r_t and the state s_t; discount_t is gamma, and 0 where s_t is
--- terminal. The papers are named in src/rl.

local core = require "deer.core"

---@class deer.Formulas
---@field qLearning fun(nodes: { q_tm1: deer.Node, a_tm1: deer.Node, r_t: deer.Node,
---  discount_t: deer.Node, q_t: deer.Node, selector_t?: deer.Node }): deer.Node temporal-difference
---  errors [batch]; with selector_t of the online network and q_t of a target network: double
---  Q-learning
local formulas = core.rl

return formulas
