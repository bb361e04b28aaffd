/* tensor.c: deer.Tensor, a dense block of numbers that Lua code can fill and hand over. */
#include "bind/core.h"

#include <string.h>

static deer_tensor *check_tensor(lua_State *L) { return luaL_checkudata(L, 1, DEER_TENSOR_CLASS); }

// the type called so; "float32" is the real number of the build
static deer_dtype check_dtype(lua_State *L, int arg) {
  static const char *const names[] = {"float32", "uint8", "int32", NULL};
  static const deer_dtype types[] = {DEER_DTYPE_REAL, DEER_DTYPE_U8, DEER_DTYPE_I32};
  return types[luaL_checkoption(L, arg, NULL, names)];
}

// a list of dimensions
static deer_shape check_shape(lua_State *L, int arg) {
  deer_shape shape = {0};
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_Unsigned rank = lua_rawlen(L, arg);
  luaL_argcheck(L, rank <= DEER_MAX_RANK, arg, "at most 6 dimensions expected");
  for (shape.rank = 0; shape.rank < (int)rank; shape.rank++) {
    int whole = lua_rawgeti(L, arg, shape.rank + 1) == LUA_TNUMBER;
    lua_Integer dim = whole ? lua_tointegerx(L, -1, &whole) : 0;
    lua_pop(L, 1);
    luaL_argcheck(L, whole && dim >= 1 && dim <= INT32_MAX, arg,
                  "dimensions are whole numbers of at least 1");
    shape.dim[shape.rank] = (int)dim;
  }
  if (deer_shape_check(&shape, "tensor") != DEER_OK) luaL_argerror(L, arg, deer_error());
  return shape;
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
  deer_dtype dtype = check_dtype(L, 1);
  deer_shape shape = check_shape(L, 2);
  // the numbers follow the head in the same userdata, aligned: there is nothing to give back
  size_t head = (sizeof(deer_tensor) + 15) / 16 * 16;
  size_t bytes = deer_shape_count(&shape) * deer_dtype_size(dtype);
  deer_tensor *tensor = lua_newuserdatauv(L, head + bytes, 0);
  *tensor = deer_tensor_wrap(dtype, shape, memset((char *)tensor + head, 0, bytes));
  luaL_setmetatable(L, DEER_TENSOR_CLASS);
  if (!lua_isnoneornil(L, 3)) set(L, tensor, 3);
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
  const deer_tensor *tensor = check_tensor(L);
  lua_createtable(L, tensor->shape.rank, 0);
  for (int i = 0; i < tensor->shape.rank; i++) {
    lua_pushinteger(L, tensor->shape.dim[i]);
    lua_rawseti(L, -2, i + 1);
  }
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
  luaL_checknumber(L, 2);
  // the first element checks that the type holds the number
  deer_tensor one = deer_tensor_wrap(tensor->dtype, DEER_SCALAR, tensor->data);
  if (deer_lua_read(L, 2, &one) != DEER_OK) luaL_argerror(L, 2, deer_error());
  // the others are copies of it
  size_t size = deer_dtype_size(tensor->dtype), n = deer_shape_count(&tensor->shape);
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
