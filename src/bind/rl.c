/* rl.c: core.rl: the formulas of rl/ over the nodes of scripts. A formula takes one table of named
 * nodes and returns its results in order; a new one is a function and a line in the table. */
#include "bind/node.h"

#include <stdio.h>
#include <string.h>

#define MOST 8 // arguments and results of a formula

typedef struct formula {
  const char *name;
  const char *arguments; // "q_tm1 a_tm1": names of the table; one that may be absent ends with ?
  int n_results;
  void (*build)(deer_graph *g, const deer_node *in, deer_node *out);
} formula;

static void q_learning(deer_graph *g, const deer_node *in, deer_node *out) {
  deer_transition transition = {.a_tm1 = in[1], .r_t = in[2], .discount_t = in[3]};
  // without a selector the action is valued by those who chose it
  out[0] = deer_q_learning(g, in[0], &transition, in[4], in[5].id ? in[5] : in[4]);
}

static const formula formulas[] = {
    {"qLearning", "q_tm1 a_tm1 r_t discount_t q_t selector_t?", 1, q_learning},
};

/* ---- calling ---- */

// the names of a formula's arguments; returns how many
static int split(const char *words, char names[MOST][32], bool optional[MOST]) {
  int n = 0;
  for (size_t length; n < MOST && *words; words += length + (words[length] == ' '), n++) {
    length = strcspn(words, " ");
    optional[n] = words[length - 1] == '?';
    snprintf(names[n], 32, "%.*s", (int)(length - optional[n]), words);
  }
  return n;
}

// raises about a key of the table at 1 that is no argument
static void check_keys(lua_State *L, const formula *f, char names[MOST][32], int n) {
  const char *known[MOST];
  for (int i = 0; i < n; i++) known[i] = names[i];
  for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
    bool found = false;
    for (int i = 0; i < n && lua_type(L, -2) == LUA_TSTRING; i++)
      found = found || strcmp(lua_tostring(L, -2), names[i]) == 0;
    if (found) continue;
    if (lua_type(L, -2) != LUA_TSTRING)
      deer_lua_fail(L, "%s: its nodes have names: %s", f->name, f->arguments);
    deer_lua_unknown(L, lua_pushfstring(L, "node of %s", f->name), lua_tostring(L, -2), known,
                     (size_t)n);
  }
}

// upvalue 1: the formula; formula{ name = node, ... } -> nodes
static int call(lua_State *L) {
  const formula *f = lua_touserdata(L, lua_upvalueindex(1));
  char names[MOST][32], got[DEER_DESCRIBE];
  bool optional[MOST];
  deer_node in[MOST] = {{0}}, out[MOST];
  const deer_node_box *first = NULL;
  int n = split(f->arguments, names, optional);
  deer_lua_check_options(L, 1);
  check_keys(L, f, names, n);
  // the nodes follow the table on the stack, where messages look for them
  for (int i = 0; i < n; i++) {
    if (lua_getfield(L, 1, names[i]) == LUA_TNIL && optional[i]) continue;
    const deer_node_box *box = deer_lua_to_node(L, -1);
    if (!box)
      deer_lua_fail(L, "%s: %s: expected a node, got %s", f->name, names[i],
                    deer_lua_describe(L, -1, got));
    if (!first) first = box;
    if (box->owner != first->owner)
      deer_lua_fail(L, "%s: %s is a node of another graph than %s", f->name, names[i], names[0]);
    in[i] = box->node;
  }
  f->build(first->owner->graph, in, out);
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
