--- Finds files by kind and name: environments in folders called envs, controllers in folders
--- called controllers, policies in policies, algorithms in algos, networks in networks. Looked
--- through in this order: the folder of the running script, the current folder, the entries of
--- $DEERLUA_PATH (separated by ":" or ";"), the source tree, the files inside the program. In the
--- script's folder and in the entries of $DEERLUA_PATH a file may also lie without a folder of its
--- kind around it; there, files of other kinds than environments are told by their names, as in
--- greedy_policy.lua. Environments and algorithms written in C come last.

local class = require "deer.class"
local read_file = require "deer.read_file"
local sys = require "deer.sys"
local text = require "deer.text"

local kinds = {}

---@class deer.Kind
---@field folder string the name of the folders that hold files of this kind
---@field tree string the built-in folder, in the source tree
---@field modules string what the names of its embedded modules begin with
---@field base? string the module of the class that all of the kind extend; without one a file
---  returns a table
---@field suffix string what the names of its classes end with
---@field ending string what the names of its files end with where no folder tells the kind
---@field native? string the module that knows those written in C

---@type table<string, deer.Kind>
local KINDS = {
  env = { folder = "envs", tree = "envs", modules = "envs.", base = "deer.environment",
    suffix = "", ending = "", native = "deer.native_environment" },
  controller = { folder = "controllers", tree = "lua/deer/controllers",
    modules = "deer.controllers.", base = "deer.controller", suffix = "Controller",
    ending = "_controller" },
  policy = { folder = "policies", tree = "lua/deer/policies", modules = "deer.policies.",
    base = "deer.policy", suffix = "Policy", ending = "_policy" },
  algo = { folder = "algos", tree = "lua/deer/algos", modules = "deer.algos.",
    base = "deer.algo", suffix = "", ending = "_algo", native = "deer.native_algo" },
  network = { folder = "networks", tree = "lua/deer/networks", modules = "deer.networks.",
    suffix = "", ending = "_network" },
}

local function kind_of(name)
  local kind = KINDS[name]
  if not kind then text.fail("kinds: there is no kind '%s'", tostring(name)) end
  return kind
end

-- the path of the running script, "" if there is none
local function running_script()
  local words = rawget(_G, "arg")
  local script = type(words) == "table" and words[0]
  return type(script) == "string" and script or ""
end

-- the folders of a kind, and whether all their files are of the kind
local function folders(kind)
  local list, script_folder = {}, running_script():match "^(.*)/" or "."
  local function add(path, typed) list[#list + 1] = { path = path, typed = typed } end
  add(script_folder, false)
  add(script_folder .. "/" .. kind.folder, true)
  add(kind.folder, true)
  for entry in (os.getenv "DEERLUA_PATH" or ""):gmatch "[^:;]+" do
    add(entry, false)
    add(entry .. "/" .. kind.folder, true)
  end
  if sys.root() then add(sys.root() .. "/" .. kind.tree, true) end
  return list
end

--- A class name as a file name: InterleavedTestEpochController is interleaved_test_epoch.
---@param kind_name string
---@param class_name string
---@return string
function kinds.fileName(kind_name, class_name)
  local suffix = kind_of(kind_name).suffix
  local stem = class_name
  if suffix ~= "" and #stem > #suffix and stem:sub(-#suffix) == suffix then
    stem = stem:sub(1, -#suffix - 1)
  end
  return (stem:gsub("(%l)(%u)", "%1_%2"):gsub("(%d)(%u)", "%1_%2"):lower())
end

--- A file name as a class name: find_best is FindBestController.
---@param kind_name string
---@param file_name string
---@return string
function kinds.className(kind_name, file_name)
  local stem = ("_" .. file_name):gsub("_(.)", string.upper)
  return stem .. kind_of(kind_name).suffix
end

-- every name of a file of the kind, sorted, those of configurations included
local function all_names(kind)
  local seen, names = {}, {}
  local function add(name)
    if name and name ~= "init" and not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  for _, folder in ipairs(folders(kind)) do
    for _, file in ipairs(folder.typed and sys.listdir(folder.path) or {}) do
      add(file:match "^([%w_.-]+)%.lua$")
    end
  end
  for _, module in ipairs(sys.embedded(kind.modules)) do add(module:sub(#kind.modules + 1)) end
  for _, name in ipairs(kind.native and require(kind.native).names() or {}) do add(name) end
  table.sort(names)
  return names
end

--- The names of everything of a kind, sorted.
---@param kind_name string "env", "controller", "policy", "algo" or "network"
---@return string[]
function kinds.list(kind_name)
  local names = {}
  for _, name in ipairs(all_names(kind_of(kind_name))) do
    if not name:find(".", 1, true) then names[#names + 1] = name end
  end
  return names
end

--- The names of the configurations of something, sorted: moon for cartpole.moon.lua.
---@param kind_name string
---@param name string
---@return string[]
function kinds.variants(kind_name, name)
  local variants = {}
  for _, known in ipairs(all_names(kind_of(kind_name))) do
    local stem, variant = known:match "^([^.]+)%.(.+)$"
    if stem == name then variants[#variants + 1] = variant end
  end
  return variants
end

-- the text and path of the file called `name`, or nil
local function find(kind, name)
  if name:find "/" or name:find "%.lua$" then
    local path = name:find "%.lua$" and name or name .. ".lua"
    return read_file(path), path
  end
  local script = running_script():gsub("^%./", "")
  for _, folder in ipairs(folders(kind)) do
    for _, ending in ipairs { folder.typed and "" or kind.ending, kind.ending } do
      local path = (folder.path .. "/" .. name .. ending .. ".lua"):gsub("^%./", "")
      -- a script called after the environment it uses must not load itself
      local source = path ~= script and read_file(path)
      if source then return source, path end
    end
  end
  return sys.source(kind.modules .. name)
end

--- The folder, in the current one, that holds files of a kind.
---@param kind_name string
---@return string
function kinds.folder(kind_name) return kind_of(kind_name).folder end

--- The module that a built-in one lies in, if it is written in Lua.
---@param kind_name string
---@param name string
---@return string
function kinds.module(kind_name, name) return kind_of(kind_name).modules .. name end

--- The text and path of the file of that kind and name, nil when there is none.
---@param kind_name string
---@param name string
---@return string|nil source
---@return string|nil path
function kinds.source(kind_name, name) return find(kind_of(kind_name), name) end

-- runs a file of a kind, which returns its class
local function run(kind, source, path)
  local chunk, message = load(source, "@" .. path, "t")
  if not chunk then error(message, 0) end
  local value = chunk(path:match "([^/]*)%.lua$", path)
  if not kind.base then
    if type(value) == "table" then return value end
    text.fail("%s: expected the file to return a table, got %s", path, text.describe(value))
  end
  if class.is(value, require(kind.base)) and class.isClass(value) then return value end
  text.fail("%s: expected the file to return a class that extends %s, got %s", path,
    require(kind.base).__name, text.describe(value))
end

local loaded = {}
local asked = setmetatable({}, { __mode = "k" }) -- by which name for a class

--- The class in the file of that kind and name, or nil when there is no such file.
---@param kind_name string
---@param name string a name, or the path of a file (with a slash or .lua)
---@return deer.Class|nil
function kinds.find(kind_name, name)
  local kind = kind_of(kind_name)
  local source, path = find(kind, name)
  local found
  if source then
    local key = kind_name .. ":" .. path
    found = loaded[key] or run(kind, source, path)
    loaded[key] = found
  elseif kind.native then
    found = require(kind.native).find(name, kinds.className(kind_name, name))
  end
  if found then asked[found] = asked[found] or name end
  return found
end

--- The name by which a class was found here, nil when it comes from elsewhere.
---@param kind_name string
---@param found deer.Class
---@return string|nil
function kinds.nameOf(kind_name, found)
  local base = kind_of(kind_name).base
  return base and class.is(found, require(base)) and asked[found] or nil
end

--- What is said when there is nothing of that name: the nearest one, or all; of a path the nearest
--- file in its folder.
---@param noun string
---@param name string
---@param names string[] that there are
---@return string
function kinds.absent(noun, name, names)
  if name:find "/" or name:find "%.lua$" then
    local folder, files = name:match "^(.*/)" or "", {}
    for _, file in ipairs(sys.listdir(folder == "" and "." or folder) or {}) do
      if file:find "%.lua$" then files[#files + 1] = file end
    end
    local near = text.meant(name:sub(#folder + 1), files, folder)
    return ("there is no file '%s'%s"):format(name, near)
  end
  local near = text.meant(name, names)
  return ("there is no %s '%s'%s"):format(noun, name, near ~= "" and near
    or "; there are " .. table.concat(names, ", "))
end

--- The class in the file of that kind and name; an error that names the nearest when absent.
---@param kind_name string
---@param name string
---@return deer.Class
function kinds.load(kind_name, name)
  if type(name) ~= "string" or name == "" then
    text.fail("expected the name of %s, got %s", text.a(kind_name), text.describe(name))
  end
  local found = kinds.find(kind_name, name)
  if not found then
    text.fail("%s", kinds.absent(kind_name, name, kinds.list(kind_name)))
  end
  return found
end

--- A table that finds the classes of a kind by class name when they are first asked for.
---@param kind_name string
---@return table<string, deer.Class>
function kinds.table(kind_name)
  local function find_class(self, name)
    local found = type(name) == "string"
      and kinds.find(kind_name, kinds.fileName(kind_name, name))
    if not found then
      local names = kinds.list(kind_name)
      for i, file in ipairs(names) do names[i] = kinds.className(kind_name, file) end
      text.fail("%s", kinds.absent(kind_name, tostring(name), names))
    end
    self[name] = found
    return found
  end
  return setmetatable({}, { __index = find_class })
end

return kinds
