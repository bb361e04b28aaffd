/* value.c: between Lua values and arrays. */
#include "bind/value.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

const char *deer_lua_number(double x, char text[32]) {
  if (!isfinite(x)) return strcpy(text, isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
  // the fewest digits that give the number back
  int digits = 1;
  for (; digits < 17; digits++) {
    snprintf(text, 32, "%.*e", digits - 1, x);
    if (strtod(text, NULL) == x) break;
  }
  snprintf(text, 32, "%.*e", digits - 1, x);
  // the exponent decides which of the two forms is the shorter
  int exponent = atoi(strchr(text, 'e') + 1);
  if (exponent < -4 || exponent >= 16) return text;
  // written out, with at least one digit behind the point
  int behind = digits - 1 - exponent;
  snprintf(text, 32, "%.*f", behind > 1 ? behind : 1, x);
  return text;
}

// a short word is shown, bytes are counted
static const char *describe_string(const char *string, size_t n, char text[DEER_DESCRIBE]) {
  bool word = n <= 40;
  for (size_t i = 0; word && i < n; i++) word = isprint((unsigned char)string[i]);
  if (word)
    snprintf(text, DEER_DESCRIBE, "the string '%s'", string);
  else
    snprintf(text, DEER_DESCRIBE, "a string of %zu bytes", n);
  return text;
}

// "a deer.Node"
static const char *describe_object(lua_State *L, int index, char text[DEER_DESCRIBE]) {
  int top = lua_gettop(L);
  bool named = luaL_getmetafield(L, index, "__name") == LUA_TSTRING;
  snprintf(text, DEER_DESCRIBE, "a %s", named ? lua_tostring(L, -1) : "userdata");
  lua_settop(L, top);
  return text;
}

// the value at `index` in words, for "got ..."
const char *deer_lua_describe(lua_State *L, int index, char text[DEER_DESCRIBE]) {
  char part[DEER_SHAPE_TEXT];
  const deer_tensor *tensor = luaL_testudata(L, index, DEER_TENSOR_CLASS);
  switch (lua_type(L, index)) {
  case LUA_TNUMBER:
    if (!lua_isinteger(L, index)) return deer_lua_number(lua_tonumber(L, index), text);
    snprintf(text, DEER_DESCRIBE, "%lld", (long long)lua_tointeger(L, index));
    return text;
  case LUA_TBOOLEAN:
    return strcpy(text, lua_toboolean(L, index) ? "true" : "false");
  case LUA_TSTRING:
    return describe_string(lua_tostring(L, index), (size_t)lua_rawlen(L, index), text);
  case LUA_TTABLE:
    snprintf(text, DEER_DESCRIBE, "a table with %llu entr%s",
             (unsigned long long)lua_rawlen(L, index), lua_rawlen(L, index) == 1 ? "y" : "ies");
    return text;
  case LUA_TUSERDATA:
    if (!tensor) return describe_object(L, index, text);
    snprintf(text, DEER_DESCRIBE, "a%s %s tensor of shape %s",
             tensor->dtype == DEER_DTYPE_I32 ? "n" : "", deer_dtype_name(tensor->dtype),
             deer_shape_text(&tensor->shape, part));
    return text;
  case LUA_TNIL:
  case LUA_TNONE:
    return strcpy(text, "nil");
  default:
    snprintf(text, DEER_DESCRIBE, "a %s", lua_typename(L, lua_type(L, index)));
    return text;
  }
}

// "a number", "a list of 4 numbers", "nested lists of shape [2, 3]", and the other forms
static const char *expected(const deer_tensor *array, char text[DEER_DESCRIBE + 64]) {
  char shape[DEER_SHAPE_TEXT];
  size_t size = DEER_DESCRIBE + 64;
  if (array->shape.rank == 0) return strcpy(text, "a number");
  if (array->shape.rank == 1)
    snprintf(text, size, "a list of %d number%s", array->shape.dim[0],
             array->shape.dim[0] == 1 ? "" : "s");
  else
    snprintf(text, size, "nested lists of shape %s", deer_shape_text(&array->shape, shape));
  if (array->dtype != DEER_DTYPE_U8) return text;
  size_t used = strlen(text);
  snprintf(text + used, size - used, " or a string of %zu bytes", deer_shape_count(&array->shape));
  return text;
}

/* ---- reading ---- */

typedef struct reader {
  lua_State *L;
  const deer_tensor *into;
  size_t next;           // the element that comes next
  int at[DEER_MAX_RANK]; // where it stands, from 1
} reader;

// " at [2][3]": where in nested tables `depth` levels down
static const char *place(const reader *r, int depth, char text[96]) {
  size_t used = 0;
  text[0] = '\0';
  for (int i = 0; i < depth; i++)
    used += (size_t)snprintf(text + used, 96 - used, "%s[%d]", i == 0 ? " at " : "", r->at[i]);
  return text;
}

// the value on top of the stack is not what should stand here
static deer_status wrong(const reader *r, int depth, const char *wanted) {
  char got[DEER_DESCRIBE], where[96];
  return deer_fail(DEER_ESHAPE, "expected %s, got %s%s", wanted, deer_lua_describe(r->L, -1, got),
                   place(r, depth, where));
}

// puts a number into the array; false when its type cannot hold it
static bool store(const deer_tensor *into, size_t i, double x) {
  switch (into->dtype) {
  case DEER_DTYPE_REAL:
    ((deer_real *)into->data)[i] = (deer_real)x;
    return isfinite((deer_real)x);
  case DEER_DTYPE_U8:
    if (!(x >= 0 && x <= 255 && x == floor(x))) return false;
    ((uint8_t *)into->data)[i] = (uint8_t)x;
    return true;
  default:
    if (!(x >= INT32_MIN && x <= INT32_MAX && x == floor(x))) return false;
    ((int32_t *)into->data)[i] = (int32_t)x;
    return true;
  }
}

// what store() takes
static const char *number_word(deer_dtype dtype) {
  return dtype == DEER_DTYPE_REAL ? "a finite number"
         : dtype == DEER_DTYPE_U8 ? "a whole number of 0 to 255"
                                  : "a whole number of 32 bits";
}

// the number on top of the stack
static deer_status read_number(reader *r, int depth) {
  if (lua_type(r->L, -1) != LUA_TNUMBER) return wrong(r, depth, "a number");
  if (store(r->into, r->next++, lua_tonumber(r->L, -1))) return DEER_OK;
  return wrong(r, depth, number_word(r->into->dtype));
}

// the table on top of the stack, `depth` axes down
static deer_status read_table(reader *r, int depth) {
  const deer_shape *shape = &r->into->shape;
  char text[DEER_DESCRIBE + 64];
  // raw access: a metamethod could raise
  if (!lua_istable(r->L, -1) || lua_rawlen(r->L, -1) != (lua_Unsigned)shape->dim[depth])
    return wrong(r, depth, expected(r->into, text));
  // each entry is a table of the next axis, or a number
  for (int i = 1; i <= shape->dim[depth]; i++) {
    r->at[depth] = i;
    lua_rawgeti(r->L, -1, i);
    deer_status status =
        depth + 1 < shape->rank ? read_table(r, depth + 1) : read_number(r, depth + 1);
    lua_pop(r->L, 1);
    if (status != DEER_OK) return status;
  }
  return DEER_OK;
}

// element i of an array as a number
static double element(const deer_tensor *array, size_t i) {
  switch (array->dtype) {
  case DEER_DTYPE_REAL:
    return (double)((const deer_real *)array->data)[i];
  case DEER_DTYPE_U8:
    return ((const uint8_t *)array->data)[i];
  default:
    return ((const int32_t *)array->data)[i];
  }
}

static bool all_finite(const deer_real *x, size_t n) {
  // what is not finite times zero is NaN; without a branch compilers can use vectors
  int wrong = 0;
  for (size_t i = 0; i < n; i++) wrong |= x[i] * 0 != 0;
  return !wrong;
}

// a tensor of the same shape; other types are converted where every element fits
static deer_status read_tensor(reader *r, const deer_tensor *from) {
  char text[DEER_DESCRIBE + 64];
  if (!deer_shape_equal(&from->shape, &r->into->shape)) return wrong(r, 0, expected(r->into, text));
  size_t n = deer_shape_count(&from->shape);
  // of the same type nothing needs converting, but reals have to be finite
  if (from->dtype == r->into->dtype &&
      (from->dtype != DEER_DTYPE_REAL || all_finite(from->data, n))) {
    if (n > 0) memmove(r->into->data, from->data, n * deer_dtype_size(from->dtype));
    return DEER_OK;
  }
  for (size_t i = 0; i < n; i++)
    if (!store(r->into, i, element(from, i)))
      return deer_fail(DEER_EDATA, "expected %s, got %s at element %zu of the tensor",
                       number_word(r->into->dtype), deer_lua_number(element(from, i), text), i);
  return DEER_OK;
}

// the string on top of the stack: one byte for each element
static deer_status read_bytes(reader *r) {
  char text[DEER_DESCRIBE + 64];
  size_t n = deer_shape_count(&r->into->shape);
  if (r->into->dtype != DEER_DTYPE_U8 || r->into->shape.rank == 0 || lua_rawlen(r->L, -1) != n)
    return wrong(r, 0, expected(r->into, text));
  memcpy(r->into->data, lua_tostring(r->L, -1), n);
  return DEER_OK;
}

deer_status deer_lua_read(lua_State *L, int index, const deer_tensor *into) {
  reader r = {.L = L, .into = into};
  lua_pushvalue(L, index);
  // the value decides how it is read, the array what it must be
  const deer_tensor *tensor = luaL_testudata(L, -1, DEER_TENSOR_CLASS);
  deer_status status;
  if (tensor)
    status = read_tensor(&r, tensor);
  else if (lua_type(L, -1) == LUA_TSTRING)
    status = read_bytes(&r);
  else
    status = into->shape.rank == 0 ? read_number(&r, 0) : read_table(&r, 0);
  lua_pop(L, 1);
  return status;
}

deer_status deer_lua_read_numbers(lua_State *L, int first, int n, const deer_tensor *into) {
  char got[DEER_DESCRIBE];
  int count = (int)deer_shape_count(&into->shape);
  if (n != count)
    return deer_fail(DEER_ESHAPE, "expected %d number%s of the observation, got %d value%s", count,
                     count == 1 ? "" : "s", n, n == 1 ? "" : "s");
  for (int i = 0; i < n; i++)
    if (lua_type(L, first + i) != LUA_TNUMBER ||
        !store(into, (size_t)i, lua_tonumber(L, first + i)))
      return deer_fail(DEER_EDATA, "expected %s, got %s at number %d of the observation",
                       number_word(into->dtype), deer_lua_describe(L, first + i, got), i + 1);
  return DEER_OK;
}

/* ---- pushing ---- */

// one element of an array: whole numbers of the integer types stay whole
static void push_element(lua_State *L, const deer_tensor *from, size_t i) {
  if (from->dtype == DEER_DTYPE_REAL)
    lua_pushnumber(L, element(from, i));
  else
    lua_pushinteger(L, (lua_Integer)element(from, i));
}

// the axes from `depth` on, beginning with element *next
static void push_axis(lua_State *L, const deer_tensor *from, int depth, size_t *next) {
  if (depth == from->shape.rank) {
    push_element(L, from, (*next)++);
    return;
  }
  int n = from->shape.dim[depth];
  lua_createtable(L, n, 0);
  for (int i = 1; i <= n; i++) {
    push_axis(L, from, depth + 1, next);
    lua_rawseti(L, -2, i);
  }
}

void deer_lua_push(lua_State *L, const deer_tensor *from) {
  size_t next = 0;
  // one table per axis is open at a time
  luaL_checkstack(L, DEER_MAX_RANK + 2, NULL);
  push_axis(L, from, 0, &next);
}

/* ---- observations and states ---- */

// a short list of reals, the second common case; false when it is anything else
static bool read_reals(lua_State *L, int index, int n, deer_real *x) {
  enum { SHORT = 16 };
  if (n > SHORT || !lua_istable(L, index) || lua_rawlen(L, index) != (lua_Unsigned)n) return false;
  // the sum of the products with zero is NaN when any number is not finite
  deer_real zero = 0;
  bool numbers = true;
  for (int i = 0; i < n; i++) numbers &= lua_rawgeti(L, index, i + 1) == LUA_TNUMBER;
  for (int i = 0; numbers && i < n; i++) {
    x[i] = (deer_real)lua_tonumber(L, i - n);
    zero += x[i] * 0;
  }
  lua_pop(L, n);
  return numbers && zero == 0;
}

deer_status deer_lua_read_subject(lua_State *L, int index, const deer_space *space, int s,
                                  void *observation) {
  const deer_subject *subject = &space->subjects[s];
  // the common case first: one number
  if (subject->shape.rank == 0 && subject->dtype == DEER_DTYPE_REAL &&
      lua_type(L, index) == LUA_TNUMBER) {
    deer_real x = (deer_real)lua_tonumber(L, index);
    *(deer_real *)observation = x;
    if (isfinite(x)) return DEER_OK;
  }
  if (subject->shape.rank == 1 && subject->dtype == DEER_DTYPE_REAL &&
      read_reals(L, index, subject->shape.dim[0], observation))
    return DEER_OK;
  deer_tensor into = deer_tensor_wrap(subject->dtype, subject->shape, observation);
  deer_status status = deer_lua_read(L, index, &into);
  return status == DEER_OK ? status : deer_fail(status, "subject %d: %s", s, deer_error());
}

// how deep tables are nested, or the rank of a tensor
static int depth_of(lua_State *L, int index) {
  const deer_tensor *tensor = luaL_testudata(L, index, DEER_TENSOR_CLASS);
  if (tensor) return tensor->shape.rank;
  int depth = 0, top = lua_gettop(L);
  lua_pushvalue(L, index);
  for (; depth < DEER_MAX_RANK && lua_istable(L, -1); depth++) lua_rawgeti(L, -1, 1);
  lua_settop(L, top);
  return depth;
}

// one subject of a state: [history, shape...], or [shape...] when the history is 1
static deer_status read_history(lua_State *L, int index, const deer_space *space, int s,
                                void *state) {
  const deer_subject *subject = &space->subjects[s];
  if (subject->history == 1 && depth_of(L, index) <= subject->shape.rank)
    return deer_lua_read_subject(L, index, space, s, state);
  deer_tensor into = deer_tensor_wrap(subject->dtype, deer_subject_state(subject), state);
  deer_status status = deer_lua_read(L, index, &into);
  return status == DEER_OK ? status : deer_fail(status, "subject %d: %s", s, deer_error());
}

// a list with an entry for each subject, each read by `read`
static deer_status read_subjects(lua_State *L, int index, const deer_space *space,
                                 deer_status (*read)(lua_State *L, int index,
                                                     const deer_space *space, int s, void *data),
                                 void *const *data) {
  char got[DEER_DESCRIBE];
  if (!lua_istable(L, index) || lua_rawlen(L, index) != (lua_Unsigned)space->n_subjects)
    return deer_fail(DEER_ESHAPE, "expected a list with %d entr%s, one per subject, got %s",
                     space->n_subjects, space->n_subjects == 1 ? "y" : "ies",
                     deer_lua_describe(L, index, got));
  for (int s = 0; s < space->n_subjects; s++) {
    lua_rawgeti(L, index, s + 1);
    deer_status status = read(L, lua_gettop(L), space, s, data[s]);
    lua_pop(L, 1);
    if (status != DEER_OK) return status;
  }
  return DEER_OK;
}

deer_status deer_lua_read_observation(lua_State *L, int index, const deer_space *space,
                                      void *const *observation) {
  return read_subjects(L, index, space, deer_lua_read_subject, observation);
}

deer_status deer_lua_read_state(lua_State *L, int index, const deer_space *space,
                                void *const *state) {
  return read_subjects(L, index, space, read_history, state);
}

void deer_lua_push_state(lua_State *L, const deer_space *space, const void *const *state) {
  luaL_checkstack(L, 2, NULL);
  lua_createtable(L, space->n_subjects, 0);
  for (int s = 0; s < space->n_subjects; s++) {
    const deer_subject *subject = &space->subjects[s];
    void *data = (void *)(uintptr_t)state[s];
    deer_tensor from = deer_tensor_wrap(subject->dtype, deer_subject_state(subject), data);
    deer_lua_push(L, &from);
    lua_rawseti(L, -2, s + 1);
  }
}
