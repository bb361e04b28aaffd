--- The seed of whatever is made without one of its own.

local text = require "deer.text"

local seeds = {}

local default = 0

--- Fixes every number drawn from now on by what has no seed of its own, and those of math.random.
--- Without it the seed is 0: a script repeats itself unless it asks for something else.
---@param n integer
function seeds.set(n)
  if math.type(n) ~= "integer" then
    text.fail("deer.seed: expected an integer, got %s", text.describe(n))
  end
  default = n
  math.randomseed(n)
end

---@return integer
function seeds.default() return default end

return seeds
