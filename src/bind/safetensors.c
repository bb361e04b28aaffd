/* safetensors.c: core.safetensors, the Lua face of io/safetensors.h. An array is a table
 * { name = "w", shape = {2, 3}, dtype = "float32", data = its bytes }, a scalar's shape is {}. */
#include "bind/bind.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define TENSOR_LIST "deer.TensorList"

/* ---- save: the list borrows everything from the Lua tables, which outlive the call ---- */

/* Raises about entry `i` of the list, counted from 0. */
static int item_error(lua_State *L, int i, const char *what) {
  return luaL_argerror(L, 2, lua_pushfstring(L, "entry %d: %s", i + 1, what));
}

/* The string in a field of the table on top of the stack, which keeps it alive. */
static const char *string_field(lua_State *L, int i, const char *key, size_t *size) {
  lua_pushstring(L, key);
  if (lua_rawget(L, -2) != LUA_TSTRING)
    item_error(L, i, lua_pushfstring(L, "%s: string expected, got %s", key, luaL_typename(L, -1)));
  const char *text = lua_tolstring(L, -1, size);
  lua_pop(L, 1);
  return text;
}

/* The element type in the field dtype of entry i. */
static deer_dtype check_dtype(lua_State *L, int i) {
  size_t size;
  const char *name = string_field(L, i, "dtype", &size);
  for (int dtype = DEER_DTYPE_REAL; dtype <= DEER_DTYPE_I32; dtype++)
    if (strcmp(name, deer_dtype_name((deer_dtype)dtype)) == 0) return (deer_dtype)dtype;
  item_error(L, i,
             lua_pushfstring(L, "dtype: \"%s\", \"uint8\" or \"int32\" expected, got \"%s\"",
                             deer_dtype_name(DEER_DTYPE_REAL), name));
  return DEER_DTYPE_REAL;
}

/* The list of dimensions in the field shape of entry i. */
static deer_shape check_shape(lua_State *L, int i) {
  deer_shape shape = DEER_SCALAR;
  lua_pushliteral(L, "shape");
  if (lua_rawget(L, -2) != LUA_TTABLE)
    item_error(L, i, lua_pushfstring(L, "shape: table expected, got %s", luaL_typename(L, -1)));
  // as many as there are, each a whole number
  size_t rank = lua_rawlen(L, -1);
  if (rank > DEER_MAX_RANK)
    item_error(L, i, lua_pushfstring(L, "shape: at most %d dimensions expected", DEER_MAX_RANK));
  for (; shape.rank < (int)rank; shape.rank++) {
    int whole;
    lua_rawgeti(L, -1, shape.rank + 1);
    lua_Integer dim = lua_tointegerx(L, -1, &whole);
    if (!whole || dim < 1 || dim > INT_MAX)
      item_error(L, i,
                 lua_pushfstring(L, "shape[%d]: whole number from 1 expected, got %s",
                                 shape.rank + 1, luaL_tolstring(L, -1, NULL)));
    shape.dim[shape.rank] = (int)dim;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  if (deer_shape_check(&shape, "shape") != DEER_OK) item_error(L, i, deer_error());
  return shape;
}

/* Entry i of the list, which is on top of the stack. */
static deer_named_tensor check_item(lua_State *L, int i) {
  size_t length, size;
  const char *name = string_field(L, i, "name", &length);
  if (strlen(name) != length) item_error(L, i, "name: it contains a zero byte");
  deer_dtype dtype = check_dtype(L, i);
  deer_shape shape = check_shape(L, i);
  // the bytes must be just what the shape says
  const char *data = string_field(L, i, "data", &size);
  size_t expected = deer_shape_count(&shape) * deer_dtype_size(dtype);
  if (size != expected)
    item_error(L, i,
               lua_pushfstring(L, "data: %I bytes expected for %s of this shape, got %I",
                               (LUAI_UACINT)expected, deer_dtype_name(dtype), (LUAI_UACINT)size));
  // save only reads
  return (deer_named_tensor){(char *)name, deer_tensor_wrap(dtype, shape, (char *)data)};
}

/* Borrows the arrays in the table that is argument 2. */
static void check_items(lua_State *L, deer_tensor_list *list) {
  luaL_checktype(L, 2, LUA_TTABLE);
  size_t n = lua_rawlen(L, 2);
  luaL_argcheck(L, n <= INT_MAX / sizeof *list->items, 2, "too many entries");
  list->items = lua_newuserdatauv(L, n * sizeof *list->items, 0);
  for (; list->n < (int)n; list->n++) {
    if (lua_rawgeti(L, 2, list->n + 1) != LUA_TTABLE)
      item_error(L, list->n, lua_pushfstring(L, "table expected, got %s", luaL_typename(L, -1)));
    list->items[list->n] = check_item(L, list->n);
    lua_pop(L, 1);
  }
}

/* A text of the metadata at `index`; only there may be no zero byte, which would end it. */
static const char *check_text(lua_State *L, int index) {
  size_t size;
  if (lua_type(L, index) != LUA_TSTRING)
    luaL_argerror(L, 3,
                  lua_pushfstring(L, "table of strings by string expected, got a %s in it",
                                  luaL_typename(L, index)));
  const char *text = lua_tolstring(L, index, &size);
  luaL_argcheck(L, strlen(text) == size, 3, "zero byte in metadata");
  return text;
}

/* By bytes: the order must not depend on the language of the machine. */
static int by_bytes(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Borrows the metadata in the table that is argument 3, sorted; nil is none. */
static void check_metadata(lua_State *L, deer_tensor_list *list) {
  if (lua_isnoneornil(L, 3)) return;
  luaL_checktype(L, 3, LUA_TTABLE);
  // how many, then what
  size_t n = 0;
  for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) n++;
  // keys, then their values
  const char **texts = lua_newuserdatauv(L, 2 * n * sizeof *texts, 0);
  for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
    check_text(L, -1);
    texts[list->n_metadata++] = check_text(L, -2);
  }
  // in the order of a table of Lua the bytes of the file would differ from run to run
  qsort(texts, n, sizeof *texts, by_bytes);
  for (size_t i = 0; i < n; i++) {
    lua_pushstring(L, texts[i]);
    lua_rawget(L, 3);
    texts[n + i] = lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  list->keys = (char **)texts;
  list->values = (char **)texts + n;
}

/* save(path, list, metadata): true, or nil and why it could not be written. */
static int safetensors_save(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  deer_tensor_list list = {0};
  lua_settop(L, 3);
  check_items(L, &list);
  check_metadata(L, &list);
  return deer_push_result(L, deer_safetensors_save(path, &list));
}

/* ---- load: the list lies in a userdata, since filling a Lua table can raise ---- */

/* Runs when load returns, or from the collector when an error came first. */
static int list_close(lua_State *L) {
  deer_tensor_list_finish(luaL_checkudata(L, 1, TENSOR_LIST));
  return 0;
}

/* Pushes { name = , shape = , dtype = , data = }. */
static void push_item(lua_State *L, const deer_named_tensor *item) {
  const deer_tensor *tensor = &item->tensor;
  lua_createtable(L, 0, 4);
  lua_pushstring(L, item->name);
  lua_setfield(L, -2, "name");
  lua_createtable(L, tensor->shape.rank, 0);
  for (int i = 0; i < tensor->shape.rank; i++) {
    lua_pushinteger(L, tensor->shape.dim[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "shape");
  lua_pushstring(L, deer_dtype_name(tensor->dtype));
  lua_setfield(L, -2, "dtype");
  size_t size = deer_shape_count(&tensor->shape) * deer_dtype_size(tensor->dtype);
  lua_pushlstring(L, tensor->data, size);
  lua_setfield(L, -2, "data");
}

/* load(path): the list and the metadata, or nil and what is wrong with the file. */
static int safetensors_load(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  deer_tensor_list *list = lua_newuserdatauv(L, sizeof *list, 0);
  *list = (deer_tensor_list){0};
  luaL_setmetatable(L, TENSOR_LIST);
  lua_toclose(L, -1);
  deer_status status = deer_safetensors_load(path, list);
  if (status != DEER_OK) return deer_push_result(L, status);
  // the arrays in their order
  lua_createtable(L, list->n, 0);
  for (int i = 0; i < list->n; i++) {
    push_item(L, &list->items[i]);
    lua_rawseti(L, -2, i + 1);
  }
  // the metadata
  lua_createtable(L, 0, list->n_metadata);
  for (int i = 0; i < list->n_metadata; i++) {
    lua_pushstring(L, list->values[i]);
    lua_setfield(L, -2, list->keys[i]);
  }
  return 2;
}

int deer_open_safetensors(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"save", safetensors_save},
      {"load", safetensors_load},
      {NULL, NULL},
  };
  static const luaL_Reg ends[] = {
      {"__gc", list_close},
      {"__close", list_close},
      {NULL, NULL},
  };
  luaL_newmetatable(L, TENSOR_LIST);
  luaL_setfuncs(L, ends, 0);
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
