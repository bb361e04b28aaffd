/* space.c: what can be observed and done, as DeeR's inputDimensions and nActions tell it. */
#include "bind/value.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* ---- actions ---- */

deer_status deer_lua_read_action(lua_State *L, int index, const deer_action_space *actions,
                                 deer_real *action) {
  char got[DEER_DESCRIBE];
  bool number = lua_type(L, index) == LUA_TNUMBER;
  if (actions->n > 0) {
    double x = lua_tonumber(L, index);
    if (!number || !(x >= 0 && x < actions->n && x == floor(x)))
      return deer_fail(DEER_EINVAL, "expected an action of 0..%d, got %s", actions->n - 1,
                       deer_lua_describe(L, index, got));
    *action = (deer_real)x;
    return DEER_OK;
  }
  // several numbers: a list, or a number alone when there is only one
  int rank = actions->size == 1 && number ? 0 : 1;
  deer_shape shape = {.rank = rank, .dim = {actions->size}};
  deer_tensor into = deer_tensor_wrap(DEER_DTYPE_REAL, shape, action);
  deer_status status = deer_lua_read(L, index, &into);
  if (status != DEER_OK) return deer_fail(status, "action: %s", deer_error());
  return deer_action_check(actions, action);
}

// bounds such as 0.3 have no such number, and the next one may lie outside
static double in_box(const deer_action_space *actions, int i, deer_real action) {
  double x = (double)action;
  return x < actions->low[i] ? actions->low[i] : x > actions->high[i] ? actions->high[i] : x;
}

void deer_lua_push_action(lua_State *L, const deer_action_space *actions, const deer_real *action) {
  if (actions->n > 0) {
    lua_pushinteger(L, (lua_Integer)*action);
    return;
  }
  lua_createtable(L, actions->size, 0);
  for (int i = 0; i < actions->size; i++) {
    if (actions->choices[0] > 0)
      lua_pushinteger(L, (lua_Integer)action[i]);
    else
      lua_pushnumber(L, in_box(actions, i, action[i]));
    lua_rawseti(L, -2, i + 1);
  }
}

// {low, high} on top of the stack
static bool read_bounds(lua_State *L, double *low, double *high) {
  if (!lua_istable(L, -1) || lua_rawlen(L, -1) != 2) return false;
  lua_rawgeti(L, -1, 1);
  lua_rawgeti(L, -2, 2);
  bool numbers = lua_type(L, -2) == LUA_TNUMBER && lua_type(L, -1) == LUA_TNUMBER;
  *low = lua_tonumber(L, -2);
  *high = lua_tonumber(L, -1);
  lua_pop(L, 2);
  return numbers && isfinite(*low) && isfinite(*high) && *low < *high;
}

// whole numbers of at least 1
static deer_status read_choices(lua_State *L, int index, deer_action_space *actions) {
  char got[DEER_DESCRIBE];
  for (int i = 0; i < actions->size; i++) {
    int whole = 0;
    lua_rawgeti(L, index, i + 1);
    lua_Integer n = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &whole) : 0;
    deer_lua_describe(L, -1, got);
    lua_pop(L, 1);
    if (!whole || n < 1 || n > 1 << 24)
      return deer_fail(DEER_EINVAL, "choice %d: expected a whole number of at least 1, got %s",
                       i + 1, got);
    actions->choices[i] = (int)n;
  }
  return DEER_OK;
}

// rows {low, high}, or, multi-discrete, a list of numbers
static deer_status read_list(lua_State *L, int index, deer_action_space *actions) {
  char got[DEER_DESCRIBE];
  lua_Unsigned n = lua_rawlen(L, index);
  if (n < 1 || n > DEER_MAX_ACTION_SIZE)
    return deer_fail(DEER_EINVAL, "expected 1 to %d rows {low, high} or numbers of choices, got %s",
                     DEER_MAX_ACTION_SIZE, deer_lua_describe(L, index, got));
  *actions = (deer_action_space){.size = (int)n};
  bool numbers = lua_rawgeti(L, index, 1) == LUA_TNUMBER;
  lua_pop(L, 1);
  if (numbers) return read_choices(L, index, actions);
  for (int i = 0; i < actions->size; i++) {
    lua_rawgeti(L, index, i + 1);
    bool good = read_bounds(L, &actions->low[i], &actions->high[i]);
    deer_lua_describe(L, -1, got);
    lua_pop(L, 1);
    if (!good)
      return deer_fail(DEER_EINVAL, "row %d: expected {low, high} with low < high, got %s", i + 1,
                       got);
  }
  return DEER_OK;
}

deer_status deer_lua_read_n_actions(lua_State *L, int index, deer_action_space *actions) {
  char got[DEER_DESCRIBE];
  int whole = 0;
  lua_Integer n = lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &whole) : 0;
  if (lua_istable(L, index)) return read_list(L, index, actions);
  if (!whole || n < 1 || n > 1 << 24)
    return deer_fail(
        DEER_EINVAL,
        "expected a whole number of at least 1, a list of such or a list of {low, high}, "
        "got %s",
        deer_lua_describe(L, index, got));
  *actions = (deer_action_space){.n = (int)n, .size = 1};
  return DEER_OK;
}

void deer_lua_push_n_actions(lua_State *L, const deer_action_space *actions) {
  if (actions->n > 0) {
    lua_pushinteger(L, actions->n);
    return;
  }
  lua_createtable(L, actions->size, 0);
  for (int i = 0; i < actions->size; i++) {
    if (actions->choices[0] > 0) {
      lua_pushinteger(L, actions->choices[i]);
      lua_rawseti(L, -2, i + 1);
      continue;
    }
    lua_createtable(L, 2, 0);
    lua_pushnumber(L, actions->low[i]);
    lua_rawseti(L, -2, 1);
    lua_pushnumber(L, actions->high[i]);
    lua_rawseti(L, -2, 2);
    lua_rawseti(L, -2, i + 1);
  }
}

/* ---- subjects ---- */

// a row of inputDimensions on top of the stack: {history}, {history, n}, {history, rows, columns}
// or {history, channels, rows, columns}
static deer_status read_row(lua_State *L, deer_subject *subject) {
  char got[DEER_DESCRIBE];
  lua_Unsigned n = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
  if (n < 1 || n > 4)
    return deer_fail(DEER_EINVAL,
                     "expected a row such as {history}, {history, n} or {history, rows, columns}, "
                     "got %s",
                     deer_lua_describe(L, -1, got));
  int dims[4] = {0};
  for (int i = 0; i < (int)n; i++) {
    int whole = lua_rawgeti(L, -1, i + 1) == LUA_TNUMBER;
    lua_Integer dim = whole ? lua_tointegerx(L, -1, &whole) : 0;
    deer_lua_describe(L, -1, got);
    lua_pop(L, 1);
    if (!whole || dim < 1 || dim > INT_MAX)
      return deer_fail(DEER_EINVAL, "expected whole numbers of at least 1, got %s at [%d]", got,
                       i + 1);
    dims[i] = (int)dim;
  }
  *subject = (deer_subject){.history = dims[0], .shape = {.rank = (int)n - 1}};
  memcpy(subject->shape.dim, dims + 1, (size_t)(n - 1) * sizeof *dims);
  return DEER_OK;
}

deer_status deer_lua_read_dimensions(lua_State *L, int index, deer_space *space) {
  char got[DEER_DESCRIBE];
  lua_Unsigned n = lua_istable(L, index) ? lua_rawlen(L, index) : 0;
  if (n < 1 || n > DEER_MAX_SUBJECTS)
    return deer_fail(DEER_EINVAL, "expected a list of 1 to %d rows such as {history}, got %s",
                     DEER_MAX_SUBJECTS, deer_lua_describe(L, index, got));
  space->n_subjects = (int)n;
  for (int s = 0; s < space->n_subjects; s++) {
    lua_rawgeti(L, index, s + 1);
    deer_status status = read_row(L, &space->subjects[s]);
    lua_pop(L, 1);
    if (status != DEER_OK) return deer_fail(status, "subject %d: %s", s, deer_error());
  }
  return DEER_OK;
}

void deer_lua_push_dimensions(lua_State *L, const deer_space *space) {
  lua_createtable(L, space->n_subjects, 0);
  for (int s = 0; s < space->n_subjects; s++) {
    deer_shape row = deer_subject_state(&space->subjects[s]);
    lua_createtable(L, row.rank, 0);
    for (int i = 0; i < row.rank; i++) {
      lua_pushinteger(L, row.dim[i]);
      lua_rawseti(L, -2, i + 1);
    }
    lua_rawseti(L, -2, s + 1);
  }
}

deer_status deer_lua_read_type(lua_State *L, int index, deer_dtype *dtype) {
  char got[DEER_DESCRIBE];
  const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : NULL;
  for (int known = DEER_DTYPE_REAL; name && known <= DEER_DTYPE_I32; known++) {
    *dtype = (deer_dtype)known;
    if (strcmp(name, deer_dtype_name(*dtype)) == 0) return DEER_OK;
  }
  return deer_fail(DEER_EINVAL, "expected 'float32', 'uint8' or 'int32', got %s%s%s",
                   name ? "'" : "", name ? name : deer_lua_describe(L, index, got),
                   name ? "'" : "");
}
