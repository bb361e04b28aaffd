--- A house with solar panels, a battery for the days and a hydrogen storage for the seasons (DeeR's
--- MG_two_storages; François-Lavet et al. 2016, "Deep reinforcement learning solutions for energy
--- microgrids management"). Each hour the agent says whether hydrogen is used (0), rests (1) or is
--- made (2); the battery takes what is left over and gives what is missing. Hydrogen is worth 0.1
--- per kWh, consumption that is not met costs 2 per kWh.
---
--- Observed are the level of the battery and the last hours of consumption and production, as parts
--- of their largest values; with `dist_equinox` how far from midsummer it is as well, with `pred`
--- the mean production of the next 24 and 48 hours.
---
--- Mode -1 is a year of training, mode 0 one of validation, mode 1 one of tests. They are drawn
--- with the statistics of DeeR's data, or read from its files in `data_dir`. A year has 8759 steps.

local deer = require "deer"

---@class deer.MGTwoStorages: deer.Environment
---@field hydrogen number kWh stored since the start of the episode
---@overload fun(options: table): deer.MGTwoStorages
local MGTwoStorages = deer.Environment:extend "MGTwoStorages"

MGTwoStorages.options = {
  data_dir = { type = "string", help = "folder of DeeR's .npy files; else the years are drawn" },
  dist_equinox = { default = false, help = "observe the distance from midsummer" },
  pred = { default = false, help = "observe the production of the next 24 and 48 hours" },
  length_history = { default = 12, type = "integer", range = { 1, 1000 },
    help = "hours of consumption and production observed" },
  reduce_qty_data = { default = 1, type = "integer", choices = { 1, 2, 4, 8, 16 },
    help = "training and validation repeat one of so many parts of each season" },
  start_history = { default = 0, type = "integer", range = { 0, 15 },
    help = "which part that is, from 0" },
  start_state = { type = "list", parts = { "battery", "hydrogen", "hour" },
    help = "the state after each reset: level of 0 to 1, kWh, hour of the year from 0" },
  path = { default = "plot_", help = "what the names of the pictures begin with" },
}

local CONSUMPTION, PRODUCTION = 2.1, 12         -- kW, where the data are 1
local BATTERY, BATTERY_EFFICIENCY = 15, 0.9     -- kWh
local HYDROGEN, HYDROGEN_EFFICIENCY = 1.1, 0.65 -- kW
local HYDROGEN_PRICE, OUTAGE_COST = 0.1, 2      -- per kWh

-- ---- years -------------------------------------------------------------------------------------

local DAYS = 365

-- consumption in the hours of a day, whose total is 8.65 times a factor of 0.75 to 1.25
local CONSUMED = {
  0.000003, 0.000022, 0.000143, 0.000726, 0.002870, 0.008843, 0.021226, 0.039708,
  0.057971, 0.066312, 0.060255, 0.045676, 0.033711, 0.031897, 0.040891, 0.056821,
  0.074200, 0.087510, 0.092489, 0.087489, 0.074057, 0.056096, 0.038022, 0.023062,
}
local CONSUMED_TOTAL, CONSUMED_LEAST, CONSUMED_MOST = 8.651071485093082, 0.75, 1.25

-- Production of a day, per month: the most there is, and the shapes a, b of the distribution of
-- what there is of it, u -> (1 - (1 - u)^(1/b))^(1/a) (Kumaraswamy 1980). Mean and deviation are
-- those of three years of panels in Belgium.
local PRODUCED = {
  { 4.498, 0.3945, 1.2453 }, { 5.575, 0.4343, 1.0451 }, { 7.065, 0.9112, 0.8929 },
  { 7.493, 2.0241, 1.5840 }, { 7.447, 1.6718, 1.0643 }, { 7.501, 2.0865, 1.6242 },
  { 7.187, 2.4039, 1.8985 }, { 6.996, 2.1997, 1.8973 }, { 6.610, 1.5080, 1.2587 },
  { 6.334, 0.8505, 0.9736 }, { 5.000, 0.4238, 1.0435 }, { 3.945, 0.3236, 1.3698 },
}
local CLOUDINESS = 0.34 -- correlation of a day with the next

-- how much of a day's production falls into each hour: the height of the sun, seen through the air
local LATITUDE, NOON, AIR = math.rad(50.8), 12.9, 1.5
local function hours_of_sun(day)
  local tilt = math.rad(23.45) * math.sin(2 * math.pi * (284 + day) / DAYS)
  local sun, total = {}, 0
  for hour = 1, 24 do
    local height = math.sin(LATITUDE) * math.sin(tilt)
      + math.cos(LATITUDE) * math.cos(tilt) * math.cos(math.rad(15 * (hour - 0.5 - NOON)))
    sun[hour] = math.max(height, 0) ^ AIR
    total = total + sun[hour]
  end
  for hour = 1, 24 do sun[hour] = sun[hour] / total end
  return sun
end

-- the part of the normal distribution below z, to 2e-4 (Bowling et al. 2009)
local function below(z) return 1 / (1 + math.exp(-1.5976 * z - 0.07056 * z ^ 3)) end

local function draw_year(rng)
  local consumption, production = {}, {}
  local z = rng:normal()
  for day = 1, DAYS do
    local drawn = rng:uniform(CONSUMED_LEAST, CONSUMED_MOST) * CONSUMED_TOTAL
    z = CLOUDINESS * z + math.sqrt(1 - CLOUDINESS ^ 2) * rng:normal()
    local most, a, b = table.unpack(PRODUCED[math.ceil(day * 12 / DAYS)])
    local produced = most * (1 - (1 - below(z)) ^ (1 / b)) ^ (1 / a)
    local sun = hours_of_sun(day)
    for hour = 1, 24 do
      consumption[#consumption + 1] = CONSUMED[hour] * drawn
      production[#production + 1] = math.min(sun[hour] * produced, 1)
    end
  end
  return { consumption = consumption, production = production }
end

-- a file's list of numbers, cut into years
local function read_years(folder, name, n)
  local path = ("%s/%s.npy"):format(folder, name)
  local list, message = deer.npy(path, "table")
  if not list then error(("MGTwoStorages: data_dir: %s"):format(message), 0) end
  if type(list) ~= "table" or type(list[1]) ~= "number" or #list % n > 0 or #list // n < 2 then
    error(("MGTwoStorages: data_dir: expected a list of hours of %d year(s) in %s"):format(n, path),
      0)
  end
  local years, hours = {}, #list // n
  for year = 1, n do years[year] = table.move(list, (year - 1) * hours + 1, year * hours, 1, {}) end
  return years
end

local function read_all(folder)
  local consumed = read_years(folder, "example_nondeterminist_cons_train", 2)
  local produced = read_years(folder, "BelgiumPV_prod_train", 2)
  consumed[3] = read_years(folder, "example_nondeterminist_cons_test", 1)[1]
  produced[3] = read_years(folder, "BelgiumPV_prod_test", 1)[1]
  local years = {}
  for i = 1, 3 do
    if #consumed[i] ~= #produced[i] then
      error(("MGTwoStorages: data_dir: %d hours of consumption, but %d of production"):format(
        #consumed[i], #produced[i]), 0)
    end
    years[i - 2] = { consumption = consumed[i], production = produced[i] }
  end
  return years
end

-- each season repeats one of `n` parts of its days
local function repeat_part(list, n, part)
  local repeated, days = {}, #list // 24
  for day = 0, days - 1 do
    local season = math.min(day * 4 // days, 3)
    local first, past = -(-season * days // 4), -(-(season + 1) * days // 4)
    local length = math.max((past - first) // n, 1)
    local from = first + part * length + (day - first) % length
    table.move(list, 24 * from + 1, 24 * from + 24, 24 * day + 1, repeated)
  end
  return repeated
end

-- the mean of the next `hours` hours, or of what is left of the year, for every hour
local function look_ahead(list, hours)
  local means, sum = {}, 0
  for i = #list, 1, -1 do
    sum = sum + list[i] - (list[i + hours] or 0)
    means[i] = sum / math.min(hours, #list - i + 1)
  end
  return means
end

-- ---- the environment ---------------------------------------------------------------------------

function MGTwoStorages:init(options)
  self.path, self.start = options.path, options.start_state
  self.dist_equinox, self.pred = options.dist_equinox, options.pred
  self.length_history = options.length_history
  if options.start_history >= options.reduce_qty_data then
    error(("MGTwoStorages: start_history: expected a part of 0 to %d, got %d"):format(
      options.reduce_qty_data - 1, options.start_history), 0)
  end
  self.years = options.data_dir and read_all(options.data_dir)
  if not self.years then
    self.years = {}
    for mode = -1, 1 do self.years[mode] = draw_year(options.rng:split("year " .. mode)) end
  end
  for mode, year in deer.spairs(self.years) do
    if options.reduce_qty_data > 1 and mode < 1 then
      for _, name in ipairs { "consumption", "production" } do
        year[name] = repeat_part(year[name], options.reduce_qty_data, options.start_history)
      end
    end
    year.next_day, year.next_days = look_ahead(year.production, 24), look_ahead(year.production, 48)
  end
  self:reset(-1)
end

--- Puts what can be seen in hour `at` into the observation.
function MGTwoStorages:see(at)
  local year, seen = self.year, self.seen
  seen[2][1], seen[2][2] = year.consumption[at], year.production[at]
  local next_subject = 3
  if self.dist_equinox then
    seen[3], next_subject = math.abs((at - 1) / 24 - DAYS / 2) / (DAYS / 2), 4
  end
  if self.pred then seen[next_subject] = { year.next_day[at], year.next_days[at] } end
end

--- The battery is full and there is no hydrogen; as in DeeR nothing else is seen in the first hour.
function MGTwoStorages:reset(mode)
  self.year = self.years[math.min(mode, 1)]
  self.at, self.hydrogen, self.seen = 1, 0, { 1, { 0, 0 } }
  local past, nothing = {}, { 0 }
  for i = 1, self.length_history do past[i] = { 0, 0 } end
  nothing[2] = past
  if self.dist_equinox then self.seen[3], nothing[3] = 0, 0 end
  if self.pred then
    self.seen[#self.seen + 1], nothing[#nothing + 1] = { 0, 0 }, { 0, 0 }
  end
  if self.start then
    self.seen[1], self.hydrogen = self.start[1], self.start[2]
    self.at = math.min(math.max(math.floor(self.start[3]), 0), #self.year.consumption - 2) + 1
    self:see(self.at)
  end
  return nothing
end

function MGTwoStorages:act(action)
  local year, at = self.year, self.at
  -- hydrogen made and used, and what that takes from the battery
  local made, taken = 0, 0
  if action == 0 then made, taken = -HYDROGEN, -HYDROGEN * HYDROGEN_EFFICIENCY end
  if action == 2 then made, taken = HYDROGEN, HYDROGEN / HYDROGEN_EFFICIENCY end
  self.hydrogen = self.hydrogen + made
  local reward = HYDROGEN_PRICE * made

  local need = year.consumption[at] * CONSUMPTION - year.production[at] * PRODUCTION + taken
  local level = self.seen[1]
  if need > 0 then
    -- as in DeeR the losses come after this question, so the level may sink a little below 0
    if level * BATTERY > need then
      level = level - need / BATTERY / BATTERY_EFFICIENCY
    else
      reward = reward - OUTAGE_COST * (need - level * BATTERY)
      level = 0
    end
  else
    level = math.min(1, level - need / BATTERY * BATTERY_EFFICIENCY)
  end
  self.seen[1] = level
  self.at = at + 1
  self:see(self.at)
  return reward
end

function MGTwoStorages:observe() return self.seen end

-- the last hour can be observed, but there is none to act upon after it
function MGTwoStorages:isTruncated() return self.at >= #self.year.consumption end

function MGTwoStorages:inputDimensions()
  local dims = { { 1 }, { self.length_history, 2 } }
  if self.dist_equinox then dims[#dims + 1] = { 1 } end
  if self.pred then dims[#dims + 1] = { 1, 2 } end
  return dims
end

function MGTwoStorages.nActions() return 3 end

--- Mean consumption and production of a day of a mode's year, in kWh.
---@param mode integer
---@return number consumption
---@return number production
function MGTwoStorages:daily(mode)
  local year, consumed, produced = self.years[mode], 0, 0
  for _, x in ipairs(year.consumption) do consumed = consumed + x end
  for _, x in ipairs(year.production) do produced = produced + x end
  local days = #year.consumption / 24
  return consumed * CONSUMPTION / days, produced * PRODUCTION / days
end

-- ---- pictures ----------------------------------------------------------------------------------

-- what there is to see of steps `first` to `last` of a test epoch
local function window(data, first, last)
  local shown = { hours = {}, level = {}, consumption = {}, production = {}, hydrogen = {} }
  for i = first, last do
    local n = #shown.hours + 1
    shown.hours[n] = i - first
    shown.level[n] = data.level[i]
    shown.consumption[n] = data.power[i][1] * CONSUMPTION
    shown.production[n] = data.power[i][2] * PRODUCTION
    shown.hydrogen[n] = (data.actions[i] - 1) * HYDROGEN
  end
  return shown
end

-- days of a season, hour by hour
local function draw_season(data, first, title)
  local shown = window(data, first, math.min(first + 99, #data.actions))
  local figure = deer.plot.figure{ title = title, height = 560 }
  local power = figure:axes{ ylabel = "Power (kW)" }
  power:line(shown.hours, shown.consumption, { label = "Consumption", color = "red" })
  power:line(shown.hours, shown.production, { label = "Production", color = "orange" })
  local store = figure:axes{ xlabel = "Hours", ylabel = "Battery", ylim = { -0.05, 1.05 },
    color = "blue" }
  store:line(shown.hours, shown.level, { label = "Level of the battery", color = "blue" })
  store:twin{ ylabel = "Hydrogen (kW)", ylim = { -1.21, 1.21 }, color = "green" }
    :step(shown.hours, shown.hydrogen, { label = "Hydrogen made", color = "green" })
  return figure
end

-- the whole epoch, day by day
local function draw_year_of(data)
  local days, stored, consumed, produced, level, hydrogen = {}, {}, {}, {}, {}, 0
  for first = 1, #data.actions - 23, 24 do
    local shown, n = window(data, first, first + 23), #days + 1
    local sums = { consumption = 0, production = 0, level = 0 }
    for i = 1, 24 do
      hydrogen = hydrogen + shown.hydrogen[i]
      for name, sum in deer.spairs(sums) do sums[name] = sum + shown[name][i] end
    end
    days[n], stored[n], level[n] = first // 24, hydrogen, sums.level / 24
    consumed[n], produced[n] = sums.consumption, sums.production
  end
  local figure = deer.plot.figure{ title = "A year", height = 700 }
  local power = figure:axes{ ylabel = "kWh per day" }
  power:line(days, produced, { label = "Production", color = "orange", width = 1 })
  power:line(days, consumed, { label = "Consumption", color = "red", width = 1 })
  figure:axes{ ylabel = "Battery", ylim = { -0.05, 1.05 } }
    :line(days, level, { label = "Level of the battery", color = "blue" })
  figure:axes{ xlabel = "Days", ylabel = "kWh" }
    :line(days, stored, { label = "Hydrogen stored", color = "green" })
  return figure
end

--- Draws a hundred hours of winter, of summer and of the next winter, and the whole year, as far as
--- the last test epoch went.
function MGTwoStorages:summarizePerformance(test_data_set)
  local observations = test_data_set:observations()
  local data = { level = observations[1], power = observations[2],
    actions = test_data_set:actions() }
  print "Summary Perf"
  print(("Hydrogen stored in the end: %.1f kWh"):format(self.hydrogen))
  local figures = {}
  for first, name in deer.spairs { [1] = "winter", [4321] = "summer", [8641] = "winter2" } do
    if first < #data.actions then
      local title = ("From hour %d on"):format(first - 1)
      figures[#figures + 1] = { name, draw_season(data, first, title) }
    end
  end
  if #data.actions >= 48 then figures[#figures + 1] = { "year", draw_year_of(data) } end
  for _, pair in ipairs(figures) do
    local saved, message = pair[2]:save(("%s%s.png"):format(self.path, pair[1]))
    if not saved then error(message, 0) end
  end
end

return MGTwoStorages
