/* train.c: an update of an algorithm on a batch that a script has put together. */
#include "bind/core.h"

static void check_table(lua_State *L, int arg) {
  if (lua_istable(L, arg)) return;
  deer_lua_bad_argument(L, arg,
                        lua_pushfstring(L, "table expected, got %s", luaL_typename(L, arg)));
}

// states[subject][sample][history]... at `arg`
static void read_states(lua_State *L, int arg, const deer_space *space, int size,
                        void *const *data) {
  check_table(L, arg);
  for (int s = 0; s < space->n_subjects; s++) {
    deer_shape one = deer_subject_state(&space->subjects[s]);
    deer_shape all = {.rank = one.rank + 1, .dim = {size}};
    if (all.rank > DEER_MAX_RANK) deer_lua_fail(L, "subject %d has too many axes for a batch", s);
    for (int i = 0; i < one.rank; i++) all.dim[i + 1] = one.dim[i];
    const deer_tensor into = deer_tensor_wrap(space->subjects[s].dtype, all, data[s]);
    lua_rawgeti(L, arg, s + 1);
    if (deer_lua_read(L, -1, &into) != DEER_OK)
      deer_lua_bad_argument(L, arg, lua_pushfstring(L, "subject %d: %s", s, deer_error()));
    lua_pop(L, 1);
  }
}

static void read_reals(lua_State *L, int arg, int size, deer_real *data) {
  const deer_tensor into = deer_tensor_wrap(DEER_DTYPE_REAL, DEER_SHAPE(size), data);
  if (deer_lua_read(L, arg, &into) != DEER_OK) deer_lua_bad_argument(L, arg, deer_error());
}

// the list at `arg` has an entry for each sample; raises when it has not
static void check_length(lua_State *L, int arg, int size) {
  check_table(L, arg);
  if (lua_rawlen(L, arg) == (lua_Unsigned)size) return;
  deer_lua_bad_argument(L, arg,
                        lua_pushfstring(L, "expected %d entries, the batch_size, got %d", size,
                                        (int)lua_rawlen(L, arg)));
}

static void read_actions(lua_State *L, int arg, const deer_action_space *actions,
                         const deer_batch *batch) {
  check_length(L, arg, batch->size);
  for (int i = 0; i < batch->size; i++) {
    deer_real *action = batch->action_tm1 + (size_t)i * (size_t)actions->size;
    lua_rawgeti(L, arg, i + 1);
    if (deer_lua_read_action(L, -1, actions, action) != DEER_OK)
      deer_lua_bad_argument(L, arg, lua_pushfstring(L, "sample %d: %s", i + 1, deer_error()));
    batch->a_tm1[i] = (int32_t)*action;
    lua_pop(L, 1);
  }
}

static void read_terminals(lua_State *L, int arg, const deer_batch *batch) {
  check_length(L, arg, batch->size);
  for (int i = 0; i < batch->size; i++) {
    if (lua_rawgeti(L, arg, i + 1) != LUA_TBOOLEAN)
      deer_lua_bad_argument(L, arg,
                            lua_pushfstring(L, "sample %d: expected true or false, got %s", i + 1,
                                            luaL_typename(L, -1)));
    batch->continue_t[i] = lua_toboolean(L, -1) ? 0 : 1;
    lua_pop(L, 1);
  }
}

// train(states, actions, rewards, next_states, terminals [, weights]) -> loss, losses
int deer_lua_algo_train(lua_State *L) {
  deer_algo *algo = deer_lua_to_algo(L, 1);
  if (!algo || !algo->kind->train) return deer_lua_fail(L, "expected an algorithm that trains");
  const deer_space *space = &algo->space;
  lua_settop(L, 7);
  deer_batch batch = {.size = (int)algo->batch_size};
  size_t n = (size_t)batch.size, bytes = deer_lua_place_batch(space, &batch, NULL);
  char *block = lua_newuserdatauv(L, bytes + n * sizeof(int32_t) + n * sizeof(deer_real), 0);
  deer_lua_place_batch(space, &batch, block);
  deer_real *losses = (deer_real *)(void *)(block + bytes);
  batch.a_tm1 = (int32_t *)(void *)(losses + n);

  read_states(L, 2, space, batch.size, batch.obs_tm1);
  read_actions(L, 3, &space->actions, &batch);
  read_reals(L, 4, batch.size, batch.r_t);
  read_states(L, 5, space, batch.size, batch.obs_t);
  read_terminals(L, 6, &batch);
  if (lua_isnil(L, 7))
    batch.weight = NULL;
  else
    read_reals(L, 7, batch.size, batch.weight);

  double loss;
  deer_status status = algo->kind->train(algo, &batch, &loss, losses);
  if (status != DEER_OK) return deer_throw(L, status);
  lua_pushnumber(L, loss);
  deer_lua_push_reals(L, (deer_lua_rows){.size = batch.size}, losses);
  return 2;
}
