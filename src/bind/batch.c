/* batch.c: batches of samples: buffers for the core, nested tables for Lua. */
#include "bind/core.h"

#include <string.h>

static size_t aligned(size_t bytes) { return (bytes + 15) / 16 * 16; }

// a state of every sample of a batch, for one subject
static size_t state_bytes(const deer_space *space, int s, int size) {
  const deer_subject *subject = &space->subjects[s];
  return aligned((size_t)size * (size_t)subject->history * deer_subject_bytes(subject));
}

// the next `bytes` of the block; NULL while measuring
static void *take(char *block, size_t *used, size_t bytes) {
  void *place = block ? block + *used : NULL;
  *used += aligned(bytes);
  return place;
}

size_t deer_lua_place_batch(const deer_space *space, deer_batch *batch, void *block) {
  // states are below 2^33 bytes and batches below 2^25 samples: nothing overflows
  size_t used = 0, n = (size_t)batch->size;
  for (int s = 0; s < space->n_subjects; s++) {
    size_t bytes = state_bytes(space, s, batch->size);
    batch->obs_tm1[s] = take(block, &used, bytes);
    batch->obs_t[s] = take(block, &used, bytes);
  }
  size_t action = (size_t)space->actions.size * sizeof *batch->action_tm1;
  batch->action_tm1 = take(block, &used, n * action);
  batch->r_t = take(block, &used, n * sizeof *batch->r_t);
  batch->continue_t = take(block, &used, n * sizeof *batch->continue_t);
  batch->weight = take(block, &used, n * sizeof *batch->weight);
  batch->index = take(block, &used, n * sizeof *batch->index);
  return used;
}

// states[subject][sample][history]...
static void push_states(lua_State *L, const deer_space *space, int size, void *const *data) {
  lua_createtable(L, space->n_subjects, 0);
  for (int s = 0; s < space->n_subjects; s++) {
    deer_shape one = deer_subject_state(&space->subjects[s]);
    deer_shape all = {.rank = one.rank + 1, .dim = {size}};
    memcpy(all.dim + 1, one.dim, (size_t)one.rank * sizeof *one.dim);
    deer_tensor from = deer_tensor_wrap(space->subjects[s].dtype, all, data[s]);
    deer_lua_push(L, &from);
    lua_rawseti(L, -2, s + 1);
  }
}

// an action of every sample
static void push_actions(lua_State *L, const deer_action_space *space, const deer_batch *batch) {
  lua_createtable(L, batch->size, 0);
  for (int i = 0; i < batch->size; i++) {
    deer_lua_push_action(L, space, batch->action_tm1 + (size_t)i * (size_t)space->size);
    lua_rawseti(L, -2, i + 1);
  }
}

void deer_lua_push_batch(lua_State *L, const deer_space *space, const deer_batch *batch) {
  luaL_checkstack(L, 10, NULL);
  push_states(L, space, batch->size, batch->obs_tm1);
  push_actions(L, &space->actions, batch);
  deer_tensor rewards = deer_tensor_wrap(DEER_DTYPE_REAL, DEER_SHAPE(batch->size), batch->r_t);
  deer_lua_push(L, &rewards);
  push_states(L, space, batch->size, batch->obs_t);
  lua_createtable(L, batch->size, 0);
  for (int i = 0; i < batch->size; i++) {
    lua_pushboolean(L, batch->continue_t[i] == 0);
    lua_rawseti(L, -2, i + 1);
  }
}
