/* builders.c: what scripts can do with nodes: operators, and a method for each builder function of
 * the core whose form is common: one line of builders.def. Those with arguments of their own are in
 * methods.c. Axes and positions are 0-based, as everywhere in the core. */
#include "bind/node.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- functions of a common form ---- */

typedef enum form { UNARY, BINARY, INDEXED, PLACED, TERNARY, NUMBER, NUMBERS, AXES, AXIS } form;

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
    deer_node (*axis)(deer_graph *g, deer_node x, int axis);
    deer_node (*placed)(deer_graph *g, deer_node x, deer_node index, int n);
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
#define AXIS(name, function)             {#name, AXIS, {.axis = function}, 0},
#define PLACED(name, function)           {#name, PLACED, {.placed = function}, 0},
#include "bind/builders.def"
};

/* ---- arguments ---- */

void deer_lua_check_count(lua_State *L, int n) {
  int given = lua_gettop(L);
  if (given > n)
    deer_lua_bad_argument(
        L, n + 1,
        n == 1 ? "no arguments expected"
               : lua_pushfstring(L, "at most %d argument%s expected", n - 1, n == 2 ? "" : "s"));
  lua_settop(L, n);
}

int deer_lua_node_rank(const deer_node_box *box) {
  return deer_node_shape(box->owner->graph, box->node).rank;
}

int deer_lua_check_axis(lua_State *L, int arg, int n_axes) {
  lua_Integer axis = deer_lua_check_integer(L, arg);
  if (axis < 0 || axis >= n_axes)
    deer_lua_bad_argument(L, arg,
                          n_axes == 0 ? "a scalar has no axes"
                                      : lua_pushfstring(L, "axis of 0 to %d expected, got %I",
                                                        n_axes - 1, (LUAI_UACINT)axis));
  return (int)axis;
}

int deer_lua_opt_axis(lua_State *L, int arg, int n_axes) {
  if (n_axes == 0) deer_lua_bad_argument(L, 1, "a scalar has no axes");
  return lua_isnoneornil(L, arg) ? n_axes - 1 : deer_lua_check_axis(L, arg, n_axes);
}

int deer_lua_check_axes(lua_State *L, int arg, int n_axes, int axes[DEER_MAX_RANK]) {
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
  if (lua_type(L, arg) == LUA_TNUMBER) return DEER_AXIS(deer_lua_check_axis(L, arg, n_axes));
  unsigned mask = 0;
  for (int i = deer_lua_check_axes(L, arg, n_axes, axes); i > 0; i--)
    mask |= DEER_AXIS(axes[i - 1]);
  return mask;
}

// a node of the same graph, or a number, which becomes a constant in the shape of `like`
static deer_node check_operand(lua_State *L, int arg, const deer_node_box *like) {
  deer_graph *g = like->owner->graph;
  if (lua_type(L, arg) != LUA_TNUMBER) return deer_lua_check_node_of(L, arg, like->owner);
  return deer_constant(g, deer_node_shape(g, like->node), lua_tonumber(L, arg));
}

int deer_lua_check_int(lua_State *L, int arg, lua_Integer least) {
  lua_Integer n = deer_lua_check_integer(L, arg);
  if (n < least || n > INT32_MAX)
    deer_lua_bad_argument(L, arg,
                          lua_pushfstring(L, "whole number of at least %I expected, got %I",
                                          (LUAI_UACINT)least, (LUAI_UACINT)n));
  return (int)n;
}

double deer_lua_check_finite(lua_State *L, int arg) {
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
    return with_number(L, b, x, deer_lua_check_finite(L, other), reversed);
  // operators have no arguments to be counted
  if (!deer_lua_to_node(L, other))
    deer_lua_fail(L, "%s: node or number expected, got %s", b->name,
                  deer_lua_describe(L, other, got));
  deer_node y = deer_lua_check_node_of(L, other, x->owner);
  return b->make.binary(x->owner->graph, x->node, y);
}

/* ---- the methods of builders.def ---- */

static deer_node build_number(lua_State *L, const builder *b, const deer_node_box *x) {
  bool given = isnan(b->fallback) || !lua_isnoneornil(L, 2);
  return b->make.number(x->owner->graph, x->node,
                        given ? deer_lua_check_finite(L, 2) : b->fallback);
}

static deer_node build(lua_State *L, const builder *b) {
  static const int counts[] = {
      [UNARY] = 1,  [BINARY] = 2,  [INDEXED] = 2, [PLACED] = 3, [TERNARY] = 3,
      [NUMBER] = 2, [NUMBERS] = 3, [AXES] = 2,    [AXIS] = 2};
  const deer_node_box *x = deer_lua_check_node(L, 1);
  deer_lua_check_count(L, counts[b->form]);
  deer_graph *g = x->owner->graph;
  switch (b->form) {
  case UNARY:
    return b->make.unary(g, x->node);
  case BINARY:
    return build_binary(L, b);
  case INDEXED:
    return b->make.binary(g, x->node, deer_lua_check_node_of(L, 2, x->owner));
  case PLACED: {
    deer_node index = deer_lua_check_node_of(L, 2, x->owner);
    return b->make.placed(g, x->node, index, deer_lua_check_int(L, 3, 1));
  }
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
    return b->make.axes(g, x->node, check_mask(L, 2, deer_lua_node_rank(x)));
  case AXIS:
    return b->make.axis(g, x->node, deer_lua_opt_axis(L, 2, deer_lua_node_rank(x)));
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

// x ^ y, either of which may be a number; the common exponents are cheaper
static int power(lua_State *L) {
  static const builder general = {"pow", BINARY, {.binary = deer_pow}, 0};
  lua_settop(L, 2);
  const deer_node_box *x = deer_lua_to_node(L, 1);
  deer_node node;
  if (x && lua_type(L, 2) == LUA_TNUMBER) {
    deer_graph *g = deer_lua_check_node(L, 1)->owner->graph;
    double p = deer_lua_check_finite(L, 2);
    node = p == 2     ? deer_square(g, x->node)
           : p == 0.5 ? deer_sqrt(g, x->node)
                      : deer_power(g, x->node, p);
  } else {
    node = build_binary(L, &general);
  }
  deer_lua_push_node(L, x ? 1 : 2, node);
  return 1;
}

// Lua turns what a comparison returns into true or false
static int compare(lua_State *L) {
  return deer_lua_fail(L, "nodes have no order while a graph is described: x:greater(y) is the "
                          "node that is 1 where x > y");
}

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
