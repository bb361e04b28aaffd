--- A RandomState shared as in DeeR's launchers gives DeeR's prices and DeeR's first network.
local deer = require "deer"

local golden = require "golden"

local function near(expected, got)
  assert.is_true(math.abs(expected - got) < 1e-6 * (1 + math.abs(expected)))
end

describe("a shared RandomState", function()
  local weights = golden.read("qnetwork")["v0.2_run_toy_env_seed123456_initial_weights"]

  it("gives the prices, then the weights, of DeeR 0.2 with seed 123456", function()
    local rng = deer.RandomState(123456)
    local env = deer.env "toy_env" { rng = rng }
    near(0.38090949911430283, env:observe()[1])
    local qnetwork = deer.QNetwork{ environment = env, network = "deer-0.2", random_state = rng }
    local parameters = qnetwork:getAllParams()
    for i, expected in ipairs(weights) do
      local data, sum = parameters[i].data, 0
      for at = 1, #data, 4 do sum = sum + string.unpack("f", data, at) end
      near(expected.sum, sum)
      for k, value in ipairs(expected["first4(after conv flip)"]) do
        near(value, (string.unpack("f", data, 4 * k - 3)))
      end
    end
    assert.equal(10, #weights)
  end)

  it("is not drawn from by an integer seed", function()
    local env = deer.env "toy_env" { seed = 3 }
    local one = deer.QNetwork{ environment = env, seed = 3 }:getAllParams()
    local same = deer.QNetwork{ environment = env, random_state = 3 }:getAllParams()
    local other = deer.QNetwork{ environment = env, seed = 4 }:getAllParams()
    assert.equal(one[1].data, same[1].data)
    assert.not_equal(one[1].data, other[1].data)
  end)

  it("must be a generator", function()
    assert.error_matches(function() deer.env "toy_env" { seed = "x" } end, "a seed")
    assert.error_matches(function()
      deer.QNetwork{ environment = deer.env "toy_env" {}, random_state = {} }
    end, "a seed")
  end)
end)
