/* dataset.c: deer.DataSet, a replay memory: one of its own, or the training or test samples of an
 * agent. The agent's test set is made anew at each test epoch, so it is asked for at every use. */
#include "bind/core.h"

#include <limits.h>
#include <string.h>

typedef struct dataset {
  deer_replay *own; // NULL: the agent's, which is in user value 1
  bool test;        // of the agent's two
  deer_rng rng;
  void *observation[DEER_MAX_SUBJECTS]; // behind this struct; for one observation on its way
} dataset;

/* ---- life ---- */

static dataset *check_dataset(lua_State *L) { return luaL_checkudata(L, 1, DEER_DATASET_CLASS); }

// the replay of the data set at 1, as it is now
static deer_replay *check_replay(lua_State *L) {
  const dataset *set = check_dataset(L);
  if (set->own) return set->own;
  luaL_argcheck(L, lua_getiuservalue(L, 1, 1) == LUA_TUSERDATA, 1, "data set is closed");
  const deer_agent *agent = deer_lua_check_agent(L, -1);
  lua_pop(L, 1);
  deer_replay *replay = set->test ? deer_agent_test_set(agent) : deer_agent_replay(agent);
  luaL_argcheck(L, replay, 1, "there was no test epoch yet");
  return replay;
}

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

// raises about a field of the options at 1 for the reason in deer_error()
static void check_option(lua_State *L, const char *name, deer_status status) {
  if (status != DEER_OK) deer_lua_fail(L, "option '%s': %s", name, deer_error());
}

// the space from input_dimensions, n_actions and observation_types of the options at 1
static void read_space(lua_State *L, deer_space *space) {
  lua_getfield(L, 1, "input_dimensions");
  check_option(L, "input_dimensions", deer_lua_read_dimensions(L, lua_gettop(L), space));
  lua_getfield(L, 1, "n_actions");
  check_option(L, "n_actions", deer_lua_read_n_actions(L, lua_gettop(L), &space->actions));
  if (lua_getfield(L, 1, "observation_types") != LUA_TNIL) {
    if (!lua_istable(L, -1)) deer_lua_bad_option(L, "observation_types", "a list", -1);
    for (int s = 0; s < space->n_subjects; s++) {
      lua_rawgeti(L, -1, s + 1);
      check_option(L, "observation_types",
                   deer_lua_read_type(L, lua_gettop(L), &space->subjects[s].dtype));
      lua_pop(L, 1);
    }
  }
  deer_status status = deer_space_check(space);
  if (status != DEER_OK) deer_throw(L, status);
}

// dataset{ environment = | input_dimensions =, n_actions =, ...; capacity =, ... }
static int dataset_new(lua_State *L) {
  deer_space space = {0};
  deer_lua_check_options(L, 1);
  if (lua_getfield(L, 1, "environment") != LUA_TNIL)
    space = deer_lua_environment_option(L, 1)->space;
  else
    read_space(L, &space);
  deer_replay_config config = {.space = &space,
                               .capacity = deer_lua_integer_option(L, 1, "capacity", 1000000, 1),
                               .only_full_history =
                                   deer_lua_boolean_option(L, 1, "only_full_history", true)};
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

// addSample(observation, action, reward, terminal [, truncated])
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
                        .reward = luaL_checknumber(L, 4)};
  bool terminal = check_flag(L, 5, true), truncated = check_flag(L, 6, false);
  sample.ending = terminal ? DEER_TERMINATED : truncated ? DEER_TRUNCATED : DEER_RUNNING;
  deer_status status = deer_replay_push(replay, &sample);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

// close(observation): what came after the last sample, when the episode goes no further
static int dataset_close(lua_State *L) {
  dataset *set = check_dataset(L);
  deer_replay *replay = check_replay(L);
  if (deer_lua_read_observation(L, 2, deer_replay_space(replay), set->observation) != DEER_OK)
    luaL_argerror(L, 2, deer_error());
  deer_status status = deer_replay_close(replay, 0, (const void *const *)set->observation);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

/* ---- drawing ---- */

// turns slots of the memory into positions among the samples, from 0; slots that hold the last
// observation of an episode are no samples
static void number_samples(const deer_replay *replay, int64_t *index, int n, int64_t *number) {
  int64_t count = 0;
  for (int64_t slot = -1; deer_replay_next(replay, &slot);) number[slot] = count++;
  for (int i = 0; i < n; i++) index[i] = number[index[i]];
}

// randomBatch(size) -> states, actions, rewards, next_states, terminals, indices, weights;
// nil, message
static int dataset_batch(lua_State *L) {
  dataset *set = check_dataset(L);
  lua_Integer size = luaL_checkinteger(L, 2);
  luaL_argcheck(L, size >= 1 && size <= DEER_MOST_SAMPLES, 2, "size of 1 to 2^24 expected");
  deer_space space = *deer_replay_space(check_replay(L));
  deer_batch batch = {.size = (int)size};
  void *block = lua_newuserdatauv(L, deer_lua_place_batch(&space, &batch, NULL), 0);
  deer_lua_place_batch(&space, &batch, block);
  size_t slots = (size_t)deer_replay_slots(check_replay(L));
  int64_t *number = lua_newuserdatauv(L, slots * sizeof *number + 1, 0);

  // from here to the end of the drawing nothing raises
  deer_replay *replay = check_replay(L);
  deer_status status = deer_replay_sample(replay, &set->rng, &batch);
  // nothing to draw is an answer, no error
  if (status == DEER_EAGAIN) {
    luaL_pushfail(L);
    lua_pushstring(L, deer_error());
    return 2;
  }
  if (status != DEER_OK) return deer_throw(L, status);
  if ((size_t)deer_replay_slots(replay) <= slots)
    number_samples(replay, batch.index, batch.size, number);

  deer_lua_push_batch(L, &space, &batch);
  lua_createtable(L, batch.size, 0);
  for (int i = 0; i < batch.size; i++) {
    lua_pushinteger(L, (lua_Integer)batch.index[i]);
    lua_rawseti(L, -2, i + 1);
  }
  deer_tensor weights = deer_tensor_wrap(DEER_DTYPE_REAL, DEER_SHAPE(batch.size), batch.weight);
  deer_lua_push(L, &weights);
  return 7;
}

// the slots of the samples numbered from 0
static int64_t *push_slots(lua_State *L, const deer_replay *replay) {
  int64_t count = 0;
  int64_t *slots = lua_newuserdatauv(L, (size_t)deer_replay_count(replay) * sizeof *slots + 1, 0);
  // what a finalizer may have added or taken away meanwhile is left out
  int64_t room = (int64_t)(lua_rawlen(L, -1) / sizeof *slots);
  for (int64_t slot = -1; count < room && deer_replay_next(replay, &slot);) slots[count++] = slot;
  for (; count < room; count++) slots[count] = -1;
  return slots;
}

// updatePriorities(indices, errors)
static int dataset_update(lua_State *L) {
  check_dataset(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 3);
  lua_Unsigned size = lua_rawlen(L, 2);
  luaL_argcheck(L, size >= 1 && size <= DEER_MOST_SAMPLES, 2, "list of 1 to 2^24 indices expected");
  int n = (int)size;
  deer_real *error = lua_newuserdatauv(L, size * sizeof *error, 0);
  int64_t *index = lua_newuserdatauv(L, size * sizeof *index, 0);
  deer_tensor into = deer_tensor_wrap(DEER_DTYPE_REAL, DEER_SHAPE(n), error);
  if (deer_lua_read(L, 3, &into) != DEER_OK) luaL_argerror(L, 3, deer_error());
  const int64_t *slots = push_slots(L, check_replay(L));
  int64_t count = (int64_t)(lua_rawlen(L, -1) / sizeof *slots);
  for (int i = 0; i < n; i++) {
    lua_rawgeti(L, 2, i + 1);
    lua_Integer number = deer_lua_check_integer(L, -1);
    luaL_argcheck(L, number >= 0 && number < count, 2, "index of a sample that was drawn expected");
    index[i] = slots[number];
    lua_pop(L, 1);
  }
  deer_status status = deer_replay_update(check_replay(L), n, index, error);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

/* ---- drawing into tensors ---- */

// fields of the table that is argument 2
enum { INTO = 2 };

// Memory of the tensor on top of the stack, field `name`, which is popped: `count` elements for
// each sample. NULL when it is absent. The first tensor says how many samples there are.
static void *take_tensor(lua_State *L, const char *name, deer_dtype dtype, size_t count,
                         int *size) {
  char got[DEER_DESCRIBE];
  const deer_tensor *t = deer_lua_to_tensor(L, -1);
  bool absent = lua_isnil(L, -1);
  if (!absent && !t)
    deer_lua_fail(L, "randomBatchInto: %s: expected a tensor, got %s", name,
                  deer_lua_describe(L, -1, got));
  if (t && *size == 0 && t->shape.rank > 0) *size = t->shape.dim[0];
  if (t && (t->dtype != dtype || *size == 0 || t->shape.rank == 0 || t->shape.dim[0] != *size ||
            deer_shape_count(&t->shape) != (size_t)*size * count))
    deer_lua_fail(L,
                  "randomBatchInto: %s: expected %s with %I elements for each of %d samples, "
                  "got %s",
                  name, deer_dtype_name(dtype), (LUAI_UACINT)count, *size,
                  deer_lua_describe(L, -1, got));
  lua_pop(L, 1);
  return absent ? NULL : t->data;
}

static void *take_field(lua_State *L, const char *name, deer_dtype dtype, size_t count, int *size,
                        int *n_fields) {
  *n_fields += lua_getfield(L, INTO, name) != LUA_TNIL;
  return take_tensor(L, name, dtype, count, size);
}

// observations: a tensor for each subject, or one alone where there is one subject
static void take_observations(lua_State *L, const char *name, const deer_space *space,
                              void **buffers, int *size) {
  int top = lua_gettop(L);
  bool list = lua_getfield(L, INTO, name) == LUA_TTABLE;
  if (list ? lua_rawlen(L, -1) != (lua_Unsigned)space->n_subjects
           : !lua_isnil(L, -1) && space->n_subjects > 1)
    deer_lua_fail(L, "randomBatchInto: %s: expected a list of %d tensors, one per subject", name,
                  space->n_subjects);
  for (int s = 0; s < space->n_subjects; s++) {
    const deer_subject *subject = &space->subjects[s];
    if (list)
      lua_rawgeti(L, top + 1, s + 1);
    else
      lua_pushvalue(L, top + 1);
    size_t count = (size_t)subject->history * deer_subject_count(subject);
    buffers[s] = take_tensor(L, name, subject->dtype, count, size);
  }
  lua_settop(L, top);
}

// how many rewards are summed, and what the later ones count
static void take_steps(lua_State *L, deer_batch *batch, int *n_fields) {
  int top = lua_gettop(L);
  bool steps = lua_getfield(L, INTO, "n_step") != LUA_TNIL;
  bool discount = lua_getfield(L, INTO, "discount") != LUA_TNIL;
  *n_fields += steps + discount;
  if (steps || discount) {
    lua_Integer n = lua_tointeger(L, -2);
    lua_Number gamma = lua_tonumber(L, -1);
    if (n < 1 || n > INT_MAX || !lua_isnumber(L, -1) || !(gamma >= 0 && gamma <= 1))
      deer_lua_fail(L, "randomBatchInto: expected n_step, an integer of at least 1, with discount, "
                       "a number from 0 to 1");
    batch->n_step = (int)n;
    batch->discount = gamma;
  }
  lua_settop(L, top);
}

// the buffers of a batch from the table of tensors
static void take_batch(lua_State *L, const deer_space *space, deer_batch *batch) {
  static const char *const names[] = {"obs_tm1",    "obs_t",  "a_tm1",  "r_t",     "continue_t",
                                      "action_tm1", "weight", "n_step", "discount"};
  int *size = &batch->size, known = 0, n = 0;
  take_observations(L, "obs_tm1", space, batch->obs_tm1, size);
  take_observations(L, "obs_t", space, batch->obs_t, size);
  if (space->actions.n > 0) batch->a_tm1 = take_field(L, "a_tm1", DEER_DTYPE_I32, 1, size, &known);
  size_t actions = (size_t)space->actions.size;
  batch->action_tm1 = take_field(L, "action_tm1", DEER_DTYPE_REAL, actions, size, &known);
  batch->r_t = take_field(L, "r_t", DEER_DTYPE_REAL, 1, size, &known);
  batch->continue_t = take_field(L, "continue_t", DEER_DTYPE_REAL, 1, size, &known);
  batch->weight = take_field(L, "weight", DEER_DTYPE_REAL, 1, size, &known);
  take_steps(L, batch, &known);
  known += (batch->obs_tm1[0] != NULL) + (batch->obs_t[0] != NULL);
  // something that nobody fills would be learnt from all the same
  for (lua_pushnil(L); lua_next(L, INTO); lua_pop(L, 1)) n++;
  if (n == known && n > 0) return;
  for (lua_pushnil(L); lua_next(L, INTO); lua_pop(L, 1)) {
    bool found = false;
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
      found = found || strcmp(names[i], name) == 0;
    if (!found) deer_lua_unknown(L, "part of a batch", name, names, sizeof names / sizeof *names);
  }
  deer_lua_fail(L, n == 0 ? "randomBatchInto: expected tensors such as { obs_tm1 = ... }"
                          : "randomBatchInto: a_tm1 is of discrete actions: use action_tm1");
}

// randomBatchInto{ obs_tm1 = tensor, ... }: true; nil, message when nothing can be drawn
static int dataset_batch_into(lua_State *L) {
  dataset *set = check_dataset(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  deer_batch batch = {0};
  take_batch(L, deer_replay_space(check_replay(L)), &batch);
  deer_status status = deer_replay_sample(check_replay(L), &set->rng, &batch);
  if (status != DEER_OK && status != DEER_EAGAIN) return deer_throw(L, status);
  if (status == DEER_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  luaL_pushfail(L);
  lua_pushstring(L, deer_error());
  return 2;
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
