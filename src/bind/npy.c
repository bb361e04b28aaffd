/* npy.c: numpy's files as tensors and tables: core.npy, core.saveNpy. */
#include "bind/core.h"

#include <string.h>

#define NPY "deer.Npy"

static int npy_close(lua_State *L) {
  deer_npy_finish(luaL_checkudata(L, 1, NPY));
  return 0;
}

/* Pushes the part that begins with element *next along this axis: a number behind the last one. */
static void push_axis(lua_State *L, const deer_npy *array, int axis, size_t *next) {
  if (axis == array->shape.rank) {
    size_t i = (*next)++;
    if (array->type == DEER_NPY_BOOL)
      lua_pushboolean(L, deer_npy_integer(array, i) != 0);
    else if (deer_npy_whole(array))
      lua_pushinteger(L, deer_npy_integer(array, i));
    else
      lua_pushnumber(L, deer_npy_number(array, i));
    return;
  }
  lua_createtable(L, array->shape.dim[axis], 0);
  for (int i = 1; i <= array->shape.dim[axis]; i++) {
    push_axis(L, array, axis + 1, next);
    lua_rawseti(L, -2, i);
  }
}

static int push_tensor(lua_State *L, const deer_npy *array, const char *path) {
  const deer_tensor *tensor = deer_lua_new_tensor(L, deer_npy_dtype(array), &array->shape);
  deer_status status = deer_npy_fill(array, tensor);
  if (status == DEER_OK) return 1;
  deer_fail(status, "cannot read %s: %s", path, deer_error());
  return deer_push_result(L, status);
}

// npy(path [, "tensor" or "table"])
static int npy_read(lua_State *L) {
  static const char *const forms[] = {"tensor", "table", NULL};
  const char *path = luaL_checkstring(L, 1);
  bool table = luaL_checkoption(L, 2, "tensor", forms) == 1;
  deer_npy *array = lua_newuserdatauv(L, sizeof *array, 0);
  *array = (deer_npy){0};
  luaL_setmetatable(L, NPY);
  lua_toclose(L, -1);
  deer_status status = deer_npy_load(path, array);
  if (status != DEER_OK) return deer_push_result(L, status);
  if (!table) return push_tensor(L, array, path);
  size_t next = 0;
  luaL_checkstack(L, DEER_MAX_RANK + 2, NULL);
  push_axis(L, array, 0, &next);
  return 1;
}

// saveNpy(path, tensor)
static int npy_save(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  const deer_tensor *tensor = luaL_checkudata(L, 2, DEER_TENSOR_CLASS);
  luaL_argcheck(L, deer_shape_count(&tensor->shape) > 0, 2, "the tensor is empty");
  deer_status status = deer_npy_save(path, tensor);
  if (status != DEER_OK) return deer_push_result(L, status);
  lua_pushboolean(L, true);
  return 1;
}

void deer_open_npy(lua_State *L) {
  static const luaL_Reg functions[] = {{"npy", npy_read}, {"saveNpy", npy_save}, {NULL, NULL}};
  static const luaL_Reg ends[] = {{"__gc", npy_close}, {"__close", npy_close}, {NULL, NULL}};
  luaL_newmetatable(L, NPY);
  luaL_setfuncs(L, ends, 0);
  lua_pop(L, 1);
  luaL_setfuncs(L, functions, 0);
}
