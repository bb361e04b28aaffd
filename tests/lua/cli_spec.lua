-- The program as people meet it: options, scripts, prompt, errors, Ctrl-C, the copied binary.
local sys = require "deer.sys"
local child = require "child"

local has_deer = sys.source "deer" ~= nil

describe("deerlua", function()
  after_each(child.clean)

  describe("explains and uses threads", function()
    local script = [[
      local deer = require "deer"
      local env = deer.env "toy_env" { seed = 1 }
      local q = deer.QNetwork{ environment = env, batch_size = 64, network = { trunk = {
        { "dense", units = 128 }, { "dense", units = 128 } } } }
      local agent = deer.NeuralAgent{ environment = env, q_network = q, seed = 2 }
      agent:attach(deer.controllers.TrainerController{})
      agent:run(1, 150)
      local sum = 0
      for _, x in ipairs(q:qValues{ { 1, 2, 3, 4, 5, 6 }, { 1 } }) do sum = sum + x end
      print(deer.threads(), sum)]]

    it("with the same numbers, and a table on stderr", function()
      local root = child.tree { ["s.lua"] = script }
      local status, out, err = child.run({ "s.lua" }, { cwd = root })
      assert.equal("", err)
      assert.equal(0, status)
      local _, two, table_ = child.run({ "--explain", "--threads", "2", "s.lua" }, { cwd = root })
      assert.equal((out:gsub("\n1\t", "\n2\t")), two)
      assert.matches("step +us +share +flops +bytes", table_)
      assert.matches("product%+bias%+relu = trunk%.dense2", table_)
      assert.matches(" all +%d+%.%d+ +100%.0%%", table_)
    end)

    it("but refuses numbers of threads that make no sense", function()
      for _, words in ipairs { { "--threads" }, { "--threads", "0" }, { "--threads", "x" },
        { "--threads", "65" } } do
        local status, out, err = child.run(words)
        assert.equal(2, status)
        assert.equal("", out)
        assert.matches("^deerlua: '%-%-threads' needs a number from 1 to 64\n", err)
      end
      local status, _, err = child.run { "-e", "require('deer').threads(0)" }
      assert.equal(1, status)
      assert.matches("threads: expected a number from 1 to 64, got 0", err)
    end)
  end)

  describe("runs a script", function()
    it("with its arguments in ... and arg", function()
      local root = child.tree {
        ["s.lua"] = "print(...) print(arg[0], #arg, arg[2], arg[-1], arg[-3])" }
      local status, out, err = child.run({ "-e", "x=1", root .. "/s.lua", "a", "b c" })
      assert.equal("", err)
      assert.equal(("a\tb c\n%s/s.lua\t2\tb c\tx=1\t%s\n"):format(root, child.program), out)
      assert.equal(0, status)
    end)

    it("with a #! line, and without a suffix", function()
      local root = child.tree { ["s.lua"] = "#!/usr/bin/env deerlua\nprint 'x'",
        ["word"] = "print 'w'" }
      local status, out = child.run({ "./s.lua" }, { cwd = root })
      assert.equal("x\n", out)
      assert.equal(0, status)
      assert.equal("w\n", (select(2, child.run({ "word" }, { cwd = root }))))
    end)

    it("from standard input", function()
      local _, out = child.run({ "-", "a", "b" }, { input = "print(arg[0], ...)" })
      assert.equal("-\ta\tb\n", out)
      _, out = child.run({}, { input = "print(arg[0] ~= nil, ...)" })
      assert.equal("true\n", out)
    end)

    it("whose error names file and line, with status 1", function()
      local root = child.tree { ["s.lua"] = "local function f()\n  error 'boom'\nend\nf()\n" }
      local status, out, err = child.run({ "s.lua" }, { cwd = root })
      assert.equal("", out)
      assert.equal(1, status)
      assert.matches("^deerlua: s%.lua:2: boom\nstack traceback:\n", err)
      assert.matches("s%.lua:4: in main chunk", err)
    end)

    it("whose error is an object", function()
      local status, _, err = child.run { "-e",
        "error(setmetatable({}, { __tostring = function() return 'my words' end }))" }
      assert.equal("deerlua: my words\n", err)
      assert.equal(1, status)
      _, _, err = child.run { "-e", "error {}" }
      assert.matches("^deerlua: %(command line%):1: %(error object is a table value%)", err)
      status, _, err = child.run { "-e", "error()" }
      assert.matches("^deerlua: %(command line%):1: %(error object is a nil value%)", err)
      assert.equal(1, status)
    end)

    it("that is wrong Lua, is missing or is a folder, with one line and status 1", function()
      local root = child.tree { ["s.lua"] = "x = = 1\n", ["d.lua/x"] = "" }
      local status, _, err = child.run({ "s.lua" }, { cwd = root })
      assert.equal("deerlua: s.lua:1: unexpected symbol near '='\n", err)
      assert.equal(1, status)
      status, _, err = child.run({ "none.lua" }, { cwd = root })
      assert.equal("deerlua: cannot open none.lua: No such file or directory\n", err)
      assert.equal(1, status)
      status, _, err = child.run({ "d.lua" }, { cwd = root })
      assert.matches("^deerlua: cannot read d%.lua[^\n]*\n$", err)
      assert.equal(1, status)
    end)

    it("and hands on the status of os.exit", function()
      assert.equal(7, (child.run { "-e", "os.exit(7)" }))
      assert.equal(0, (child.run { "-e", "os.exit(true, true)" }))
      assert.equal(1, (child.run { "-e", "os.exit(false, true)" }))
    end)

    it("and says when what it prints cannot be written", function()
      local program = child.quote(child.program)
      for _, words in ipairs { "help", "--help", "-e 'print(1)'", "-e 'io.write(1)'" } do
        local status, _, err = child.shell(program .. " " .. words .. " >/dev/full")
        assert.equal(1, status)
        assert.matches("^deerlua: cannot write the standard output: [^\n]+\n$", err)
      end
    end)

    it("and closes its state at the end", function()
      local _, out = child.run { "-e",
        "x = setmetatable({}, { __gc = function() print 'closed' end })" }
      assert.equal("closed\n", out)
    end)
  end)

  describe("has the options of lua:", function()
    it("-e, several, in order", function()
      local status, out = child.run { "-e", "a = 1", "-ea = a + 1", "-e", "print(a)" }
      assert.equal("2\n", out)
      assert.equal(0, status)
    end)

    it("-e reports as (command line)", function()
      local status, _, err = child.run { "-e", "error 'x'", "-e", "print 'not reached'" }
      assert.matches("^deerlua: %(command line%):1: x\n", err)
      assert.equal(1, status)
    end)

    it("-l, with and without another name", function()
      local root = child.tree { ["mod/a.lua"] = "return { v = ... }" }
      local _, out, err = child.run({ "-l", "mod.a", "-lg=mod.a",
        "-e", "print(_G['mod.a'].v, g == _G['mod.a'])" }, { cwd = root })
      assert.equal("mod.a\ttrue\n", out, err)
      local status
      status, _, err = child.run { "-l", "no.such" }
      assert.matches("^deerlua: module 'no%.such' not found:", err)
      assert.equal(1, status)
    end)

    it("-v and --version", function()
      for _, option in ipairs { "-v", "--version" } do
        local status, out = child.run { option }
        assert.matches("^deerlua %d+%.%d+%.%d+ %(Lua 5%.4%.%d+%)\n", out)
        assert.matches("OpenBLAS", out)
        assert.equal(0, status)
      end
    end)

    it("-h and --help", function()
      local status, out = child.run { "--help" }
      assert.matches("^usage: deerlua ", out)
      assert.equal(0, status)
      assert.equal(out, select(2, child.run { "-h" }))
    end)

    it("-W", function()
      local _, _, err = child.run { "-e", "warn 'careful'" }
      assert.equal("", err)
      _, _, err = child.run { "-W", "-e", "warn 'careful'" }
      assert.equal("Lua warning: careful\n", err)
    end)

    it("LUA_INIT, a file in it, and -E against it", function()
      local root = child.tree { ["init.lua"] = "print 'from file'" }
      local env = { env = [[LUA_INIT="print 'init'"]] }
      assert.equal("init\n1\n", (select(2, child.run({ "-e", "print(1)" }, env))))
      assert.equal("1\n", (select(2, child.run({ "-E", "-e", "print(1)" }, env))))
      env.env = "LUA_INIT_5_4=@" .. root .. "/init.lua " .. env.env
      assert.equal("from file\n", (select(2, child.run({ "-e", "" }, env))))
      local status, _, err = child.run({ "-e", "" }, { env = "LUA_INIT=x+" })
      assert.matches("^deerlua: LUA_INIT:1: ", err)
      assert.equal(1, status)
    end)

    it("-- before a script named like an option", function()
      local root = child.tree { ["-x.lua"] = "print 'dash'", ["-"] = "print 'file -'" }
      assert.equal("dash\n", (select(2, child.run({ "--", "-x.lua" }, { cwd = root }))))
      assert.equal("file -\n", (select(2, child.run({ "--", "-" }, { cwd = root }))))
    end)

    it("refuses others, with a hint and status 2", function()
      local bad = { ["-x"] = "is not an option", ["-vv"] = "is not an option",
        ["-e"] = "needs an argument", ["-l"] = "needs an argument" }
      for option, what in pairs(bad) do
        local status, out, err = child.run { option }
        assert.equal(("deerlua: '%s' %s\ntry `deerlua --help`\n"):format(option, what), err)
        assert.equal("", out)
        assert.equal(2, status)
      end
    end)
  end)

  describe("has subcommands:", function()
    it("help lists them", function()
      local status, out = child.run { "help" }
      assert.matches("\n  help +%w", out)
      assert.matches("\n  list +%w", out)
      assert.equal(0, status)
      status, out = child.run { "help", "help" }
      assert.matches("usage: deerlua help", out)
      assert.equal(0, status)
    end)

    it("help tells the options of everything that list shows", function()
      local status, out = child.run { "list" }
      assert.equal(0, status)
      local n = 0
      for name in out:gmatch "\n  ([%w_]+)" do
        local code, text, err = child.run { "help", name }
        assert.same({ 0, "" }, { code, err })
        -- the class of an environment is called ToyEnv, its file toy_env
        assert.is_true(text:lower():find((name:lower():gsub("_", "")), 1, true) ~= nil
          or text:find(name, 1, true) ~= nil, name)
        n = n + 1
      end
      assert.is_true(n >= 20)
      status, out = child.run { "help", "QNetwork" }
      assert.equal(0, status)
      assert.matches("\nMnih et al. 2015[^\n]+\nactions: discrete\n", out)
      assert.matches("\n  discount +0.9 +a number from 0 to 1; gamma[^\n]+; searched from 0.8 \z
        to 0.999\n", out)
      assert.matches("\n  update_rule +rmsprop +one of 'sgd', 'rmsprop'", out)
      -- a preset is an algorithm with other defaults
      for _, name in ipairs { "rainbow", "any/rainbow" } do
        status, out = child.run { "help", name }
        assert.equal(0, status)
        assert.matches("^preset any/rainbow of QNetwork: [^\n]+\n[^\n]*Hessel", out)
        assert.matches("\n  distribution +categorical +one of", out)
        assert.matches("\n  n_step +3 +an integer", out)
      end
      local code, _, err = child.run { "help", "QNetwrk" }
      assert.equal("deerlua: no subcommand or name 'QNetwrk'; did you mean 'QNetwork'?\n", err)
      assert.equal(2, code)
    end)

    it("list tells about each of its sections in lines", function()
      local _, all = child.run { "list" }
      local seen = {}
      for title, names in all:gmatch "(%l+):\n(  [^:`]*\n)" do
        local status, out, err = child.run { "list", title }
        assert.same({ 0, "" }, { status, err }, title)
        -- as many as there are, each with what it does
        local _, n = names:gsub("\n", "")
        local _, rows = out:gsub("[^\n]*%w[^\n]*  +%w[^\n]*\n", "")
        assert.equal(title == "algorithms" and rows or n, rows, title)
        seen[title] = out
      end
      assert.matches("^uniform +C  all samples are equally likely %[Lin", seen.replays)
      assert.matches("^dense +C  fully connected\n", seen.layers)
      assert.matches("\nNeuralAgent +Lua +an agent with a loop", "\n" .. seen.classes)
      assert.is_string(seen.optimisers)
    end)

    it("tells what the parts of the library are", function()
      for _, name in ipairs(require("deer.topics").names()) do
        local status, out, err = child.run { "help", name }
        assert.same({ 0, "" }, { status, err }, name)
        assert.matches("^%S[^\n]+\n", out)
        assert.is_nil(out:find "%-%-%-", name)
      end
      local _, out = child.run { "help", "environment" }
      assert.matches("\n  reset%(self, mode: integer%): any%[%] starts an [^\n]+\n      came", out)
      assert.matches("\n  optional render%(self%): deer.Tensor a picture", out)
      assert.matches("\n  Environment:copy%(seed%)\n      Another environment", out)
      _, out = child.run { "help", "deer.graph" }
      assert.matches("\n\ndeer.Graph:\n  input%(self, name: string, ", out)
      _, out = child.run { "help", "rl" }
      assert.matches("\n  qLearning%(nodes: ", out)
      local _, _, err = child.run { "help", "grap" }
      assert.matches("did you mean 'graph'%?\n$", err)
    end)

    it("an unknown one is answered with the nearest word, status 2", function()
      local root = child.tree { ["walk.lua"] = "print 'walk'" }
      local status, out, err = child.run({ "hlep" }, { cwd = root })
      assert.equal("deerlua: no subcommand or file 'hlep'; did you mean 'help'?\n", err)
      assert.equal("", out)
      assert.equal(2, status)
      status, out, err = child.run({ "walk" }, { cwd = root })
      assert.equal("", out)
      assert.equal("deerlua: no subcommand or file 'walk'; did you mean 'walk.lua'?\n", err)
      assert.equal(2, status)
      status, out, err = child.run { "help", "xyzzyxyzzy" }
      assert.equal("", out)
      assert.matches("^deerlua: no subcommand or name 'xyzzyxyzzy'; [^\n]+\n$", err)
      assert.equal(2, status)
      status, out, err = child.run { "list", "env" }
      assert.same({ 2, "" }, { status, out })
      assert.matches("^deerlua list: option 'what': expected .*; did you mean 'envs'%?\n$", err)
      status, out, err = child.run { "help", "list", "envs" }
      assert.same({ 2, "" }, { status, out })
      assert.equal("deerlua help: unexpected argument 'envs'\n", err)
    end)
  end)

  describe("has a prompt", function()
    local function prompt(lines, options)
      options = options or {}
      options.input = lines
      local status, out, err = child.run({ "-i", table.unpack(options) }, options)
      return out:gsub("^deerlua [^\n]*\n", ""), err, status
    end

    it("that prints expressions and continues statements", function()
      local out, _, status = prompt "x = 20\nx + 1\nfor i = 1, 2 do\nprint(i)\nend\n=x\n'a', nil\n"
      assert.equal("> > 21\n> >> >> 1\n2\n> 20\n> a\tnil\n> \n", out)
      assert.equal(0, status)
    end)

    it("that goes on after errors", function()
      local out, err = prompt "error 'boom'\n1 +* 1\nprint 'still here'\nfor\n"
      assert.matches("still here", out)
      assert.matches("stdin:1: boom\n", err)
      assert.matches("\nstdin:1: unexpected symbol near '1'\n", err)
      assert.matches("near <eof>\n$", err)
    end)

    it("after a script, with the script's globals", function()
      local root = child.tree { ["s.lua"] = "here = 'global'" }
      local out = prompt("here\n", { root .. "/s.lua" })
      assert.equal("> global\n> \n", out)
    end)

    it("with prompts of one's own", function()
      local out = prompt("_PROMPT, _PROMPT2 = '# ', '+ '\ndo\nend\n")
      assert.equal("> # + # \n", out)
    end)

    if has_deer then
      it("where deer is loaded, which it is not in a script", function()
        assert.matches("^> table\n", (prompt "type(deer)\n"))
        -- no line of deer's own is named when there is none of the person's
        assert.matches("^there is no env 'toyenv'; did you mean 'toy_env'%?\n",
          (select(2, prompt "deer.env 'toyenv'\n")))
        assert.equal("nil\n", (select(2, child.run { "-e", "print(deer)" })))
      end)
    end
  end)

  describe("is one file:", function()
    local function copy()
      local folder = child.folder()
      assert.equal(0, (child.shell(("cp %s %s"):format(child.program, folder))))
      return folder
    end

    it("a copy has its modules inside, and no source tree", function()
      local folder = copy()
      local _, out, err = child.run({ "-e", [[
        local sys = require "deer.sys"
        print(sys.root(), #sys.embedded "deer.cli" > 0, #sys.source "deer.cli" > 0)
        print(debug.getinfo(require("deer.cli").main, "S").source)
      ]] }, { program = folder .. "/deerlua", cwd = folder })
      assert.equal("", err)
      assert.equal("nil\ttrue\ttrue\n@lua/deer/cli/init.lua\n", out)
    end)

    it("a copy prefers what it holds to what lies on the path", function()
      local folder = copy()
      local other = child.tree { ["deer/cli/init.lua"] = "return 'another version'" }
      local _, out = child.run({ "-e", "print(type(require 'deer.cli'))" }, {
        program = folder .. "/deerlua", env = ("LUA_PATH='%s/?/init.lua'"):format(other) })
      assert.equal("table\n", out)
    end)

    it("in a source tree the tree's files come first", function()
      local tree = child.tree {
        ["lua/deer/init.lua"] = "return { from = 'tree' }", ["build/san/x"] = "" }
      assert.equal(0, (child.shell(("cp %s %s/build/san/"):format(child.program, tree))))
      local _, out = child.run({ "-e", "print(require('deer').from, require('deer.sys').root())" },
        { program = tree .. "/build/san/deerlua" })
      assert.equal(("tree\t%s\n"):format(tree), out)
    end)

    if has_deer then
      it("a copy has deer", function()
        local folder = copy()
        local status, out, err = child.run({ "-e", "print(type(require 'deer'))" },
          { program = folder .. "/deerlua", cwd = folder })
        assert.equal("table\n", out, err)
        assert.equal(0, status)
      end)
    end
  end)

  describe("stops at Ctrl-C", function()
    local function stops(code)
      local start = sys.time()
      local status, _, err = child.run({ "-e", code },
        { before = "timeout --preserve-status -k 5 -s INT 0.3" })
      assert.equal(130, status, err)
      assert.is_true(sys.time() - start < 1.3)
      return err
    end

    it("in a loop, naming the line", function()
      assert.matches("^deerlua: %(command line%):2: interrupted\n", stops "\nwhile true do end")
    end)

    it("in a loop that catches every error", function()
      stops "while true do pcall(function() while true do end end) end"
      stops "while true do xpcall(function() while true do end end, function() end) end"
    end)

    it("in a coroutine, and in one within another that is protected", function()
      stops "coroutine.wrap(function() while true do end end)()"
      stops [[
        local function spin() while true do pcall(function() while true do end end) end end
        local co = coroutine.create(function() coroutine.wrap(spin)() end)
        while true do coroutine.resume(co) end
      ]]
    end)

    it("while it waits for input", function()
      -- a pipe that is open for writing and stays empty
      local status = child.shell(([[cd %s; mkfifo pipe; exec 3<>pipe;
        timeout --preserve-status -k 5 -s INT 0.3 %s -e 'io.read()' <&3]]):format(
        child.folder(), child.quote(child.program)))
      assert.equal(130, status)
    end)

    it("twice, at once, when a script does not get to its end", function()
      local status = child.shell(([[%s -e 'x = setmetatable({}, { __gc = function()
        while true do end end }) while true do end' & p=$!; sleep 0.3; kill -INT $p; sleep 0.2;
        kill -INT $p; wait $p]]):format(child.quote(child.program)))
      assert.equal(130, status)
    end)

    it("in order when one key press arrives twice, as from timeout(1)", function()
      for _ = 1, 5 do
        local status, _, err = child.shell(([[%s -e 'while true do end' & p=$!; sleep 0.2;
          kill -INT $p; kill -INT $p; wait $p]]):format(child.quote(child.program)))
        assert.equal(130, status)
        assert.matches("interrupted", err)
      end
    end)

    it("and at SIGTERM, also in the prompt", function()
      for _, words in ipairs { "-e 'while true do pcall(function() while true do end end) end'",
        "-e 'io.read()'", "-i", "-i -e 'while true do end'" } do
        local start = sys.time()
        local status = child.shell(([[cd %s; mkfifo pipe; exec 3<>pipe;
          timeout --preserve-status -k 5 0.3 %s %s <&3]]):format(
          child.folder(), child.quote(child.program), words))
        assert.equal(143, status, words)
        assert.is_true(sys.time() - start < 1.3, words)
      end
    end)

    it("but the prompt goes on", function()
      local folder = child.folder()
      local _, out, err = child.shell(([[{ echo 'while true do end'; sleep 0.5;
        echo 'print "alive"'; } | %s -i & p=$!; sleep 0.3; kill -INT $p; wait $p]]):format(
        child.quote(child.program)), folder)
      assert.matches("stdin:1: interrupted", err)
      assert.matches("alive", out)
    end)
  end)

  it("keeps what coroutines do", function()
    local _, out, err = child.run { "-e", [[
      local co = coroutine.create(function(a, b)
        local c = coroutine.yield(a + b)
        error({ c })
      end)
      print(coroutine.resume(co, 1, 2))
      local ok, e = coroutine.resume(co, "c")
      print(ok, e[1], coroutine.status(co))
      print(coroutine.resume(co))
      print(pcall(coroutine.resume, 1))
      print(coroutine.resume(coroutine.running()))
      local gen = coroutine.wrap(function() for i = 1, 2 do coroutine.yield(i, -i) end end)
      print(gen()) print(gen()) print(gen()) print(pcall(gen))
      print(pcall(coroutine.wrap(function()
        local guard <close> = setmetatable({}, { __close = function() print "closed" end })
        error "inner"
      end)))
      print(pcall(coroutine.wrap, 1))
    ]] }
    assert.equal("", err)
    assert.equal([[
true	3
false	c	dead
false	cannot resume dead coroutine
false	bad argument #1 to 'coroutine.resume' (coroutine expected, got number)
false	cannot resume non-suspended coroutine
1	-1
2	-2

false	cannot resume dead coroutine
closed
false	(command line):15: inner
false	bad argument #1 to 'coroutine.wrap' (function expected, got number)
]], out)
  end)

  -- seconds of processor, not of the clock: other programs may be running
  it("starts in under 10 ms", function()
    -- sanitizers need longer to start than we do
    local limit = child.program:find "/t?san/" and 0.5 or 0.01
    local loop = ("TIMEFORMAT='%%U %%S'; time for i in $(seq 20); do %s -e ''; done"):format(
      child.quote(child.program))
    local _, _, err = child.shell("bash -c " .. child.quote(loop))
    local user, system = err:match "^(%S+) (%S+)"
    local each = (tonumber(user) + tonumber(system)) / 20
    assert.is_true(each < limit, ("%.1f ms"):format(each * 1e3))
  end)
end)
