/* csv.c: core.csv, tables in text files as columns of Lua. */
#include "bind/core.h"

#include <limits.h>

#define CSV "deer.Csv"

static int csv_close(lua_State *L) {
  deer_csv_finish(luaL_checkudata(L, 1, CSV));
  return 0;
}

/* Pushes the list of a column. */
static void push_column(lua_State *L, const deer_csv *csv, const deer_csv_column *column) {
  lua_createtable(L, csv->n_rows < INT_MAX ? (int)csv->n_rows : 0, 0);
  for (lua_Integer i = 0; i < csv->n_rows; i++) {
    if (column->numbers)
      lua_pushnumber(L, column->numbers[i]);
    else
      lua_pushstring(L, column->texts[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

// pushes the columns by position and by name; false when two have the same one
static bool push_columns(lua_State *L, const deer_csv *csv) {
  lua_createtable(L, csv->n_columns, csv->n_columns);
  for (int c = 0; c < csv->n_columns; c++) {
    const char *name = csv->columns[c].name;
    push_column(L, csv, &csv->columns[c]);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, c + 1);
    if (!name || !*name) {
      lua_pop(L, 1);
      continue;
    }
    if (lua_getfield(L, -2, name) != LUA_TNIL) {
      deer_fail(DEER_EDATA, "line 1, column %d: the name '%s' comes twice", c + 1, name);
      return false;
    }
    lua_pop(L, 1);
    lua_setfield(L, -2, name);
  }
  return true;
}

static void push_names(lua_State *L, const deer_csv *csv) {
  lua_createtable(L, csv->n_columns, 0);
  for (int c = 0; c < csv->n_columns && csv->columns[c].name; c++) {
    lua_pushstring(L, csv->columns[c].name);
    lua_rawseti(L, -2, c + 1);
  }
}

// csv(path, separator, header): the columns and their names; header is a boolean, nil to guess
static int csv_read(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  deer_csv_options options = {.separator = *luaL_checkstring(L, 2)};
  if (!lua_isnoneornil(L, 3))
    options.header = lua_toboolean(L, 3) ? DEER_CSV_WITH : DEER_CSV_WITHOUT;
  deer_csv *csv = lua_newuserdatauv(L, sizeof *csv, 0);
  *csv = (deer_csv){0};
  luaL_setmetatable(L, CSV);
  lua_toclose(L, -1);
  deer_status status = deer_csv_load(path, &options, csv);
  if (status != DEER_OK) return deer_push_result(L, status);
  if (!push_columns(L, csv)) {
    deer_fail(DEER_EDATA, "cannot read %s: %s", path, deer_error());
    return deer_push_result(L, DEER_EDATA);
  }
  push_names(L, csv);
  return 2;
}

void deer_open_csv(lua_State *L) {
  static const luaL_Reg ends[] = {{"__gc", csv_close}, {"__close", csv_close}, {NULL, NULL}};
  luaL_newmetatable(L, CSV);
  luaL_setfuncs(L, ends, 0);
  lua_pop(L, 1);
  lua_pushcfunction(L, csv_read);
  lua_setfield(L, -2, "csv");
}
