/* network.c: descriptions of networks in Lua tables:
 *
 *   { branches = { { {"conv", filters = 8}, {"dense", units = 20} }, {} }, trunk = { ... } }
 *
 * with one branch per subject, or a list of layers alone, which is the trunk. */
#include "bind/core.h"

#include <string.h>

// the name of the layer on top of the stack: its field "type" or its first entry
static const char *layer_name(lua_State *L, const char *where) {
  if (!lua_istable(L, -1))
    deer_lua_fail(L, "network: %s: expected a layer such as {\"dense\", units = 20}, got %s", where,
                  luaL_typename(L, -1));
  if (lua_getfield(L, -1, "type") == LUA_TNIL) {
    lua_pop(L, 1);
    lua_rawgeti(L, -1, 1);
  }
  const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  if (!name)
    deer_lua_fail(L, "network: %s: expected the type of the layer, got %s", where,
                  luaL_typename(L, -1));
  // the table keeps the string
  lua_pop(L, 1);
  return name;
}

// fills a layer from the table on top of the stack
static void read_layer(lua_State *L, deer_layer_spec *layer, const char *where) {
  int n, table = lua_gettop(L);
  const char *name = layer_name(L, where);
  // {"dense", 20} would leave the 20 unread
  if (lua_rawlen(L, table) > 1)
    deer_lua_fail(L, "network: %s: options of a layer have names, as in {\"dense\", units = 20}",
                  where);
  deer_status status = deer_layer_make(name, layer);
  if (status != DEER_OK) deer_lua_fail(L, "network: %s: %s", where, deer_error());
  const deer_option *options = deer_lua_options(L, table, &n);
  for (int i = 0; i < n; i++) {
    if (strcmp(options[i].name, "type") == 0) continue;
    if (deer_layer_set(layer, options[i].name, options[i].value) != DEER_OK)
      deer_lua_fail(L, "network: %s: %s", where, deer_error());
  }
  lua_settop(L, table);
}

// fills a list of layers from the value on top of the stack
static void read_list(lua_State *L, deer_layer_list *list, const char *name) {
  lua_Unsigned n = lua_istable(L, -1) ? lua_rawlen(L, -1) : DEER_MAX_LAYERS + 1;
  if (n > DEER_MAX_LAYERS)
    deer_lua_fail(L, "network: %s: expected a list of at most %d layers, got %s", name,
                  DEER_MAX_LAYERS, luaL_typename(L, -1));
  for (list->n = 0; list->n < (int)n; list->n++) {
    const char *where = lua_pushfstring(L, "%s[%d]", name, list->n + 1);
    lua_rawgeti(L, -2, list->n + 1);
    read_layer(L, &list->layers[list->n], where);
    lua_pop(L, 2);
  }
}

// field "branches" of the table at `index`: one list per subject, or nothing
static void read_branches(lua_State *L, int index, deer_net_spec *spec) {
  if (lua_getfield(L, index, "branches") != LUA_TNIL) {
    lua_Unsigned n = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
    if (n != (lua_Unsigned)spec->n_branches)
      deer_lua_fail(L, "network: branches: expected %d, one list of layers per subject, got %s",
                    spec->n_branches,
                    lua_istable(L, -1) ? lua_pushfstring(L, "%d", (int)n) : luaL_typename(L, -1));
    for (int i = 0; i < spec->n_branches; i++) {
      const char *name = lua_pushfstring(L, "branches[%d]", i + 1);
      lua_rawgeti(L, -2, i + 1);
      read_list(L, &spec->branches[i], name);
      lua_pop(L, 2);
    }
  }
  lua_pop(L, 1);
}

// both forms: a table with a list part is a trunk
static void read_table(lua_State *L, int index, deer_net_spec *spec) {
  if (lua_rawlen(L, index) > 0) {
    lua_pushvalue(L, index);
    read_list(L, &spec->trunk, "trunk");
    lua_pop(L, 1);
    return;
  }
  read_branches(L, index, spec);
  if (lua_getfield(L, index, "trunk") != LUA_TNIL) read_list(L, &spec->trunk, "trunk");
  lua_pop(L, 1);
}

const deer_net_spec *deer_lua_network(lua_State *L, int index, const deer_space *space) {
  if (lua_isnil(L, index)) {
    lua_pushnil(L);
    return NULL;
  }
  // a userdata holds it: reading may raise
  deer_net_spec *spec = lua_newuserdatauv(L, sizeof *spec, 0);
  *spec = (deer_net_spec){.n_branches = space->n_subjects};
  if (lua_type(L, index) == LUA_TSTRING) {
    deer_status status = deer_net_default(lua_tostring(L, index), space, spec);
    if (status != DEER_OK) deer_throw(L, status);
  } else if (lua_istable(L, index)) {
    read_table(L, index, spec);
  } else {
    deer_lua_bad_option(L, "network", "'deer', 'deer-0.2' or a table of layers", index);
  }
  return spec;
}
