/* methods.c: what scripts can do with nodes and graphs whose arguments are of a form of its own:
 * the rest is in builders.def. */
#include "bind/node.h"

#include <string.h>

static int opt_int(lua_State *L, int arg, int fallback, lua_Integer least) {
  return lua_isnoneornil(L, arg) ? fallback : deer_lua_check_int(L, arg, least);
}

/* ---- products ---- */

// matmul(y [, transpose_x [, transpose_y]])
static int node_matmul(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, 4);
  deer_node y = deer_lua_check_node_of(L, 2, x->owner);
  deer_node node =
      deer_matmul(x->owner->graph, x->node, y, lua_toboolean(L, 3), lua_toboolean(L, 4));
  deer_lua_push_node(L, 1, node);
  return 1;
}

// affine(w, b): x [batch, n], w [n, m], b [m] -> [batch, m]
static int node_affine(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, 3);
  deer_node w = deer_lua_check_node_of(L, 2, x->owner), b = deer_lua_check_node_of(L, 3, x->owner);
  deer_graph *g = x->owner->graph;
  deer_node product = deer_matmul(g, x->node, w, false, false);
  if (product.id) b = deer_expand(g, b, deer_node_shape(g, product), DEER_AXIS(1));
  deer_lua_push_node(L, 1, deer_add(g, product, b));
  return 1;
}

/* ---- pictures ---- */

// one number for rows and columns, or a list of both, in a field of the options at `arg`
static void read_pair(lua_State *L, int arg, const char *name, lua_Integer least, int *h, int *w) {
  int top = lua_gettop(L), type = lua_getfield(L, arg, name);
  if (type == LUA_TNUMBER) {
    lua_pushvalue(L, -1);
    lua_pushvalue(L, -1);
  } else if (type == LUA_TTABLE && lua_rawlen(L, -1) == 2) {
    lua_rawgeti(L, top + 1, 1);
    lua_rawgeti(L, top + 1, 2);
  }
  for (int i = 0; type != LUA_TNIL && i < 2; i++) {
    lua_Integer n = lua_isinteger(L, top + 2 + i) ? lua_tointeger(L, top + 2 + i) : least - 1;
    if (n < least || n > INT32_MAX)
      deer_lua_fail(L, "option '%s': expected a whole number of at least %I, or a list of two",
                    name, (LUAI_UACINT)least);
    *(i == 0 ? h : w) = (int)n;
  }
  lua_settop(L, top);
}

// { stride = n | {h, w}, padding = n | {h, w} } at `arg`, which may be absent
static deer_window check_window(lua_State *L, int arg, int stride_h, int stride_w) {
  static const char *const names[] = {"stride", "padding"};
  deer_window window = {stride_h, stride_w, 0, 0};
  if (lua_isnoneornil(L, arg)) return window;
  luaL_checktype(L, arg, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
    if (strcmp(name, "stride") != 0 && strcmp(name, "padding") != 0)
      deer_lua_unknown(L, "option", name, names, 2);
  }
  read_pair(L, arg, "stride", 1, &window.stride_h, &window.stride_w);
  read_pair(L, arg, "padding", 0, &window.pad_h, &window.pad_w);
  return window;
}

// conv2d(filters [, options]) and its kin
typedef deer_node (*convolution)(deer_graph *g, deer_node x, deer_node filters, deer_window window);

static int convolve(lua_State *L, convolution function) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, 3);
  deer_node filters = deer_lua_check_node_of(L, 2, x->owner);
  deer_window window = check_window(L, 3, 1, 1);
  deer_lua_push_node(L, 1, function(x->owner->graph, x->node, filters, window));
  return 1;
}

static int node_conv2d(lua_State *L) { return convolve(L, deer_conv2d); }
static int node_conv2d_transpose(lua_State *L) { return convolve(L, deer_conv2d_transpose); }

static deer_node one_dimension(deer_graph *g, deer_node x, deer_node filters, deer_window window) {
  return deer_conv1d(g, x, filters, window.stride_h, window.pad_h);
}
static int node_conv1d(lua_State *L) { return convolve(L, one_dimension); }

// maxpool2d(h [, w [, options]]): windows lie side by side unless the options say otherwise
typedef deer_node (*pooling)(deer_graph *g, deer_node x, int h, int w, deer_window window);

static int pool(lua_State *L, pooling function) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, 4);
  int h = deer_lua_check_int(L, 2, 1), w = opt_int(L, 3, h, 1);
  deer_window window = check_window(L, 4, h, w);
  deer_lua_push_node(L, 1, function(x->owner->graph, x->node, h, w, window));
  return 1;
}

static int node_maxpool2d(lua_State *L) { return pool(L, deer_maxpool2d); }
static int node_avgpool2d(lua_State *L) { return pool(L, deer_avgpool2d); }

/* ---- shapes and places ---- */

// the shape of a node, or a list of dimensions
static deer_shape check_target(lua_State *L, int arg, const deer_graph_box *owner) {
  if (!deer_lua_to_node(L, arg)) return deer_lua_check_shape(L, arg);
  return deer_node_shape(owner->graph, deer_lua_check_node_of(L, arg, owner));
}

// expand(shape | node [, axes]): `axes` says which axes of the result are those of x, in order
static int node_expand(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  int axes[DEER_MAX_RANK], rank = deer_lua_node_rank(x);
  deer_lua_check_count(L, 3);
  deer_shape shape = check_target(L, 2, x->owner);
  unsigned kept = 0;
  if (rank > 0 && lua_isnoneornil(L, 3))
    deer_lua_bad_argument(L, 3,
                          lua_pushfstring(L,
                                          "list expected: which axes of the result are the %d "
                                          "of the node?",
                                          rank));
  if (!lua_isnoneornil(L, 3)) {
    int n = deer_lua_check_axes(L, 3, shape.rank, axes);
    for (int i = 0; i < n; i++) {
      if (i > 0 && axes[i] < axes[i - 1]) deer_lua_bad_argument(L, 3, "axes in order expected");
      kept |= DEER_AXIS(axes[i]);
    }
  }
  deer_lua_push_node(L, 1, deer_expand(x->owner->graph, x->node, shape, kept));
  return 1;
}

// oneHot(n)
static int node_one_hot(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, 2);
  deer_lua_push_node(L, 1, deer_one_hot(x->owner->graph, x->node, deer_lua_check_int(L, 2, 1)));
  return 1;
}

// polygamma(order)
static int node_polygamma(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, 2);
  deer_lua_push_node(L, 1, deer_polygamma(x->owner->graph, x->node, deer_lua_check_int(L, 2, 0)));
  return 1;
}

// cumsum([axis [, reverse]])
static int node_cumsum(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, 3);
  int axis = deer_lua_opt_axis(L, 2, deer_lua_node_rank(x));
  deer_lua_push_node(L, 1, deer_cumsum(x->owner->graph, x->node, axis, lua_toboolean(L, 3)));
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
  deer_lua_check_count(L, 2);
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
  int axes[DEER_MAX_RANK], rank = deer_lua_node_rank(x);
  deer_lua_check_count(L, 2);
  for (int i = 0; i < rank; i++) axes[i] = rank - 1 - i;
  if (!lua_isnoneornil(L, 2) && deer_lua_check_axes(L, 2, rank, axes) != rank)
    deer_lua_bad_argument(L, 2, lua_pushfstring(L, "list of all %d axes expected", rank));
  deer_lua_push_node(L, 1, deer_transpose(x->owner->graph, x->node, axes));
  return 1;
}

// slice(axis, start, length)
static int node_slice(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, 4);
  int axis = deer_lua_check_axis(L, 2, deer_lua_node_rank(x)), start = deer_lua_check_int(L, 3, 0);
  deer_lua_push_node(
      L, 1, deer_slice(x->owner->graph, x->node, axis, start, deer_lua_check_int(L, 4, 1)));
  return 1;
}

// pad(axis, start, length)
static int node_pad(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, 4);
  int axis = deer_lua_check_axis(L, 2, deer_lua_node_rank(x)), start = deer_lua_check_int(L, 3, 0);
  deer_lua_push_node(L, 1,
                     deer_pad(x->owner->graph, x->node, axis, start, deer_lua_check_int(L, 4, 1)));
  return 1;
}

// view(offset, shape): a part of a flat block
static int node_view(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, 3);
  int offset = deer_lua_check_int(L, 2, 0);
  deer_shape shape = deer_lua_check_shape(L, 3);
  deer_lua_push_node(L, 1, deer_view(x->owner->graph, x->node, offset, shape));
  return 1;
}

/* ---- normalisation ---- */

// a node of the graph, or none
static deer_node opt_node(lua_State *L, int arg, const deer_graph_box *owner) {
  return lua_isnoneornil(L, arg) ? DEER_NONE : deer_lua_check_node_of(L, arg, owner);
}

// layerNorm([gain [, bias [, epsilon]]])
static int node_layer_norm(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, 4);
  deer_node gain = opt_node(L, 2, x->owner), bias = opt_node(L, 3, x->owner);
  double epsilon = lua_isnil(L, 4) ? 1e-5 : deer_lua_check_finite(L, 4);
  deer_lua_push_node(L, 1, deer_layer_norm(x->owner->graph, x->node, gain, bias, epsilon));
  return 1;
}

// the node in a field of the options at 2, which stays on the stack
static deer_node node_field(lua_State *L, const char *name, const deer_graph_box *owner,
                            bool needed) {
  char got[DEER_DESCRIBE];
  if (lua_getfield(L, 2, name) == LUA_TNIL && !needed) return DEER_NONE;
  const deer_node_box *box = deer_lua_to_node(L, -1);
  if (!box || box->owner != owner)
    deer_lua_fail(L, "option '%s': expected a node of the same graph, got %s", name,
                  deer_lua_describe(L, -1, got));
  return box->node;
}

// batchNorm{ mean =, variance =, gain =, bias =, epsilon =, rate =, training = }: the node and, in
// training, what the running mean and variance become
static int node_batch_norm(lua_State *L) {
  static const char *const names[] = {"mean",    "variance", "gain",    "bias",
                                      "epsilon", "rate",     "training"};
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, 2);
  luaL_checktype(L, 2, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
    bool known = false;
    for (int i = 0; i < 7; i++) known = known || strcmp(names[i], name) == 0;
    if (!known) deer_lua_unknown(L, "option of batchNorm", name, names, 7);
  }
  deer_batch_norm_spec spec = {.epsilon = deer_lua_number_option(L, 2, "epsilon", 1e-5),
                               .rate = deer_lua_number_option(L, 2, "rate", 0.1)};
  bool training = deer_lua_boolean_option(L, 2, "training", false);
  spec.mean = node_field(L, "mean", x->owner, true);
  spec.variance = node_field(L, "variance", x->owner, true);
  spec.gain = node_field(L, "gain", x->owner, false);
  spec.bias = node_field(L, "bias", x->owner, false);
  deer_node next[2], out = deer_batch_norm(x->owner->graph, x->node, &spec,
                                           training ? &next[0] : NULL, training ? &next[1] : NULL);
  deer_lua_push_node(L, 1, out);
  for (int i = 0; training && i < 2; i++) deer_lua_push_node(L, 1, next[i]);
  return training ? 3 : 1;
}

/* ---- random numbers ---- */

// the stream of the deer.Rng at `arg`, which then lives as long as the graph at 1
static deer_rng *check_stream(lua_State *L, int arg) {
  char got[DEER_DESCRIBE];
  deer_rng *stream = luaL_testudata(L, arg, DEER_RNG_CLASS);
  if (!stream)
    deer_lua_bad_argument(
        L, arg, lua_pushfstring(L, "deer.Rng expected, got %s", deer_lua_describe(L, arg, got)));
  lua_pushvalue(L, arg);
  deer_lua_anchor(L, 1);
  return stream;
}

// dropout(rate, rng)
static int node_dropout(lua_State *L) {
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, 3);
  double rate = deer_lua_check_finite(L, 2);
  deer_lua_push_node(L, 1, deer_dropout(x->owner->graph, x->node, rate, check_stream(L, 3)));
  return 1;
}

// randomNormal(rng, shape | node) and its kin
typedef deer_node (*source)(deer_graph *g, deer_rng *stream, deer_shape shape);

static int draw(lua_State *L, source function) {
  const deer_graph_box *owner = deer_lua_check_graph(L, 1);
  deer_rng *stream = check_stream(L, 2);
  deer_shape shape = check_target(L, 3, owner);
  deer_lua_push_node(L, 1, function(owner->graph, stream, shape));
  return 1;
}

static int graph_random_uniform(lua_State *L) { return draw(L, deer_random_uniform); }
static int graph_random_normal(lua_State *L) { return draw(L, deer_random_normal); }
static int graph_random_gumbel(lua_State *L) { return draw(L, deer_random_gumbel); }

// randomGamma(rng, shapes): a node says the shape of each distribution
static int graph_random_gamma(lua_State *L) {
  const deer_graph_box *owner = deer_lua_check_graph(L, 1);
  deer_rng *stream = check_stream(L, 2);
  deer_node shape = deer_lua_check_node_of(L, 3, owner);
  deer_lua_push_node(L, 1, deer_random_gamma(owner->graph, stream, shape));
  return 1;
}

static const luaL_Reg node_methods[] = {
    {"matmul", node_matmul},
    {"affine", node_affine},
    {"conv2d", node_conv2d},
    {"conv2dTranspose", node_conv2d_transpose},
    {"conv1d", node_conv1d},
    {"maxpool2d", node_maxpool2d},
    {"avgpool2d", node_avgpool2d},
    {"expand", node_expand},
    {"oneHot", node_one_hot},
    {"cumsum", node_cumsum},
    {"polygamma", node_polygamma},
    {"reshape", node_reshape},
    {"transpose", node_transpose},
    {"slice", node_slice},
    {"pad", node_pad},
    {"view", node_view},
    {"layerNorm", node_layer_norm},
    {"batchNorm", node_batch_norm},
    {"dropout", node_dropout},
    {NULL, NULL},
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
  int axis = lua_isnil(L, 3) && rank > 0 ? rank - 1 : deer_lua_check_axis(L, 3, rank);
  deer_lua_push_node(L, 1, deer_concat(owner->graph, parts, n, axis));
  return 1;
}

// stack({ x, ... } [, axis]): along a new axis, the first unless another is given
static int graph_stack(lua_State *L) {
  const deer_graph_box *owner = deer_lua_check_graph(L, 1);
  int n;
  const deer_node *parts = check_parts(L, owner, &n);
  int rank = deer_node_shape(owner->graph, parts[0]).rank;
  int axis = lua_isnil(L, 3) ? 0 : deer_lua_check_axis(L, 3, rank + 1);
  deer_lua_push_node(L, 1, deer_stack(owner->graph, parts, n, axis));
  return 1;
}

// arange(n): 0, 1, ..., n - 1
static int graph_arange(lua_State *L) {
  deer_graph *g = deer_lua_check_graph(L, 1)->graph;
  deer_lua_push_node(L, 1, deer_arange(g, deer_lua_check_int(L, 2, 1)));
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
  size = deer_lua_check_int(L, 4, 1);
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
    {"concat", graph_concat},
    {"stack", graph_stack},
    {"pack", graph_pack},
    {"arange", graph_arange},
    {"randomUniform", graph_random_uniform},
    {"randomNormal", graph_random_normal},
    {"randomGumbel", graph_random_gumbel},
    {"randomGamma", graph_random_gamma},
    {NULL, NULL},
};

void deer_lua_add_methods(lua_State *L) {
  deer_lua_extend_class(L, DEER_NODE_CLASS, node_methods, false);
  deer_lua_extend_class(L, DEER_GRAPH_CLASS, graph_methods, false);
}
