-- The micro-grid against the numbers of DeeR's own, and its years against the statistics of DeeR's.
local child = require "child"
local deer = require "deer"
local golden = require("golden").read "mg_two_storages"
local raises = require "raises"
local sys = require "deer.sys"

local MGTwoStorages = deer.env "mg_two_storages"

-- DeeR's data are not part of this program; where they are they are tried
local DATA = os.getenv "DEERLUA_MG_DATA" or "../shared/spec/data"
local has_data = sys.listdir(DATA) ~= nil

local MODES = { [-1] = "training", [0] = "validation", [1] = "test" }

local function near(expected, came, what, tolerance)
  if math.abs(expected - came) <= (tolerance or 1e-9) then return end
  error(("%s: expected %.17g, came %.17g"):format(what, expected, came), 2)
end

local function golden_action(t) return (t * t + 3 * t) % 7 % 3 end

-- hydrogen is used when the battery is low, made when it is nearly full
local function two_thresholds(level)
  if level < 0.45 then return 0 end
  return level > 0.95 and 2 or 1
end

-- the reward of a year; the policy sees step and level
local function year_of(env, mode, policy)
  env:reset(mode)
  local total, t = 0, 0
  while not env:isTruncated() do
    total, t = total + env:act(policy(t, env:observe()[1])), t + 1
  end
  return total, t
end

local function write_npy(path, list)
  local header = ("{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }\n"):format(#list)
  local data = {}
  for i, x in ipairs(list) do data[i] = string.pack("<d", x) end
  assert(sys.write_file(path, "\x93NUMPY\1\0" .. string.pack("<s2", header) .. table.concat(data)))
end

local TRACE = "first72_[action,reward,obs_after]"

-- the hours of the golden trace, from what was observed in it; that of hour 0 was not
local function hours_of(mode)
  local trace = golden.runs[tostring(mode)].pattern[TRACE]
  local profile = golden.data.consumption_day_profile_sum1
  local consumption = { trace[1][3][2][1] * profile[1] / profile[2] }
  local production = { 0 }
  for i, step in ipairs(trace) do
    consumption[i + 1], production[i + 1] = step[3][2][1], step[3][2][2]
  end
  return consumption, production
end

-- a folder of files with those hours
local function golden_folder()
  local folder, consumption, production = child.folder(), {}, {}
  for mode = -1, 1 do consumption[mode], production[mode] = hours_of(mode) end
  for name, hours in deer.spairs { ["example_nondeterminist_cons"] = consumption,
    ["BelgiumPV_prod"] = production } do
    local train = table.move(hours[0], 1, #hours[0], #hours[-1] + 1,
      table.move(hours[-1], 1, #hours[-1], 1, {}))
    write_npy(("%s/%s_train.npy"):format(folder, name), train)
    write_npy(("%s/%s_test.npy"):format(folder, name), hours[1])
  end
  return folder
end

describe("the micro-grid", function()
  after_each(child.clean)

  for mode, name in deer.spairs(MODES) do
    it("gives DeeR's rewards and observations: " .. name, function()
      local env = MGTwoStorages{ data_dir = golden_folder() }
      env:reset(mode)
      assert.same({ 1, { 0, 0 } }, env:observe())
      for i, step in ipairs(golden.runs[tostring(mode)].pattern[TRACE]) do
        assert.is_false(env:isTruncated())
        assert.equal(golden_action(i - 1), math.tointeger(step[1]))
        near(step[2], env:act(golden_action(i - 1)), "reward " .. i)
        local seen = env:observe()
        near(step[3][1], seen[1], "level " .. i)
        near(step[3][2][1], seen[2][1], "consumption " .. i)
        near(step[3][2][2], seen[2][2], "production " .. i)
      end
      assert.is_true(env:isTruncated())
      assert.is_false(env:inTerminalState())
    end)
  end

  it("shows the season and forecasts as DeeR does", function()
    local env = MGTwoStorages{ data_dir = golden_folder(), dist_equinox = true, pred = true }
    assert.same({ { 1 }, { 12, 2 }, { 1 }, { 1, 2 } }, env:inputDimensions())
    assert.same({ { 1 }, { 12, 2 }, { 1, 2 } }, MGTwoStorages{ pred = true }:inputDimensions())
    env:reset(-1)
    assert.same({ 1, { 0, 0 }, 0, { 0, 0 } }, env:observe())
    for i, step in ipairs(golden["with_dist_equinox_and_pred_mode_train_first30"]) do
      near(step[2], env:act(math.tointeger(step[1])), "reward " .. i)
      local seen = env:observe()
      near(step[3][3], seen[3], "season " .. i)
      -- farther hours are not known to this test
      if i <= 25 then
        near(step[3][4][1], seen[4][1], "day " .. i)
        near(step[3][4][2], seen[4][2], "two days " .. i)
      end
    end
  end)

  it("makes of DeeR's data what DeeR makes of it", function()
    if not has_data then return pending "the data are not there" end
    local env = MGTwoStorages{ data_dir = DATA }
    local policies = {
      pattern = golden_action,
      always_0 = function() return 0 end,
      always_1 = function() return 1 end,
      always_2 = function() return 2 end,
      best_soc_threshold_policy = function(_, level) return two_thresholds(level) end,
    }
    for mode in deer.spairs(MODES) do
      for name, policy in deer.spairs(policies) do
        local total, steps = year_of(env, mode, policy)
        local expected = golden.runs[tostring(mode)][name]
        assert.equal(golden.horizon_steps, steps)
        near(expected.total, total, name, 1e-6)
        if expected.hydrogen_storage_end then
          near(expected.hydrogen_storage_end, env.hydrogen, name, 1e-6)
        end
      end
    end
    near(-209.66, year_of(env, 1, policies.best_soc_threshold_policy), "two thresholds", 0.01)
  end)

  it("begins where it is told to", function()
    local env = MGTwoStorages{ seed = 1, start_state = { 0.25, -3, 100 } }
    local year = env.years[0]
    env:reset(0)
    assert.same({ 0.25, { year.consumption[101], year.production[101] } }, env:observe())
    env:act(2)
    near(-1.9, env.hydrogen, "hydrogen")
    assert.same({ year.consumption[102], year.production[102] }, env:observe()[2])
    raises(function() MGTwoStorages{ start_state = { 1, 2 } } end, ".*{battery, hydrogen, hour}")
  end)

  it("repeats a part of each season, but not in tests", function()
    local whole = MGTwoStorages{ seed = 3 }
    local part = MGTwoStorages{ seed = 3, reduce_qty_data = 4, start_history = 1 }
    assert.equal(table.concat(whole.years[1].production, " "),
      table.concat(part.years[1].production, " "))
    for mode = -1, 0 do
      local from, to = whole.years[mode].production, part.years[mode].production
      assert.equal(#from, #to)
      -- seasons of 92, 91, 91 and 91 days begin with days 0, 92, 183 and 274; parts have 23 and 22
      for _, season in ipairs { { 0, 23 }, { 92, 22 }, { 183, 22 }, { 274, 22 } } do
        for day = 0, 90 do
          local source = season[1] + season[2] + day % season[2]
          near(from[24 * source + 13], to[24 * (season[1] + day) + 13], "day " .. day, 0)
        end
      end
    end
    assert.same({ { 1 }, { 5, 2 } }, MGTwoStorages{ length_history = 5 }:inputDimensions())
    raises(function() MGTwoStorages{ reduce_qty_data = 3 } end, ".*one of '1', '2'")
  end)

  it("says what is wrong with a folder", function()
    local folder = golden_folder()
    local function refuses(message)
      local ok, came = pcall(MGTwoStorages, { data_dir = folder })
      assert.is_false(ok)
      assert.is_truthy(came:find(message, 1, true), came)
    end
    write_npy(folder .. "/BelgiumPV_prod_test.npy", { 1, 2, 3 })
    refuses "data_dir: 73 hours of consumption, but 3 of production"
    write_npy(folder .. "/BelgiumPV_prod_train.npy", { 1, 2, 3 })
    refuses "data_dir: expected a list of hours of 2 year(s) in "
    os.remove(folder .. "/BelgiumPV_prod_train.npy")
    refuses "BelgiumPV_prod_train.npy: No such file or directory"
  end)
end)

-- ---- years at random ---------------------------------------------------------------------------

-- mean and deviation of a list
local function moments(list)
  local sum, squares = 0, 0
  for _, x in ipairs(list) do sum, squares = sum + x, squares + x * x end
  return sum / #list, math.sqrt(squares / #list - (sum / #list) ^ 2)
end

local function sum_of_day(list, day)
  local sum = 0
  for hour = 1, 24 do sum = sum + list[24 * day + hour] end
  return sum
end

describe("a year drawn for the micro-grid", function()
  local years = {}
  setup(function()
    for seed = 1, 20 do
      for _, year in deer.spairs(MGTwoStorages{ seed = seed }.years) do years[#years + 1] = year end
    end
  end)

  it("is the same for the same seed only", function()
    local function drawn(seed, mode, name)
      return table.concat(MGTwoStorages{ seed = seed }.years[mode][name], " ")
    end
    for _, name in ipairs { "consumption", "production" } do
      assert.is_true(drawn(1, -1, name) == drawn(1, -1, name))
      assert.is_false(drawn(1, -1, name) == drawn(1, 0, name))
      assert.is_false(drawn(1, -1, name) == drawn(2, -1, name))
    end
  end)

  it("consumes as DeeR's do", function()
    local profile, data = golden.data.consumption_day_profile_sum1, golden.data
    local factors = {}
    for _, year in ipairs(years) do
      for day = 0, 364 do
        local sum = sum_of_day(year.consumption, day)
        factors[#factors + 1] = sum / data.consumption_day_sum_mid
        for hour = 1, day % 10 == 0 and 24 or 0 do
          near(profile[hour] * sum, year.consumption[24 * day + hour], "an hour", 1e-5)
        end
      end
    end
    local mean, deviation = moments(factors)
    near(1, mean, "mean factor", 0.005)
    near(0.1443, deviation, "deviation of the factor", 0.003)
    near(0.75, math.min(table.unpack(factors, 1, 1000)), "smallest factor", 0.005)
    near(1.25, math.max(table.unpack(factors, 1, 1000)), "largest factor", 0.005)
  end)

  it("produces as the panels in Belgium do", function()
    local months, all, pairs_of_days = {}, {}, 0
    for month = 1, 12 do months[month] = {} end
    for _, year in ipairs(years) do
      for _, x in ipairs(year.production) do
        if x < 0 or x > 1 then error("a production of " .. x) end
        all[#all + 1] = x
      end
      for day = 0, 364 do
        local list = months[day * 12 // 365 + 1]
        list[#list + 1] = sum_of_day(year.production, day)
      end
    end
    local by_month = golden.data.pv_daily_sum_by_month
    for month, list in ipairs(months) do
      local mean, deviation = moments(list)
      near(1, mean / by_month.mean[month], "mean of month " .. month, 0.08)
      near(1, deviation / by_month.std[month], "deviation of month " .. month, 0.1)
      -- a day and the next; each year has about 30 days of a month in order
      for i = 1, #list - 1 do
        pairs_of_days = pairs_of_days + (list[i] - mean) * (list[i + 1] - mean) / deviation ^ 2
      end
    end
    near(golden.data.pv_lag1_corr_deseasonalised_daily, pairs_of_days / (365 * #years),
      "correlation of days", 0.03)
    local mean, deviation = moments(all)
    near(golden.data.BelgiumPV_prod_train.mean, mean, "mean", 0.004)
    near(golden.data.BelgiumPV_prod_train.std, deviation, "deviation", 0.02)
  end)

  it("spreads a day's production as the sun does", function()
    for i, month in ipairs { 0, 6 } do
      local hours, total, expected = {}, 0, 0
      for hour = 1, 24 do hours[hour] = 0 end
      for _, year in ipairs(years) do
        for day = month * 365 // 12 + 1, (month + 1) * 365 // 12 - 1 do
          for hour = 1, 24 do
            hours[hour] = hours[hour] + year.production[24 * day + hour]
          end
        end
      end
      for hour = 1, 24 do
        total = total + hours[hour]
        expected = expected + golden.data.pv_hour_profile_jan_jul[i][hour]
      end
      for hour = 1, 24 do
        near(golden.data.pv_hour_profile_jan_jul[i][hour] / expected, hours[hour] / total,
          "hour " .. hour, 0.015)
      end
    end
  end)

  it("is worth as much to two thresholds as DeeR's are", function()
    local scores = {}
    for seed = 1, 10 do
      local env = MGTwoStorages{ seed = seed }
      for mode in deer.spairs(MODES) do
        local score = year_of(env, mode, function(_, level) return two_thresholds(level) end)
        scores[#scores + 1] = score
      end
    end
    -- DeeR's three: -364, -173 and -210
    local mean, deviation = moments(scores)
    near(-248, mean, "mean", 30)
    assert.is_true(deviation > 20 and deviation < 90, deviation)
  end)
end)
