/* sys.c: the module deer.sys: the embedded files, the file system, the terminal and the clock. */
#include "bind/bind.h"
#include "bind/interpreter.h"
#include "bind/search.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DIR_LIST "deer.sys.list"

// nil, "path: reason"; what scripts expect of an operation that may fail
static int push_failure(lua_State *L, const char *path, int error) {
  luaL_pushfail(L);
  lua_pushfstring(L, "%s: %s", path, strerror(error));
  return 2;
}

// embedded(prefix): sorted names of the embedded modules that begin with prefix
static int sys_embedded(lua_State *L) {
  const char *prefix = luaL_optstring(L, 1, "");
  lua_newtable(L);
  for (size_t i = 0; i < deer_embedded_count; i++) {
    const char *name = deer_embedded_files[i].name;
    if (strncmp(name, prefix, strlen(prefix)) != 0) continue;
    lua_pushstring(L, name);
    lua_rawseti(L, -2, luaL_len(L, -2) + 1);
  }
  return 1;
}

// source(name): text and path of an embedded module, or nil
static int sys_source(lua_State *L) {
  const deer_embedded *file = deer_embedded_find(luaL_checkstring(L, 1));
  if (file == NULL) {
    luaL_pushfail(L);
    return 1;
  }
  lua_pushlstring(L, (const char *)file->text, file->size);
  lua_pushstring(L, file->path);
  return 2;
}

// root(): the source tree the program runs from, or nil
static int sys_root(lua_State *L) {
  lua_pushstring(L, deer_root()); // NULL is pushed as nil
  return 1;
}

// isatty(fd): is it a terminal?
static int sys_isatty(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

// time(): seconds since some fixed moment, unmoved by changes of the date
static int sys_time(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  lua_pushnumber(L, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
  return 1;
}

// sleep(seconds): does nothing for so long, or until Ctrl-C
static int sys_sleep(lua_State *L) {
  double seconds = luaL_checknumber(L, 1);
  if (!(seconds > 0)) return 0;
  if (seconds > 3600) seconds = 3600;
  struct timespec pause = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  nanosleep(&pause, NULL);
  return 0;
}

// usage(): what `deerlua --help` prints
static int sys_usage(lua_State *L) {
  lua_pushstring(L, deer_usage);
  return 1;
}

// date(): seconds since 1970
static int sys_date(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  lua_pushnumber(L, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
  return 1;
}

// a side of the terminal behind stdout or stderr: asked for, as the environment says, or usual
static int terminal_side(lua_State *L, bool columns) {
  struct winsize size;
  for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
      lua_pushinteger(L, columns ? size.ws_col : size.ws_row);
      return 1;
    }
  }
  const char *said = getenv(columns ? "COLUMNS" : "LINES");
  int n = said != NULL ? atoi(said) : 0;
  lua_pushinteger(L, n > 0 ? n : columns ? 80 : 24);
  return 1;
}

// columns(): the width of the terminal, $COLUMNS, or 80
static int sys_columns(lua_State *L) { return terminal_side(L, true); }

// rows(): its height, $LINES, or 24
static int sys_rows(lua_State *L) { return terminal_side(L, false); }

// exists(path): a file or folder of that name
static int sys_exists(lua_State *L) {
  lua_pushboolean(L, access(luaL_checkstring(L, 1), F_OK) == 0);
  return 1;
}

// the names in a folder; held by a userdata because filling a Lua table can raise
typedef struct dir_list {
  struct dirent **entries;
  int n;
} dir_list;

// runs at the end of sys_listdir, or from the collector when an error came first
static int dir_list_gc(lua_State *L) {
  dir_list *list = luaL_checkudata(L, 1, DIR_LIST);
  for (int i = 0; i < list->n; i++) free(list->entries[i]);
  free(list->entries);
  *list = (dir_list){0};
  return 0;
}

// everything but the folder itself and its parent
static int is_visible(const struct dirent *entry) {
  return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

// by bytes: the order must not depend on the language of the machine
static int by_bytes(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

// listdir(path): sorted names, or nil and a message
static int sys_listdir(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  dir_list *list = lua_newuserdatauv(L, sizeof *list, 0);
  *list = (dir_list){0};
  luaL_setmetatable(L, DIR_LIST);
  lua_toclose(L, -1);
  int n = scandir(path, &list->entries, is_visible, by_bytes);
  if (n < 0) return push_failure(L, path, errno);
  list->n = n;
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    lua_pushstring(L, list->entries[i]->d_name);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

// makes one folder; one that is there already is fine, unless it has to be new
static int make_folder(const char *path, bool is_new) {
  struct stat st;
  if (mkdir(path, 0777) == 0) return 0;
  int error = errno;
  if (is_new || error != EEXIST || stat(path, &st) != 0) return error;
  return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}

// mkdir(path, is_new): with parents; true, or nil and a message. With is_new a path that is there
// already is refused: of several programs that make it at once one succeeds
static int sys_mkdir(lua_State *L) {
  size_t size;
  const char *path = luaL_checklstring(L, 1, &size);
  char part[PATH_MAX];
  if (size == 0 || size >= sizeof part) return push_failure(L, path, size ? ENAMETOOLONG : ENOENT);
  // cut at each slash in turn: a, a/b, a/b/c
  memcpy(part, path, size + 1);
  for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    int error = make_folder(part, false);
    if (error != 0) return push_failure(L, part, error);
    *slash = '/';
  }
  int error = make_folder(part, lua_toboolean(L, 2));
  if (error != 0) return push_failure(L, path, error);
  lua_pushboolean(L, 1);
  return 1;
}

// write_file(path, bytes): true, or nil and a message, with the old file untouched
static int sys_write_file(lua_State *L) {
  size_t size;
  const char *path = luaL_checkstring(L, 1);
  const char *bytes = luaL_checklstring(L, 2, &size);
  return deer_push_result(L, deer_file_replace(path, bytes, size));
}

int luaopen_deer_sys(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"columns", sys_columns},
      {"date", sys_date},
      {"embedded", sys_embedded},
      {"exists", sys_exists},
      {"isatty", sys_isatty},
      {"listdir", sys_listdir},
      {"mkdir", sys_mkdir},
      {"root", sys_root},
      {"rows", sys_rows},
      {"sleep", sys_sleep},
      {"source", sys_source},
      {"time", sys_time},
      {"usage", sys_usage},
      {"write_file", sys_write_file},
      {NULL, NULL},
  };
  static const luaL_Reg list_methods[] = {
      {"__gc", dir_list_gc},
      {"__close", dir_list_gc},
      {NULL, NULL},
  };
  luaL_newmetatable(L, DIR_LIST);
  luaL_setfuncs(L, list_methods, 0);
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
