/* dataset.c: deer.DataSet, a replay memory: one of its own, or the training or test samples of an
 * agent. The agent's test set is made anew at each test epoch, so it is asked for at every use. */
#include "bind/core.h"

#include <limits.h>
#include <string.h>

typedef struct dataset {
  deer_replay *own; // NULL: that of the agent or learner in user value 1
  bool test;        // of the agent's two
  deer_rng rng;
  void *observation[DEER_MAX_SUBJECTS]; // behind this struct; for one observation on its way
} dataset;

/* ---- life ---- */

static dataset *check_dataset(lua_State *L) { return luaL_checkudata(L, 1, DEER_DATASET_CLASS); }

deer_replay *deer_lua_check_replay(lua_State *L, int arg) {
  const dataset *set = luaL_checkudata(L, arg, DEER_DATASET_CLASS);
  if (set->own) return set->own;
  luaL_argcheck(L, lua_getiuservalue(L, arg, 1) == LUA_TUSERDATA, arg, "data set is closed");
  if (luaL_testudata(L, -1, DEER_LEARNER_CLASS)) {
    deer_replay *all = deer_learner_replay(deer_lua_check_learner(L, -1));
    lua_pop(L, 1);
    return all;
  }
  const deer_agent *agent = deer_lua_check_agent(L, -1);
  lua_pop(L, 1);
  deer_replay *replay = set->test ? deer_agent_test_set(agent) : deer_agent_replay(agent);
  luaL_argcheck(L, replay, arg, "there was no test epoch yet");
  return replay;
}

// that of the data set at 1
static deer_replay *check_replay(lua_State *L) { return deer_lua_check_replay(L, 1); }

static size_t room(const deer_space *space, int s) {
  return (deer_subject_bytes(&space->subjects[s]) + 15) / 16 * 16;
}

// pushes a data set that holds nothing yet
static dataset *push_dataset(lua_State *L, const deer_space *space, const deer_rng *rng) {
  size_t head = (sizeof(dataset) + 15) / 16 * 16, bytes = head;
  for (int s = 0; s < space->n_subjects; s++) bytes += room(space, s);
  dataset *set = lua_newuserdatauv(L, bytes, 1);
  *set = (dataset){.rng = *rng};
  char *place = (char *)set + head;
  for (int s = 0; s < space->n_subjects; place += room(space, s++)) set->observation[s] = place;
  luaL_setmetatable(L, DEER_DATASET_CLASS);
  return set;
}

void deer_lua_push_dataset(lua_State *L, const deer_space *space, const deer_rng *rng, bool test) {
  push_dataset(L, space, rng)->test = test;
}

// dataset{ environment = | input_dimensions =, n_actions =, ...; capacity =, ... }
static int dataset_new(lua_State *L) {
  deer_space space = {0};
  deer_lua_check_options(L, 1);
  if (lua_getfield(L, 1, "environment") != LUA_TNIL)
    space = deer_lua_environment_option(L, 1)->space;
  else
    deer_lua_space_options(L, &space);
  deer_replay_config config = {.space = &space,
                               .capacity = deer_lua_integer_option(L, 1, "capacity", 1000000, 1),
                               .only_full_history =
                                   deer_lua_boolean_option(L, 1, "only_full_history", true)};
  lua_Integer lanes = deer_lua_integer_option(L, 1, "n_envs", 1, 1);
  config.lanes = lanes > INT_MAX ? INT_MAX : (int)lanes; // too many for any replay
  const char *kind = deer_lua_word_option(L, 1, "replay", "uniform");
  const deer_replay_class *class = deer_lua_replay(L, kind);
  if (lua_getfield(L, 1, "replay_options") != LUA_TNIL && !lua_istable(L, -1))
    deer_lua_bad_option(L, "replay_options", "a table", -1);
  config.options = deer_lua_options(L, lua_gettop(L), &config.n_options);
  deer_rng rng = deer_rng_seed((uint64_t)deer_lua_integer_option(L, 1, "seed", 0, LUA_MININTEGER));
  dataset *set = push_dataset(L, &space, &rng);
  deer_status status = deer_replay_new(class, &config, &set->own);
  return status == DEER_OK ? 1 : deer_throw(L, status);
}

// an agent's samples are freed by the agent
static int dataset_gc(lua_State *L) {
  dataset *set = check_dataset(L);
  deer_replay_free(set->own);
  set->own = NULL;
  return 0;
}

/* ---- looking ---- */

// Making Lua values may run finalizers, which may do anything: the replay is looked up anew for
// each sample, and an observation is copied before it is pushed.

// nElems()
static int dataset_count(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)deer_replay_count(check_replay(L)));
  return 1;
}

static int dataset_bytes(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)deer_replay_bytes(check_replay(L)));
  return 1;
}

// pushes a list with what `push` makes of every sample
static int push_list(lua_State *L, void (*push)(lua_State *L, dataset *set, int64_t slot, int s),
                     int s) {
  dataset *set = check_dataset(L);
  int64_t count = deer_replay_count(check_replay(L));
  lua_createtable(L, count < INT_MAX ? (int)count : INT_MAX, 0);
  lua_Integer n = 0;
  for (int64_t slot = -1; deer_replay_next(check_replay(L), &slot);) {
    push(L, set, slot, s);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

// for push_list: what each list is made of
static void push_observation(lua_State *L, dataset *set, int64_t slot, int s) {
  const deer_replay *replay = check_replay(L);
  const deer_subject *subject = &deer_replay_space(replay)->subjects[s];
  memcpy(set->observation[s], deer_replay_observation(replay, slot, s),
         deer_subject_bytes(subject));
  deer_tensor from = deer_tensor_wrap(subject->dtype, subject->shape, set->observation[s]);
  deer_lua_push(L, &from);
}

static void push_action(lua_State *L, dataset *set, int64_t slot, int s) {
  (void)set, (void)s;
  const deer_replay *replay = check_replay(L);
  deer_action_space actions = deer_replay_space(replay)->actions;
  deer_real action[DEER_MAX_ACTION_SIZE];
  memcpy(action, deer_replay_action(replay, slot), (size_t)actions.size * sizeof *action);
  deer_lua_push_action(L, &actions, action);
}

static void push_reward(lua_State *L, dataset *set, int64_t slot, int s) {
  (void)set, (void)s;
  lua_pushnumber(L, deer_replay_reward(check_replay(L), slot));
}

static void push_terminal(lua_State *L, dataset *set, int64_t slot, int s) {
  (void)set, (void)s;
  lua_pushboolean(L, deer_replay_ending(check_replay(L), slot) == DEER_TERMINATED);
}

static void push_truncated(lua_State *L, dataset *set, int64_t slot, int s) {
  (void)set, (void)s;
  lua_pushboolean(L, deer_replay_ending(check_replay(L), slot) == DEER_TRUNCATED);
}

// observations(): for each subject a list in the order of time
static int dataset_observations(lua_State *L) {
  int n = deer_replay_space(check_replay(L))->n_subjects;
  lua_settop(L, 1);
  lua_createtable(L, n, 0);
  for (int s = 0; s < n; s++) {
    push_list(L, push_observation, s);
    lua_rawseti(L, 2, s + 1);
  }
  return 1;
}

static int dataset_actions(lua_State *L) { return push_list(L, push_action, 0); }
static int dataset_rewards(lua_State *L) { return push_list(L, push_reward, 0); }
static int dataset_terminals(lua_State *L) { return push_list(L, push_terminal, 0); }
static int dataset_truncateds(lua_State *L) { return push_list(L, push_truncated, 0); }

/* ---- adding ---- */

// true or false; false when it may be absent and is
static bool check_flag(lua_State *L, int arg, bool needed) {
  if (needed || !lua_isnoneornil(L, arg)) luaL_checktype(L, arg, LUA_TBOOLEAN);
  return lua_toboolean(L, arg);
}

// the number of an environment, 0 when there is none
static int check_lane(lua_State *L, int arg, const deer_replay *replay) {
  lua_Integer lane = luaL_optinteger(L, arg, 0);
  int lanes = deer_replay_lanes(replay);
  if (lane < 0 || lane >= lanes)
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "there is no environment %I (expected 0 to %d)",
                                  (LUAI_UACINT)lane, lanes - 1));
  return (int)lane;
}

// addSample(observation, action, reward, terminal [, truncated [, env]])
static int dataset_add(lua_State *L) {
  dataset *set = check_dataset(L);
  deer_replay *replay = check_replay(L);
  const deer_space *space = deer_replay_space(replay);
  // the observation goes through the data set's own buffers
  deer_real action[DEER_MAX_ACTION_SIZE];
  if (deer_lua_read_observation(L, 2, space, set->observation) != DEER_OK)
    luaL_argerror(L, 2, deer_error());
  if (deer_lua_read_action(L, 3, &space->actions, action) != DEER_OK)
    luaL_argerror(L, 3, deer_error());
  deer_sample sample = {.observation = (const void *const *)set->observation,
                        .action = action,
                        .reward = luaL_checknumber(L, 4),
                        .lane = check_lane(L, 7, replay)};
  bool terminal = check_flag(L, 5, true), truncated = check_flag(L, 6, false);
  sample.ending = terminal ? DEER_TERMINATED : truncated ? DEER_TRUNCATED : DEER_RUNNING;
  deer_status status = deer_replay_push(replay, &sample);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

// close(observation [, env]): what came after the last sample, when the episode goes no further
static int dataset_close(lua_State *L) {
  dataset *set = check_dataset(L);
  deer_replay *replay = check_replay(L);
  if (deer_lua_read_observation(L, 2, deer_replay_space(replay), set->observation) != DEER_OK)
    luaL_argerror(L, 2, deer_error());
  int lane = check_lane(L, 3, replay);
  deer_status status = deer_replay_close(replay, lane, (const void *const *)set->observation);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

/* ---- drawing ---- */

// how samples are drawn and what is made of them
typedef deer_lua_taken how;

static const char *const how_names[] = {"n_step", "discount", "sequence"};
enum { HOW_NAMES = sizeof how_names / sizeof *how_names };

// into buffers that are there
static deer_status draw(deer_replay *replay, dataset *set, how *h) {
  if (h->length > 0) return deer_replay_sequences(replay, &set->rng, h->length, &h->batch);
  return deer_replay_sample(replay, &set->rng, &h->batch);
}

// nothing to draw is an answer, no error: nil, message
static int push_nothing(lua_State *L) {
  luaL_pushfail(L);
  lua_pushstring(L, deer_error());
  return 2;
}

// randomBatch(size [, { n_step =, discount =, sequence = }]) -> states, actions, rewards,
// next_states, terminals, indices, weights; nil, message
static int dataset_batch(lua_State *L) {
  dataset *set = check_dataset(L);
  lua_Integer size = luaL_checkinteger(L, 2);
  how h = {.length = 0};
  if (!lua_isnoneornil(L, 3)) {
    luaL_checktype(L, 3, LUA_TTABLE);
    deer_lua_check_names(L, 3, "option of randomBatch", how_names, HOW_NAMES);
    deer_lua_take_how(L, 3, &h);
  }
  lua_Integer most = DEER_MOST_SAMPLES / (h.length > 0 ? h.length : 1);
  luaL_argcheck(L, size >= 1 && size <= most, 2, "size of 1 to 2^24 expected");
  deer_lua_rows rows = {(int)size, h.length};
  deer_space space = *deer_replay_space(check_replay(L));
  h.batch.size = rows.size * (rows.length > 0 ? rows.length : 1);
  void *block = lua_newuserdatauv(L, deer_lua_place_batch(&space, &h.batch, NULL), 0);
  deer_lua_place_batch(&space, &h.batch, block);
  h.batch.size = rows.size;
  deer_status status = draw(check_replay(L), set, &h);
  if (status == DEER_EAGAIN) return push_nothing(L);
  if (status != DEER_OK) return deer_throw(L, status);
  deer_lua_push_batch(L, &space, &h.batch, rows);
  deer_lua_push_indices(L, &h.batch, rows);
  deer_lua_push_reals(L, rows, h.batch.weight);
  return 7;
}

/* ---- priorities ---- */

// entry i of the list, or element i of the tensor of int32, at 2
static int64_t read_index(lua_State *L, const deer_tensor *tensor, int i) {
  if (tensor) return ((const int32_t *)tensor->data)[i];
  lua_rawgeti(L, 2, i + 1);
  lua_Integer index = deer_lua_check_integer(L, -1);
  lua_pop(L, 1);
  return index;
}

// updatePriorities(indices, errors): lists, or tensors of one shape
static int dataset_update(lua_State *L) {
  check_dataset(L);
  lua_settop(L, 3);
  const deer_tensor *tensor = deer_lua_to_tensor(L, 2);
  if (!tensor) luaL_checktype(L, 2, LUA_TTABLE);
  luaL_argcheck(L, !tensor || tensor->dtype == DEER_DTYPE_I32, 2, "tensor of int32 expected");
  lua_Unsigned size = tensor ? deer_shape_count(&tensor->shape) : lua_rawlen(L, 2);
  luaL_argcheck(L, size >= 1 && size <= DEER_MOST_SAMPLES, 2, "list of 1 to 2^24 indices expected");
  int n = (int)size;
  deer_real *error = lua_newuserdatauv(L, size * sizeof *error, 0);
  int64_t *index = lua_newuserdatauv(L, size * sizeof *index, 0);
  deer_tensor into =
      deer_tensor_wrap(DEER_DTYPE_REAL, tensor ? tensor->shape : DEER_SHAPE(n), error);
  if (deer_lua_read(L, 3, &into) != DEER_OK) luaL_argerror(L, 3, deer_error());
  int64_t slots = deer_replay_slots(check_replay(L));
  for (int i = 0; i < n; i++) {
    index[i] = read_index(L, tensor, i);
    luaL_argcheck(L, index[i] >= 0 && index[i] < slots, 2,
                  "index of a sample that was drawn expected");
  }
  deer_status status = deer_replay_update(check_replay(L), n, index, error);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

/* ---- drawing into tensors ---- */

// the slots of the rows, which the core counts with 64 bits, as int32
static deer_status draw_indices(deer_replay *replay, dataset *set, how *h) {
  size_t rows = (size_t)h->batch.size * (size_t)(h->length > 0 ? h->length : 1);
  if (deer_replay_slots(replay) > INT32_MAX)
    return deer_fail(DEER_EINVAL, "index: the memory holds more samples than int32 counts");
  h->batch.index = deer_alloc_array(rows, sizeof *h->batch.index);
  if (!h->batch.index) return DEER_ENOMEM;
  deer_status status = draw(replay, set, h);
  for (size_t i = 0; status == DEER_OK && i < rows; i++) h->index[i] = (int32_t)h->batch.index[i];
  deer_free(h->batch.index);
  return status;
}

// randomBatchInto{ obs_tm1 = tensor, ... }: true; nil, message when nothing can be drawn
static int dataset_batch_into(lua_State *L) {
  dataset *set = check_dataset(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  how h = {.length = 0};
  deer_lua_take_batch(L, 2, "randomBatchInto", deer_replay_space(check_replay(L)), &h);
  deer_replay *replay = check_replay(L);
  deer_status status = h.index ? draw_indices(replay, set, &h) : draw(replay, set, &h);
  if (status == DEER_EAGAIN) return push_nothing(L);
  if (status != DEER_OK) return deer_throw(L, status);
  lua_pushboolean(L, 1);
  return 1;
}

static const luaL_Reg methods[] = {
    {"nElems", dataset_count},
    {"observations", dataset_observations},
    {"actions", dataset_actions},
    {"rewards", dataset_rewards},
    {"terminals", dataset_terminals},
    {"truncateds", dataset_truncateds},
    {"addSample", dataset_add},
    {"close", dataset_close},
    {"randomBatch", dataset_batch},
    {"randomBatchInto", dataset_batch_into},
    {"bytes", dataset_bytes},
    {"updatePriorities", dataset_update},
    {NULL, NULL},
};
static const luaL_Reg events[] = {{"__gc", dataset_gc}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"dataset", dataset_new}, {NULL, NULL}};

void deer_open_dataset(lua_State *L) {
  deer_lua_class(L, DEER_DATASET_CLASS, methods, events);
  luaL_setfuncs(L, functions, 0);
}
