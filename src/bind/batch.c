/* batch.c: batches of samples: buffers for the core, nested tables for Lua, tensors of scripts. */
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

/* ---- tensors of scripts as buffers ---- */

// a table of tensors that is being read
typedef struct reading {
  lua_State *L;
  int table;
  const char *who; // asks for it
  const deer_space *space;
  deer_batch *batch;
  int n_known; // fields that a batch has
} reading;

// Memory of the tensor on top of the stack, field `name`, which is popped: `count` elements for
// each sample. NULL when it is absent. The first tensor says how many samples there are.
static void *take_tensor(const reading *in, const char *name, deer_dtype dtype, size_t count) {
  lua_State *L = in->L;
  char got[DEER_DESCRIBE];
  int *size = &in->batch->size;
  const deer_tensor *t = deer_lua_to_tensor(L, -1);
  bool absent = lua_isnil(L, -1);
  if (!absent && !t)
    deer_lua_fail(L, "%s: %s: expected a tensor, got %s", in->who, name,
                  deer_lua_describe(L, -1, got));
  if (t && *size == 0 && t->shape.rank > 0) *size = t->shape.dim[0];
  if (t && (t->dtype != dtype || *size == 0 || t->shape.rank == 0 || t->shape.dim[0] != *size ||
            deer_shape_count(&t->shape) != (size_t)*size * count))
    deer_lua_fail(L, "%s: %s: expected %s with %I elements for each of %d samples, got %s", in->who,
                  name, deer_dtype_name(dtype), (LUAI_UACINT)count, *size,
                  deer_lua_describe(L, -1, got));
  lua_pop(L, 1);
  return absent ? NULL : t->data;
}

static void *take_field(reading *in, const char *name, deer_dtype dtype, size_t count) {
  in->n_known += lua_getfield(in->L, in->table, name) != LUA_TNIL;
  return take_tensor(in, name, dtype, count);
}

// observations: a tensor for each subject, or one alone where there is one subject
static void take_observations(reading *in, const char *name, void **buffers) {
  lua_State *L = in->L;
  int top = lua_gettop(L), n = in->space->n_subjects;
  bool list = lua_getfield(L, in->table, name) == LUA_TTABLE;
  if (list ? lua_rawlen(L, -1) != (lua_Unsigned)n : !lua_isnil(L, -1) && n > 1)
    deer_lua_fail(L, "%s: %s: expected a list of %d tensors, one per subject", in->who, name, n);
  for (int s = 0; s < n; s++) {
    const deer_subject *subject = &in->space->subjects[s];
    if (list)
      lua_rawgeti(L, top + 1, s + 1);
    else
      lua_pushvalue(L, top + 1);
    size_t count = (size_t)subject->history * deer_subject_count(subject);
    buffers[s] = take_tensor(in, name, subject->dtype, count);
  }
  in->n_known += buffers[0] != NULL;
  lua_settop(L, top);
}

// how many rewards are summed, and what the later ones count
static void take_steps(reading *in) {
  lua_State *L = in->L;
  int top = lua_gettop(L);
  bool steps = lua_getfield(L, in->table, "n_step") != LUA_TNIL;
  bool discount = lua_getfield(L, in->table, "discount") != LUA_TNIL;
  in->n_known += steps + discount;
  if (steps || discount) {
    lua_Integer n = lua_tointeger(L, -2);
    lua_Number gamma = lua_tonumber(L, -1);
    if (n < 1 || n > INT_MAX || !lua_isnumber(L, -1) || !(gamma >= 0 && gamma <= 1))
      deer_lua_fail(L,
                    "%s: expected n_step, an integer of at least 1, with discount, a number "
                    "from 0 to 1",
                    in->who);
    in->batch->n_step = (int)n;
    in->batch->discount = gamma;
  }
  lua_settop(L, top);
}

// something that nobody fills would be learnt from all the same
static void refuse_others(const reading *in) {
  static const char *const names[] = {"obs_tm1",    "obs_t",  "a_tm1",  "r_t",     "continue_t",
                                      "action_tm1", "weight", "n_step", "discount"};
  enum { NAMES = sizeof names / sizeof *names };
  lua_State *L = in->L;
  int n = 0;
  for (lua_pushnil(L); lua_next(L, in->table); lua_pop(L, 1)) n++;
  if (n == in->n_known && n > 0) return;
  for (lua_pushnil(L); lua_next(L, in->table); lua_pop(L, 1)) {
    bool found = false;
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
    for (int i = 0; i < NAMES; i++) found = found || strcmp(names[i], name) == 0;
    if (!found) deer_lua_unknown(L, "part of a batch", name, names, NAMES);
  }
  deer_lua_fail(L,
                n == 0 ? "%s: expected tensors such as { obs_tm1 = ... }"
                       : "%s: a_tm1 is of discrete actions: use action_tm1",
                in->who);
}

void deer_lua_take_batch(lua_State *L, int table, const char *who, const deer_space *space,
                         deer_batch *batch) {
  reading in = {.L = L, .table = table, .who = who, .space = space, .batch = batch};
  take_observations(&in, "obs_tm1", batch->obs_tm1);
  take_observations(&in, "obs_t", batch->obs_t);
  if (space->actions.n > 0) batch->a_tm1 = take_field(&in, "a_tm1", DEER_DTYPE_I32, 1);
  size_t actions = (size_t)space->actions.size;
  batch->action_tm1 = take_field(&in, "action_tm1", DEER_DTYPE_REAL, actions);
  batch->r_t = take_field(&in, "r_t", DEER_DTYPE_REAL, 1);
  batch->continue_t = take_field(&in, "continue_t", DEER_DTYPE_REAL, 1);
  batch->weight = take_field(&in, "weight", DEER_DTYPE_REAL, 1);
  take_steps(&in);
  refuse_others(&in);
}
