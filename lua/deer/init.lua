--- The public table, `local deer = require "deer"`. Nothing global is ever set. Parts are loaded
--- when first used, so a script starts quickly.

local core = require "deer.core"

---@class deer.Rng: userdata

---@class deer.Canvas: userdata a picture that is drawn on; colours are "#rrggbb" or {r, g, b, a},
---  the pixel in column i and row j is the square from (i, j) to (i + 1, j + 1)
---@field fill fun(self, color: string|integer[])
---@field rect fun(self, x: number, y: number, width: number, height: number, color: string)
---@field line fun(self, x0: number, y0: number, x1: number, y1: number, color: string,
---  width: number?)
---@field circle fun(self, x: number, y: number, radius: number, color: string)
---@field polygon fun(self, xs: number[], ys: number[], color: string)
---@field text fun(self, x: number, y: number, text: string, style: table?)
---@field picture fun(self): deer.Tensor bytes {rows, columns, 3}, as from render of an environment
---@field save fun(self, path: string): boolean?, string? as a PNG file

---@class deer
---@field Environment deer.Environment
---@field Controller deer.Controller
---@field Policy deer.Policy
---@field Algo deer.Algo
---@field QNetwork deer.QNetwork
---@field DDPG deer.DDPG
---@field ActorCritic deer.ActorCritic DDPG under DeeR's name
---@field TD3 deer.TD3
---@field SAC deer.SAC
---@field DiscreteSAC deer.DiscreteSAC
---@field PPO deer.PPO
---@field A2C deer.A2C
---@field REINFORCE deer.REINFORCE
---@field NeuralAgent deer.NeuralAgent
---@field Agent deer.Agent an agent that a script drives
---@field MultiTaskAgent deer.MultiTaskAgent
---@field DataSet fun(options: table): deer.DataSet
---@field controllers table<string, deer.Controller> by class name, as TrainerController
---@field algos table<string, deer.Algo> by class name, those in files of one's own as well
---@field policies table<string, deer.Policy> by class name: deer.policies.EpsilonGreedyPolicy
---@field graph { new: fun(): deer.Graph } describing computations that run at the speed of C
---@field network fun(options: table): deer.Network a network for graphs
---@field opt table<string, deer.Optimizer> optimisers by name, for graphs: deer.opt.adam{}
---@field rl table formulas of reinforcement learning over nodes
---@field test table checks of one's own environments, networks and computations
---@field launcher fun(arg: string[], defaults: table, extra: table?): table
---@field experiment table what launchers do around the learning
---@field plot table charts as PNG files
---@field video fun(path: string, options: { fps: number? }?): deer.Video films: MP4, PNG or GIF
---@field csv fun(path: string, options: table?): table?, string[]|string? the columns of a file
---@field json { encode: fun(value: any, pretty: boolean?): string } JSON texts
---@field saveParameters fun(params: table, prefix: string): string see lua/deer/parameters.lua
---@field preset fun(name: string): deer.Preset options that are known to work: "cartpole/dqn"
---@field wrappers table<string, deer.Wrapper> by class name: deer.wrappers.TimeLimit
---@field fusion table two deep Q-networks as one
---@field kinds table finding and listing environments, controllers and policies
local deer = {
  version = core.version,

  --- A generator of random numbers: :uniform([low, high]) :below(n) :int(low, high)
  --- :normal([mean, std]) :split(name).
  ---@type fun(seed: integer): deer.Rng
  Rng = core.Rng,

  --- numpy's legacy generator, for the numbers of DeeR: :rand() :uniform(low, high)
  --- :randint(low, high), high excluded.
  ---@type fun(seed: integer): userdata
  RandomState = core.RandomState,

  --- A block of numbers: deer.Tensor("float32", {2, 3}, data).
  ---@type fun(dtype: string, dims: integer[], data: table|string|nil): deer.Tensor
  Tensor = core.Tensor,

  --- A number that changes with time, called as s(t) or s:at(t): deer.schedule(0.5),
  --- deer.schedule "linear(1, 0.1, 10000)", deer.schedule{ kind = "linear", from = 1, to = 0.1,
  --- steps = 10000 }. Kinds: constant(value), linear, exponential and cosine(from, to, steps),
  --- polynomial(from, to, steps, power), piecewise(t1, value1, t2, value2, ...), in a table
  --- points = {{t1, value1}, ...}.
  ---@type fun(schedule: number|string|table|userdata): userdata
  schedule = core.schedule,

  --- A white picture to draw on, so many pixels wide and high.
  ---@type fun(width: integer, height: integer): deer.Canvas
  canvas = core.canvas.new,

  --- A number as Python prints it.
  ---@type fun(number: number): string
  format = core.format,

  --- The array in a file of numpy: bool, u1, i4, i8, f4 or f8. A tensor holds bytes, int32 or
  --- float32; with "table" the numbers come as they are in the file, in nested tables (a number
  --- when there are no dimensions). nil and a message when it cannot be read.
  ---@type fun(path: string, as: "tensor"|"table"|nil): any, string?
  npy = core.npy,

  --- Writes a tensor as such a file, whole or not at all: true, or nil and why not.
  ---@type fun(path: string, tensor: deer.Tensor): boolean?, string?
  saveNpy = core.saveNpy,

  --- How many threads a large computation may use, 1 at the start; with a number, from now on that
  --- many, for what is made afterwards. Results do not depend on it.
  ---@type fun(n: integer?): integer
  threads = core.threads,
}

--- The environment class in the file called `name`: beside the script, in a folder envs, in
--- $DEERLUA_PATH, or one of those that come with deerlua.
---@param name string "toy_env", or the path of a file
---@return deer.Environment
function deer.env(name) return require("deer.kinds").load("env", name) end

--- Fixes the random numbers of everything made from now on without a seed of its own, and those of
--- math.random. Without it the seed is 0.
---@param n integer
function deer.seed(n) require("deer.seeds").set(n) end

local LAZY = {
  Environment = "deer.environment", Controller = "deer.controller", Policy = "deer.policy",
  Algo = "deer.algo", QNetwork = "deer.q_network", NeuralAgent = "deer.neural_agent",
  Agent = "deer.agent",
  MultiTaskAgent = "deer.multi_task_agent",
  DDPG = "deer.ddpg", ActorCritic = "deer.actor_critic", TD3 = "deer.td3", SAC = "deer.sac",
  DiscreteSAC = "deer.sac_discrete",
  PPO = "deer.ppo", A2C = "deer.a2c", REINFORCE = "deer.reinforce",
  DataSet = "deer.data_set", graph = "deer.graph", network = "deer.graph.network",
  opt = "deer.graph.optimizers", rl = "deer.graph.formulas", test = "deer.test",
  experiment = "deer.experiment", plot = "deer.plot", fusion = "deer.fusion",
  video = "deer.video", csv = "deer.csv",
  json = "deer.json", saveParameters = "deer.parameters", wrappers = "deer.wrappers",
  kinds = "deer.kinds",
  spairs = "deer.spairs",
}

local MADE = {
  launcher = function() return require("deer.launcher").run end,
  controllers = function() return require("deer.kinds").table "controller" end,
  policies = function() return require("deer.kinds").table "policy" end,
  algos = function() return require("deer.kinds").table "algo" end,
  preset = function() return require("deer.preset").load end,
}

local function load_part(self, name)
  local part
  if LAZY[name] then part = require(LAZY[name]) elseif MADE[name] then part = MADE[name]() end
  if part == nil then
    local names = {}
    for _, known in ipairs { self, LAZY, MADE } do
      for key in require("deer.spairs")(known) do names[#names + 1] = key end
    end
    local text = require "deer.text"
    text.fail("there is no deer.%s%s", tostring(name), text.meant(tostring(name), names, "deer."))
  end
  self[name] = part
  return part
end

return setmetatable(deer, { __index = load_part })
