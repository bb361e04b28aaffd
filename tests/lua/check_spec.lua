-- Every rule of scripts/check.lua must catch a sample that breaks it.
local child = require "child"

local function check(files)
  return child.run { "scripts/check.lua", child.tree(files) }
end

--- A small tree that keeps every rule.
local function good()
  return {
    ["src/deer.h"] = '#include "base/base.h"\n#include "algo/algo.h"\n',
    ["src/base/base.h"] = "typedef int deer_status;\n",
    ["src/base/base.c"] = '#include "base/base.h"\n#include <stdlib.h>\n'
      .. "void *deer_alloc(int n) { return malloc(n); }\n",
    ["src/tensor/tensor.h"] = '#include "base/base.h"\n',
    ["src/tensor/blas.c"] = '#include "tensor/tensor.h"\n#include <cblas.h>\n',
    ["src/graph/graph.h"] = '#include "tensor/tensor.h"\n',
    ["src/graph/ops.def"] = "/* every op */\nOP(add)\nOP(mul)\n",
    ["src/graph/op/binary.c"] = '#include "graph/graph.h"\n// printf("no") is a comment\n'
      .. 'const char *s = "exit(1)";\n'
      .. "const deer_op deer_op_add = {0};\nconst deer_op deer_op_mul = {0};\n",
    ["src/algo/algo.h"] = '#include "graph/graph.h"\n',
    ["src/algo/algos.def"] = "ALGO(dqn)\n",
    ["src/algo/dqn.c"] = '#include "deer.h"\n#include "algo/algo.h"\n'
      .. "const deer_algo_class deer_algo_dqn = {0};\n",
    ["src/bind/bind.h"] = '#include "deer.h"\n#include <lua.h>\n',
    ["src/main.c"] = '#include "bind/bind.h"\nint main(void) { return printf("hi"); }\n',
    ["envs/pendulum.c"] = '#include "pendulum.h"\n',
    ["envs/pendulum.h"] = '#include "deer.h"\n',
    ["lua/deer/init.lua"] = "return {}\n",
  }
end

describe("scripts/check.lua", function()
  after_each(child.clean)

  it("accepts a tree that keeps the rules", function()
    local status, out = check(good())
    assert.equal(0, status, out)
    assert.matches("all rules kept", out)
  end)

  --- what is wrong, file, its text, what must be reported
  local bad = {
    { "an upward include", "src/tensor/tensor.c", '#include "graph/graph.h"\n',
      'src/tensor/tensor%.c:1: tensor must not know "graph/graph%.h"' },
    { "an upward include between comments", "src/tensor/tensor.c",
      '/* a\n b */\n\n#include "algo/algo.h"\n', "src/tensor/tensor%.c:4: tensor must not know" },
    { "deer.h in a low floor", "src/graph/graph.c", '#include "deer.h"\n',
      "src/graph/graph%.c:1: graph is below deer%.h" },
    { "a back door", "src/algo/ddpg.c", '#include "graph/graph.h"\n',
      "src/algo/ddpg%.c:1: algo includes \"deer%.h\" and its own folder" },
    { "a back door of bind", "src/bind/tensor.c", '#include "tensor/tensor.h"\n',
      "src/bind/tensor%.c:1: bind includes" },
    { "a back door of an environment", "envs/pong.c", '#include "base/base.h"\n',
      "envs/pong%.c:1: envs includes" },
    { "a header that no environment has", "envs/pong.c", '#include "ball.h"\n',
      'envs/pong%.c:1: "ball%.h" is no header of src' },
    { "a relative include", "src/graph/graph.c", '#include "graph.h"\n',
      'src/graph/graph%.c:1: "graph%.h" is no header of src' },
    { "an environment in no list", "envs/pong.c",
      '#include "deer.h"\nconst deer_env_class deer_env_pong = {0};\n',
      "envs/pong%.c:1: pong is not in envs/envs%.def" },
    { "a missing header", "src/graph/graph.c", '#include "graph/none.h"\n', "is no header of src" },
    { "Lua in the core", "src/tensor/lua.c", "#include <lua.h>\n",
      "src/tensor/lua%.c:1: <lua%.h> outside src/bind" },
    { "Lua in an environment", "envs/pong.c", "#include <lauxlib.h>\n", "<lauxlib%.h> outside" },
    { "the BLAS elsewhere", "src/tensor/tensor.c", "#include <cblas.h>\n", "<cblas%.h> outside" },
    { "printf", "src/graph/graph.c", 'void f(void) {\n  printf("x");\n}\n',
      "src/graph/graph%.c:2: printf%(%) prints" },
    { "stderr", "src/graph/graph.c", 'void f(void) { fprintf(stderr, "x"); }\n', "stderr" },
    { "exit", "src/graph/graph.c", "void f(void) { exit(1); }\n", "exit%(%) exits" },
    { "abort", "src/graph/graph.c", "void f(void) { abort (); }\n", "abort%(%) exits" },
    { "assert", "src/graph/graph.c", "void f(int a) { assert(a); }\n", "assert%(%) exits" },
    { "longjmp", "src/graph/graph.c", "void f(jmp_buf b) { longjmp(b, 1); }\n",
      "longjmp%(%) jumps" },
    { "malloc", "src/graph/graph.c", "void *f(void) { return malloc(1); }\n",
      "malloc%(%) allocates uncounted" },
    { "printf in base", "src/base/log.c", 'void f(void) { printf("x"); }\n', "printf%(%) prints" },
    { "a class without its line", "src/algo/sac.c",
      '#include "deer.h"\nconst deer_algo_class deer_algo_sac = {0};\n',
      "src/algo/sac%.c:1: sac is not in src/algo/algos%.def" },
    { "a line without its class", "src/algo/algos.def", "ALGO(dqn)\nALGO(sac)\n",
      "src/algo/algos%.def:2: no file defines const deer_algo_class deer_algo_sac" },
    { "a class in another's file", "src/algo/sac.c", '#include "deer.h"\n'
      .. "const deer_algo_class deer_algo_ddpg = {0};\n", "ddpg belongs into src/algo/ddpg%.c" },
    { "an op without its line", "src/graph/op/unary.c", "const deer_op deer_op_exp = {0};\n",
      "exp is not in src/graph/ops%.def" },
    { "a line without its op", "src/graph/ops.def", "OP(add)\nOP(mul)\nOP(exp)\n",
      "src/graph/ops%.def:3: no file defines" },
    { "a layer without its line", "src/nn/layer/dense.c",
      "const deer_layer_class deer_layer_dense = {0};\n", "dense is not in src/nn/layers%.def" },
    { "an optimiser without its line", "src/opt/adam.c",
      "const deer_opt_class deer_opt_adam = {0};\n", "adam is not in src/opt/opts%.def" },
    { "a replay without its line", "src/replay/uniform.c",
      "const deer_replay_class deer_replay_uniform = {0};\n", "uniform is not in" },
    { "a line listed twice", "src/algo/algos.def", "ALGO(dqn)\nALGO(dqn)\n",
      "dqn is listed twice" },
    { "a malformed line", "src/algo/algos.def", "ALGO(dqn), ALGO(x)\n",
      "one ALGO%(name%) per line" },
    { "a long file", "src/graph/graph.c", ("\n"):rep(801), "file has 801 lines" },
    { "a long line of C", "src/graph/graph.c", "// " .. ("x"):rep(98) .. "\n", "101 columns" },
    { "a long line of Lua", "lua/deer/x.lua", "-- " .. ("x"):rep(98) .. "\n", "101 columns" },
    { "a long function", "src/graph/graph.c", "void f(void) {\n" .. ("  g();\n"):rep(149) .. "}\n",
      "src/graph/graph%.c:1: function has 151 lines" },
    { "long functions", "src/graph/graph.c",
      ("void f(void) {\n" .. ("  g();\n"):rep(60) .. "}\n"):rep(12)
        .. ("int a(void) { b(); }\n"):rep(9),
      "19 of 20 functions have up to 62 lines" },
  }
  for _, case in ipairs(bad) do
    it("finds " .. case[1], function()
      local files = good()
      files[case[2]] = case[3]
      local status, out = check(files)
      assert.matches(case[4], out)
      assert.equal(1, status)
    end)
  end

  it("counts characters, not bytes", function()
    local files = good()
    files["lua/deer/x.lua"] = "-- " .. ("é"):rep(97) .. "\n"
    local status, out = check(files)
    assert.equal(0, status, out)
  end)
end)
