/* optimizer.c: core.optimizer: the state of an optimiser for one block of parameters, and its
 * update as nodes. lua/deer/graph/optimizers.lua makes one for each block it is given. */
#include "bind/node.h"

#include <stdio.h>

#define OPTIMIZER_CLASS "deer.OptimizerState"

static deer_opt **check_opt(lua_State *L) { return luaL_checkudata(L, 1, OPTIMIZER_CLASS); }

// the class called by the name at `arg`; raises with the nearest name
static const deer_opt_class *check_class(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg), *names[256];
  size_t n = 0;
  const deer_opt_class *class = deer_opt_find(name);
  if (class) return class;
  for (; n < 256 && deer_opt_at((int)n); n++) names[n] = deer_opt_at((int)n)->name;
  deer_lua_unknown(L, "optimiser", name, names, n);
  return NULL;
}

// optimizer(name, options, size)
static int opt_new(lua_State *L) {
  const deer_opt_class *class = check_class(L, 1);
  lua_Integer size = deer_lua_check_integer(L, 3);
  luaL_argcheck(L, size >= 1 && size <= INT32_MAX, 3, "number of parameters expected");
  int n;
  luaL_checktype(L, 2, LUA_TTABLE);
  const deer_option *options = deer_lua_options(L, 2, &n);
  deer_opt **opt = lua_newuserdatauv(L, sizeof *opt, 0);
  *opt = NULL;
  luaL_setmetatable(L, OPTIMIZER_CLASS);
  deer_status status = deer_opt_new(class, options, n, (int)size, opt);
  return status == DEER_OK ? 1 : deer_throw(L, status);
}

static int opt_gc(lua_State *L) {
  deer_opt **opt = check_opt(L);
  deer_opt_free(*opt);
  *opt = NULL;
  return 0;
}

// the flat block of the node at `arg`, whose gradient is as long
static deer_node check_block(lua_State *L, int arg) {
  const deer_node_box *box = deer_lua_check_node(L, arg);
  if (box->kind != DEER_NODE_VARIABLE)
    deer_lua_bad_argument(L, arg, "variable expected, got another node");
  return box->block;
}

// minimize(variable, gradient, learning_rate): a list of updates
static int opt_minimize(lua_State *L) {
  deer_opt *opt = *check_opt(L);
  deer_node block = check_block(L, 2), rate = check_block(L, 4), assigns[DEER_OPT_ASSIGNS];
  const deer_node_box *parameters = deer_lua_to_node(L, 2);
  deer_graph *g = parameters->owner->graph;
  deer_node gradient = deer_lua_check_node_of(L, 3, parameters->owner);
  deer_shape shape = deer_node_shape(g, parameters->node), got = deer_node_shape(g, gradient);
  char a[DEER_NODE_TEXT], b[DEER_NODE_TEXT];
  if (!deer_shape_equal(&shape, &got)) {
    deer_graph_fail(g, "the gradient %s of %s has another shape", deer_node_text(g, gradient, a),
                    deer_node_text(g, parameters->node, b));
    deer_lua_check_built(L, 2);
  }
  if (shape.rank != 1) gradient = deer_reshape(g, gradient, deer_node_shape(g, block));
  lua_pushvalue(L, 1);
  deer_lua_anchor(L, 2);
  int n = deer_opt_minimize(opt, g, block, gradient, rate, assigns);
  deer_lua_check_built(L, 2);
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    deer_lua_push_node(L, 2, assigns[i])->kind = DEER_NODE_UPDATE;
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

// updated(variable): the parameters after the step of the last minimize, flat; `variable` is its
// own
static int opt_updated(lua_State *L) {
  const deer_opt *opt = *check_opt(L);
  deer_lua_check_node(L, 2);
  deer_lua_push_node(L, 2, deer_opt_updated(opt));
  return 1;
}

// softUpdate(variable, node, tau): an update that moves it a little towards a flat node
static int opt_soft_update(lua_State *L) {
  deer_node target = check_block(L, 1);
  const deer_graph_box *owner = deer_lua_to_node(L, 1)->owner;
  deer_node source = deer_lua_check_node_of(L, 2, owner);
  double tau = deer_lua_check_finite(L, 3);
  deer_lua_push_node(L, 1, deer_soft_update(owner->graph, target, source, tau))->kind =
      DEER_NODE_UPDATE;
  return 1;
}

static const luaL_Reg methods[] = {
    {"minimize", opt_minimize}, {"updated", opt_updated}, {NULL, NULL}};
static const luaL_Reg events[] = {{"__gc", opt_gc}, {NULL, NULL}};
static const luaL_Reg functions[] = {
    {"optimizer", opt_new}, {"softUpdate", opt_soft_update}, {NULL, NULL}};

void deer_open_optimizer(lua_State *L) {
  deer_lua_class(L, OPTIMIZER_CLASS, methods, events);
  luaL_setfuncs(L, functions, 0);
}
