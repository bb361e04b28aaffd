/* tensor.c: deer.Tensor, a dense block of numbers that Lua code can fill and hand over. */
#include "bind/core.h"

#include <math.h>
#include <string.h>

// a tensor of its own has its numbers behind it in the same userdata; a view has those of the
// object in its user value 1
typedef struct tensor_box {
  deer_tensor tensor;
  bool view;
} tensor_box;

static tensor_box *check_box(lua_State *L) { return luaL_checkudata(L, 1, DEER_TENSOR_CLASS); }

static deer_tensor *check_tensor(lua_State *L) { return &check_box(L)->tensor; }

deer_tensor *deer_lua_to_tensor(lua_State *L, int index) {
  tensor_box *box = luaL_testudata(L, index, DEER_TENSOR_CLASS);
  return box ? &box->tensor : NULL;
}

bool deer_lua_is_view(lua_State *L, int index) {
  const tensor_box *box = luaL_testudata(L, index, DEER_TENSOR_CLASS);
  return box && box->view;
}

/* ---- making ---- */

#define ALIGNMENT 64

deer_tensor *deer_lua_new_tensor(lua_State *L, deer_dtype dtype, const deer_shape *shape) {
  size_t bytes = deer_shape_count(shape) * deer_dtype_size(dtype);
  tensor_box *box = lua_newuserdatauv(L, sizeof *box + ALIGNMENT + bytes, 0);
  uintptr_t end = (uintptr_t)(box + 1);
  char *data = (char *)(box + 1) + (ALIGNMENT - end % ALIGNMENT) % ALIGNMENT;
  *box = (tensor_box){deer_tensor_wrap(dtype, *shape, memset(data, 0, bytes)), false};
  luaL_setmetatable(L, DEER_TENSOR_CLASS);
  return &box->tensor;
}

deer_tensor *deer_lua_new_view(lua_State *L, const deer_tensor *shown, int owner) {
  owner = lua_absindex(L, owner);
  tensor_box *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (tensor_box){deer_tensor_wrap(shown->dtype, shown->shape, shown->data), true};
  luaL_setmetatable(L, DEER_TENSOR_CLASS);
  lua_pushvalue(L, owner);
  lua_setiuservalue(L, -2, 1);
  return &box->tensor;
}

// a shape of no elements: nothing can be read or written through it
void deer_lua_empty_view(deer_tensor *view) {
  view->shape = (deer_shape){.rank = 1, .dim = {0}};
  view->data = NULL;
}

// the type called so; "float32" is the real number of the build
deer_dtype deer_lua_check_dtype(lua_State *L, int arg) {
  static const char *const names[] = {"float32", "uint8", "int32", NULL};
  static const deer_dtype types[] = {DEER_DTYPE_REAL, DEER_DTYPE_U8, DEER_DTYPE_I32};
  char got[DEER_DESCRIBE];
  for (int i = 0; names[i] && lua_type(L, arg) == LUA_TSTRING; i++)
    if (strcmp(lua_tostring(L, arg), names[i]) == 0) return types[i];
  deer_lua_bad_argument(L, arg,
                        lua_pushfstring(L, "'float32', 'uint8' or 'int32' expected, got %s",
                                        deer_lua_describe(L, arg, got)));
  return DEER_DTYPE_REAL;
}

deer_status deer_lua_read_shape(lua_State *L, int index, deer_shape *shape) {
  char got[DEER_DESCRIBE];
  *shape = DEER_SCALAR;
  if (!lua_istable(L, index))
    return deer_fail(DEER_EINVAL, "list of dimensions expected, got %s",
                     deer_lua_describe(L, index, got));
  lua_Unsigned rank = lua_rawlen(L, index);
  if (rank > DEER_MAX_RANK) return deer_fail(DEER_EINVAL, "at most 6 dimensions expected");
  for (; shape->rank < (int)rank; shape->rank++) {
    int whole = lua_rawgeti(L, index, shape->rank + 1) == LUA_TNUMBER;
    lua_Integer dim = whole ? lua_tointegerx(L, -1, &whole) : 0;
    lua_pop(L, 1);
    if (!whole || dim < 1 || dim > INT32_MAX)
      return deer_fail(DEER_EINVAL, "dimensions are whole numbers of at least 1");
    shape->dim[shape->rank] = (int)dim;
  }
  return deer_shape_check(shape, "tensor");
}

deer_shape deer_lua_check_shape(lua_State *L, int arg) {
  deer_shape shape;
  if (deer_lua_read_shape(L, arg, &shape) != DEER_OK) deer_lua_bad_argument(L, arg, deer_error());
  return shape;
}

void deer_lua_push_shape(lua_State *L, const deer_shape *shape) {
  lua_createtable(L, shape->rank, 0);
  for (int i = 0; i < shape->rank; i++) {
    lua_pushinteger(L, shape->dim[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

// sets every element from a table or a string of bytes in the tensor's own type
static void set(lua_State *L, const deer_tensor *tensor, int arg) {
  size_t bytes = deer_shape_count(&tensor->shape) * deer_dtype_size(tensor->dtype);
  if (lua_type(L, arg) == LUA_TSTRING) {
    if (lua_rawlen(L, arg) != bytes)
      luaL_argerror(L, arg,
                    lua_pushfstring(L, "a string of %I bytes expected, got %I", (LUAI_UACINT)bytes,
                                    (LUAI_UACINT)lua_rawlen(L, arg)));
    memcpy(tensor->data, lua_tostring(L, arg), bytes);
  } else if (deer_lua_read(L, arg, tensor) != DEER_OK) {
    luaL_argerror(L, arg, deer_error());
  }
}

// Tensor(dtype, dims [, data])
static int tensor_new(lua_State *L) {
  deer_dtype dtype = deer_lua_check_dtype(L, 1);
  deer_shape shape = deer_lua_check_shape(L, 2);
  const deer_tensor *tensor = deer_lua_new_tensor(L, dtype, &shape);
  if (!lua_isnoneornil(L, 3)) set(L, tensor, 3);
  return 1;
}

// clone(): a tensor of the same numbers with memory of its own
static int tensor_clone(lua_State *L) {
  const deer_tensor *from = check_tensor(L);
  const deer_tensor *tensor = deer_lua_new_tensor(L, from->dtype, &from->shape);
  size_t bytes = deer_shape_count(&from->shape) * deer_dtype_size(from->dtype);
  if (bytes > 0) memcpy(tensor->data, from->data, bytes);
  return 1;
}

/* ---- parts ---- */

// the place of the part at position `arg` along the first axis of `whole`, from 1; its shape
static deer_tensor check_row(lua_State *L, const deer_tensor *whole, int arg) {
  lua_Integer i = deer_lua_check_integer(L, arg), n = whole->shape.dim[0];
  if (whole->shape.rank == 0 || i < 1 || i > n)
    deer_lua_bad_argument(L, arg,
                          whole->shape.rank == 0
                              ? "a tensor of rank 0 has no more parts"
                              : lua_pushfstring(L, "position of 1 to %I expected, got %I",
                                                (LUAI_UACINT)n, (LUAI_UACINT)i));
  deer_shape shape = {.rank = whole->shape.rank - 1};
  memcpy(shape.dim, whole->shape.dim + 1, (size_t)shape.rank * sizeof *shape.dim);
  size_t bytes = deer_shape_count(&shape) * deer_dtype_size(whole->dtype);
  return deer_tensor_wrap(whole->dtype, shape, (char *)whole->data + (size_t)(i - 1) * bytes);
}

// get(i, j, ...): the number there; nested tables when axes are left over
static int tensor_get(lua_State *L) {
  deer_tensor part = *check_tensor(L);
  for (int arg = 2; arg <= lua_gettop(L); arg++) part = check_row(L, &part, arg);
  deer_lua_push(L, &part);
  return 1;
}

// setRow(i, value): the part at position i of the first axis
static int tensor_set_row(lua_State *L) {
  deer_tensor row = check_row(L, check_tensor(L), 2);
  luaL_checkany(L, 3);
  set(L, &row, 3);
  lua_settop(L, 1);
  return 1;
}

// mix(other, share): the elements move this share of the way to those of the other
static int tensor_mix(lua_State *L) {
  const deer_tensor *to = check_tensor(L), *from = luaL_checkudata(L, 2, DEER_TENSOR_CLASS);
  deer_real share = (deer_real)deer_lua_check_number(L, 3);
  if (!isfinite(share)) deer_lua_bad_argument(L, 3, "finite number expected");
  if (to->dtype != DEER_DTYPE_REAL || from->dtype != DEER_DTYPE_REAL ||
      !deer_shape_equal(&to->shape, &from->shape))
    deer_lua_bad_argument(L, 2, "a float32 tensor of the same shape expected");
  deer_real *x = to->data;
  const deer_real *y = from->data;
  size_t n = deer_shape_count(&to->shape);
  for (size_t i = 0; i < n; i++) x[i] += share * (y[i] - x[i]);
  lua_settop(L, 1);
  return 1;
}

static int tensor_set(lua_State *L) {
  const deer_tensor *tensor = check_tensor(L);
  luaL_checkany(L, 2);
  set(L, tensor, 2);
  lua_settop(L, 1);
  return 1;
}

static int tensor_shape(lua_State *L) {
  deer_lua_push_shape(L, &check_tensor(L)->shape);
  return 1;
}

static int tensor_dtype(lua_State *L) {
  lua_pushstring(L, deer_dtype_name(check_tensor(L)->dtype));
  return 1;
}

// totable(): nested tables, a number for rank 0
static int tensor_totable(lua_State *L) {
  deer_lua_push(L, check_tensor(L));
  return 1;
}

// bytes(): a string in the memory's own order
static int tensor_bytes(lua_State *L) {
  const deer_tensor *tensor = check_tensor(L);
  lua_pushlstring(L, tensor->data,
                  deer_shape_count(&tensor->shape) * deer_dtype_size(tensor->dtype));
  return 1;
}

// fill(x): every element
static int tensor_fill(lua_State *L) {
  const deer_tensor *tensor = check_tensor(L);
  size_t size = deer_dtype_size(tensor->dtype), n = deer_shape_count(&tensor->shape);
  luaL_checknumber(L, 2);
  // the first element checks that the type holds the number
  deer_tensor one = deer_tensor_wrap(tensor->dtype, DEER_SCALAR, tensor->data);
  if (n > 0 && deer_lua_read(L, 2, &one) != DEER_OK) luaL_argerror(L, 2, deer_error());
  // the others are copies of it
  for (size_t i = 1; i < n; i++) memcpy((char *)tensor->data + i * size, tensor->data, size);
  lua_settop(L, 1);
  return 1;
}

static int tensor_length(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)deer_shape_count(&check_tensor(L)->shape));
  return 1;
}

static int tensor_tostring(lua_State *L) {
  char text[DEER_DESCRIBE];
  lua_pushstring(L, deer_lua_describe(L, 1, text));
  return 1;
}

static const luaL_Reg methods[] = {
    {"set", tensor_set},
    {"setRow", tensor_set_row},
    {"get", tensor_get},
    {"mix", tensor_mix},
    {"clone", tensor_clone},
    {"shape", tensor_shape},
    {"dtype", tensor_dtype},
    {"totable", tensor_totable},
    {"bytes", tensor_bytes},
    {"fill", tensor_fill},
    {NULL, NULL},
};
static const luaL_Reg events[] = {
    {"__len", tensor_length}, {"__tostring", tensor_tostring}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"Tensor", tensor_new}, {NULL, NULL}};

void deer_open_tensor(lua_State *L) {
  deer_lua_class(L, DEER_TENSOR_CLASS, methods, events);
  luaL_setfuncs(L, functions, 0);
}
