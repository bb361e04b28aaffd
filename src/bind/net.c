/* net.c: core.net: a network of layers (nn.h) for the graph builder: the layout of its parameters
 * and its nodes. The parameters themselves are a tensor that lua/deer/graph/network.lua holds. */
#include "bind/node.h"

#define NET_CLASS "deer.Net"

typedef struct net_box {
  deer_net *net;
  deer_space space; // what it takes: subject i is input i
} net_box;

static net_box *check_box(lua_State *L) { return luaL_checkudata(L, 1, NET_CLASS); }

/* ---- what goes in ---- */

// one input from the table on top of the stack: its shape without the batch; field dtype
static void read_input(lua_State *L, deer_subject *subject, int i) {
  int table = lua_gettop(L);
  *subject = (deer_subject){.history = 1, .dtype = DEER_DTYPE_REAL};
  if (deer_lua_read_shape(L, table, &subject->shape) != DEER_OK)
    deer_lua_fail(L, "option 'inputs': shape %d: %s", i + 1, deer_error());
  if (lua_getfield(L, table, "dtype") != LUA_TNIL &&
      deer_lua_read_type(L, table + 1, &subject->dtype) != DEER_OK)
    deer_lua_fail(L, "option 'inputs': shape %d: dtype: %s", i + 1, deer_error());
  lua_settop(L, table);
}

// the list of shapes at `arg`, or the environment whose observations come in, with their histories
static void read_inputs(lua_State *L, int arg, deer_space *space) {
  const deer_env *env = deer_lua_to_env(L, arg);
  if (env) {
    *space = env->space;
    return;
  }
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_Unsigned n = lua_rawlen(L, arg);
  if (n < 1 || n > DEER_MAX_SUBJECTS)
    deer_lua_fail(L, "option 'inputs': expected 1 to %d shapes", DEER_MAX_SUBJECTS);
  for (space->n_subjects = 0; space->n_subjects < (int)n; space->n_subjects++) {
    lua_rawgeti(L, arg, space->n_subjects + 1);
    read_input(L, &space->subjects[space->n_subjects], space->n_subjects);
    lua_pop(L, 1);
  }
  // no action is looked at
  space->actions = (deer_action_space){.n = 1, .size = 1};
  if (deer_space_check(space) != DEER_OK) deer_lua_fail(L, "option 'inputs': %s", deer_error());
}

// net(layers, inputs, n_outputs)
static int net_new(lua_State *L) {
  lua_settop(L, 3);
  lua_Integer n_outputs = deer_lua_check_integer(L, 3);
  if (n_outputs < 1 || n_outputs > INT32_MAX)
    deer_lua_fail(L, "option 'outputs': expected a whole number of at least 1");
  net_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (net_box){0};
  luaL_setmetatable(L, NET_CLASS);
  read_inputs(L, 2, &box->space);
  const deer_net_spec *spec = deer_lua_network(L, 1, &box->space);
  deer_status status = deer_net_new(spec, &box->space, (int)n_outputs, &box->net);
  lua_settop(L, 4);
  return status == DEER_OK ? 1 : deer_throw(L, status);
}

static int net_gc(lua_State *L) {
  net_box *box = check_box(L);
  deer_net_free(box->net);
  box->net = NULL;
  return 0;
}

/* ---- parameters ---- */

// slots(): list of { name =, offset =, shape = }, offsets from 0
static int net_slots(lua_State *L) {
  const net_box *box = check_box(L);
  deer_net_slot slot;
  lua_newtable(L);
  for (int i = 0; deer_net_slot_at(box->net, i, &slot); i++) {
    lua_createtable(L, 0, 3);
    lua_pushstring(L, slot.name);
    lua_setfield(L, -2, "name");
    lua_pushinteger(L, slot.offset);
    lua_setfield(L, -2, "offset");
    deer_lua_push_shape(L, &slot.shape);
    lua_setfield(L, -2, "shape");
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

// draw(seed, tensor): initial values
static int net_draw(lua_State *L) {
  const net_box *box = check_box(L);
  deer_rng rng = deer_rng_seed((uint64_t)deer_lua_check_integer(L, 2));
  const deer_tensor *to = deer_lua_to_tensor(L, 3);
  luaL_argcheck(L,
                to && to->dtype == DEER_DTYPE_REAL &&
                    deer_shape_count(&to->shape) == (size_t)deer_net_size(box->net),
                3, "tensor with a number for each parameter expected");
  deer_net_init(box->net, &rng, to->data);
  return 0;
}

static int net_size(lua_State *L) {
  lua_pushinteger(L, deer_net_size(check_box(L)->net));
  return 1;
}

/* ---- nodes ---- */

// raises unless a node is [batch, ...] with the elements that subject `s` has
static void check_state(lua_State *L, const net_box *box, const deer_graph *g, deer_node node,
                        int s) {
  char text[DEER_NODE_TEXT], wanted[DEER_SHAPE_TEXT];
  const deer_subject *subject = &box->space.subjects[s];
  deer_shape shape = deer_node_shape(g, node), state = deer_subject_state(subject);
  size_t count = deer_shape_count(&shape);
  if (subject->history == 1) state = subject->shape;
  if (shape.rank > 0 && count / (size_t)shape.dim[0] == deer_shape_count(&state) &&
      deer_node_dtype(g, node) == subject->dtype)
    return;
  deer_lua_fail(L, "the network's input %d: expected a batch of %s of shape %s, got %s", s + 1,
                deer_dtype_name(subject->dtype), deer_shape_text(&state, wanted),
                deer_node_text(g, node, text));
}

// apply(parameters, { node, ... }): the outputs [batch, n]
static int net_apply(lua_State *L) {
  const net_box *box = check_box(L);
  const deer_node_box *block = deer_lua_check_node(L, 2);
  int n;
  lua_settop(L, 3);
  const deer_node *states = deer_lua_check_nodes(L, 3, block->owner, &n);
  if (n != box->space.n_subjects)
    deer_lua_fail(L, "the network has %d input%s, got %d node%s", box->space.n_subjects,
                  box->space.n_subjects == 1 ? "" : "s", n, n == 1 ? "" : "s");
  for (int i = 0; i < n; i++) check_state(L, box, block->owner->graph, states[i], i);
  // programs draw the network's noise
  lua_pushvalue(L, 1);
  deer_lua_anchor(L, 2);
  deer_lua_push_node(L, 2, deer_net_apply(box->net, block->owner->graph, block->node, states));
  return 1;
}

static const luaL_Reg methods[] = {{"slots", net_slots},
                                   {"draw", net_draw},
                                   {"size", net_size},
                                   {"apply", net_apply},
                                   {NULL, NULL}};
static const luaL_Reg events[] = {{"__gc", net_gc}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"net", net_new}, {NULL, NULL}};

void deer_open_net(lua_State *L) {
  deer_lua_class(L, NET_CLASS, methods, events);
  luaL_setfuncs(L, functions, 0);
}
