--- Runs the program under test as a child process, for specs.
local sys = require "deer.sys"

local child = {}

---@param text string
---@return string
function child.quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

local folders = {}

--- A new empty folder; `child.clean()` removes it.
---@return string
function child.folder()
  local name = os.tmpname()
  os.remove(name)
  name = name .. ".d"
  assert(sys.mkdir(name))
  folders[#folders + 1] = name
  return name
end

--- A folder with these files in it: { ["src/a.c"] = "text" }.
---@param files table<string, string>
---@return string
function child.tree(files)
  local root = child.folder()
  for path, text in pairs(files) do
    assert(sys.mkdir((root .. "/" .. path):match "^(.*)/"))
    write(root .. "/" .. path, text)
  end
  return root
end

function child.clean()
  for _, folder in ipairs(folders) do os.execute("rm -rf " .. child.quote(folder)) end
  folders = {}
end

--- Runs a shell command; returns exit status, standard output and standard error.
---@param command string
---@param input string?
---@return integer status, string out, string err
function child.shell(command, input)
  local base = child.folder()
  write(base .. "/in", input or "")
  local ok, what, code = os.execute(("{ %s ; } <%s/in >%s/out 2>%s/err"):format(command,
    base, base, base))
  local status = what == "signal" and 128 + code or code
  assert(ok or status ~= 0)
  return status, read(base .. "/out"), read(base .. "/err")
end

-- the interpreter that runs this spec stands at the lowest index of arg
local lowest = 0
while arg[lowest - 1] do lowest = lowest - 1 end
local pipe = assert(io.popen("realpath " .. child.quote(arg[lowest])))
child.program = pipe:read "l"
pipe:close()

--- Built with sanitizers (make SAN=1, TSAN=1), which make it many times slower.
child.is_slow = child.program:find "/t?san/deerlua$" ~= nil

---@class child.options
---@field input string? standard input
---@field cwd string? folder to run in
---@field env string? assignments in front: "A=1 B=2"
---@field before string? a command that runs the program: "timeout -s INT 0.2"

--- Runs the program with these arguments.
---@param args string[]
---@param options child.options?
---@return integer status, string out, string err
function child.run(args, options)
  options = options or {}
  local words = { options.program or child.program }
  for _, word in ipairs(args) do words[#words + 1] = word end
  for i, word in ipairs(words) do words[i] = child.quote(word) end
  local command = ("cd %s && %s %s %s"):format(child.quote(options.cwd or "."),
    options.env and "env " .. options.env or "",
    options.before or child.is_slow and "timeout 600" or "timeout 60",
    table.concat(words, " "))
  return child.shell(command, options.input)
end

return child
