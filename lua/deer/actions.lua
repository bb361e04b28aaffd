--- Actions as nActions describes them: a number of discrete ones, a list of such numbers where
--- there are several choices at once, or a list of {low, high}.

local actions = {}

-- an action of which pick(row) chooses each number
local function each(n_actions, pick)
  if type(n_actions) == "number" then return pick(n_actions) end
  local action = {}
  for i, row in ipairs(n_actions) do action[i] = pick(row) end
  return action
end

--- "discrete", "multi-discrete" or "continuous"; nil for what is none of them.
---@param n_actions integer|integer[]|number[][]
---@return string|nil
function actions.kind(n_actions)
  if type(n_actions) == "number" then return "discrete" end
  local first = type(n_actions) == "table" and type(n_actions[1])
  return first == "number" and "multi-discrete" or first == "table" and "continuous" or nil
end

--- An action drawn uniformly.
---@param n_actions integer|integer[]|number[][]
---@param rng userdata a deer.Rng
---@return number|number[]
function actions.random(n_actions, rng)
  return each(n_actions, function(row)
    if type(row) == "number" then return rng:below(row) end
    return rng:uniform(row[1], row[2])
  end)
end

--- The first discrete action, the lowest corner of a box.
---@param n_actions integer|integer[]|number[][]
---@return number|number[]
function actions.first(n_actions)
  return each(n_actions, function(row) return type(row) == "number" and 0 or row[1] end)
end

return actions
