/* graph.c: deer.Graph and deer.Node: describing a computation from Lua. What can be done with nodes
 * is in builders.c, running it in program.c. */
#include "bind/node.h"

#include <stdlib.h>
#include <string.h>

/* ---- what the other files see ---- */

deer_graph_box *deer_lua_check_graph(lua_State *L, int arg) {
  deer_graph_box *box = luaL_checkudata(L, arg, DEER_GRAPH_CLASS);
  if (!box->graph) deer_lua_fail(L, "the graph is dead");
  return box;
}

deer_node_box *deer_lua_to_node(lua_State *L, int index) {
  return luaL_testudata(L, index, DEER_NODE_CLASS);
}

deer_node_box *deer_lua_check_node(lua_State *L, int arg) {
  char got[DEER_DESCRIBE];
  deer_node_box *box = deer_lua_to_node(L, arg);
  if (!box)
    deer_lua_bad_argument(
        L, arg, lua_pushfstring(L, "node expected, got %s", deer_lua_describe(L, arg, got)));
  if (!box->owner->graph) deer_lua_fail(L, "the graph of the node is dead");
  return box;
}

deer_node deer_lua_check_node_of(lua_State *L, int arg, const deer_graph_box *owner) {
  const deer_node_box *box = deer_lua_check_node(L, arg);
  if (box->owner != owner) deer_lua_bad_argument(L, arg, "a node of another graph");
  return box->node;
}

void deer_lua_push_graph(lua_State *L, int index) {
  if (deer_lua_to_node(L, index))
    lua_getiuservalue(L, index, 1);
  else
    lua_pushvalue(L, index);
}

// adds "q_tm1 [32, 2]: dqn.lua:12" for the node at `index` to the text on top of the stack
static void add_note(lua_State *L, int index, int *notes) {
  char text[DEER_NODE_TEXT];
  const deer_node_box *box = deer_lua_to_node(L, index);
  if (!box || !box->owner->graph || *notes == 8) return;
  lua_getiuservalue(L, index, 2);
  lua_pushfstring(L, "%s%s: %s", (*notes)++ ? ", " : "; made at: ",
                  deer_node_text(box->owner->graph, box->node, text), lua_tostring(L, -1));
  lua_remove(L, -2);
  lua_concat(L, 2);
}

// raises what is wrong with the graph, and where the nodes at 1 to `top` and in lists there were
// made
static int throw_mistake(lua_State *L, deer_graph *g, int top) {
  int notes = 0;
  lua_settop(L, top);
  luaL_checkstack(L, 8, NULL);
  deer_push_where(L);
  deer_graph_status(g);
  lua_pushstring(L, deer_error());
  // who catches the error can go on with the graph
  deer_graph_forget(g);
  lua_concat(L, 2);
  for (int i = 1; i <= top; i++) {
    add_note(L, i, &notes);
    // lists of nodes, as of concat
    for (int k = 1; lua_istable(L, i) && k <= (int)lua_rawlen(L, i) && notes < 8; k++) {
      lua_rawgeti(L, i, k);
      lua_insert(L, -2);
      add_note(L, lua_gettop(L) - 1, &notes);
      lua_remove(L, -2);
    }
  }
  return lua_error(L);
}

void deer_lua_check_built(lua_State *L, int index) {
  int top = lua_gettop(L);
  deer_lua_push_graph(L, index);
  const deer_graph_box *owner = lua_touserdata(L, -1);
  if (deer_graph_status(owner->graph) != DEER_OK) throw_mistake(L, owner->graph, top);
  lua_pop(L, 1);
}

deer_node_box *deer_lua_push_node(lua_State *L, int index, deer_node node) {
  deer_lua_check_built(L, index);
  deer_lua_push_graph(L, index);
  deer_graph_box *owner = lua_touserdata(L, -1);
  deer_node_box *box = lua_newuserdatauv(L, sizeof *box, 2);
  *box = (deer_node_box){.owner = owner, .node = node};
  luaL_setmetatable(L, DEER_NODE_CLASS);
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, 1);
  // "dqn.lua:12: " without its end
  deer_push_where(L);
  size_t n;
  const char *where = lua_tolstring(L, -1, &n);
  lua_pushlstring(L, where, n > 2 ? n - 2 : 0);
  lua_setiuservalue(L, -3, 2);
  lua_pop(L, 1);
  return box;
}

void deer_lua_anchor(lua_State *L, int index) {
  deer_lua_push_graph(L, index);
  lua_getiuservalue(L, -1, DEER_GRAPH_ANCHORS);
  lua_pushvalue(L, -3);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_pop(L, 3);
}

deer_node *deer_lua_check_nodes(lua_State *L, int arg, const deer_graph_box *owner, int *n) {
  char got[DEER_DESCRIBE];
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_Unsigned count = lua_rawlen(L, arg);
  if (count > INT32_MAX / 64) deer_lua_bad_argument(L, arg, "too many nodes");
  deer_node *nodes = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *nodes, 0);
  for (*n = 0; *n < (int)count; ++*n) {
    lua_rawgeti(L, arg, *n + 1);
    const deer_node_box *box = deer_lua_to_node(L, -1);
    if (!box)
      deer_lua_bad_argument(L, arg,
                            lua_pushfstring(L, "entry %d: node expected, got %s", *n + 1,
                                            deer_lua_describe(L, -1, got)));
    if (box->owner != owner)
      deer_lua_bad_argument(L, arg,
                            lua_pushfstring(L, "entry %d: a node of another graph", *n + 1));
    nodes[*n] = box->node;
    lua_pop(L, 1);
  }
  return nodes;
}

/* ---- methods that do not exist ---- */

static int compare_names(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// __index of the table of methods: upvalue 1 is the noun, 2 the table
static int no_method(lua_State *L) {
  const char *names[256], *noun = lua_tostring(L, lua_upvalueindex(1));
  size_t n = 0;
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  const char *name = lua_tostring(L, 2);
  for (lua_pushnil(L); n < 256 && lua_next(L, lua_upvalueindex(2)); lua_pop(L, 1))
    names[n++] = lua_tostring(L, -2);
  // of several that are as near always the same
  qsort(names, n, sizeof *names, compare_names);
  const char *nearest = deer_nearest(name, names, n);
  if (!nearest) return deer_lua_fail(L, "a %s has no method '%s'", noun, name);
  return deer_lua_fail(L, "a %s has no method '%s'; did you mean '%s'?", noun, name, nearest);
}

void deer_lua_strict_class(lua_State *L, const char *class, const char *noun) {
  luaL_getmetatable(L, class);
  lua_getfield(L, -1, "__index");
  lua_createtable(L, 0, 1);
  lua_pushstring(L, noun);
  lua_pushvalue(L, -3);
  lua_pushcclosure(L, no_method, 2);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pop(L, 2);
}

/* ---- life of a graph ---- */

// graph(): an empty one
static int graph_new(lua_State *L) {
  deer_graph_box *box = lua_newuserdatauv(L, sizeof *box, 2);
  *box = (deer_graph_box){0};
  luaL_setmetatable(L, DEER_GRAPH_CLASS);
  for (int i = DEER_GRAPH_ANCHORS; i <= DEER_GRAPH_INPUTS; i++) {
    lua_newtable(L);
    lua_setiuservalue(L, -2, i);
  }
  box->graph = deer_graph_new();
  return box->graph ? 1 : deer_throw(L, DEER_ENOMEM);
}

// There is no way to free it earlier, so that no finalizer can while a function uses it. Finalizers
// that run when the program ends may find it gone.
static int graph_gc(lua_State *L) {
  deer_graph_box *box = luaL_checkudata(L, 1, DEER_GRAPH_CLASS);
  deer_graph_free(box->graph);
  box->graph = NULL;
  return 0;
}

/* ---- sources ---- */

static const char *check_name(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg);
  if (!*name) deer_lua_bad_argument(L, arg, "a name expected, got an empty string");
  return name;
}

// a shape that may be absent: a scalar's
static deer_shape opt_shape(lua_State *L, int arg) {
  return lua_isnoneornil(L, arg) ? DEER_SCALAR : deer_lua_check_shape(L, arg);
}

// input(name [, shape [, dtype]])
static int graph_input(lua_State *L) {
  const deer_graph_box *box = deer_lua_check_graph(L, 1);
  const char *name = check_name(L, 2);
  deer_shape shape = opt_shape(L, 3);
  deer_dtype dtype = lua_isnoneornil(L, 4) ? DEER_DTYPE_REAL : deer_lua_check_dtype(L, 4);
  lua_getiuservalue(L, 1, DEER_GRAPH_INPUTS);
  int inputs = lua_gettop(L);
  // programs are given their inputs by name
  lua_pushvalue(L, 2);
  if (lua_rawget(L, inputs) != LUA_TNIL)
    deer_lua_bad_argument(L, 2, lua_pushfstring(L, "the graph has an input '%s' already", name));
  deer_lua_push_node(L, 1, deer_input(box->graph, name, dtype, shape));
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, inputs);
  lua_pushvalue(L, 2);
  lua_rawseti(L, inputs, (lua_Integer)lua_rawlen(L, inputs) + 1);
  return 1;
}

// pushes the node of a tensor whose memory programs read and write; `tensor` is a stack index
static void push_variable(lua_State *L, const char *name, int tensor) {
  deer_graph *g = deer_lua_check_graph(L, 1)->graph;
  const deer_tensor *t = deer_lua_to_tensor(L, tensor);
  deer_node block = deer_variable(g, name, t->data, (int)deer_shape_count(&t->shape)), node = block;
  if (t->shape.rank != 1) node = deer_name(g, deer_reshape(g, block, t->shape), name);
  lua_pushvalue(L, tensor);
  deer_lua_anchor(L, 1);
  deer_node_box *box = deer_lua_push_node(L, 1, node);
  box->kind = DEER_NODE_VARIABLE;
  box->block = block;
}

// variable(name, tensor)
static int graph_variable(lua_State *L) {
  char got[DEER_DESCRIBE];
  deer_lua_check_graph(L, 1);
  const char *name = check_name(L, 2);
  const deer_tensor *t = deer_lua_to_tensor(L, 3);
  if (!t || t->dtype != DEER_DTYPE_REAL)
    deer_lua_bad_argument(
        L, 3, lua_pushfstring(L, "float32 tensor expected, got %s", deer_lua_describe(L, 3, got)));
  if (deer_lua_is_view(L, 3))
    deer_lua_bad_argument(L, 3, "the tensor is memory of a program; take a clone() of it");
  push_variable(L, name, 3);
  return 1;
}

// how many numbers nested tables hold along each axis, by their first entries
static deer_shape shape_of(lua_State *L, int arg) {
  deer_shape shape = {0};
  lua_pushvalue(L, arg);
  while (lua_istable(L, -1) && shape.rank < DEER_MAX_RANK) {
    lua_Unsigned n = lua_rawlen(L, -1);
    shape.dim[shape.rank++] = n < INT32_MAX ? (int)n : INT32_MAX;
    lua_rawgeti(L, -1, 1);
  }
  lua_settop(L, lua_gettop(L) - shape.rank - 1);
  return shape;
}

// constant(number [, shape]), constant(table): fixed values
static int graph_constant(lua_State *L) {
  deer_graph *g = deer_lua_check_graph(L, 1)->graph;
  if (!lua_istable(L, 2)) {
    double value = deer_lua_check_number(L, 2);
    deer_lua_push_node(L, 1, deer_constant(g, opt_shape(L, 3), value));
    return 1;
  }
  lua_settop(L, 2);
  deer_shape shape = shape_of(L, 2);
  if (deer_shape_check(&shape, "constant") != DEER_OK) deer_lua_bad_argument(L, 2, deer_error());
  const deer_tensor *t = deer_lua_new_tensor(L, DEER_DTYPE_REAL, &shape);
  if (deer_lua_read(L, 2, t) != DEER_OK) deer_lua_bad_argument(L, 2, deer_error());
  push_variable(L, "constant", 3);
  // nobody assigns to it
  deer_lua_check_node(L, -1)->kind = DEER_NODE_VALUE;
  return 1;
}

/* ---- gradients and updates ---- */

// gradients(loss, node | { node, ... }): a node, or a list
static int graph_gradients(lua_State *L) {
  const deer_graph_box *owner = deer_lua_check_graph(L, 1);
  deer_node loss = deer_lua_check_node_of(L, 2, owner), one, *wrt = &one;
  int n = 1;
  lua_settop(L, 3);
  bool list = lua_istable(L, 3);
  if (list)
    wrt = deer_lua_check_nodes(L, 3, owner, &n);
  else
    one = deer_lua_check_node_of(L, 3, owner);
  deer_node *gradients = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *gradients, 0);
  deer_gradients(owner->graph, loss, wrt, n, gradients);
  deer_lua_check_built(L, 1);
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    deer_lua_push_node(L, 1, gradients[i]);
    lua_rawseti(L, -2, i + 1);
  }
  if (!list) lua_rawgeti(L, -1, 1);
  return 1;
}

// assign(variable, node | number): an update for compile
static int graph_assign(lua_State *L) {
  const deer_graph_box *owner = deer_lua_check_graph(L, 1);
  deer_graph *g = owner->graph;
  deer_node to = deer_lua_check_node_of(L, 2, owner), value;
  const deer_node_box *variable = deer_lua_to_node(L, 2);
  if (variable->kind != DEER_NODE_VARIABLE)
    deer_lua_bad_argument(L, 2, "variable expected, got another node");
  deer_shape shape = deer_node_shape(g, to), flat = deer_node_shape(g, variable->block);
  if (lua_type(L, 3) == LUA_TNUMBER)
    value = deer_constant(g, shape, lua_tonumber(L, 3));
  else
    value = deer_lua_check_node_of(L, 3, owner);
  deer_shape got = deer_node_shape(g, value);
  char a[DEER_NODE_TEXT], b[DEER_NODE_TEXT];
  if (!deer_shape_equal(&shape, &got))
    deer_graph_fail(g, "assign(%s, %s): shapes differ", deer_node_text(g, to, a),
                    deer_node_text(g, value, b));
  else
    value = deer_assign(g, variable->block, shape.rank == 1 ? value : deer_reshape(g, value, flat));
  deer_lua_push_node(L, 1, value)->kind = DEER_NODE_UPDATE;
  return 1;
}

/* ---- looking ---- */

static int graph_text(lua_State *L) {
  const deer_graph *g = deer_lua_check_graph(L, 1)->graph;
  char **text = deer_lua_new_text(L);
  *text = deer_graph_text(g);
  return deer_lua_finish_text(L, text);
}

static int graph_dot(lua_State *L) {
  const deer_graph *g = deer_lua_check_graph(L, 1)->graph;
  char **text = deer_lua_new_text(L);
  *text = deer_graph_dot(g);
  return deer_lua_finish_text(L, text);
}

static int graph_tostring(lua_State *L) {
  const deer_graph_box *box = luaL_checkudata(L, 1, DEER_GRAPH_CLASS);
  lua_pushstring(L, box->graph ? "a deer.Graph" : "a dead deer.Graph");
  return 1;
}

/* ---- nodes ---- */

static int node_shape(lua_State *L) {
  const deer_node_box *box = deer_lua_check_node(L, 1);
  deer_shape shape = deer_node_shape(box->owner->graph, box->node);
  deer_lua_push_shape(L, &shape);
  return 1;
}

static int node_dtype(lua_State *L) {
  const deer_node_box *box = deer_lua_check_node(L, 1);
  lua_pushstring(L, deer_dtype_name(deer_node_dtype(box->owner->graph, box->node)));
  return 1;
}

static int node_graph(lua_State *L) {
  deer_lua_check_node(L, 1);
  lua_getiuservalue(L, 1, 1);
  return 1;
}

// name(text): the node itself, with a name for messages and dumps
static int node_name(lua_State *L) {
  const deer_node_box *box = deer_lua_check_node(L, 1);
  deer_name(box->owner->graph, box->node, check_name(L, 2));
  deer_lua_check_built(L, 1);
  lua_settop(L, 1);
  return 1;
}

// madeAt(): "dqn.lua:12", the line that made it
static int node_made_at(lua_State *L) {
  deer_lua_check_node(L, 1);
  lua_getiuservalue(L, 1, 2);
  return 1;
}

static int node_tostring(lua_State *L) {
  char text[DEER_NODE_TEXT];
  const deer_node_box *box = luaL_checkudata(L, 1, DEER_NODE_CLASS);
  lua_pushstring(L, box->owner->graph ? deer_node_text(box->owner->graph, box->node, text)
                                      : "a dead deer.Node");
  return 1;
}

// two values may stand for the same node
static int node_equal(lua_State *L) {
  const deer_node_box *a = deer_lua_to_node(L, 1), *b = deer_lua_to_node(L, 2);
  lua_pushboolean(L, a && b && a->owner == b->owner && a->node.id == b->node.id);
  return 1;
}

static const luaL_Reg graph_methods[] = {
    {"input", graph_input},
    {"variable", graph_variable},
    {"constant", graph_constant},
    {"assign", graph_assign},
    {"gradients", graph_gradients},
    {"text", graph_text},
    {"dot", graph_dot},
    {NULL, NULL},
};
static const luaL_Reg graph_events[] = {
    {"__gc", graph_gc}, {"__tostring", graph_tostring}, {NULL, NULL}};
static const luaL_Reg node_methods[] = {
    {"shape", node_shape}, {"dtype", node_dtype},    {"graph", node_graph},
    {"name", node_name},   {"madeAt", node_made_at}, {NULL, NULL},
};
static const luaL_Reg node_events[] = {
    {"__tostring", node_tostring}, {"__eq", node_equal}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"graph", graph_new}, {NULL, NULL}};

void deer_lua_extend_class(lua_State *L, const char *class, const luaL_Reg *added, bool meta) {
  luaL_getmetatable(L, class);
  if (!meta) lua_getfield(L, -1, "__index");
  luaL_setfuncs(L, added, 0);
  lua_pop(L, meta ? 1 : 2);
}

void deer_open_graph(lua_State *L) {
  deer_lua_class(L, DEER_GRAPH_CLASS, graph_methods, graph_events);
  deer_lua_class(L, DEER_NODE_CLASS, node_methods, node_events);
  deer_lua_add_builders(L);
  deer_lua_add_methods(L);
  deer_lua_strict_class(L, DEER_GRAPH_CLASS, "graph");
  deer_lua_strict_class(L, DEER_NODE_CLASS, "node");
  luaL_setfuncs(L, functions, 0);
}
