/* options.c: option tables of constructors, and what the classes written in C share. */
#include "bind/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void deer_lua_class(lua_State *L, const char *name, const luaL_Reg *methods,
                    const luaL_Reg *events) {
  // methods are found through __index
  luaL_newmetatable(L, name);
  if (events) luaL_setfuncs(L, events, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  // __gc must be out of reach: what it frees may be in use
  lua_createtable(L, 0, 1);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

int deer_lua_fail(lua_State *L, const char *format, ...) {
  va_list arguments;
  deer_push_where(L);
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_concat(L, 2);
  return lua_error(L);
}

int deer_lua_bad_argument(lua_State *L, int arg, const char *message) {
  // how the running function was called
  lua_Debug ar = {0};
  lua_getstack(L, 0, &ar);
  lua_getinfo(L, "n", &ar);
  // the object before the colon does not count
  if (ar.namewhat && strcmp(ar.namewhat, "method") == 0) arg--;
  if (arg == 0) return deer_lua_fail(L, "bad self in call to '%s' (%s)", ar.name, message);
  return deer_lua_fail(L, "bad argument #%d to '%s' (%s)", arg, ar.name ? ar.name : "?", message);
}

// a number may be a string that reads as one, as everywhere in Lua
static int not_a(lua_State *L, int arg, const char *expected) {
  char got[DEER_DESCRIBE];
  deer_lua_describe(L, arg, got);
  return deer_lua_bad_argument(L, arg, lua_pushfstring(L, "%s expected, got %s", expected, got));
}

lua_Integer deer_lua_check_integer(lua_State *L, int arg) {
  int whole;
  lua_Integer n = lua_tointegerx(L, arg, &whole);
  if (!whole) not_a(L, arg, "whole number");
  return n;
}

double deer_lua_check_number(lua_State *L, int arg) {
  int number;
  double x = lua_tonumberx(L, arg, &number);
  if (!number) not_a(L, arg, "number");
  return x;
}

int deer_lua_bad_option(lua_State *L, const char *name, const char *expected, int index) {
  char got[DEER_DESCRIBE];
  return deer_lua_fail(L, "option '%s': expected %s, got %s", name, expected,
                       deer_lua_describe(L, index, got));
}

void deer_lua_check_options(lua_State *L, int arg) {
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_settop(L, arg);
}

lua_Integer deer_lua_integer_option(lua_State *L, int table, const char *name, lua_Integer fallback,
                                    lua_Integer least) {
  lua_Integer value = fallback;
  if (lua_getfield(L, table, name) != LUA_TNIL) {
    int whole = lua_type(L, -1) == LUA_TNUMBER, index = lua_gettop(L);
    if (whole) value = lua_tointegerx(L, index, &whole);
    const char *expected = "a whole number";
    if (least > LUA_MININTEGER)
      expected = lua_pushfstring(L, "a whole number of at least %I", (LUAI_UACINT)least);
    if (!whole || value < least) deer_lua_bad_option(L, name, expected, index);
    lua_settop(L, index);
  }
  lua_pop(L, 1);
  return value;
}

double deer_lua_number_option(lua_State *L, int table, const char *name, double fallback) {
  if (lua_getfield(L, table, name) != LUA_TNIL) {
    if (lua_type(L, -1) != LUA_TNUMBER) deer_lua_bad_option(L, name, "a number", -1);
    fallback = lua_tonumber(L, -1);
  }
  lua_pop(L, 1);
  return fallback;
}

bool deer_lua_boolean_option(lua_State *L, int table, const char *name, bool fallback) {
  if (lua_getfield(L, table, name) != LUA_TNIL) {
    if (!lua_isboolean(L, -1)) deer_lua_bad_option(L, name, "true or false", -1);
    fallback = lua_toboolean(L, -1);
  }
  lua_pop(L, 1);
  return fallback;
}

const char *deer_lua_word_option(lua_State *L, int table, const char *name, const char *fallback) {
  if (lua_getfield(L, table, name) != LUA_TNIL) {
    if (lua_type(L, -1) != LUA_TSTRING) deer_lua_bad_option(L, name, "a name", -1);
    fallback = lua_tostring(L, -1);
  }
  lua_pop(L, 1);
  return fallback;
}

deer_env *deer_lua_environment_option(lua_State *L, int table) {
  lua_getfield(L, table, "environment");
  // the userdata stays on the stack
  deer_env *env = deer_lua_to_env(L, -1);
  if (!env) deer_lua_bad_option(L, "environment", "an environment", -1);
  return env;
}

/* ---- texts of the core ---- */

#define TEXT_CLASS "deer.Text"

static int text_gc(lua_State *L) {
  char **text = luaL_checkudata(L, 1, TEXT_CLASS);
  deer_free(*text);
  *text = NULL;
  return 0;
}

char **deer_lua_new_text(lua_State *L) {
  char **text = lua_newuserdatauv(L, sizeof *text, 0);
  *text = NULL;
  if (luaL_newmetatable(L, TEXT_CLASS)) {
    lua_pushcfunction(L, text_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return text;
}

int deer_lua_finish_text(lua_State *L, char **text) {
  if (!*text) return deer_throw(L, DEER_ENOMEM);
  lua_pushstring(L, *text);
  deer_free(*text);
  *text = NULL;
  return 1;
}

/* ---- options of the core's classes ---- */

static int compare_options(const void *a, const void *b) {
  return strcmp(((const deer_option *)a)->name, ((const deer_option *)b)->name);
}

// the numbers of the table on top of the stack as text, which the table at `texts` keeps
static const char *list_text(lua_State *L, const char *name, int texts) {
  int list = lua_gettop(L);
  lua_Unsigned n = lua_rawlen(L, list);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (lua_Unsigned i = 1; i <= n && i <= DEER_LIST_MOST + 1; i++) {
    char number[32];
    // the buffer may keep something on the stack, below what is pushed now
    if (lua_rawgeti(L, list, (lua_Integer)i) != LUA_TNUMBER)
      deer_lua_bad_option(L, name, "a list of numbers", list);
    snprintf(number, sizeof number, "%s%.17g", i > 1 ? ", " : "", lua_tonumber(L, -1));
    lua_pop(L, 1);
    luaL_addstring(&b, number);
  }
  luaL_pushresult(&b);
  const char *text = lua_tostring(L, -1);
  lua_setfield(L, texts, name);
  return text;
}

// the value on top of the stack
static deer_value read_value(lua_State *L, const char *name, int texts) {
  switch (lua_type(L, -1)) {
  case LUA_TNUMBER:
    return (deer_value){DEER_VALUE_NUMBER, lua_tonumber(L, -1), NULL};
  case LUA_TBOOLEAN:
    return (deer_value){DEER_VALUE_BOOL, lua_toboolean(L, -1), NULL};
  case LUA_TSTRING:
    return (deer_value){DEER_VALUE_TEXT, 0, lua_tostring(L, -1)};
  case LUA_TTABLE:
    return (deer_value){DEER_VALUE_TEXT, 0, list_text(L, name, texts)};
  default:
    deer_lua_bad_option(L, name, "a number, a name, a list of numbers, true or false", -1);
    return (deer_value){0};
  }
}

// in the order of their names, which is no chance order
const deer_option *deer_lua_options(lua_State *L, int index, int *n) {
  size_t count = 0;
  *n = 0;
  if (lua_isnil(L, index)) {
    lua_pushnil(L);
    return NULL;
  }
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) count++;
  deer_option *options = lua_newuserdatauv(L, (count + 1) * sizeof *options, 1);
  lua_newtable(L);
  int texts = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) continue;
    const char *name = lua_tostring(L, -2);
    options[(*n)++] = (deer_option){name, read_value(L, name, texts)};
  }
  lua_setiuservalue(L, -2, 1);
  qsort(options, (size_t)*n, sizeof *options, compare_options);
  return options;
}

int deer_lua_unknown(lua_State *L, const char *noun, const char *name, const char *const *names,
                     size_t n) {
  const char *nearest = deer_nearest(name, names, n);
  return nearest ? deer_lua_fail(L, "unknown %s '%s'; did you mean '%s'?", noun, name, nearest)
                 : deer_lua_fail(L, "unknown %s '%s'", noun, name);
}

const deer_replay_class *deer_lua_replay(lua_State *L, const char *name) {
  const char *names[64];
  size_t n = 0;
  const deer_replay_class *found = deer_replay_find(name);
  if (found) return found;
  for (; n < 64 && deer_replay_at((int)n); n++) names[n] = deer_replay_at((int)n)->name;
  deer_lua_unknown(L, "replay", name, names, n);
  return NULL;
}
