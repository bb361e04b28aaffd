/* batch.c: batches of samples: buffers for the core, nested tables for Lua, tensors of scripts. */
#include "bind/core.h"

#include <string.h>

static size_t aligned(size_t bytes) { return (bytes + 15) / 16 * 16; }

// a state of every sample of a batch, for one subject
static size_t state_bytes(const deer_space *space, int s, int size) {
  const deer_subject *subject = &space->subjects[s];
  return aligned((size_t)size * deer_history_bytes(subject));
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

/* ---- what scripts ask for ---- */

static bool is_among(const char *name, const char *const *names, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(name, names[i]) == 0) return true;
  return false;
}

void deer_lua_check_names(lua_State *L, int table, const char *noun, const char *const *names,
                          size_t n) {
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
    if (!is_among(name, names, n)) deer_lua_unknown(L, noun, name, names, n);
  }
}

// field `name` of the table at `table`, a whole number of at least 1; 0 when it is absent
static int take_count(lua_State *L, int table, const char *name) {
  char got[DEER_DESCRIBE];
  int whole = 1;
  lua_Integer n = 0;
  if (lua_getfield(L, table, name) != LUA_TNIL) {
    n = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &whole) : 0;
    if (!whole || n < 1 || n > DEER_MOST_SAMPLES)
      deer_lua_fail(L, "%s: expected a whole number of at least 1, got %s", name,
                    deer_lua_describe(L, -1, got));
  }
  lua_pop(L, 1);
  return (int)n;
}

void deer_lua_take_how(lua_State *L, int table, deer_lua_taken *taken) {
  deer_batch *b = &taken->batch;
  taken->length = take_count(L, table, "sequence");
  b->n_step = take_count(L, table, "n_step");
  bool given = lua_getfield(L, table, "discount") != LUA_TNIL;
  b->discount = lua_tonumber(L, -1);
  bool right = lua_type(L, -1) == LUA_TNUMBER && b->discount >= 0 && b->discount <= 1;
  if (given != (b->n_step > 0) || (given && !right))
    deer_lua_fail(L,
                  "expected n_step, a whole number of at least 1, with discount, a number from 0 "
                  "to 1");
  lua_pop(L, 1);
}

/* ---- tensors of scripts as buffers ---- */

// a table of tensors that is being read
typedef struct reading {
  lua_State *L;
  int table;
  const char *who; // asks for it
  const deer_space *space;
  deer_lua_taken *taken;
} reading;

// Memory of the tensor on top of the stack, field `name`, which is popped: `count` elements for
// each sample. NULL when it is absent. The first tensor says how many samples there are.
static void *take_tensor(const reading *in, const char *name, deer_dtype dtype, size_t count) {
  lua_State *L = in->L;
  char got[DEER_DESCRIBE];
  int *size = &in->taken->batch.size, length = in->taken->length;
  const deer_tensor *t = deer_lua_to_tensor(L, -1);
  bool absent = lua_isnil(L, -1);
  if (!absent && !t)
    deer_lua_fail(L, "%s: %s: expected a tensor, got %s", in->who, name,
                  deer_lua_describe(L, -1, got));
  if (t && *size == 0 && t->shape.rank > 0) *size = t->shape.dim[0];
  if (length > 0) count *= (size_t)length;
  if (t && (t->dtype != dtype || *size == 0 || t->shape.rank == 0 || t->shape.dim[0] != *size ||
            deer_shape_count(&t->shape) != (size_t)*size * count))
    deer_lua_fail(L, "%s: %s: expected %s with %I elements for each of %d %s, got %s", in->who,
                  name, deer_dtype_name(dtype), (LUAI_UACINT)count, *size,
                  length > 0 ? "sequences" : "samples", deer_lua_describe(L, -1, got));
  lua_pop(L, 1);
  return absent ? NULL : t->data;
}

static void *take_field(const reading *in, const char *name, deer_dtype dtype, size_t count) {
  lua_getfield(in->L, in->table, name);
  return take_tensor(in, name, dtype, count);
}

// observations: a tensor for each subject, or one alone where there is one subject
static void take_observations(const reading *in, const char *name, void **buffers) {
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
  lua_settop(L, top);
}

void deer_lua_take_batch(lua_State *L, int table, const char *who, const deer_space *space,
                         deer_lua_taken *taken) {
  static const char *const names[] = {"obs_tm1", "obs_t",      "a_tm1",   "action_tm1",
                                      "r_t",     "continue_t", "weight",  "index",
                                      "n_step",  "discount",   "sequence"};
  const reading in = {.L = L, .table = table, .who = who, .space = space, .taken = taken};
  deer_batch *b = &taken->batch;
  // something that nobody fills would be learnt from all the same
  deer_lua_check_names(L, table, "part of a batch", names, sizeof names / sizeof *names);
  deer_lua_take_how(L, table, taken);
  take_observations(&in, "obs_tm1", b->obs_tm1);
  take_observations(&in, "obs_t", b->obs_t);
  b->a_tm1 = take_field(&in, "a_tm1", DEER_DTYPE_I32, 1);
  if (b->a_tm1 && space->actions.n == 0)
    deer_lua_fail(L, "%s: a_tm1 is of discrete actions: use action_tm1", who);
  size_t actions = (size_t)space->actions.size;
  b->action_tm1 = take_field(&in, "action_tm1", DEER_DTYPE_REAL, actions);
  b->r_t = take_field(&in, "r_t", DEER_DTYPE_REAL, 1);
  b->continue_t = take_field(&in, "continue_t", DEER_DTYPE_REAL, 1);
  b->weight = take_field(&in, "weight", DEER_DTYPE_REAL, 1);
  taken->index = take_field(&in, "index", DEER_DTYPE_I32, 1);
  if (b->size == 0) deer_lua_fail(L, "%s: expected tensors such as { obs_tm1 = ... }", who);
}
