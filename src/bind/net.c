/* net.c: core.net: a network of layers (nn.h) for the graph builder: the layout of its parameters
 * and its nodes. The parameters themselves are a tensor that lua/deer/graph/network.lua holds. */
#include "bind/node.h"

#include <string.h>

#define NET_CLASS "deer.Net"

typedef struct net_box {
  deer_net *net;
  int n_heads;
  deer_space space; // what it takes: subject i is input i
} net_box;

static net_box *check_box(lua_State *L) { return luaL_checkudata(L, 1, NET_CLASS); }

/* ---- what goes in ---- */

// a field that an input has not
static void check_fields(lua_State *L, int table) {
  static const char *const names[] = {"dtype", "history"};
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    if (name && strcmp(name, names[0]) != 0 && strcmp(name, names[1]) != 0)
      deer_lua_unknown(L, "field of a shape", name, names, 2);
  }
}

// one input from the table on top of the stack: its shape without the batch; fields dtype, history
static void read_input(lua_State *L, deer_subject *subject, int i) {
  int table = lua_gettop(L);
  *subject = (deer_subject){.history = 1, .dtype = DEER_DTYPE_REAL};
  if (deer_lua_read_shape(L, table, &subject->shape) != DEER_OK)
    deer_lua_fail(L, "option 'inputs': shape %d: %s", i + 1, deer_error());
  check_fields(L, table);
  subject->history = (int)deer_lua_integer_option(L, table, "history", 1, 1);
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

// the heads in the list at `arg`: { { "policy", 2 }, { "value", 1, atoms = 51 }, ... }; the list
// keeps the names
static int read_heads(lua_State *L, int arg, deer_net_head heads[DEER_MAX_HEADS]) {
  lua_Unsigned n = lua_rawlen(L, arg);
  if (n < 1 || n > DEER_MAX_HEADS)
    deer_lua_fail(L, "option 'outputs': expected 1 to %d heads", DEER_MAX_HEADS);
  for (int i = 0; i < (int)n; i++) {
    lua_rawgeti(L, arg, i + 1);
    int head = lua_gettop(L);
    bool right = lua_istable(L, head) && lua_rawgeti(L, head, 1) == LUA_TSTRING &&
                 lua_rawgeti(L, head, 2) == LUA_TNUMBER && lua_isinteger(L, -1);
    lua_Integer units = right ? lua_tointeger(L, -1) : 0;
    lua_Integer atoms = right ? deer_lua_integer_option(L, head, "atoms", 0, 0) : 0;
    if (units < 1 || units > INT32_MAX || atoms > DEER_MAX_ATOMS)
      deer_lua_fail(L,
                    "option 'outputs': head %d: expected a name and its number of units, as in "
                    "{ \"value\", 1 }",
                    i + 1);
    heads[i] = (deer_net_head){lua_tostring(L, head + 1), (int)units, (int)atoms, NULL};
    lua_settop(L, head - 1);
  }
  return (int)n;
}

// net(layers, inputs, n_outputs | heads)
static int net_new(lua_State *L) {
  deer_net_head heads[DEER_MAX_HEADS];
  lua_settop(L, 3);
  bool list = lua_istable(L, 3);
  lua_Integer n_outputs = list ? read_heads(L, 3, heads) : deer_lua_check_integer(L, 3);
  if (n_outputs < 1 || n_outputs > INT32_MAX)
    deer_lua_fail(L, "option 'outputs': expected a whole number of at least 1");
  net_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (net_box){.n_heads = list ? (int)n_outputs : 1};
  luaL_setmetatable(L, NET_CLASS);
  read_inputs(L, 2, &box->space);
  const deer_net_spec *spec = deer_lua_network(L, 1, &box->space);
  deer_status status = list ? deer_net_new_heads(spec, &box->space, heads, box->n_heads, &box->net)
                            : deer_net_new(spec, &box->space, (int)n_outputs, &box->net);
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

// a node as the network takes it, [batch, history, ...]; a history of one may be left out
static deer_node check_state(lua_State *L, const net_box *box, deer_graph *g, deer_node node,
                             int s) {
  char text[DEER_NODE_TEXT], wanted[DEER_SHAPE_TEXT];
  const deer_subject *subject = &box->space.subjects[s];
  deer_shape shape = deer_node_shape(g, node);
  deer_shape full = deer_subject_batch(subject, shape.rank > 0 ? shape.dim[0] : 1);
  deer_shape brief = {.rank = full.rank - 1, .dim = {full.dim[0]}};
  memcpy(brief.dim + 1, full.dim + 2, (size_t)(full.rank - 2) * sizeof *full.dim);
  bool same = deer_shape_equal(&shape, &full);
  if ((same || (subject->history == 1 && deer_shape_equal(&shape, &brief))) &&
      deer_node_dtype(g, node) == subject->dtype)
    return same ? node : deer_reshape(g, node, full);
  deer_shape state = subject->history == 1 ? subject->shape : deer_subject_state(subject);
  deer_lua_fail(L, "the network's input %d: expected a batch of %s of shape %s, got %s", s + 1,
                deer_dtype_name(subject->dtype), deer_shape_text(&state, wanted),
                deer_node_text(g, node, text));
  return DEER_NONE;
}

// memory(): the widths of what recurrent layers carry over
static int net_memory(lua_State *L) {
  const net_box *box = check_box(L);
  lua_newtable(L);
  for (int i = 0; deer_net_memory_at(box->net, i) > 0; i++) {
    lua_pushinteger(L, deer_net_memory_at(box->net, i));
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

// what recurrent layers are given: a list of nodes at `arg`, or true for zeros
static const deer_node *check_memory(lua_State *L, int arg, const net_box *box,
                                     const deer_graph_box *owner) {
  int n, wanted = 0;
  if (!lua_istable(L, arg)) return NULL;
  const deer_node *memory = deer_lua_check_nodes(L, arg, owner, &n);
  while (deer_net_memory_at(box->net, wanted) > 0) wanted++;
  if (n != wanted)
    deer_lua_fail(L, "option 'memory': the network carries %d nodes over, got %d", wanted, n);
  return memory;
}

// apply(parameters, { node, ... }, noise, memory): the outputs of all heads; with a memory also the
// list of what is carried over
static int net_apply(lua_State *L) {
  const net_box *box = check_box(L);
  const deer_node_box *block = deer_lua_check_node(L, 2);
  int n;
  lua_settop(L, 5);
  deer_graph *g = block->owner->graph;
  deer_node *states = deer_lua_check_nodes(L, 3, block->owner, &n);
  if (n != box->space.n_subjects)
    deer_lua_fail(L, "the network has %d input%s, got %d node%s", box->space.n_subjects,
                  box->space.n_subjects == 1 ? "" : "s", n, n == 1 ? "" : "s");
  for (int i = 0; i < n; i++) states[i] = check_state(L, box, g, states[i], i);
  deer_node outputs[DEER_MAX_HEADS], remembered[DEER_MAX_MEMORIES] = {{0}};
  bool carries = lua_toboolean(L, 5);
  deer_net_call call = {.block = block->node,
                        .states = states,
                        .noise = lua_toboolean(L, 4),
                        .memory = check_memory(L, 5, box, block->owner),
                        .remembered = carries ? remembered : NULL};
  // programs draw the network's noise
  lua_pushvalue(L, 1);
  deer_lua_anchor(L, 2);
  deer_net_apply_heads(box->net, g, &call, outputs);
  luaL_checkstack(L, DEER_MAX_HEADS + 8, NULL);
  for (int i = 0; i < box->n_heads; i++) deer_lua_push_node(L, 2, outputs[i]);
  if (!carries) return box->n_heads;
  lua_newtable(L);
  for (int i = 0; deer_net_memory_at(box->net, i) > 0; i++) {
    deer_lua_push_node(L, 2, remembered[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return box->n_heads + 1;
}

static const luaL_Reg methods[] = {{"slots", net_slots},   {"draw", net_draw},   {"size", net_size},
                                   {"memory", net_memory}, {"apply", net_apply}, {NULL, NULL}};
static const luaL_Reg events[] = {{"__gc", net_gc}, {NULL, NULL}};
// what the kind of initial values at `arg` is called
static int check_init(lua_State *L, int arg) {
  char word[64];
  const char *name = luaL_checkstring(L, arg);
  for (int i = 0; deer_choice_word(DEER_INIT_CHOICES, i, word, sizeof word); i++)
    if (strcmp(word, name) == 0) return i;
  return deer_lua_fail(L, "unknown initial values '%s'; expected one of %s", name,
                       DEER_INIT_CHOICES);
}

// initial(kind, gain, shape, rng, tensor, offset): draws the values of a parameter that lies in a
// flat tensor; without a tensor it only checks the kind
static int net_initial(lua_State *L) {
  deer_init init = {.kind = check_init(L, 1), .gain = deer_lua_check_number(L, 2)};
  if (lua_isnoneornil(L, 5)) return 0;
  deer_shape shape = deer_lua_check_shape(L, 3);
  deer_rng *rng = luaL_checkudata(L, 4, DEER_RNG_CLASS);
  const deer_tensor *to = deer_lua_to_tensor(L, 5);
  lua_Integer offset = luaL_checkinteger(L, 6);
  size_t count = deer_shape_count(&shape);
  luaL_argcheck(L,
                to && to->dtype == DEER_DTYPE_REAL && offset >= 0 &&
                    (size_t)offset + count <= deer_shape_count(&to->shape),
                5, "tensor that holds the parameter expected");
  // [inputs, outputs], or [filters, channels, rows, columns]
  double window = shape.rank > 2 ? (double)count / ((double)shape.dim[0] * shape.dim[1]) : 1;
  double first = shape.rank > 0 ? shape.dim[0] * window : 1;
  double second = shape.rank > 1 ? shape.dim[1] * window : 1;
  init.fan_in = shape.rank > 2 ? second : first;
  init.fan_out = shape.rank > 2 ? first : second;
  deer_init_draw(&init, &shape, rng, (deer_real *)to->data + offset);
  return 0;
}

static const luaL_Reg functions[] = {{"net", net_new}, {"initial", net_initial}, {NULL, NULL}};

void deer_open_net(lua_State *L) {
  deer_lua_class(L, NET_CLASS, methods, events);
  luaL_setfuncs(L, functions, 0);
}
