--- Measures works and, beside each, its peer: an executable called like the work that prints the
--- microseconds of one. Everything is measured in rounds, one work and its peer after the other, so
--- that what disturbs the machine for a while disturbs both; numbers are medians over the rounds.

local core = require "deer.core"
local sys = require "deer.sys"
local text = require "deer.text"

local measure = {}

local function median(list)
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  local middle = (#sorted + 1) // 2
  return #sorted % 2 == 1 and sorted[middle] or (sorted[middle] + sorted[middle + 1]) / 2
end

-- seconds of body(n)
local function time(body, n)
  local start = sys.time()
  body(n)
  return sys.time() - start
end

-- how often the work fits into `seconds`, found out by doing it, which also warms it up
local function fitting(body, seconds)
  local n, spent = 1, time(body, 1)
  while spent < seconds / 4 do
    n = n * 2
    spent = time(body, n)
  end
  return math.max(1, math.floor(n * seconds / spent))
end

-- ---- peers -------------------------------------------------------------------------------------

local function quote(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

-- folders with peers: that of the source tree and those the user names
local function peer_folders()
  local list = {}
  for entry in (os.getenv "DEERLUA_PEERS" or ""):gmatch "[^:]+" do list[#list + 1] = entry end
  if sys.root() then list[#list + 1] = sys.root() .. "/scripts/bench/peers" end
  return list
end

--- The path of the peer of a work, nil when there is none.
---@param name string
---@return string|nil
function measure.peer(name)
  for _, folder in ipairs(peer_folders()) do
    local path = folder .. "/" .. name
    if sys.exists(path) then return path end
  end
end

-- microseconds that a peer says, on one thread; nil when it cannot run here
local function ask_peer(path)
  local command = "OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 %s 2>/dev/null"
  local pipe = io.popen(command:format(quote(path)))
  if not pipe then return nil end
  local us = tonumber(pipe:read "l" or "")
  pipe:close()
  return us
end

-- processes that compute at this moment, this one left out; 0 where the system does not tell
local function others()
  local file = io.open "/proc/loadavg"
  local running = file and file:read("a"):match "(%d+)/%d"
  if file then file:close() end
  return running and tonumber(running) - 1 or 0
end

-- ---- rounds ------------------------------------------------------------------------------------

---@class deer.bench.Row
---@field work deer.bench.Work
---@field us number median microseconds
---@field peer_us? number
---@field ratio? number median of the ratios of each round
---@field limit_us? number below which this machine cannot do it
---@field goal? number what ratio, or us, should be at most
---@field met? boolean

local function start(work, options)
  local peer = options.peers and measure.peer(work.name)
  local body, beside = work.make(), not peer and work.beside and work.beside()
  return { work = work, body = body, beside = beside, peer = peer,
    n = fitting(body, options.seconds), times = {}, peer_times = {}, ratios = {}, bandwidth = 0 }
end

-- one round of one work
local function round(run, options)
  local us = time(run.body, run.n) / run.n * 1e6
  run.times[#run.times + 1] = us
  local other = run.peer and ask_peer(run.peer)
  run.peer = other and run.peer -- one that cannot run is asked no more
  if run.beside then other = time(run.beside, run.n) / run.n * 1e6 end
  if other then
    run.peer_times[#run.peer_times + 1] = other
    run.ratios[#run.ratios + 1] = us / other
  end
  if run.work.cost then
    local spent = math.min(0.01, options.seconds)
    run.bandwidth = math.max(run.bandwidth, core.bench.bandwidth(run.work.cost.set, spent))
  end
end

-- the goal and whether it is met, as far as that can be said
local function judge(row, threads)
  local goal = row.work.goal
  if not goal then return end
  row.goal = goal[threads] or goal.us or goal.ratio
  local value = goal.us and row.us or row.ratio
  if value then row.met = value <= row.goal end
end

local function finish(run, flops, threads)
  local row = { work = run.work, us = median(run.times) }
  if #run.ratios > 0 then row.peer_us, row.ratio = median(run.peer_times), median(run.ratios) end
  local cost = run.work.cost
  if cost then
    row.limit_us = 1e6 * math.max(cost.flops / flops, cost.bytes / run.bandwidth) / threads
  end
  judge(row, threads)
  return row
end

--- Measures works: a row for each, and the operations per second of one core.
---@param works deer.bench.Work[]
---@param options { threads: integer, runs: integer, seconds: number, peers: boolean }
---@return deer.bench.Row[] rows
---@return { flops: number, others: number } machine other processes that ran, in the mean
function measure.run(works, options)
  local runs, rows, flops, busy = {}, {}, 0, 0
  local show = sys.isatty(2) and text.status or function() end
  for i, work in ipairs(works) do
    show("preparing " .. work.name)
    runs[i] = start(work, options)
  end
  for k = 1, options.runs do
    flops = math.max(flops, core.bench.flops(math.min(0.02, options.seconds)))
    for _, run in ipairs(runs) do
      show(("run %d of %d: %s"):format(k, options.runs, run.work.name))
      busy = busy + others()
      round(run, options)
    end
  end
  show(nil)
  for i, run in ipairs(runs) do rows[i] = finish(run, flops, options.threads) end
  return rows, { flops = flops, others = busy / (options.runs * #runs) }
end

return measure
