/* bind.c: errors between the core and Lua. */
#include "bind/bind.h"

#include <string.h>

// deer's own Lua files, run from a source tree or embedded
static bool is_own(const char *source) {
  return strncmp(source, "@lua/deer/", 10) == 0 || strstr(source, "/lua/deer/") != NULL;
}

void deer_push_where(lua_State *L) {
  lua_Debug ar;
  int level = 1, own = 0;
  // the first frame outside our files; C functions have no line
  for (; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline <= 0) continue;
    if (!is_own(ar.source)) break;
    if (own == 0) own = level;
  }
  // all is ours (a subcommand): our own line is better than none
  luaL_where(L, lua_getstack(L, level, &ar) || own == 0 ? level : own);
}

int deer_throw(lua_State *L, deer_status status) {
  // a script's own message names its line already
  if (status == DEER_ECALLBACK) {
    lua_pushliteral(L, "");
  } else {
    deer_push_where(L);
  }
  lua_pushstring(L, deer_error());
  lua_concat(L, 2);
  return lua_error(L);
}

int deer_push_result(lua_State *L, deer_status status) {
  if (status == DEER_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  if (status != DEER_EIO && status != DEER_EDATA) return deer_throw(L, status);
  luaL_pushfail(L);
  lua_pushstring(L, deer_error());
  return 2;
}

int deer_traceback(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (message == NULL) {
    // an object that knows its text is printed as it wants; others are named by type
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    deer_push_where(L);
    message = lua_pushfstring(L, "%s(error object is a %s value)", lua_tostring(L, -1),
                              luaL_typename(L, 1));
  }
  // an error that crossed C carries the traceback of where it happened
  if (strstr(message, "\nstack traceback:") != NULL) return 1;
  // level 1: this handler itself is not worth a line
  luaL_traceback(L, L, message, 1);
  return 1;
}
