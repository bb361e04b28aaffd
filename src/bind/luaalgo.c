/* luaalgo.c: a Lua object as an algo of the core. It learns from batches in nested tables, or in
 * tensors of its own, which is faster. */
#include "bind/core.h"

#include <math.h>
#include <string.h>

typedef struct lua_algo {
  deer_algo base;
  deer_batch batch; // its buffers lie behind this struct
  bool own_tensors; // the object has a method `batch`
} lua_algo;

typedef struct lua_algo_box {
  deer_algo_box box;
  lua_algo own;
} lua_algo_box;

/* ---- acting ---- */

typedef struct state_argument {
  const deer_space *space;
  const void *const *state;
} state_argument;

static void push_state(lua_State *L, const void *data) {
  const state_argument *argument = data;
  deer_lua_push_state(L, argument->space, argument->state);
}

// calls a method with the state; its results lie above it, from the stack's old top + 2 on
static deer_status ask(deer_call *call, int object, const char *name, state_argument argument,
                       int n_results) {
  deer_method method = {name, push_state, &argument, 1};
  return deer_call_method(call, object, &method, n_results);
}

// a number that may be absent, then it is 0
static deer_status read_value(lua_State *L, int index, double *value) {
  char got[DEER_DESCRIBE];
  *value = lua_tonumber(L, index);
  if (lua_isnil(L, index) || lua_type(L, index) == LUA_TNUMBER) return DEER_OK;
  return deer_fail(DEER_EDATA, "expected a number, the value, got %s",
                   deer_lua_describe(L, index, got));
}

// chooseBestAction(state) -> action [, value]
static deer_status act(deer_algo *self, const void *const *state, deer_real *action,
                       double *value) {
  int object;
  deer_call *call = deer_call_find(self, &object);
  if (!call) return DEER_ESTATE;
  lua_State *L = call->L;
  int top = lua_gettop(L);
  DEER_TRY(ask(call, object, "chooseBestAction", (state_argument){&self->space, state}, 2));
  double unused;
  deer_status status = deer_lua_read_action(L, top + 2, &self->space.actions, action);
  if (status == DEER_OK) status = read_value(L, top + 3, value ? value : &unused);
  if (status != DEER_OK) status = deer_call_refuse(call, top + 1, "chooseBestAction");
  lua_settop(L, top);
  return status;
}

// qValues(state) -> list
static deer_status values(deer_algo *self, const void *const *state, deer_real *q) {
  int object;
  deer_call *call = deer_call_find(self, &object);
  if (!call) return DEER_ESTATE;
  lua_State *L = call->L;
  int top = lua_gettop(L);
  DEER_TRY(ask(call, object, "qValues", (state_argument){&self->space, state}, 1));
  deer_shape shape = DEER_SHAPE(self->space.actions.n);
  deer_tensor into = deer_tensor_wrap(DEER_DTYPE_REAL, shape, q);
  deer_status status = deer_lua_read(L, top + 2, &into);
  if (status != DEER_OK) status = deer_call_refuse(call, top + 1, "qValues");
  lua_settop(L, top);
  return status;
}

/* ---- learning ---- */

// states, actions, rewards, next_states, terminals, weights
static void push_batch(lua_State *L, const void *data) {
  const lua_algo *algo = data;
  const deer_batch *batch = &algo->batch;
  const deer_lua_rows rows = {.size = batch->size};
  deer_lua_push_batch(L, &algo->base.space, batch, rows);
  deer_lua_push_reals(L, rows, batch->weight);
}

// a batch that goes into the tensors of the object
typedef struct drawing {
  lua_algo *algo;
  deer_replay *replay;
  deer_rng *rng;
  deer_status status;
} drawing;

// draw(drawing, object): asks the object for its tensors each time, since it may close a program
static int draw(lua_State *L) {
  drawing *d = lua_touserdata(L, 1);
  const deer_algo *self = &d->algo->base;
  deer_lua_taken taken = {.batch = {.index = d->algo->batch.index}};
  char got[DEER_DESCRIBE];
  lua_getfield(L, 2, "batch");
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);
  if (!lua_istable(L, 3))
    deer_lua_fail(L, "batch: expected a table of tensors, got %s", deer_lua_describe(L, 3, got));
  deer_lua_take_batch(L, 3, "batch", &self->space, &taken);
  if (taken.length > 0 || taken.index) deer_lua_fail(L, "batch: expected samples, without index");
  if (taken.batch.size != d->algo->batch.size)
    deer_lua_fail(L, "batch: expected tensors for %d samples, the batch_size, got them for %d",
                  d->algo->batch.size, taken.batch.size);
  d->status = deer_replay_sample(d->replay, d->rng, &taken.batch);
  return 0;
}

static deer_status draw_batch(deer_call *call, int object, drawing *d) {
  lua_algo *algo = d->algo;
  if (!algo->own_tensors) return deer_replay_sample(d->replay, d->rng, &algo->batch);
  lua_State *L = call->L;
  lua_pushcfunction(L, draw);
  lua_pushlightuserdata(L, d);
  lua_pushvalue(L, object);
  DEER_TRY(deer_call_run(call, 2, 0));
  return d->status;
}

// the errors at `index`, if there are any, become priorities; they take the place of the weights
static deer_status tell_errors(lua_State *L, int index, lua_algo *algo, deer_replay *replay) {
  const deer_batch *batch = &algo->batch;
  if (lua_isnil(L, index)) return DEER_OK;
  deer_tensor into = deer_tensor_wrap(DEER_DTYPE_REAL, DEER_SHAPE(batch->size), batch->weight);
  DEER_TRY(deer_lua_read(L, index, &into));
  return deer_replay_update(replay, batch->size, batch->index, batch->weight);
}

// the loss at `index`
static deer_status read_loss(lua_State *L, int index, double *loss) {
  char got[DEER_DESCRIBE];
  *loss = lua_tonumber(L, index);
  if (lua_type(L, index) == LUA_TNUMBER && isfinite(*loss)) return DEER_OK;
  return deer_fail(DEER_EDATA, "expected a finite number, the loss, got %s",
                   deer_lua_describe(L, index, got));
}

// train(states, actions, rewards, next_states, terminals, weights) -> loss [, errors]; without
// arguments for one that has tensors
static deer_status learn(deer_algo *self, deer_replay *replay, deer_rng *rng, double *loss) {
  lua_algo *algo = (lua_algo *)self;
  int object;
  deer_call *call = deer_call_find(self, &object);
  if (!call) return DEER_ESTATE;
  DEER_TRY(draw_batch(call, object, &(drawing){algo, replay, rng, DEER_OK}));
  lua_State *L = call->L;
  int top = lua_gettop(L);
  // the tables are copies: the method may draw the next batch itself
  deer_method method = {"train", push_batch, algo, 6};
  if (algo->own_tensors) method = (deer_method){.name = "train"};
  DEER_TRY(deer_call_method(call, object, &method, 2));
  deer_status status = read_loss(L, top + 2, loss);
  if (status == DEER_OK) status = tell_errors(L, top + 3, algo, replay);
  if (status != DEER_OK)
    status = deer_call_refuse(call, top + 1, "train");
  else
    self->updates++;
  lua_settop(L, top);
  return status;
}

static const deer_algo_class lua_algo_class = {.abi = DEER_ALGO_ABI,
                                               .name = "lua",
                                               .help = "an algorithm written in Lua",
                                               .caps = DEER_ALGO_DISCRETE | DEER_ALGO_CONTINUOUS,
                                               .size = sizeof(lua_algo),
                                               .act = act,
                                               .values = values,
                                               .learn = learn};

/* ---- making one ---- */

// raises unless the object at 1 has the methods of an algo
static void check_methods(lua_State *L) {
  static const char *const needed[] = {"chooseBestAction", "train", NULL};
  luaL_checktype(L, 1, LUA_TTABLE);
  for (int i = 0; needed[i]; i++)
    if (lua_getfield(L, 1, needed[i]) != LUA_TFUNCTION)
      deer_lua_fail(L, "algo: expected a method '%s', got %s", needed[i], luaL_typename(L, -1));
}

// luaalgo(object, { environment =, batch_size = })
static int algo_lua(lua_State *L) {
  check_methods(L);
  deer_lua_check_options(L, 2);
  deer_env *env = deer_lua_environment_option(L, 2);
  lua_Integer size = deer_lua_integer_option(L, 2, "batch_size", 32, 1);
  if (size > DEER_MOST_SAMPLES)
    deer_lua_fail(L, "option 'batch_size': expected at most %d, got %I", DEER_MOST_SAMPLES,
                  (LUAI_UACINT)size);
  // the buffers follow the struct in the same userdata: there is nothing to give back
  size_t head = (sizeof(lua_algo_box) + 15) / 16 * 16;
  deer_batch batch = {.size = (int)size};
  size_t bytes = deer_lua_place_batch(&env->space, &batch, NULL);
  lua_algo_box *box = lua_newuserdatauv(L, head + bytes, 1);
  deer_lua_place_batch(&env->space, &batch, (char *)box + head);
  *box = (lua_algo_box){.own = {.base = {.kind = &lua_algo_class,
                                         .space = env->space,
                                         .learning_rate = 0.005,
                                         .discount = 0.9,
                                         .batch_size = size},
                                .batch = batch,
                                .own_tensors = lua_getfield(L, 1, "batch") == LUA_TFUNCTION}};
  lua_pop(L, 1);
  box->box.algo = &box->own.base;
  luaL_setmetatable(L, DEER_ALGO_CLASS);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

static const luaL_Reg functions[] = {{"luaalgo", algo_lua}, {NULL, NULL}};

void deer_open_luaalgo(lua_State *L) { luaL_setfuncs(L, functions, 0); }
