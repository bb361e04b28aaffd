/* builders.c: what scripts can do with nodes: operators, and a method for each builder function of
 * the core. Functions of a common form are one line of builders.def; those with arguments of their
 * own follow it here. Axes and positions are 0-based, as everywhere in the core. */
#include "bind/node.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- functions of a common form ---- */

typedef enum form { UNARY, BINARY, INDEXED, TERNARY, NUMBER, NUMBERS, AXES, LAST } form;

typedef struct builder {
  const char *name;
  form form;
  union {
    deer_node (*unary)(deer_graph *g, deer_node x);
    deer_node (*binary)(deer_graph *g, deer_node x, deer_node y);
    deer_node (*ternary)(deer_graph *g, deer_node x, deer_node y, deer_node z);
    deer_node (*number)(deer_graph *g, deer_node x, double p);
    deer_node (*numbers)(deer_graph *g, deer_node x, double p, double q);
    deer_node (*axes)(deer_graph *g, deer_node x, unsigned mask);
  } make;
  double fallback; // of the number; NAN: it must be given
} builder;

static const builder builders[] = {
#define UNARY(name, function)            {#name, UNARY, {.unary = function}, 0},
#define BINARY(name, function)           {#name, BINARY, {.binary = function}, 0},
#define INDEXED(name, function)          {#name, INDEXED, {.binary = function}, 0},
#define TERNARY(name, function)          {#name, TERNARY, {.ternary = function}, 0},
#define NUMBER(name, function, fallback) {#name, NUMBER, {.number = function}, fallback},
#define NUMBERS(name, function)          {#name, NUMBERS, {.numbers = function}, 0},
#define AXES(name, function)             {#name, AXES, {.axes = function}, 0},
#define LAST(name, function)             {#name, LAST, {.unary = function}, 0},
#include "bind/builders.def"
};

/* ---- arguments ---- */

// raises when there are more than `n` arguments, the node itself included
static void check_count(lua_State *L, int n) {
  int given = lua_gettop(L);
  if (given > n)
    deer_lua_bad_argument(
        L, n + 1,
        n == 1 ? "no arguments expected"
               : lua_pushfstring(L, "at most %d argument%s expected", n - 1, n == 2 ? "" : "s"));
  lua_settop(L, n);
}

static int rank_of(const deer_node_box *box) {
  return deer_node_shape(box->owner->graph, box->node).rank;
}

// an axis of the node; `n_axes` is its rank, or how many axes there will be
static int check_axis(lua_State *L, int arg, int n_axes) {
  lua_Integer axis = deer_lua_check_integer(L, arg);
  if (axis < 0 || axis >= n_axes)
    deer_lua_bad_argument(L, arg,
                          n_axes == 0 ? "a scalar has no axes"
                                      : lua_pushfstring(L, "axis of 0 to %d expected, got %I",
                                                        n_axes - 1, (LUAI_UACINT)axis));
  return (int)axis;
}

// a list of different axes at `arg`, in its order; returns how many
static int check_axis_list(lua_State *L, int arg, int n_axes, int axes[DEER_MAX_RANK]) {
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_Unsigned n = lua_rawlen(L, arg);
  unsigned seen = 0;
  if (n > (lua_Unsigned)n_axes)
    deer_lua_bad_argument(L, arg, lua_pushfstring(L, "at most %d axes expected", n_axes));
  for (int i = 0; i < (int)n; i++) {
    int whole = lua_rawgeti(L, arg, i + 1) == LUA_TNUMBER;
    lua_Integer axis = whole ? lua_tointegerx(L, -1, &whole) : -1;
    lua_pop(L, 1);
    if (!whole || axis < 0 || axis >= n_axes || seen & DEER_AXIS(axis))
      deer_lua_bad_argument(
          L, arg, lua_pushfstring(L, "list of different axes of 0 to %d expected", n_axes - 1));
    seen |= DEER_AXIS(axis);
    axes[i] = (int)axis;
  }
  return (int)n;
}

// an axis, a list of them, or nothing for all
static unsigned check_mask(lua_State *L, int arg, int n_axes) {
  int axes[DEER_MAX_RANK];
  if (lua_isnoneornil(L, arg)) return DEER_ALL_AXES;
  if (lua_type(L, arg) == LUA_TNUMBER) return DEER_AXIS(check_axis(L, arg, n_axes));
  unsigned mask = 0;
  for (int i = check_axis_list(L, arg, n_axes, axes); i > 0; i--) mask |= DEER_AXIS(axes[i - 1]);
  return mask;
}

// a node of the same graph, or a number, which becomes a constant in the shape of `like`
static deer_node check_operand(lua_State *L, int arg, const deer_node_box *like) {
  deer_graph *g = like->owner->graph;
  if (lua_type(L, arg) != LUA_TNUMBER) return deer_lua_check_node_of(L, arg, like->owner);
  return deer_constant(g, deer_node_shape(g, like->node), lua_tonumber(L, arg));
}

static int check_int(lua_State *L, int arg, lua_Integer least) {
  lua_Integer n = deer_lua_check_integer(L, arg);
  if (n < least || n > INT32_MAX)
    deer_lua_bad_argument(L, arg,
                          lua_pushfstring(L, "whole number of at least %I expected, got %I",
                                          (LUAI_UACINT)least, (LUAI_UACINT)n));
  return (int)n;
}

static int opt_int(lua_State *L, int arg, int fallback, lua_Integer least) {
  return lua_isnoneornil(L, arg) ? fallback : check_int(L, arg, least);
}

// a finite number
static double check_finite(lua_State *L, int arg) {
  double x = deer_lua_check_number(L, arg);
  if (!isfinite(x)) deer_lua_bad_argument(L, arg, "finite number expected");
  return x;
}

/* ---- numbers beside nodes ---- */

// x op number, or number op x: no constant of the shape of x is needed for the four operations
static deer_node with_number(lua_State *L, const builder *b, const deer_node_box *x, double number,
                             bool reversed) {
  deer_graph *g = x->owner->graph;
  if (b->make.binary == deer_add) return deer_shift(g, x->node, number);
  if (b->make.binary == deer_mul) return deer_scale(g, x->node, number);
  if (b->make.binary == deer_sub)
    return reversed ? deer_shift(g, deer_neg(g, x->node), number) : deer_shift(g, x->node, -number);
  if (b->make.binary == deer_div && !reversed) {
    if (number == 0) deer_lua_fail(L, "a node is divided by 0");
    return deer_scale(g, x->node, 1 / number);
  }
  deer_node constant = deer_constant(g, deer_node_shape(g, x->node), number);
  return reversed ? b->make.binary(g, constant, x->node) : b->make.binary(g, x->node, constant);
}

// the operands at 1 and 2, one of which may be a number
static deer_node build_binary(lua_State *L, const builder *b) {
  char got[DEER_DESCRIBE];
  bool reversed = !deer_lua_to_node(L, 1);
  int node = reversed ? 2 : 1, other = reversed ? 1 : 2;
  const deer_node_box *x = deer_lua_check_node(L, node);
  if (lua_type(L, other) == LUA_TNUMBER)
    return with_number(L, b, x, check_finite(L, other), reversed);
  // operators have no arguments to be counted
  if (!deer_lua_to_node(L, other))
    deer_lua_fail(L, "%s: node or number expected, got %s", b->name,
                  deer_lua_describe(L, other, got));
  deer_node y = deer_lua_check_node_of(L, other, x->owner);
  return b->make.binary(x->owner->graph, x->node, y);
}

/* ---- the methods of builders.def ---- */

// along an axis that need not be the last: it is brought there
static deer_node build_last(lua_State *L, const builder *b, const deer_node_box *x) {
  deer_graph *g = x->owner->graph;
  int rank = rank_of(x), axes[DEER_MAX_RANK], n = 0;
  if (rank == 0) deer_lua_bad_argument(L, 1, "a scalar has no axes");
  int axis = lua_isnoneornil(L, 2) ? rank - 1 : check_axis(L, 2, rank);
  if (axis == rank - 1) return b->make.unary(g, x->node);
  for (int i = 0; i < rank; i++)
    if (i != axis) axes[n++] = i;
  axes[n] = axis;
  return b->make.unary(g, deer_transpose(g, x->node, axes));
}

static deer_node build_number(lua_State *L, const builder *b, const deer_node_box *x) {
  bool given = isnan(b->fallback) || !lua_isnoneornil(L, 2);
  return b->make.number(x->owner->graph, x->node, given ? check_finite(L, 2) : b->fallback);
}

static deer_node build(lua_State *L, const builder *b) {
  static const int counts[] = {[UNARY] = 1,  [BINARY] = 2,  [INDEXED] = 2, [TERNARY] = 3,
                               [NUMBER] = 2, [NUMBERS] = 3, [AXES] = 2,    [LAST] = 2};
  const deer_node_box *x = deer_lua_check_node(L, 1);
  check_count(L, counts[b->form]);
  deer_graph *g = x->owner->graph;
  switch (b->form) {
  case UNARY:
    return b->make.unary(g, x->node);
  case BINARY:
    return build_binary(L, b);
  case INDEXED:
    return b->make.binary(g, x->node, deer_lua_check_node_of(L, 2, x->owner));
  case TERNARY: {
    deer_node y = check_operand(L, 2, x), z = check_operand(L, 3, x);
    return b->make.ternary(g, x->node, y, z);
  }
  case NUMBER:
    return build_number(L, b, x);
  case NUMBERS: {
    double p = deer_lua_check_number(L, 2), q = deer_lua_check_number(L, 3);
    return b->make.numbers(g, x->node, p, q);
  }
  case AXES:
    return b->make.axes(g, x->node, check_mask(L, 2, rank_of(x)));
  case LAST:
    return build_last(L, b, x);
  }
  return DEER_NONE;
}

// upvalue 1: the builder
static int call(lua_State *L) {
  const builder *b = lua_touserdata(L, lua_upvalueindex(1));
  deer_lua_push_node(L, 1, build(L, b));
  return 1;
}

/* ---- operators ---- */

// upvalue 1: the builder; either operand is a node
static int operate(lua_State *L) {
  const builder *b = lua_touserdata(L, lua_upvalueindex(1));
  lua_settop(L, 2);
  deer_node node = build_binary(L, b);
  deer_lua_push_node(L, deer_lua_to_node(L, 1) ? 1 : 2, node);
  return 1;
}

static int negate(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_push_node(L, 1, deer_neg(x->owner->graph, x->node));
  return 1;
}

// x ^ number
static int power(lua_State *L) {
  const deer_node_box *x = deer_lua_to_node(L, 1);
  if (!x || lua_type(L, 2) != LUA_TNUMBER)
    return deer_lua_fail(L, "the exponent of a node is a number, as in x ^ 2");
  double p = lua_tonumber(L, 2);
  deer_graph *g = deer_lua_check_node(L, 1)->owner->graph;
  deer_node node;
  if (p == 2)
    node = deer_square(g, x->node);
  else if (p == 0.5)
    node = deer_sqrt(g, x->node);
  else
    return deer_lua_fail(L, "expected the exponent 2 or 0.5");
  deer_lua_push_node(L, 1, node);
  return 1;
}

// Lua turns what a comparison returns into true or false
static int compare(lua_State *L) {
  return deer_lua_fail(L, "nodes have no order while a graph is described: x:greater(y) is the "
                          "node that is 1 where x > y");
}

/* ---- methods with arguments of their own ---- */

// matmul(y [, transpose_x [, transpose_y]])
static int node_matmul(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  check_count(L, 4);
  deer_node y = deer_lua_check_node_of(L, 2, x->owner);
  deer_node node =
      deer_matmul(x->owner->graph, x->node, y, lua_toboolean(L, 3), lua_toboolean(L, 4));
  deer_lua_push_node(L, 1, node);
  return 1;
}

// affine(w, b): x [batch, n], w [n, m], b [m] -> [batch, m]
static int node_affine(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  check_count(L, 3);
  deer_node w = deer_lua_check_node_of(L, 2, x->owner), b = deer_lua_check_node_of(L, 3, x->owner);
  deer_graph *g = x->owner->graph;
  deer_node product = deer_matmul(g, x->node, w, false, false);
  if (product.id) b = deer_expand(g, b, deer_node_shape(g, product), DEER_AXIS(1));
  deer_lua_push_node(L, 1, deer_add(g, product, b));
  return 1;
}

// conv2d(filters [, stride_h [, stride_w]])
static int node_conv2d(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  check_count(L, 4);
  deer_node filters = deer_lua_check_node_of(L, 2, x->owner);
  int stride_h = opt_int(L, 3, 1, 1), stride_w = opt_int(L, 4, stride_h, 1);
  deer_lua_push_node(L, 1, deer_conv2d(x->owner->graph, x->node, filters, stride_h, stride_w));
  return 1;
}

// maxpool2d(h [, w])
static int node_maxpool2d(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  check_count(L, 3);
  int h = check_int(L, 2, 1), w = opt_int(L, 3, h, 1);
  deer_lua_push_node(L, 1, deer_maxpool2d(x->owner->graph, x->node, h, w));
  return 1;
}

// the shape of a node, or a list of dimensions
static deer_shape check_target(lua_State *L, int arg, const deer_graph_box *owner) {
  if (!deer_lua_to_node(L, arg)) return deer_lua_check_shape(L, arg);
  return deer_node_shape(owner->graph, deer_lua_check_node_of(L, arg, owner));
}

// expand(shape | node [, axes]): `axes` says which axes of the result are those of x, in order
static int node_expand(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  int axes[DEER_MAX_RANK], rank = rank_of(x);
  check_count(L, 3);
  deer_shape shape = check_target(L, 2, x->owner);
  unsigned kept = 0;
  if (rank > 0 && lua_isnoneornil(L, 3))
    deer_lua_bad_argument(L, 3,
                          lua_pushfstring(L,
                                          "list expected: which axes of the result are the %d "
                                          "of the node?",
                                          rank));
  if (!lua_isnoneornil(L, 3)) {
    int n = check_axis_list(L, 3, shape.rank, axes);
    for (int i = 0; i < n; i++) {
      if (i > 0 && axes[i] < axes[i - 1]) deer_lua_bad_argument(L, 3, "axes in order expected");
      kept |= DEER_AXIS(axes[i]);
    }
  }
  deer_lua_push_node(L, 1, deer_expand(x->owner->graph, x->node, shape, kept));
  return 1;
}

// put(index, n)
static int node_put(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  check_count(L, 3);
  deer_node index = deer_lua_check_node_of(L, 2, x->owner);
  deer_lua_push_node(L, 1, deer_put(x->owner->graph, x->node, index, check_int(L, 3, 1)));
  return 1;
}

// the dimension of -1 in the list at 2 becomes what is left of `count` elements
static void fill_in(lua_State *L, size_t count) {
  lua_Integer known = 1, at = 0;
  for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, 2); i++) {
    lua_rawgeti(L, 2, i);
    lua_Integer dim = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
    lua_pop(L, 1);
    if (dim == -1 && at == 0)
      at = i;
    else if (dim > 0 && dim <= INT32_MAX && known <= INT32_MAX)
      known *= dim;
  }
  if (at == 0) return;
  // the list itself belongs to the script
  lua_Integer n = (lua_Integer)lua_rawlen(L, 2);
  lua_createtable(L, (int)n, 0);
  for (lua_Integer i = 1; i <= n; i++) {
    if (i == at)
      lua_pushinteger(L, (lua_Integer)count / known);
    else
      lua_rawgeti(L, 2, i);
    lua_rawseti(L, -2, i);
  }
  lua_replace(L, 2);
}

// reshape(shape): one dimension may be -1
static int node_reshape(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  check_count(L, 2);
  deer_shape from = deer_node_shape(x->owner->graph, x->node);
  luaL_checktype(L, 2, LUA_TTABLE);
  fill_in(L, deer_shape_count(&from));
  deer_shape shape = deer_lua_check_shape(L, 2);
  deer_lua_push_node(L, 1, deer_reshape(x->owner->graph, x->node, shape));
  return 1;
}

// transpose([axes]): axis i of the result is axes[i]; without a list they are reversed
static int node_transpose(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  int axes[DEER_MAX_RANK], rank = rank_of(x);
  check_count(L, 2);
  for (int i = 0; i < rank; i++) axes[i] = rank - 1 - i;
  if (!lua_isnoneornil(L, 2) && check_axis_list(L, 2, rank, axes) != rank)
    deer_lua_bad_argument(L, 2, lua_pushfstring(L, "list of all %d axes expected", rank));
  deer_lua_push_node(L, 1, deer_transpose(x->owner->graph, x->node, axes));
  return 1;
}

// slice(axis, start, length)
static int node_slice(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  check_count(L, 4);
  int axis = check_axis(L, 2, rank_of(x)), start = check_int(L, 3, 0);
  deer_lua_push_node(L, 1, deer_slice(x->owner->graph, x->node, axis, start, check_int(L, 4, 1)));
  return 1;
}

// pad(axis, start, length)
static int node_pad(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  check_count(L, 4);
  int axis = check_axis(L, 2, rank_of(x)), start = check_int(L, 3, 0);
  deer_lua_push_node(L, 1, deer_pad(x->owner->graph, x->node, axis, start, check_int(L, 4, 1)));
  return 1;
}

// view(offset, shape): a part of a flat block
static int node_view(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  check_count(L, 3);
  int offset = check_int(L, 2, 0);
  deer_shape shape = deer_lua_check_shape(L, 3);
  deer_lua_push_node(L, 1, deer_view(x->owner->graph, x->node, offset, shape));
  return 1;
}

static const luaL_Reg node_methods[] = {
    {"matmul", node_matmul},       {"affine", node_affine},
    {"conv2d", node_conv2d},       {"maxpool2d", node_maxpool2d},
    {"expand", node_expand},       {"put", node_put},
    {"reshape", node_reshape},     {"slice", node_slice},
    {"transpose", node_transpose}, {"pad", node_pad},
    {"view", node_view},           {NULL, NULL},
};

/* ---- methods of graphs ---- */

// the nodes in the list at 2, at least one
static deer_node *check_parts(lua_State *L, const deer_graph_box *owner, int *n) {
  lua_settop(L, 4);
  deer_node *parts = deer_lua_check_nodes(L, 2, owner, n);
  if (*n == 0) deer_lua_bad_argument(L, 2, "list of nodes expected, got an empty one");
  return parts;
}

// concat({ x, ... } [, axis]): the last axis unless another is given
static int graph_concat(lua_State *L) {
  const deer_graph_box *owner = deer_lua_check_graph(L, 1);
  int n;
  const deer_node *parts = check_parts(L, owner, &n);
  int rank = deer_node_shape(owner->graph, parts[0]).rank;
  int axis = lua_isnil(L, 3) && rank > 0 ? rank - 1 : check_axis(L, 3, rank);
  deer_lua_push_node(L, 1, deer_concat(owner->graph, parts, n, axis));
  return 1;
}

// stack({ x, ... } [, axis]): along a new axis, the first unless another is given
static int graph_stack(lua_State *L) {
  const deer_graph_box *owner = deer_lua_check_graph(L, 1);
  int n;
  deer_node *parts = check_parts(L, owner, &n);
  deer_shape shape = deer_node_shape(owner->graph, parts[0]);
  if (shape.rank == DEER_MAX_RANK) deer_lua_bad_argument(L, 2, "nodes of fewer axes expected");
  int axis = lua_isnil(L, 3) ? 0 : check_axis(L, 3, shape.rank + 1);
  for (int i = 0; i < n; i++) {
    // each by its own shape, so that unequal ones are found by concat
    deer_shape one = deer_node_shape(owner->graph, parts[i]), wide = {.rank = one.rank + 1};
    if (one.rank < axis || one.rank == DEER_MAX_RANK) continue;
    memcpy(wide.dim, one.dim, (size_t)axis * sizeof *one.dim);
    wide.dim[axis] = 1;
    memcpy(wide.dim + axis + 1, one.dim + axis, (size_t)(one.rank - axis) * sizeof *one.dim);
    parts[i] = deer_reshape(owner->graph, parts[i], wide);
  }
  deer_lua_push_node(L, 1, deer_concat(owner->graph, parts, n, axis));
  return 1;
}

// pack({ x, ... }, { offset, ... }, size): a flat block with the nodes laid into zeros
static int graph_pack(lua_State *L) {
  const deer_graph_box *owner = deer_lua_check_graph(L, 1);
  int n, size;
  const deer_node *parts = check_parts(L, owner, &n);
  luaL_checktype(L, 3, LUA_TTABLE);
  if (lua_rawlen(L, 3) != (lua_Unsigned)n)
    deer_lua_bad_argument(L, 3, "list with an offset for each node expected");
  size = check_int(L, 4, 1);
  int *offsets = lua_newuserdatauv(L, (size_t)n * sizeof *offsets, 0);
  for (int i = 0; i < n; i++) {
    lua_rawgeti(L, 3, i + 1);
    lua_Integer offset = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : -1;
    if (offset < 0 || offset > INT32_MAX)
      deer_lua_bad_argument(
          L, 3, lua_pushfstring(L, "entry %d: whole number of at least 0 expected", i + 1));
    offsets[i] = (int)offset;
    lua_pop(L, 1);
  }
  deer_lua_push_node(L, 1, deer_pack(owner->graph, parts, offsets, n, size));
  return 1;
}

static const luaL_Reg graph_methods[] = {
    {"concat", graph_concat}, {"stack", graph_stack}, {"pack", graph_pack}, {NULL, NULL}};

/* ---- */

static const luaL_Reg events[] = {
    {"__unm", negate}, {"__pow", power}, {"__lt", compare}, {"__le", compare}, {NULL, NULL}};

// field `name` of the table on top of the stack: a function that knows its builder
static void add(lua_State *L, const char *name, lua_CFunction function, const builder *b) {
  lua_pushlightuserdata(L, (void *)(uintptr_t)b);
  lua_pushcclosure(L, function, 1);
  lua_setfield(L, -2, name);
}

void deer_lua_add_builders(lua_State *L) {
  deer_lua_extend_class(L, DEER_NODE_CLASS, events, true);
  deer_lua_extend_class(L, DEER_NODE_CLASS, node_methods, false);
  deer_lua_extend_class(L, DEER_GRAPH_CLASS, graph_methods, false);
  luaL_getmetatable(L, DEER_NODE_CLASS);
  lua_getfield(L, -1, "__index");
  for (size_t i = 0; i < sizeof builders / sizeof *builders; i++) {
    const builder *b = &builders[i];
    add(L, b->name, call, b);
    // the four operations are operators as well
    bool operation =
        b->form == BINARY && (b->make.binary == deer_add || b->make.binary == deer_sub ||
                              b->make.binary == deer_mul || b->make.binary == deer_div);
    if (!operation) continue;
    char event[16];
    snprintf(event, sizeof event, "__%s", b->name);
    lua_pushvalue(L, -2);
    add(L, event, operate, b);
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
}
