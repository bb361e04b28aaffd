--- deerlua bench: how long the things take that training consists of, beside the limits of the
--- machine and, where they are installed, other programs.
local deer = require "deer"
local options = require "deer.options"
local text = require "deer.text"

local bench = {
  summary = "measure the speed of training, beside other programs and the machine's limits",
  usage = [[
usage: deerlua bench [options]
  --name NAME      measure this work only; may be repeated
  --threads N      threads of the programs (1)
  --runs N         rounds, whose median is printed (7)
  --seconds S      time for each work in each round (0.2)
  --json           one line of JSON for each work
  --no-peers       leave the other programs out
  --list           print the names of the works
  --help           print this
A peer is an executable called like a work in a folder of $DEERLUA_PEERS, or in scripts/bench/peers
of the source tree, that prints the microseconds of one; see scripts/bench/README.md.]],
}

local LIST = options.list {
  { name = "name", type = "string" },
  { name = "threads", default = 1, type = "integer", range = { 1, 64 } },
  { name = "runs", default = 7, type = "integer", range = { 1, 1000 } },
  { name = "seconds", default = 0.2, type = "number", range = { 1e-6, 1000 } },
  { name = "json", default = false },
  { name = "no-peers", default = false },
  { name = "list", default = false },
  { name = "help", default = false },
}

-- the value of a word such as --runs=3, or of the word behind it
local function read_value(option, word, value)
  if option.type == "boolean" then
    if value == nil then return true end
    return nil, ("option '%s' takes no value"):format(word)
  end
  local parsed
  if value then parsed = options.parse(option, value) end
  if parsed ~= nil then return parsed end
  return nil, ("option '%s': expected %s, got %s"):format(word, options.expected(option),
    value and "'" .. value .. "'" or "nothing")
end

local function unknown(word)
  if not word:find "^%-" then
    return ("unexpected argument '%s'; works are named with --name"):format(word)
  end
  local near = text.meant(word:gsub("^%-+", ""), options.names(LIST), "--")
  return ("unknown option '%s'%s"):format(word, near)
end

-- what the command line says; nil and what is wrong with it
local function read(args)
  local values, names, i = options.check("bench", LIST, {}), {}, 1
  while i <= #args do
    local word, value = args[i]:match "^(%-%-[^=]+)=(.*)$"
    word = word or args[i]
    local option = word:find "^%-%-" and options.find(LIST, word:sub(3))
    if not option then return nil, unknown(word) end
    if not value and option.type ~= "boolean" then i, value = i + 1, args[i + 1] end
    local parsed, message = read_value(option, word, value)
    if message then return nil, message end
    if option.name == "name" then names[#names + 1] = parsed end
    values[option.name] = parsed
    i = i + 1
  end
  return values, names
end

-- the works of these names, all when there are none; nil and what is wrong
local function choose(works, names)
  if #names == 0 then return works end
  local chosen, known = {}, {}
  for i, work in ipairs(works) do known[i], known[work.name] = work.name, work end
  for i, name in ipairs(names) do
    if not known[name] then
      local near = text.meant(name, known)
      return nil, ("unknown work '%s'%s"):format(name,
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

local function refuse(message)
  io.stderr:write("deerlua bench: ", message, "\n")
  return 2
end

---@param args string[]
---@return integer status
function bench.run(args)
  local values, names = read(args)
  if not values then return refuse(names) end
  if values.help then
    print(("deerlua bench: %s\n%s"):format(bench.summary, bench.usage))
    return 0
  end
  local works, message = choose(require "deer.bench.works", names)
  if not works then return refuse(message) end
  if values.list then
    for _, work in ipairs(works) do print(("%-14s %s"):format(work.name, work.help)) end
    return 0
  end
  deer.threads(values.threads)
  local rows, machine = require("deer.bench.measure").run(works, { threads = values.threads,
    runs = values.runs, seconds = values.seconds, peers = not values["no-peers"] })
  if values.json then print_json(rows, values) else print_table(rows, machine, values) end
  return 0
end

return bench
