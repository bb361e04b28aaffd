/* network.c: descriptions of networks in Lua tables:
 *
 *   { branches = { { {"conv", filters = 8}, {"dense", units = 20} }, {} }, trunk = { ... },
 *     heads = { policy = { ... } }, output = {"dueling"} }
 *
 * with one branch per subject, or a list of layers alone, which is for everything. */
#include "bind/core.h"

#include <string.h>

/* ---- tables ---- */

// The key of the table at `index` that follows `last` in the order of letters, so that of several
// mistakes always the same is reported; NULL past the end, `last` NULL at the beginning. Keys that
// are no text are passed over. The table keeps it.
static const char *next_key(lua_State *L, int index, const char *last) {
  const char *best = NULL;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) continue;
    const char *key = lua_tostring(L, -2);
    if ((!last || strcmp(key, last) > 0) && (!best || strcmp(key, best) < 0)) best = key;
  }
  return best;
}

static const char *const parts[] = {"branches", "trunk", "heads", "output"};
enum { N_PARTS = sizeof parts / sizeof *parts };

// a word that nobody reads would leave a network of another shape, in silence
static void check_parts(lua_State *L, int index) {
  bool list = lua_rawlen(L, index) > 0;
  for (const char *key = NULL; (key = next_key(L, index, key));) {
    bool known = false;
    for (int i = 0; i < N_PARTS; i++) known = known || strcmp(parts[i], key) == 0;
    if (known && !list) continue;
    const char *nearest = list ? NULL : deer_nearest(key, parts, N_PARTS);
    const char *hint = nearest ? lua_pushfstring(L, "; did you mean '%s'?", nearest) : "";
    deer_lua_fail(L,
                  "option 'network': expected a list of layers, or branches, trunk, heads and "
                  "output, got a table with '%s'%s",
                  key, hint);
  }
}

/* ---- layers ---- */

// the name of the layer on top of the stack: its field "type" or its first entry
static const char *layer_name(lua_State *L, const char *where) {
  if (!lua_istable(L, -1))
    deer_lua_fail(L, "network: %s: expected a layer such as {\"dense\", units = 20}, got %s", where,
                  luaL_typename(L, -1));
  // {"dense", 20} would leave the 20 unread
  if (lua_rawlen(L, -1) > 1)
    deer_lua_fail(L, "network: %s: options of a layer have names, as in {\"dense\", units = 20}",
                  where);
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

// the value on top of the stack
static deer_value option_value(lua_State *L, const char *where, const char *name) {
  char got[DEER_DESCRIBE];
  switch (lua_type(L, -1)) {
  case LUA_TNUMBER:
    return (deer_value){DEER_VALUE_NUMBER, lua_tonumber(L, -1), NULL};
  case LUA_TBOOLEAN:
    return (deer_value){DEER_VALUE_BOOL, lua_toboolean(L, -1), NULL};
  case LUA_TSTRING:
    return (deer_value){DEER_VALUE_TEXT, 0, lua_tostring(L, -1)};
  default:
    deer_lua_fail(L, "network: %s: option '%s': expected a number, a name, true or false, got %s",
                  where, name, deer_lua_describe(L, -1, got));
    return (deer_value){0};
  }
}

// options from the layer on top of the stack, but its type and what lies inside
static void read_options(lua_State *L, deer_layer_spec *layer, const char *where) {
  int table = lua_gettop(L);
  for (const char *key = NULL; (key = next_key(L, table, key));) {
    if (strcmp(key, "type") == 0) continue;
    if (strcmp(key, "layers") == 0 && deer_layer_holds(layer->kind)) continue;
    lua_getfield(L, table, key);
    if (deer_layer_set(layer, key, option_value(L, where, key)) != DEER_OK)
      deer_lua_fail(L, "network: %s: %s", where, deer_error());
    lua_pop(L, 1);
  }
}

static void read_list(lua_State *L, deer_layer_list *list, const char *name);

// appends the layer on top of the stack and what lies inside
static void read_layer(lua_State *L, deer_layer_list *list, const char *where) {
  deer_layer_spec *layer = deer_layer_add(list, layer_name(L, where));
  if (!layer) deer_lua_fail(L, "network: %s: %s", where, deer_error());
  bool holds = deer_layer_holds(layer->kind);
  if (lua_getfield(L, -1, "layers") != LUA_TNIL || holds) {
    const char *inside = lua_pushfstring(L, "%s.layers", where);
    lua_insert(L, -2);
    if (!holds)
      deer_lua_fail(L, "network: %s: layer %s takes no layers inside", where,
                    deer_layer_name(layer->kind));
    read_list(L, list, inside);
    deer_layer_enclose(list, layer);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  read_options(L, layer, where);
}

// appends the list of layers on top of the stack, which is at `name`
static void read_list(lua_State *L, deer_layer_list *list, const char *name) {
  luaL_checkstack(L, 16, "layers inside of layers");
  if (!lua_istable(L, -1))
    deer_lua_fail(L, "network: %s: expected a list of layers, got %s", name, luaL_typename(L, -1));
  int n = (int)lua_rawlen(L, -1);
  const char *key = next_key(L, lua_gettop(L), NULL);
  if (key) deer_lua_fail(L, "network: %s: expected a list of layers, got '%s' in it", name, key);
  for (int i = 1; i <= n; i++) {
    const char *where = lua_pushfstring(L, "%s[%d]", name, i);
    lua_rawgeti(L, -2, i);
    read_layer(L, list, where);
    lua_pop(L, 2);
  }
}

/* ---- parts ---- */

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

// field "heads" of the table at `index`: lists of layers by the names of the heads, or nothing
static void read_heads(lua_State *L, int index, deer_net_spec *spec) {
  int type = lua_getfield(L, index, "heads"), heads = lua_gettop(L);
  if (type != LUA_TNIL && (type != LUA_TTABLE || lua_rawlen(L, heads) > 0))
    deer_lua_fail(L, "network: heads: expected lists of layers by the names of the heads, got %s",
                  type == LUA_TTABLE ? "a list" : luaL_typename(L, heads));
  for (const char *key = NULL; type != LUA_TNIL && (key = next_key(L, heads, key));) {
    deer_head_spec *head = &spec->heads[spec->n_heads];
    const char *name = lua_pushfstring(L, "heads.%s", key);
    if (spec->n_heads == DEER_MAX_HEADS || strlen(key) >= sizeof head->name)
      deer_lua_fail(L, "network: %s: expected at most %d heads with names of at most %d characters",
                    name, DEER_MAX_HEADS, (int)sizeof head->name - 1);
    spec->n_heads++;
    strcpy(head->name, key);
    lua_getfield(L, heads, key);
    read_list(L, &head->layers, name);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
}

// field "output" of the table at `index`: a layer whose size the algorithm knows, or nothing
static void read_output(lua_State *L, int index, deer_net_spec *spec) {
  if (lua_getfield(L, index, "output") != LUA_TNIL) {
    if (deer_output_make(layer_name(L, "output"), &spec->output) != DEER_OK)
      deer_lua_fail(L, "network: output: %s", deer_error());
    for (const char *key = NULL; (key = next_key(L, lua_gettop(L), key));) {
      const deer_field *field = deer_fields_find(deer_layer_fields(spec->output.kind), key);
      if (field && (strcmp(field->name, "units") == 0 || strcmp(field->name, "atoms") == 0))
        deer_lua_fail(L, "network: output: option '%s' is set by the algorithm", field->name);
    }
    read_options(L, &spec->output, "output");
  }
  lua_pop(L, 1);
}

// both forms: a table with a list part is a list for everything
static void read_table(lua_State *L, int index, deer_net_spec *spec) {
  check_parts(L, index);
  if (lua_rawlen(L, index) > 0) {
    lua_pushvalue(L, index);
    read_list(L, &spec->trunk, "trunk");
    lua_pop(L, 1);
    deer_net_spec_split(spec);
    return;
  }
  read_branches(L, index, spec);
  if (lua_getfield(L, index, "trunk") != LUA_TNIL) read_list(L, &spec->trunk, "trunk");
  lua_pop(L, 1);
  read_heads(L, index, spec);
  read_output(L, index, spec);
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
    deer_lua_bad_option(L, "network", "'deer', 'deer-0.2', 'deer-lstm' or a table of layers",
                        index);
  }
  return spec;
}
