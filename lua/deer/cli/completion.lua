--- deerlua completion: a script that lets a shell complete the command line.
local usage = require "deer.usage"

return {
  summary = "print a script that completes command lines in bash, zsh or fish",
  synopsis = "deerlua completion bash|zsh|fish",
  options = {
    { name = "shell", positional = true, choices = { "bash", "zsh", "fish" }, place = "SHELL",
      help = "bash, zsh or fish" },
    { name = "of", type = "string", place = "SUBCOMMAND", help = "print what an option takes: of \z
      this subcommand" },
    { name = "option", type = "string", place = "OPTION", help = "this option" },
    { name = "help", letter = "h", flag = true, help = "print this" },
  },
  notes = [[
bash: source <(deerlua completion bash)
zsh:  deerlua completion zsh >"${fpath[1]}/_deerlua"
fish: deerlua completion fish >~/.config/fish/completions/deerlua.fish
`make install` puts them where shells look for them.]],
  run = function(said)
    local completion = require "deer.completion"
    if said.of then
      for _, name in ipairs(completion.names(said.of, said.option or "")) do print(name) end
      return 0
    end
    if not said.shell then usage.fail "expected one of 'bash', 'zsh', 'fish'" end
    io.write(completion[said.shell]())
    return 0
  end,
}
