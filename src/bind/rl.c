/* rl.c: core.rl: the formulas of rl/ over the nodes of scripts, one line each in formulas.def. A
 * formula takes one table of arguments with names and returns its nodes in order. */
#include "bind/node.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 8 // arguments of a formula

typedef struct argument {
  deer_node node;
  double number;
  bool flag;
  const int *list;
  int n_list;
  deer_rng *stream;
} argument;

typedef struct formula {
  const char *name, *arguments;
  int n_results;
  void (*build)(deer_graph *g, const argument *in, deer_node *out);
} formula;

#define N(i) in[i].node
#define X(i) in[i].number
#define B(i) in[i].flag
#define L(i) in[i].list
#define M(i) in[i].n_list
#define R(i) in[i].stream
#define FORMULA(name, arguments, call)                                                             \
  static void build_##name(deer_graph *g, const argument *in, deer_node *out) { out[0] = call; }
#define PAIR(name, arguments, call)                                                                \
  static void build_##name(deer_graph *g, const argument *in, deer_node *out) {                    \
    deer_squashed pair = call;                                                                     \
    out[0] = pair.action;                                                                          \
    out[1] = pair.log_prob;                                                                        \
  }
#include "bind/formulas.def"
#undef FORMULA
#undef PAIR

static const formula formulas[] = {
#define FORMULA(name, arguments, call) {#name, arguments, 1, build_##name},
#define PAIR(name, arguments, call)    {#name, arguments, 2, build_##name},
#include "bind/formulas.def"
#undef FORMULA
#undef PAIR
};

/* ---- what a formula takes ---- */

// one word of its arguments
typedef struct parameter {
  char name[32];
  char kind;       // '\0' for a node, else the sign that follows the name
  double fallback; // of a number; NAN: it must be given
} parameter;

// the words of a formula; returns how many
static int split(const char *words, parameter parameters[MOST]) {
  int n = 0;
  for (size_t length; n < MOST && *words; words += length + (words[length] == ' '), n++) {
    length = strcspn(words, " ");
    size_t name = strcspn(words, " ?#!*~");
    parameter *p = &parameters[n];
    snprintf(p->name, sizeof p->name, "%.*s", (int)name, words);
    p->kind = name < length ? words[name] : '\0';
    p->fallback = name + 1 < length ? strtod(words + name + 1, NULL) : NAN;
  }
  return n;
}

// raises about a key of the table at 1 that is no argument
static void check_keys(lua_State *L, const formula *f, const parameter *parameters, int n) {
  const char *known[MOST];
  for (int i = 0; i < n; i++) known[i] = parameters[i].name;
  for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      deer_lua_fail(L, "%s: its arguments have names: %s", f->name, f->arguments);
    bool found = false;
    for (int i = 0; i < n; i++) found = found || strcmp(lua_tostring(L, -2), known[i]) == 0;
    if (found) continue;
    deer_lua_unknown(L, lua_pushfstring(L, "argument of %s", f->name), lua_tostring(L, -2), known,
                     (size_t)n);
  }
}

/* ---- reading ---- */

static int wrong(lua_State *L, const formula *f, const parameter *p, const char *expected) {
  char got[DEER_DESCRIBE];
  return deer_lua_fail(L, "%s: %s: expected %s, got %s", f->name, p->name, expected,
                       deer_lua_describe(L, -1, got));
}

// the list on top of the stack, in a userdata that takes its place
static void read_list(lua_State *L, const formula *f, const parameter *p, argument *a) {
  static const char expected[] = "a list of whole numbers of at least 1";
  if (!lua_istable(L, -1)) wrong(L, f, p, expected);
  lua_Unsigned n = lua_rawlen(L, -1);
  if (n < 1 || n > 64) wrong(L, f, p, "a list of 1 to 64 whole numbers");
  int *list = lua_newuserdatauv(L, (size_t)n * sizeof *list, 0);
  for (lua_Unsigned i = 0; i < n; i++) {
    lua_rawgeti(L, -2, (lua_Integer)i + 1);
    lua_Integer x = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
    if (x < 1 || x > INT32_MAX) wrong(L, f, p, expected);
    list[i] = (int)x;
    lua_pop(L, 1);
  }
  lua_remove(L, -2);
  *a = (argument){.list = list, .n_list = (int)n};
}

static void read_number(lua_State *L, const formula *f, const parameter *p, argument *a) {
  a->number = p->fallback;
  if (lua_isnil(L, -1) && !isnan(p->fallback)) return;
  if (lua_type(L, -1) != LUA_TNUMBER || !isfinite(lua_tonumber(L, -1)) ||
      fabs(lua_tonumber(L, -1)) > INT32_MAX)
    wrong(L, f, p, "a number");
  a->number = lua_tonumber(L, -1);
}

// the value on top of the stack
static void read_argument(lua_State *L, const formula *f, const parameter *p, argument *a) {
  const deer_node_box *box = deer_lua_to_node(L, -1);
  switch (p->kind) {
  case '#':
    read_number(L, f, p, a);
    break;
  case '!':
    if (!lua_isnil(L, -1) && !lua_isboolean(L, -1)) wrong(L, f, p, "true or false");
    a->flag = lua_toboolean(L, -1);
    break;
  case '*':
    read_list(L, f, p, a);
    break;
  case '~':
    a->stream = luaL_testudata(L, -1, DEER_RNG_CLASS);
    if (!a->stream) wrong(L, f, p, "a deer.Rng");
    lua_pushvalue(L, -1);
    deer_lua_anchor(L, 2);
    break;
  default:
    if (box)
      a->node = box->node;
    else if (p->kind != '?' || !lua_isnil(L, -1))
      wrong(L, f, p, "a node");
  }
}

// upvalue 1: the formula; formula{ name = value, ... } -> nodes
static int call(lua_State *L) {
  const formula *f = lua_touserdata(L, lua_upvalueindex(1));
  parameter parameters[MOST];
  argument in[MOST] = {0};
  deer_node out[2];
  int n = split(f->arguments, parameters);
  deer_lua_check_options(L, 1);
  check_keys(L, f, parameters, n);
  luaL_checkstack(L, MOST + 8, NULL);
  // the nodes follow the table on the stack, where messages look for them; the first is needed
  for (int i = 0; i < n; i++) {
    lua_getfield(L, 1, parameters[i].name);
    read_argument(L, f, &parameters[i], &in[i]);
    const deer_node_box *first = deer_lua_to_node(L, 2), *box = deer_lua_to_node(L, -1);
    if (box && box->owner != first->owner)
      deer_lua_fail(L, "%s: %s is a node of another graph than %s", f->name, parameters[i].name,
                    parameters[0].name);
  }
  f->build(deer_lua_check_node(L, 2)->owner->graph, in, out);
  for (int i = 0; i < f->n_results; i++) deer_lua_push_node(L, 2, out[i]);
  return f->n_results;
}

int deer_open_rl(lua_State *L) {
  lua_newtable(L);
  for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)&formulas[i]);
    lua_pushcclosure(L, call, 1);
    lua_setfield(L, -2, formulas[i].name);
  }
  return 1;
}
