--- What a work costs at least: floating-point operations (a multiply-add being two) and bytes that
--- must move. Divided by what the machine can do they bound the time from below.

local cost = {}

-- multiply-adds of a list of dense layers, one sample: sizes[1] inputs, then the units of each
local function dense(sizes)
  local sum = 0
  for i = 2, #sizes do sum = sum + sizes[i - 1] * sizes[i] end
  return sum
end

--- A network of dense layers: operations of one sample forward, those of the gradients with respect
--- to its weights and to its inputs, those of the inputs of all layers but the first, parameters.
---@param sizes integer[] inputs, then the units of each layer
---@return table
function cost.dense(sizes)
  local parameters = 0
  for i = 2, #sizes do parameters = parameters + (sizes[i - 1] + 1) * sizes[i] end
  local all = 2 * dense(sizes)
  return { forward = all, weights = all, inputs = all, inner = all - 2 * sizes[1] * sizes[2],
    parameters = parameters }
end

--- The same for convolutions { filters =, size =, stride = } over square frames, then dense layers.
---@param channels integer
---@param side integer of the frames
---@param windows table[]
---@param units integer[]
---@return table
function cost.convolutions(channels, side, windows, units)
  local all, first, parameters = 0, nil, 0
  for _, w in ipairs(windows) do
    side = (side - w.size) // w.stride + 1
    local weights = w.filters * channels * w.size * w.size
    all = all + 2 * weights * side * side
    first = first or all
    parameters = parameters + weights + w.filters
    channels = w.filters
  end
  local rest = cost.dense { channels * side * side, table.unpack(units) }
  all = all + rest.forward
  return { forward = all, weights = all, inputs = all, inner = all - first,
    parameters = parameters + rest.parameters }
end

-- bytes of a step of Adam: parameter, gradient and both moments are read, all but the gradient
-- written; of a soft update: both copies read, one written
local ADAM, SOFT = 7 * 4, 3 * 4

--- A DQN update: the values of both states, the gradient, Adam.
---@param net table
---@param batch integer
---@return table
function cost.dqn(net, batch)
  return { flops = batch * (2 * net.forward + net.weights + net.inner),
    bytes = ADAM * net.parameters, set = 5 * 4 * net.parameters }
end

--- A SAC update: two critics towards the target of a sampled action, the actor through both.
---@param actor table
---@param critic table
---@param batch integer
---@return table
function cost.sac(actor, critic, batch)
  local targets = actor.forward + 2 * critic.forward
  local critics = 2 * (critic.forward + critic.weights + critic.inner)
  local policy = actor.forward + actor.weights + actor.inner + 2 * (critic.forward + critic.inputs)
  local trained = actor.parameters + 2 * critic.parameters
  return { flops = batch * (targets + critics + policy),
    bytes = ADAM * trained + SOFT * 2 * critic.parameters,
    set = 4 * (4 * trained + 2 * critic.parameters) }
end

--- A TD3 update: as SAC, but the actor, through one critic, and the targets every other time.
---@param actor table
---@param critic table
---@param batch integer
---@return table
function cost.td3(actor, critic, batch)
  local targets = actor.forward + 2 * critic.forward
  local critics = 2 * (critic.forward + critic.weights + critic.inner)
  local policy = actor.forward + actor.weights + actor.inner + critic.forward + critic.inputs
  local trained = actor.parameters + 2 * critic.parameters
  return { flops = batch * (targets + critics + policy / 2),
    bytes = ADAM * (2 * critic.parameters + actor.parameters / 2) + SOFT * trained / 2,
    set = 4 * 5 * trained }
end

--- A step of PPO with its share of the updates: an action, the value and probability of what was
--- done, and `epochs` steps of Adam for each `batch` samples.
---@param actor table
---@param critic table
---@param epochs integer
---@param batch integer
---@return table
function cost.ppo(actor, critic, epochs, batch)
  local forward, parameters = actor.forward + critic.forward, actor.parameters + critic.parameters
  local update = forward + actor.weights + actor.inner + critic.weights + critic.inner
  return { flops = actor.forward + forward + epochs * update,
    bytes = epochs * ADAM * parameters / batch, set = 5 * 4 * parameters }
end

return cost
