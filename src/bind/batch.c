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

// states[subject][sample][history]..., or states[subject][sequence][step][history]...
static void push_states(lua_State *L, const deer_space *space, deer_lua_rows rows,
                        void *const *data) {
  int more = rows.length > 0 ? 2 : 1;
  lua_createtable(L, space->n_subjects, 0);
  for (int s = 0; s < space->n_subjects; s++) {
    deer_shape one = deer_subject_state(&space->subjects[s]);
    deer_shape all = {.rank = one.rank + more, .dim = {rows.size, rows.length}};
    if (all.rank > DEER_MAX_RANK)
      deer_lua_fail(L, "subject %d: its sequences have more than %d axes", s, DEER_MAX_RANK);
    memcpy(all.dim + more, one.dim, (size_t)one.rank * sizeof *one.dim);
    deer_tensor from = deer_tensor_wrap(space->subjects[s].dtype, all, data[s]);
    deer_lua_push(L, &from);
    lua_rawseti(L, -2, s + 1);
  }
}

void deer_lua_push_reals(lua_State *L, deer_lua_rows rows, deer_real *x) {
  deer_shape shape = {.rank = rows.length > 0 ? 2 : 1, .dim = {rows.size, rows.length}};
  deer_tensor from = deer_tensor_wrap(DEER_DTYPE_REAL, shape, x);
  deer_lua_push(L, &from);
}

// a list of what `push` makes of each row, for sequences a list of such lists
static void
push_rows(lua_State *L, const deer_space *space, const deer_batch *batch, deer_lua_rows rows,
          void (*push)(lua_State *L, const deer_space *space, const deer_batch *batch, int row)) {
  lua_createtable(L, rows.size, 0);
  for (int i = 0; i < rows.size; i++) {
    if (rows.length > 0) lua_createtable(L, rows.length, 0);
    for (int t = 0; t < rows.length; t++) {
      push(L, space, batch, i * rows.length + t);
      lua_rawseti(L, -2, t + 1);
    }
    if (rows.length == 0) push(L, space, batch, i);
    lua_rawseti(L, -2, i + 1);
  }
}

// for push_rows
static void push_action(lua_State *L, const deer_space *space, const deer_batch *batch, int row) {
  const deer_action_space *actions = &space->actions;
  deer_lua_push_action(L, actions, batch->action_tm1 + (size_t)row * (size_t)actions->size);
}

static void push_terminal(lua_State *L, const deer_space *space, const deer_batch *batch, int row) {
  (void)space;
  lua_pushboolean(L, batch->continue_t[row] == 0);
}

static void push_index(lua_State *L, const deer_space *space, const deer_batch *batch, int row) {
  (void)space;
  lua_pushinteger(L, (lua_Integer)batch->index[row]);
}

void deer_lua_push_batch(lua_State *L, const deer_space *space, const deer_batch *batch,
                         deer_lua_rows rows) {
  luaL_checkstack(L, 12, NULL);
  push_states(L, space, rows, batch->obs_tm1);
  push_rows(L, space, batch, rows, push_action);
  deer_lua_push_reals(L, rows, batch->r_t);
  push_states(L, space, rows, batch->obs_t);
  push_rows(L, space, batch, rows, push_terminal);
}

void deer_lua_push_indices(lua_State *L, const deer_batch *batch, deer_lua_rows rows) {
  push_rows(L, NULL, batch, rows, push_index);
}
