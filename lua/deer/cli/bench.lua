--- deerlua bench: how long the things take that training consists of, beside the limits of the
--- machine and, where they are installed, other programs.
local deer = require "deer"
local text = require "deer.text"
local usage = require "deer.usage"

local function work_names()
  local names = {}
  for i, work in ipairs(require "deer.bench.works") do names[i] = work.name end
  return names
end

local bench = {
  summary = "measure the speed of training, beside other programs and the machine's limits",
  synopsis = "deerlua bench [options]",
  options = {
    { name = "name", type = "string", repeated = true, place = "NAME",
      help = "measure this work only; may be repeated", names = work_names },
    { name = "threads", default = 1, type = "integer", range = { 1, 64 },
      help = "threads of the programs" },
    { name = "runs", default = 7, type = "integer", range = { 1, 1000 },
      help = "rounds, whose median is printed" },
    { name = "seconds", default = 0.2, type = "number", range = { 1e-6, 1000 },
      help = "time for each work in each round" },
    { name = "json", flag = true, help = "one line of JSON for each work" },
    { name = "no_peers", flag = true, help = "leave the other programs out" },
    { name = "list", flag = true, help = "print the names of the works" },
  },
  notes = [[
A peer is an executable called like a work in a folder of $DEERLUA_PEERS, or in scripts/bench/peers
of the source tree, that prints the microseconds of one; see scripts/bench/README.md.]],
}

-- the works of these names, all when there are none
local function choose(works, names)
  if #names == 0 then return works end
  local chosen, known = {}, {}
  for i, work in ipairs(works) do known[i], known[work.name] = work.name, work end
  for i, name in ipairs(names) do
    if not known[name] then
      local near = text.meant(name, known)
      usage.fail("unknown work '%s'%s", name,
        near ~= "" and near or "; `deerlua bench --list` prints them")
    end
    chosen[i] = known[name]
  end
  return chosen
end

-- ---- printing ----------------------------------------------------------------------------------

-- three significant digits without an exponent
local function short(x)
  if not x then return "" end
  local digits = math.max(0, 2 - math.floor(math.log(math.max(x, 1e-9), 10)))
  return ("%%.%df"):format(digits):format(x)
end

local function goal_text(row)
  if not row.goal then return "" end
  local verdict = row.met == nil and "" or row.met and "  met" or "  missed"
  return ("%s%s%s"):format(short(row.goal), row.work.goal.us and " us" or " x peer", verdict)
end

local function plural(n, word) return ("%d %s%s"):format(n, word, n == 1 and "" or "s") end

local function print_table(rows, machine, values)
  print(("%s, %s; one core computes %.0f GFLOP/s at most"):format(plural(values.threads, "thread"),
    plural(values.runs, "run"), machine.flops / 1e9))
  -- a peer that computes for seconds suffers more from them than short measurements with pauses
  if machine.others >= 0.5 then
    print(("the machine was busy: %.1f other processes ran, ratios may flatter"):format(
      machine.others))
  end
  local line = "%-14s %10s %8s %9s %9s %10s %7s  %s"
  print(line:format("work", "us", "GFLOP/s", "limit us", "of limit", "peer us", "ratio", "goal"))
  for _, row in ipairs(rows) do
    local cost = row.work.cost
    local rate = cost and short(cost.flops / row.us / 1e3) or ""
    local share = cost and ("%.0f %%"):format(100 * row.limit_us / row.us) or ""
    local columns = line:format(row.work.name, short(row.us), rate, short(row.limit_us), share,
      short(row.peer_us), short(row.ratio), goal_text(row))
    print((columns:gsub("%s+$", "")))
  end
end

-- a field of a JSON object, nothing for a value that is not known
local function field(name, value)
  if value == nil then return "" end
  return (',"%s":%s'):format(name, type(value) == "number" and ("%.6g"):format(value)
    or tostring(value))
end

local function print_json(rows, values)
  for _, row in ipairs(rows) do
    local goal = row.work.goal
    local goal_name = goal and goal.us and "goal_us" or "goal_ratio"
    print(('{"name":"%s","threads":%d'):format(row.work.name, values.threads)
      .. field("us", row.us) .. field("limit_us", row.limit_us) .. field("peer_us", row.peer_us)
      .. field("ratio", row.ratio) .. field(goal_name, row.goal) .. field("met", row.met) .. "}")
  end
end

-- ---- the subcommand ----------------------------------------------------------------------------

---@param values table<string, any>
---@return integer status
function bench.run(values)
  local works = choose(require "deer.bench.works", values.name or {})
  if values.list then
    for _, work in ipairs(works) do print(("%-14s %s"):format(work.name, work.help)) end
    return 0
  end
  deer.threads(values.threads)
  local rows, machine = require("deer.bench.measure").run(works, { threads = values.threads,
    runs = values.runs, seconds = values.seconds, peers = not values.no_peers })
  if values.json then print_json(rows, values) else print_table(rows, machine, values) end
  return 0
end

return bench
