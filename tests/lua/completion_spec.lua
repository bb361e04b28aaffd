-- What is made of the option tables: help, completion of shells, the manual page.
local child = require "child"

local function out_of(words, options)
  local status, out, err = child.run(words, options)
  assert.same({ 0, "" }, { status, err })
  return out
end

local function golden(name)
  local file = assert(io.open("tests/golden/help/" .. name))
  local content = file:read "a"
  file:close()
  return content
end

-- what bash proposes when the cursor is behind the last word
local function proposed(words)
  local bin = child.program:match "^(.*)/" or "."
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = child.quote(word) end
  local script = ([[PATH=%s:$PATH; eval "$(deerlua completion bash)"
    COMP_WORDS=(deerlua %s); COMP_CWORD=%d; _deerlua; printf '%%s\n' "${COMPREPLY[@]}"]]):format(
    child.quote(bin), table.concat(quoted, " "), #words)
  local status, out = child.shell("bash -c " .. child.quote(script))
  assert.equal(0, status)
  local set = {}
  for word in out:gmatch "[^\n]+" do set[word] = true end
  return set
end

describe("the help", function()
  -- after a change: build/deerlua help NAME >tests/golden/help/NAME.txt
  for _, name in ipairs { "train", "enjoy", "eval", "completion" } do
    it("of " .. name .. " is made of its options", function()
      local help = out_of { "help", name }
      assert.equal(golden(name .. ".txt"), help)
      assert.equal(help, out_of { name, "--help" })
    end)
  end
end)

describe("completion", function()
  after_each(child.clean)

  it("in bash proposes subcommands, options and what they take", function()
    local words = proposed { "tr" }
    assert.is_true(words.train and not words.enjoy)
    words = proposed { "train", "--e" }
    assert.is_true(words["--env"] and words["--epochs"] and not words["--algo"])
    words = proposed { "train", "--env", "" }
    assert.is_true(words.cartpole and words.toy_env)
    words = proposed { "train", "--attach", "e" }
    assert.is_true(words.epsilon and words.evaluation and not words.trainer)
    words = proposed { "train", "--preset", "cartpole/d" }
    assert.is_true(words["cartpole/dqn"] and words["cartpole/double"])
    assert.same({}, proposed { "train", "--epochs", "" })
    assert.is_true((proposed { "completion", "--" })["--of"])
    words = proposed { "train", "--wrap", "mo" }
    assert.same({ monitor = true }, words)
  end)

  it("in bash proposes what stands without an option", function()
    assert.same({ bash = true, zsh = true, fish = true }, proposed { "completion", "" })
    assert.same({ env = true }, proposed { "check", "" })
    assert.is_true((proposed { "check", "env", "cart" }).cartpole)
    assert.same({ env = true }, proposed { "new", "e" })
    assert.same({ envs = true, environments = true }, proposed { "list", "e" })
    assert.same({ FrameStack = true }, proposed { "help", "Fr" })
    assert.is_true((proposed { "help", "tr" }).train)
    assert.same({}, proposed { "eval", "" }) -- files
    assert.same({ ["--help"] = true }, proposed { "list", "--h" })
  end)

  it("in fish proposes the same", function()
    if child.shell "command -v fish" ~= 0 then return end
    local function in_fish(line)
      local script = ("set PATH %s $PATH; deerlua completion fish | source; complete -C %s"):format(
        child.program:match "^(.*)/", child.quote(line))
      local status, out, err = child.shell("HOME=. fish -c " .. child.quote(script))
      assert.same({ 0, "" }, { status, err })
      return (out:gsub("\t[^\n]*", ""))
    end
    assert.equal("bash\nfish\nzsh\n", in_fish "deerlua completion ")
    assert.equal("cartpole\n", in_fish "deerlua check env cart")
    assert.equal("FrameStack\n", in_fish "deerlua help Fr")
    assert.equal("monitor\n", in_fish "deerlua train --wrap mo")
    assert.equal("environments\nenvs\n", in_fish "deerlua list e")
  end)

  it("knows a person's own names", function()
    local root = child.tree { ["envs/walk.lua"] = "" }
    assert.matches("\nwalk\n", out_of({ "completion", "--of", "train", "--option", "env" },
      { cwd = root }))
    assert.equal("", out_of { "completion", "--of", "nothing", "--option", "env" })
  end)

  it("for zsh and fish names every option of every subcommand once", function()
    local cli = require "deer.cli"
    local commandline = require "deer.commandline"
    local zsh, fish = out_of { "completion", "zsh" }, out_of { "completion", "fish" }
    for _, name in ipairs(cli.names()) do
      for _, option in ipairs(cli.find(name).options) do
        if not option.positional then
          local words = commandline.words(option)
          local pattern = ("from %s' -l %s "):format(name, words):gsub("%p", "%%%0")
          assert.equal(1, select(2, fish:gsub(pattern, "")), name .. " " .. words)
          assert.is_true(zsh:find("--" .. words, 1, true) ~= nil)
        end
      end
    end
    for _, spec in ipairs { "':SHELL:(bash zsh fish)'", "':env:(env)'",
      "':NAME:($(deerlua completion --of help --option name))'",
      "':NAME|FILE:($(deerlua completion --of check --option name))'", "':RUN:_files'" } do
      assert.is_true(zsh:find(spec, 1, true) ~= nil, spec)
    end
    -- every quote is closed
    for line in zsh:gmatch "[^\n]+" do
      if line:find "^        " then
        assert.equal(0, select(2, line:gsub("'\\''", ""):gsub("'", "")) % 2, line)
      end
    end
  end)

  it("refuses other shells", function()
    local status, _, err = child.run { "completion", "bsh" }
    assert.equal(2, status)
    assert.equal("deerlua completion: option 'shell': expected one of 'bash', 'zsh', 'fish', got "
      .. "'bsh'; did you mean 'bash'?\n", err)
    status, _, err = child.run { "completion" }
    assert.equal(2, status)
    assert.equal("deerlua completion: expected one of 'bash', 'zsh', 'fish'\n", err)
  end)
end)

describe("the manual page", function()
  it("has every subcommand and option, and nothing that troff stumbles over", function()
    local page = out_of { "man" }
    for _, words in ipairs { ".SH NAME", ".SS deerlua train", ".SS deerlua enjoy",
      ".B \\-a \\-\\-algo NAME", ".SH EXIT STATUS" } do
      assert.is_true(page:find(words, 1, true) ~= nil, words)
    end
    if child.shell "command -v groff" ~= 0 then return end
    local status, out, err = child.shell("groff -man -Tascii -ww", page)
    assert.same({ 0, "" }, { status, err })
    assert.matches("deerlua train", out)
  end)
end)
