/* algo.c: deer.Algo, a learning rule with its networks. */
#include "bind/core.h"

#include <stdio.h>
#include <string.h>

static deer_algo_box *check_box(lua_State *L) { return luaL_checkudata(L, 1, DEER_ALGO_CLASS); }

static deer_algo *check_algo(lua_State *L) { return check_box(L)->algo; }

/* ---- life ---- */

// the class called by the name at `arg`; raises with the nearest name
static const deer_algo_class *check_class(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg), *names[256];
  size_t n = 0;
  const deer_algo_class *class = deer_algo_find(name);
  if (class) return class;
  for (; n < 256 && deer_algo_at((int)n); n++) names[n] = deer_algo_at((int)n)->name;
  deer_lua_unknown(L, "algo", name, names, n);
  return NULL;
}

// algo(name, { environment =, options =, network =, seed = })
static int algo_new(lua_State *L) {
  const deer_algo_class *class = check_class(L, 1);
  deer_lua_check_options(L, 2);
  deer_env *env = deer_lua_environment_option(L, 2);
  deer_rng rng = deer_rng_seed((uint64_t)deer_lua_integer_option(L, 2, "seed", 0, LUA_MININTEGER));
  deer_algo_config config = {.space = &env->space, .rng = &rng};
  if (lua_getfield(L, 2, "options") != LUA_TNIL && !lua_istable(L, -1))
    deer_lua_bad_option(L, "options", "a table", -1);
  config.options = deer_lua_options(L, lua_gettop(L), &config.n_options);
  lua_getfield(L, 2, "network");
  config.net = deer_lua_network(L, lua_gettop(L), &env->space);
  // the userdata comes first, so that nothing is lost if there is no memory for it
  deer_algo_box *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (deer_algo_box){.owned = true};
  luaL_setmetatable(L, DEER_ALGO_CLASS);
  deer_status status = deer_algo_new(class, &config, &box->algo);
  return status == DEER_OK ? 1 : deer_throw(L, status);
}

// those written in Lua lie inside their userdata
static int algo_gc(lua_State *L) {
  deer_algo_box *box = check_box(L);
  if (box->owned) deer_algo_free(box->algo);
  box->algo = NULL;
  return 0;
}

/* ---- numbers ---- */

// learningRate(), setLearningRate(x) and so on
static int algo_learning_rate(lua_State *L) {
  lua_pushnumber(L, check_algo(L)->learning_rate);
  return 1;
}

static int algo_set_learning_rate(lua_State *L) {
  deer_status status = deer_algo_set_learning_rate(check_algo(L), deer_lua_check_number(L, 2));
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

static int algo_discount(lua_State *L) {
  lua_pushnumber(L, check_algo(L)->discount);
  return 1;
}

static int algo_set_discount(lua_State *L) {
  deer_status status = deer_algo_set_discount(check_algo(L), deer_lua_check_number(L, 2));
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

static int algo_batch_size(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)check_algo(L)->batch_size);
  return 1;
}

static int algo_updates(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)check_algo(L)->updates);
  return 1;
}

static int algo_name(lua_State *L) {
  lua_pushstring(L, check_algo(L)->kind->name);
  return 1;
}

/* ---- acting ---- */

// bytes of a state of subject s, rounded up so that the next one is aligned
static size_t room(const deer_space *space, int s) {
  const deer_subject *subject = &space->subjects[s];
  return (deer_history_bytes(subject) + 15) / 16 * 16;
}

// reads the state at `arg` into a userdata that is pushed; raises when it does not fit
static void check_state(lua_State *L, int arg, const deer_space *space, void **state) {
  size_t bytes = 16;
  // an absent state must stay absent when the block is pushed
  lua_settop(L, arg);
  for (int s = 0; s < space->n_subjects; s++) bytes += room(space, s);
  char *block = lua_newuserdatauv(L, bytes, 0);
  for (int s = 0; s < space->n_subjects; block += room(space, s++)) state[s] = block;
  if (deer_lua_read_state(L, arg, space, state) != DEER_OK)
    deer_lua_bad_argument(L, arg, deer_error());
}

// chooseBestAction(state) -> action, value
static int algo_choose(lua_State *L) {
  deer_algo *algo = check_algo(L);
  void *state[DEER_MAX_SUBJECTS];
  deer_real action[DEER_MAX_ACTION_SIZE];
  double value;
  check_state(L, 2, &algo->space, state);
  deer_call call;
  deer_call_open(L, &call);
  deer_lua_own_algo(&call, 1);
  deer_call_start(&call);
  deer_status status = algo->kind->act(algo, (const void *const *)state, action, &value);
  deer_call_finish(&call, status);
  deer_lua_push_action(L, &algo->space.actions, action);
  lua_pushnumber(L, value);
  return 2;
}

// qValues(state) -> list
static int algo_values(lua_State *L) {
  deer_algo *algo = check_algo(L);
  void *state[DEER_MAX_SUBJECTS];
  int n = algo->space.actions.n;
  if (!algo->kind->values || n == 0)
    return deer_lua_fail(L, "%s has no values of actions", algo->kind->name);
  check_state(L, 2, &algo->space, state);
  deer_real *values = lua_newuserdatauv(L, (size_t)n * sizeof *values, 0);
  deer_call call;
  deer_call_open(L, &call);
  deer_lua_own_algo(&call, 1);
  deer_call_start(&call);
  deer_status status = algo->kind->values(algo, (const void *const *)state, values);
  deer_call_finish(&call, status);
  deer_tensor list = deer_tensor_wrap(DEER_DTYPE_REAL, DEER_SHAPE(n), values);
  deer_lua_push(L, &list);
  return 1;
}

// pushes a list of n numbers
static void push_numbers(lua_State *L, deer_real *numbers, int n) {
  deer_tensor list = deer_tensor_wrap(DEER_DTYPE_REAL, DEER_SHAPE(n), numbers);
  deer_lua_push(L, &list);
}

// actionProba(state) -> probabilities, or lists of them; of continuous actions means, deviations
static int algo_proba(lua_State *L) {
  deer_algo *algo = check_algo(L);
  deer_action_space actions = algo->space.actions;
  deer_action_kind kind = deer_actions_kind(&actions);
  void *state[DEER_MAX_SUBJECTS];
  check_state(L, 2, &algo->space, state);
  size_t n = (size_t)deer_algo_distribution_size(&actions);
  deer_real *numbers = lua_newuserdatauv(L, n * sizeof *numbers, 0);
  deer_status status = deer_algo_distribution(algo, (const void *const *)state, numbers);
  if (status != DEER_OK) return deer_throw(L, status);
  if (kind == DEER_ACTIONS_DISCRETE) {
    push_numbers(L, numbers, actions.n);
    return 1;
  }
  if (kind == DEER_ACTIONS_CONTINUOUS) {
    push_numbers(L, numbers, actions.size);
    push_numbers(L, numbers + actions.size, actions.size);
    return 2;
  }
  lua_createtable(L, actions.size, 0);
  for (int i = 0; i < actions.size; numbers += actions.choices[i++]) {
    push_numbers(L, numbers, actions.choices[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* ---- parameters ---- */

typedef struct parameter {
  char name[96];
  deer_shape shape;
  deer_real *data;
} parameter;

typedef struct parameter_list {
  parameter *items; // NULL while counting
  int n, room;
} parameter_list;

// what the algo calls for each of its parameters: counts, then notes
static void add_parameter(void *context, const char *name, const deer_shape *shape,
                          deer_real *data) {
  parameter_list *list = context;
  if (list->items && list->n < list->room) {
    parameter *item = &list->items[list->n];
    snprintf(item->name, sizeof item->name, "%s", name);
    item->shape = *shape;
    item->data = data;
  }
  list->n++;
}

// the parameters of an algo, in a userdata that is pushed
static parameter_list list_parameters(lua_State *L, deer_algo *algo) {
  parameter_list list = {0};
  deer_algo_visit(algo, &list, add_parameter);
  // the second walk fills what the first has counted
  list.room = list.n;
  list.n = 0;
  list.items = lua_newuserdatauv(L, ((size_t)list.room + 1) * sizeof *list.items, 0);
  deer_algo_visit(algo, &list, add_parameter);
  return list;
}

static size_t parameter_bytes(const parameter *item) {
  return deer_shape_count(&item->shape) * sizeof *item->data;
}

static void push_shape(lua_State *L, const deer_shape *shape) {
  lua_createtable(L, shape->rank, 0);
  for (int i = 0; i < shape->rank; i++) {
    lua_pushinteger(L, shape->dim[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

// parameters() -> list of { name =, shape =, dtype =, data = bytes }
static int algo_parameters(lua_State *L) {
  parameter_list list = list_parameters(L, check_algo(L));
  lua_createtable(L, list.n, 0);
  for (int i = 0; i < list.n; i++) {
    const parameter *item = &list.items[i];
    lua_createtable(L, 0, 4);
    lua_pushstring(L, item->name);
    lua_setfield(L, -2, "name");
    push_shape(L, &item->shape);
    lua_setfield(L, -2, "shape");
    lua_pushstring(L, deer_dtype_name(DEER_DTYPE_REAL));
    lua_setfield(L, -2, "dtype");
    lua_pushlstring(L, (const char *)item->data, parameter_bytes(item));
    lua_setfield(L, -2, "data");
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

// does the list at stack index `index` say this shape?
static bool same_shape(lua_State *L, int index, const deer_shape *shape) {
  bool same = lua_istable(L, index) && lua_rawlen(L, index) == (lua_Unsigned)shape->rank;
  for (int i = 0; same && i < shape->rank; i++) {
    lua_rawgeti(L, index, i + 1);
    same = lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) == shape->dim[i];
    lua_pop(L, 1);
  }
  return same;
}

// The bytes of entry i, from 0, of the list at 2, whose name, shape and size must be the item's;
// the entry stays on the stack and keeps them.
static const char *check_data(lua_State *L, int i, const parameter *item) {
  char shape[DEER_SHAPE_TEXT];
  int entry = lua_gettop(L) + 1;
  if (lua_rawgeti(L, 2, i + 1) != LUA_TTABLE)
    deer_lua_fail(L, "parameter %d: expected a table, got %s", i + 1, luaL_typename(L, -1));
  lua_getfield(L, entry, "name");
  if (lua_type(L, -1) != LUA_TSTRING || strcmp(lua_tostring(L, -1), item->name) != 0)
    deer_lua_fail(L, "parameter %d: expected '%s', got %s", i + 1, item->name,
                  luaL_tolstring(L, -1, NULL));
  lua_getfield(L, entry, "shape");
  if (!same_shape(L, entry + 2, &item->shape))
    deer_lua_fail(L, "parameter '%s': expected the shape %s", item->name,
                  deer_shape_text(&item->shape, shape));
  lua_getfield(L, entry, "data");
  if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, -1) != parameter_bytes(item))
    deer_lua_fail(L, "parameter '%s': expected data of %I bytes, got %I", item->name,
                  (LUAI_UACINT)parameter_bytes(item), (LUAI_UACINT)lua_rawlen(L, -1));
  return lua_tostring(L, -1);
}

// setParameters(list): all of them or, when one does not fit, none
static int algo_set_parameters(lua_State *L) {
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  parameter_list list = list_parameters(L, check_algo(L));
  if (lua_rawlen(L, 2) != (lua_Unsigned)list.n)
    deer_lua_fail(L, "expected %d parameters, got %d", list.n, (int)lua_rawlen(L, 2));
  // the first round checks everything, the second writes
  for (int write = 0; write < 2; write++)
    for (int i = 0; i < list.n; i++) {
      const char *data = check_data(L, i, &list.items[i]);
      if (write) memcpy(list.items[i].data, data, parameter_bytes(&list.items[i]));
      lua_settop(L, 3);
    }
  // so that the algo sees it
  list_parameters(L, check_algo(L));
  return 0;
}

/* ---- what the other files see ---- */

deer_algo *deer_lua_to_algo(lua_State *L, int index) {
  deer_algo_box *box = luaL_testudata(L, index, DEER_ALGO_CLASS);
  return box ? box->algo : NULL;
}

void deer_lua_own_algo(deer_call *call, int index) {
  const deer_algo_box *box = lua_touserdata(call->L, index);
  if (box->owned) return;
  lua_getiuservalue(call->L, index, 1);
  deer_call_own(call, box->algo, 0);
}

static const luaL_Reg methods[] = {
    {"learningRate", algo_learning_rate},
    {"setLearningRate", algo_set_learning_rate},
    {"discountFactor", algo_discount},
    {"setDiscountFactor", algo_set_discount},
    {"batchSize", algo_batch_size},
    {"updates", algo_updates},
    {"name", algo_name},
    {"chooseBestAction", algo_choose},
    {"qValues", algo_values},
    {"actionProba", algo_proba},
    {"train", deer_lua_algo_train},
    {"parameters", algo_parameters},
    {"setParameters", algo_set_parameters},
    {NULL, NULL},
};
static const luaL_Reg events[] = {{"__gc", algo_gc}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"algo", algo_new}, {NULL, NULL}};

void deer_open_algo(lua_State *L) {
  deer_lua_class(L, DEER_ALGO_CLASS, methods, events);
  luaL_setfuncs(L, functions, 0);
}
