/* search.c: the module path and the searcher of embedded files. */
#include "bind/search.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// found once, at start
static char root[PATH_MAX];

const char *deer_root(void) { return root[0] != '\0' ? root : NULL; }

const deer_embedded *deer_embedded_find(const char *name) {
  // the table is sorted by name
  size_t low = 0, high = deer_embedded_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(name, deer_embedded_files[middle].name);
    if (order == 0) return &deer_embedded_files[middle];
    if (order < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return NULL;
}

// the mark of a source tree
static bool has_lua_files(const char *folder) {
  char path[PATH_MAX + 32];
  snprintf(path, sizeof path, "%s/lua/deer/init.lua", folder);
  return access(path, R_OK) == 0;
}

// <root>/build*/.../deerlua with <root>/lua/deer/init.lua makes <root> the source tree
static void find_root(const char *program) {
  char path[PATH_MAX];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
  if (size >= 0) {
    path[size] = '\0';
  } else if (strchr(program, '/') == NULL || realpath(program, path) == NULL) {
    return;
  }
  // climb: cut the last name off and look whether the cut name was a build folder
  for (char *slash = strrchr(path, '/'); slash != NULL && slash != path;
       slash = strrchr(path, '/')) {
    *slash = '\0';
    if (strncmp(slash + 1, "build", 5) == 0 && has_lua_files(path)) {
      strcpy(root, path);
      return;
    }
  }
}

// a package searcher: the loader and where it came from, or why not
static int search_embedded(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const deer_embedded *file = deer_embedded_find(name);
  if (file == NULL) {
    lua_pushfstring(L, "no embedded file '%s'", name);
    return 1;
  }
  // text only; messages name the file as it lies in the source tree
  lua_pushfstring(L, "@%s", file->path);
  int status = luaL_loadbufferx(L, (const char *)file->text, file->size, lua_tostring(L, -1), "t");
  if (status != LUA_OK) {
    return luaL_error(L, "error loading module '%s' from the program itself:\n\t%s", name,
                      lua_tostring(L, -1));
  }
  lua_pushstring(L, file->path);
  return 2;
}

// package.searchers: 1 preload, 2 Lua files, 3 and 4 C libraries; ours goes to `position`
static void insert_searcher(lua_State *L, lua_Integer position) {
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = luaL_len(L, -1); i >= position; i--) {
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushcfunction(L, search_embedded);
  lua_rawseti(L, -2, position);
  lua_pop(L, 1);
}

void deer_search_install(lua_State *L, const char *program) {
  // the modules in C
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_deer_core);
  lua_setfield(L, -2, "deer.core");
  lua_pushcfunction(L, luaopen_deer_sys);
  lua_setfield(L, -2, "deer.sys");
  lua_pop(L, 1);

  // the files in Lua
  // every other state finds what the first one found
  if (root[0] == '\0') find_root(program);
  lua_getglobal(L, "package");
  insert_searcher(L, deer_root() != NULL ? 3 : 2);
  if (deer_root() != NULL) {
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s/lua/?.lua;%s/lua/?/init.lua;%s", root, root, lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}
