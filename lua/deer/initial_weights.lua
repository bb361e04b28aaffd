--- Initial weights drawn as DeeR 0.2 draws them, so that a seed gives the network its runs began
--- with: layer by layer from numpy's generator, uniform within sqrt(6 / (inputs + outputs)) (Glorot
--- and Bengio 2010), the windows of convolutions turned by 180 degrees, biases zero.

-- values of one tensor as a string of floats; `window` elements at a time are reversed
local function draw(random_state, count, window, bound)
  local values = {}
  for first = 1, count, window do
    for i = window - 1, 0, -1 do values[first + i] = random_state:uniform(-bound, bound) end
  end
  local pieces = {}
  for i, value in ipairs(values) do pieces[i] = string.pack("f", value) end
  return table.concat(pieces)
end

-- inputs and outputs of one unit, and the size of a window; a shape is [inputs, outputs] or
-- [filters, channels, rows, columns]
local function fans(shape)
  if #shape == 2 then return shape[1], shape[2], 1 end
  local window = shape[3] * shape[4]
  return shape[2] * window, shape[1] * window, window
end

--- Draws the weights of the online network anew.
---@param handle userdata the C side of a Q-network
---@param random_state deer.RandomState
return function(handle, random_state)
  local parameters = handle:parameters()
  for _, parameter in ipairs(parameters) do
    if parameter.name:find "^q%..*%.weight$" then
      local inputs, outputs, window = fans(parameter.shape)
      local count = #parameter.data // 4
      parameter.data = draw(random_state, count, window, math.sqrt(6 / (inputs + outputs)))
    end
  end
  handle:setParameters(parameters)
end
