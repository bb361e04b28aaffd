-- Networks as scripts describe them: tables of layers, and JSON that says the same.
local child = require "child"
local core = require "deer.core"
local deer = require "deer"
local raises = require "raises"

-- the last four of a number, a picture of 6 x 6
local Glimpse = deer.Environment:extend "Glimpse"
function Glimpse:init(options) self.rng = options.rng end
function Glimpse:reset() self.at = 0 return { { 0, 0, 0, 0 }, { self:picture() } } end
function Glimpse:picture()
  local rows = {}
  for i = 1, 6 do
    rows[i] = {}
    for k = 1, 6 do rows[i][k] = (i * k + self.at) % 5 / 5 end
  end
  return rows
end
function Glimpse:observe() return { self.at % 3, self:picture() } end
function Glimpse:act(action) self.at = self.at + 1 return action end
function Glimpse:inTerminalState() return self.at == 12 end
function Glimpse:inputDimensions() return { { 4 }, { 1, 6, 6 } } end -- luacheck: no self
function Glimpse:nActions() return 3 end -- luacheck: no self

local Steps = Glimpse:extend "Steps"
function Steps:reset() self.at = 0 return { { 0, 0, 0, 0 } } end
function Steps:observe() return { self.at % 3 } end
function Steps:inputDimensions() return { { 4 } } end -- luacheck: no self

local env, steps = Glimpse{ seed = 1 }, Steps{ seed = 1 }

local function net(network, environment)
  return deer.QNetwork{ environment = environment or steps, network = network, seed = 3,
    update_rule = "adam", learning_rate = 0.01, batch_size = 8 }
end

-- "trunk.dense1.weight [4, 5], ..." of the online network
local function parameters(network, environment)
  local all = {}
  for _, p in ipairs(net(network, environment):getAllParams()) do
    local name = p.name:match "^q%.(.*)$"
    if name then all[#all + 1] = ("%s [%s]"):format(name, table.concat(p.shape, ", ")) end
  end
  return table.concat(all, ", ")
end

local OUT = "output.weight [%d, 3], output.bias [3]"

describe("JSON", function()
  it("is read as tables", function()
    assert.same({ a = { 1, 2.5, { b = true } }, c = "\u{e9}", d = false },
      core.json ' {"a": [1, 2.5, {"b": true, "n": null}], "c": "\\u00e9", "d": false} ')
    assert.equal("integer", math.type(core.json "3"))
    assert.equal("float", math.type(core.json "3.0"))
    assert.equal("float", math.type(core.json "12345678901234567890"))
    assert.same({ "x", nil }, { core.json '"x"' })
  end)

  it("is refused where it is wrong", function()
    for text, message in pairs {
      [""] = "byte 0: expected a number, but there the text ends",
      ["[1, 2"] = "byte 5: expected ',' or ']', but there the text ends",
      ["[1, null]"] = "null has no place in a list",
      ['{"a": 1, "a": 2}'] = "the key 'a' comes twice",
      ["tru"] = "byte 0: expected true, false or null",
      ["[1] 2"] = "byte 4: expected the end",
      ["[01]"] = "byte 1: expected a number",
      ["[1e999]"] = "byte 1: expected a finite number",
      ["[\0]"] = "byte 1: expected a number, but there the text ends",
      ["[1,"] = "byte 3: expected a number, but there the text ends",
      [("["):rep(65)] = "lists and objects lie more than 64 deep",
    } do
      local value, got = core.json(text)
      assert.is_nil(value)
      assert.equal(message, got)
    end
    assert.is_truthy(core.json(("["):rep(64) .. ("]"):rep(64)))
  end)
end)

describe("a network", function()
  after_each(child.clean)

  it("is a list of layers, some with others inside", function()
    assert.equal("trunk.dense1.weight [4, 8], trunk.dense1.bias [8], "
      .. "trunk.residual2.dense1.weight [8, 5], trunk.residual2.dense1.bias [5], "
      .. "trunk.residual2.dense2.weight [5, 8], trunk.residual2.dense2.bias [8], "
      .. "trunk.dense_block3.noisy1.weight [8, 2], trunk.dense_block3.noisy1.bias [2], "
      .. "trunk.dense_block3.noisy1.weight_sigma [8, 2], "
      .. "trunk.dense_block3.noisy1.bias_sigma [2], " .. OUT:format(10),
      parameters {
        { "dense", units = 8 },
        { "residual", layers = { { "dense", units = 5 }, { "dense", units = 8 } } },
        { "dense_block", layers = { { "noisy", units = 2 } } },
      })
  end)

  it("sees the history as a sequence", function()
    assert.equal("subject0.lstm1.weight_x [1, 12], subject0.lstm1.bias [12], "
      .. "subject0.lstm1.weight_h [3, 12], trunk.dense1.weight [3, 2], trunk.dense1.bias [2], "
      .. OUT:format(2), parameters { { "lstm", units = 3 }, { "dense", units = 2 } })
    assert.matches("^subject0.embedding1.table %[3, 2%], subject0.gru2.weight_x %[2, 9%]",
      parameters { { "embedding", values = 3, width = 2 }, { "gru", units = 3 } })
    assert.matches("^subject0.lstm1.weight_x %[1, 32%], .*subject0.lstm2.weight_x %[8, 32%]",
      parameters "deer-lstm")
  end)

  it("has a branch for each subject", function()
    assert.equal("subject0.gru1.weight_x [1, 6], subject0.gru1.bias [6], "
      .. "subject0.gru1.weight_h [2, 6], subject0.gru1.bias_h [2], "
      .. "subject1.conv1.weight [1, 1, 3, 3], subject1.conv1.bias [1], "
      .. "trunk.dense1.weight [18, 4], trunk.dense1.bias [4], " .. OUT:format(4),
      parameters({ branches = { { { "gru", units = 2 } }, { { "conv", filters = 1 } } },
        trunk = { { "dense", units = 4 } } }, env))
  end)

  it("ends as it is told to", function()
    assert.equal("output.value_hidden.weight [4, 6], output.value_hidden.bias [6], "
      .. "output.value.weight [6, 1], output.value.bias [1], "
      .. "output.advantage_hidden.weight [4, 6], output.advantage_hidden.bias [6], "
      .. "output.advantage.weight [6, 3], output.advantage.bias [3]",
      parameters { output = { "dueling", hidden = 6 } })
    assert.equal("output.dense1.weight [4, 7], output.dense1.bias [7], " .. OUT:format(7),
      parameters { heads = { output = { { "dense", units = 7 } } } })
    local values = net{ output = { "dense", init = "zeros", bias_init = "constant", gain = 2 } }
    assert.same({ 2, 2, 2 }, values:qValues{ { 1, 2, 0, 1 } })
  end)

  it("comes as JSON, as text or in a file", function()
    local json = [[ [
      {"type": "dense", "units": 6, "activation": "tanh", "init": "orthogonal", "gain": 0.5},
      {"type": "residual", "layers": [{"type": "noisy", "units": 6}]}
    ] ]]
    local table_form = {
      { "dense", units = 6, activation = "tanh", init = "orthogonal", gain = 0.5 },
      { "residual", layers = { { "noisy", units = 6 } } },
    }
    local root = child.tree { ["net.json"] = json }
    local wanted = net(table_form):getAllParams()
    assert.same(wanted, net(json):getAllParams())
    assert.same(wanted, net(root .. "/net.json"):getAllParams())
    assert.same(net{ trunk = table_form, output = { "dueling" } }:getAllParams(),
      net('{"trunk":' .. json .. ', "output": {"type": "dueling"}}'):getAllParams())
  end)

  it("learns with every layer there is, and is saved and loaded by names", function()
    finally(child.clean)
    local inside = { { "activation" } }
    local holds = { residual = true, dense_block = true, chain = true, parallel = true }
    for _, name in ipairs(core.names "layer") do
      local layer = { name, layers = holds[name] and inside }
      if not layer.layers then layer.layers = nil end
      local first = name == "conv" or name:find "pool"
      if first then layer.rows, layer.columns = 1, 2 end
      local q = net{ layer }
      local agent = deer.NeuralAgent{ environment = steps, q_network = q, replay_start_size = 20,
        seed = 1 }
      local before = q:getAllParams()
      agent:attach(deer.controllers.TrainerController{ show_episode_avg_V_value = false,
        show_avg_Bellman_residual = false })
      agent:run(1, 60)
      assert.not_same(before, q:getAllParams(), name)
      local path = child.folder() .. "/net"
      local params = q:getAllParams()
      assert(core.safetensors.save(path, params))
      local other = net{ layer }
      other:setAllParams(assert(core.safetensors.load(path)))
      assert.same(q:qValues{ { 0, 1, 2, 0 } }, other:qValues{ { 0, 1, 2, 0 } }, name)
    end
  end)

  it("acts without the noise it learns with", function()
    local q = net{ { "noisy", units = 6 }, { "dropout", rate = 0.5 } }
    assert.same(q:qValues{ { 0, 1, 2, 0 } }, q:qValues{ { 0, 1, 2, 0 } })
  end)

  it("is told what is wrong with it, and where", function()
    for message, network in pairs {
      ["network: trunk%[1%]: unknown layer 'lstn'; did you mean 'lstm'%?"] = { { "lstn" } },
      ["network: trunk%[2%]: layer gru: unknown option 'unit'; did you mean 'units'%?"] =
        { { "dense" }, { "gru", unit = 3 } },
      ["network: trunk%[1%]: option 'units': expected a number, .* got a table with 0 entries"] =
        { { "dense", units = {} } },
      ["network: trunk%[1%]: layer dropout: option 'rate': .* between 0 and 0.99, got 2"] =
        { { "dropout", rate = 2 } },
      ["network: trunk%[1%]: layer dense: option 'init': expected one of glorot_uniform|"] =
        { { "dense", init = "best" } },
      ["network: trunk%[1%]: layer dense takes no layers inside"] = { { "dense", layers = {} } },
      ["network: trunk%[1%].layers: expected a list of layers, got nil"] = { { "residual" } },
      ["network: trunk%[1%].layers%[2%]: unknown layer 'dens'; did you mean 'dense'"] =
        { { "residual", layers = { { "dense" }, { "dens" } } } },
      ["network: trunk: expected a list of layers, got 'units' in it"] =
        { trunk = { "dense", units = 3 } },
      ["option 'network': expected a list of layers, or branches, .* got a table with 'units'$"] =
        { "dense", units = 3 },
      ["got a table with 'trnk'; did you mean 'trunk'%?"] = { trnk = {} },
      ["network: output: layer lstm cannot be the output; expected one of dense, noisy, dueling"] =
        { output = { "lstm" } },
      ["network: output: option 'units' is set by the algorithm"] =
        { output = { "dense", Units = 3 } },
      ["network: output: layer noisy: unknown option 'sigm'; did you mean 'sigma'"] =
        { output = { "noisy", sigm = 3 } },
      ["network: heads: expected lists of layers by the names of the heads, got a list"] =
        { heads = { {} } },
      ["network: heads.output: expected a list of layers, got number"] = { heads = { output = 3 } },
      ["layers for a head 'value'; the heads of this algorithm are: output"] =
        { heads = { value = {} } },
      ["heads.a_name_that_is_too_long: expected at most 8 heads with names of at most 15"] =
        { heads = { a_name_that_is_too_long = {} } },
      ["does not fit .*: subject0.residual1: the layers inside turn %[1, 4%] into %[1, 64%]"] =
        { branches = { { { "residual", layers = { { "dense" } } } } } },
      ["option 'network': JSON: byte 9: expected ',' or '%]'"] = '[["dense"}',
      ["option 'network': no.json: No such file"] = "no.json",
      ["there is no network 'lstm'; there are .*deer, deer%-0.2, deer%-lstm"] = "lstm",
    } do
      raises(function() net(network) end, message)
    end
    raises(function() net({ { "conv" } }, env) end,
      "trunk.conv1: expected %[batch, channels, rows, columns%], got %[1, 40%] %(layers for pict")
    raises(function() net({ branches = { {}, { { "lstm" } } } }, env) end,
      "subject1.lstm1 sees a single step and remembers nothing")
    local loop = { "residual" }
    loop.layers = { loop }
    raises(function() net{ loop } end, "a list has at most 32 layers")
  end)
end)
