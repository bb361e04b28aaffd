-- check.lua [root]: the rules of the house that a compiler does not know. Prints one line
-- per violation, file:line: what is wrong, and ends with status 1 when there is any.
local sys = require "deer.sys"

local root = arg[1] or "."

-- sizes: hard limits per file and function, and what nineteen of twenty functions must keep
local MAX_LINES, MAX_COLUMNS, MAX_FUNCTION, USUAL_FUNCTION = 800, 100, 150, 50

-- a folder may include its own floor and those below
local FLOOR = {
  base = 0, tensor = 1, graph = 2, nn = 3, opt = 3, rl = 3, replay = 3, env = 3,
  algo = 4, srl = 4, agent = 5, io = 5, envs = 5, bind = 6, main = 7,
}
-- extensions: they see the world through deer.h alone
local FRONT_DOOR = { algo = true, srl = true, bind = true, envs = true, main = true }

-- kinds: the list, where its classes are defined, and (nil for many per file) the file of one
local KINDS = {
  { kind = "algo", list = "src/algo/algos.def", class = "deer_algo_class", file = "src/algo/%s.c" },
  { kind = "env", list = "envs/envs.def", class = "deer_env_class", file = "envs/%s.c" },
  { kind = "layer", list = "src/nn/layers.def", class = "deer_layer_class",
    file = "src/nn/layer/%s.c" },
  { kind = "op", list = "src/graph/ops.def", class = "deer_op" },
  { kind = "opt", list = "src/opt/opts.def", class = "deer_opt_class", file = "src/opt/%s.c" },
  { kind = "policy", list = "src/agent/policies.def", class = "deer_policy_class",
    file = "src/agent/policy/%s.c" },
  { kind = "replay", list = "src/replay/replays.def", class = "deer_replay_class",
    file = "src/replay/%s.c" },
  { kind = "wrapper", list = "src/env/wrappers.def", class = "deer_env_class",
    file = "src/env/wrapper/%s.c" },
}

-- what the core must not call: it returns a status, and its memory is counted
local UNCOUNTED = "allocates uncounted"
local FORBIDDEN = {
  printf = "prints", vprintf = "prints", puts = "prints", putchar = "prints", perror = "prints",
  exit = "exits", _exit = "exits", abort = "exits", assert = "exits", quick_exit = "exits",
  longjmp = "jumps", siglongjmp = "jumps",
  malloc = UNCOUNTED, calloc = UNCOUNTED, realloc = UNCOUNTED, strdup = UNCOUNTED,
}

local violations = 0
local function complain(path, line, format, ...)
  violations = violations + 1
  print(("%s:%d: %s"):format(path, line, format:format(...)))
end

--- All files below a folder, sorted, as paths relative to the root.
---@param folder string
---@param found string[]
local function walk(folder, found)
  for _, name in ipairs(sys.listdir(root .. "/" .. folder) or {}) do
    local path = folder .. "/" .. name
    if sys.listdir(root .. "/" .. path) then walk(path, found) else found[#found + 1] = path end
  end
  return found
end

local function read(path)
  local file = assert(io.open(root .. "/" .. path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

--- The text with comments and the insides of literals blanked, lines kept: what remains is code.
---@param text string
---@return string
local function code_only(text)
  local out, at = {}, 1
  local blank = function(s) return (s:gsub("[^\n]", " ")) end
  while at <= #text do
    local start = text:find("[/\"']", at) or #text + 1
    out[#out + 1] = text:sub(at, start - 1)
    local two, stop = text:sub(start, start + 1), nil
    if two == "/*" then
      stop = select(2, text:find("*/", start + 2, true)) or #text
    elseif two == "//" then
      stop = (text:find("\n", start, true) or #text + 1) - 1
    elseif two:sub(1, 1) == "/" then
      out[#out + 1], at = "/", start + 1
    elseif start <= #text then
      -- a literal ends at the next quote of its kind that no backslash hides
      stop = start + 1
      while stop <= #text and text:sub(stop, stop) ~= two:sub(1, 1) do
        stop = stop + (text:sub(stop, stop) == "\\" and 2 or 1)
      end
    end
    if stop then
      out[#out + 1], at = blank(text:sub(start, stop)), stop + 1
    elseif start > #text then
      at = start
    end
  end
  return table.concat(out)
end

--- src/nn/layer/dense.c belongs to nn, src/main.c to main, envs/x.c to envs.
local function folder_of(path)
  return path:match("^src/([%w_]+)/") or path:match("^(envs)/") or path:match("^src/(main)%.c$")
end

local function lines_of(text)
  local lines = {}
  for line in (text:sub(-1) == "\n" and text or text .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

-- rule: files stay readable
local function check_size(path, lines)
  if #lines > MAX_LINES then
    complain(path, #lines, "file has %d lines, at most %d", #lines, MAX_LINES)
  end
  for n, line in ipairs(lines) do
    local columns = utf8.len(line) or #line
    if columns > MAX_COLUMNS then
      complain(path, n, "line has %d columns, at most %d", columns, MAX_COLUMNS)
    end
  end
end

-- functions of our C style begin in column 1 with a line that ends in "{" and end with "}"
local sizes = {}
local function check_functions(path, lines)
  local start
  for n, line in ipairs(lines) do
    if line:find("^[%a_].*%)%s*{%s*$") or (not start and line:find("^%s+.*%)%s*{%s*$")) then
      start = start or n
    elseif line:find("^[%a_].*%).*{.*}%s*$") then
      sizes[#sizes + 1] = 1
    elseif line:find("^}") and start then
      local size = n - start + 1
      sizes[#sizes + 1] = size
      if size > MAX_FUNCTION then
        complain(path, start, "function has %d lines, at most %d", size, MAX_FUNCTION)
      end
      start = nil
    end
  end
end

local function check_function_sizes()
  table.sort(sizes)
  local usual = sizes[math.ceil(#sizes * 0.95)] or 0
  if #sizes >= 20 and usual > USUAL_FUNCTION then
    complain("src", 0, "19 of 20 functions have up to %d lines, at most %d", usual, USUAL_FUNCTION)
  end
  return sizes[math.ceil(#sizes / 2)] or 0, usual
end

-- rules: Lua ends at bind, the BLAS at one file
local function check_system_include(path, n, name, folder)
  if (name == "lua.h" or name == "lauxlib.h" or name == "lualib.h" or name == "lua.hpp")
    and folder ~= "bind" and folder ~= "main" then
    complain(path, n, "<%s> outside src/bind", name)
  elseif name == "cblas.h" and path ~= "src/tensor/blas.c" then
    complain(path, n, "<cblas.h> outside src/tensor/blas.c")
  end
end

-- rules: lower floors do not know upper ones, extensions use the front door
local function check_include(path, n, name, public)
  local from = folder_of(path)
  local to = name:match("^([%w_]+)/")
  check_system_include(path, n, name, from)
  if name == "deer.h" then
    if not FRONT_DOOR[from] and FLOOR[from] < FLOOR.agent then
      complain(path, n, "%s is below deer.h", from)
    end
  elseif from == "envs" and not to and sys.exists(root .. "/envs/" .. name) then
    return -- its own folder, which is no folder of src
  elseif not to or not FLOOR[to] or not sys.exists(root .. "/src/" .. name) then
    complain(path, n, '"%s" is no header of src', name)
  elseif FRONT_DOOR[from] and not public[path] and to ~= from and from ~= "main" then
    complain(path, n, '%s includes "deer.h" and its own folder, not "%s"', from, name)
  elseif FLOOR[to] > FLOOR[from] then
    complain(path, n, '%s must not know "%s" of a floor above', from, name)
  end
end

-- rule: the core returns, it does not print, exit or jump
local function check_calls(path, n, line, folder)
  for name in line:gmatch("%f[%w_]([%a_][%w_]*)%s*%(") do
    local what = FORBIDDEN[name]
    -- the counted allocator itself stands on malloc
    if what and not (folder == "base" and what == UNCOUNTED) then
      complain(path, n, "%s() %s", name, what)
    end
  end
  local stream = line:match("%f[%w_]stdout%f[^%w_]") or line:match("%f[%w_]stderr%f[^%w_]")
  if stream then complain(path, n, "the core does not use %s", stream) end
end

local function check_code(path, text, public)
  local folder = folder_of(path)
  if not folder then return end
  -- names of includes are literals, so they come from the raw text
  local raw = lines_of(text)
  for n, line in ipairs(lines_of(code_only(text))) do
    if line:find("^%s*#%s*include") then
      local name = raw[n]:match('include%s*"([^"]+)"')
      local system = raw[n]:match("include%s*<([^>]+)>")
      if system then check_system_include(path, n, system, folder) end
      if name and not name:find("%.def$") then check_include(path, n, name, public) end
    elseif folder ~= "bind" and folder ~= "main" then
      check_calls(path, n, line, folder)
    end
  end
end

--- Names and lines of a .def list.
local function read_list(kind)
  local listed = {}
  if not sys.exists(root .. "/" .. kind.list) then return listed end
  for n, line in ipairs(lines_of(code_only(read(kind.list)))) do
    local name = line:match("^" .. kind.kind:upper() .. "%(([%w_]+)%)%s*$")
    if name and listed[name] then
      complain(kind.list, n, "%s is listed twice", name)
    elseif name then
      listed[name] = n
      listed[#listed + 1] = name
    elseif line:find("%S") then
      complain(kind.list, n, "expected one %s(name) per line", kind.kind:upper())
    end
  end
  return listed
end

-- rule: a class and its line in the list belong together
local function check_kind(kind, sources)
  local listed, defined = read_list(kind), {}
  local pattern = "const%s+" .. kind.class .. "%s+deer_" .. kind.kind .. "_([%w_]+)%s*="
  for _, path in ipairs(sources) do
    for name in sources[path]:gmatch(pattern) do
      defined[name] = path
      if not listed[name] then complain(path, 1, "%s is not in %s", name, kind.list) end
      local home = kind.file and kind.file:format(name)
      if home and home ~= path then complain(path, 1, "%s belongs into %s", name, home) end
    end
  end
  for _, name in ipairs(listed) do
    if not defined[name] then
      complain(kind.list, listed[name], "no file defines const %s deer_%s_%s", kind.class,
        kind.kind, name)
    end
  end
end

-- the headers that deer.h lists are its parts: they cannot include it
local function public_headers()
  local public = {}
  if not sys.exists(root .. "/src/deer.h") then return public end
  for name in read("src/deer.h"):gmatch('#include "([^"]+)"') do public["src/" .. name] = true end
  return public
end

local function main()
  local public, sources, files = public_headers(), {}, {}
  for _, folder in ipairs { "src", "envs", "lua", "examples", "scripts", "tests" } do
    walk(folder, files)
  end
  for _, path in ipairs(files) do
    local kind = path:match("%.(%a+)$")
    if kind == "c" or kind == "h" or kind == "lua" then
      local text = read(path)
      local lines = lines_of(text)
      check_size(path, lines)
      if kind ~= "lua" then check_code(path, text, public) end
      if kind == "c" and folder_of(path) then
        check_functions(path, lines)
        sources[#sources + 1] = path
        sources[path] = code_only(text)
      end
    end
  end
  for _, kind in ipairs(KINDS) do check_kind(kind, sources) end
  local median, usual = check_function_sizes()
  print(("check: %d files, %d C functions of %d lines in the median, 19 of 20 up to %d; %s"):format(
    #files, #sizes, median, usual, violations == 0 and "all rules kept"
      or violations .. " violations"))
  return violations == 0
end

os.exit(main())
