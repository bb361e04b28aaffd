--- What the tests of computations share: nested tables of numbers, and gradients by differences.

local text = require "deer.text"

local numbers = {}

--- The dimensions of nested tables, by their first entries; a number has none.
---@param value number|table
---@return integer[]
function numbers.shape(value)
  local shape = {}
  while type(value) == "table" do
    shape[#shape + 1] = #value
    value = value[1]
  end
  return shape
end

--- The numbers of nested tables in one list.
---@param value number|table
---@param list? number[]
---@return number[]
function numbers.flat(value, list)
  list = list or {}
  if type(value) == "table" then
    for _, item in ipairs(value) do numbers.flat(item, list) end
  else
    list[#list + 1] = value
  end
  return list
end

--- Nested tables of a shape from a list.
---@param list number[]
---@param shape integer[]
---@return number|table
function numbers.nest(list, shape)
  local next = 0
  local function build(depth)
    if depth > #shape then
      next = next + 1
      return list[next]
    end
    local part = {}
    for i = 1, shape[depth] do part[i] = build(depth + 1) end
    return part
  end
  return build(1)
end

--- How many numbers a shape holds.
---@param shape integer[]
---@return integer
function numbers.count(shape)
  local n = 1
  for _, dim in ipairs(shape) do n = n * dim end
  return n
end

--- "{2, 3}".
---@param shape integer[]
---@return string
function numbers.shapeText(shape) return "{" .. table.concat(shape, ", ") .. "}" end

--- "[2][1]", the place of element `i`, from 1, in nested tables; "" of a number.
---@param shape integer[]
---@param i integer
---@return string
function numbers.place(shape, i)
  local words, rest = {}, i - 1
  for axis = #shape, 1, -1 do
    table.insert(words, 1, ("[%d]"):format(rest % shape[axis] + 1))
    rest = rest // shape[axis]
  end
  return table.concat(words)
end

--- Are two numbers equal but for rounding? The larger they are, the farther apart they may be.
---@param a number
---@param b number
---@param tolerance number
---@return boolean
function numbers.near(a, b, tolerance)
  return a == b or math.abs(a - b) <= tolerance * math.max(1, math.abs(a), math.abs(b))
end

--- The derivative of `f` by central differences of fourth order. `f(step)` gives the outputs, a
--- list, when the argument is moved by `step`; `weights` makes one number of them. The differences
--- are taken output by output: in float32 a sum would lose them.
---@param f fun(step: number): number[]
---@param weights number[]
---@param size number of the argument
---@return number
function numbers.slope(f, weights, size)
  local h = 2.0 ^ -6 * math.max(1, 2.0 ^ math.floor(math.log(math.max(math.abs(size), 1), 2)))
  local a, b, c, d = f(-2 * h), f(-h), f(h), f(2 * h)
  local sum = 0
  for i, weight in ipairs(weights) do
    sum = sum + weight * (8 * (c[i] - b[i]) - (d[i] - a[i]))
  end
  return sum / (12 * h)
end

--- Raises an error about the part that is tested, with the user's line in front.
---@param who string "deer.test.op"
---@param format string
---@param ... any
function numbers.fail(who, format, ...) text.fail(who .. ": " .. format, ...) end

return numbers
