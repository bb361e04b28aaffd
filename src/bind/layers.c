/* layers.c: the network that a description stands for, layer by layer with all options, as a table
 * that is such a description itself. */
#include "bind/core.h"

// value of an option, pushed
static void push_option(lua_State *L, const deer_field *field, const deer_layer_spec *layer) {
  const deer_value value = deer_fields_get(field, layer->options.bytes);
  if (value.type == DEER_VALUE_TEXT)
    lua_pushstring(L, value.text);
  else if (value.type == DEER_VALUE_BOOL)
    lua_pushboolean(L, value.number != 0);
  else if (field->type == DEER_FIELD_INT)
    lua_pushinteger(L, (lua_Integer)value.number);
  else
    lua_pushnumber(L, value.number);
}

static void push_list(lua_State *L, const deer_layer_spec *layers, int n);

// { type = "dense", units = 20, ... }
static void push_layer(lua_State *L, const deer_layer_spec *layer) {
  lua_newtable(L);
  lua_pushstring(L, deer_layer_name(layer->kind));
  lua_setfield(L, -2, "type");
  for (const deer_field *f = deer_layer_fields(layer->kind); f && f->name; f++) {
    push_option(L, f, layer);
    lua_setfield(L, -2, f->name);
  }
  if (!deer_layer_holds(layer->kind)) return;
  push_list(L, layer + 1, layer->inside);
  lua_setfield(L, -2, "layers");
}

static void push_list(lua_State *L, const deer_layer_spec *layers, int n) {
  luaL_checkstack(L, 8, "layers inside of layers");
  lua_newtable(L);
  for (int i = 0, at = 1; i < n; i += 1 + layers[i].inside) {
    push_layer(L, &layers[i]);
    lua_rawseti(L, -2, at++);
  }
}

// layers(environment, network) -> { branches =, trunk =, heads =, output = }
static int layers(lua_State *L) {
  const deer_env *env = deer_lua_to_env(L, 1);
  if (!env) return deer_lua_bad_argument(L, 1, "environment expected");
  lua_settop(L, 2);
  const deer_net_spec *spec = deer_lua_network(L, 2, &env->space);
  if (!spec) return deer_lua_bad_argument(L, 2, "network expected, got nothing");
  lua_newtable(L);
  lua_newtable(L);
  for (int s = 0; s < spec->n_branches; s++) {
    push_list(L, spec->branches[s].layers, spec->branches[s].n);
    lua_rawseti(L, -2, s + 1);
  }
  lua_setfield(L, -2, "branches");
  push_list(L, spec->trunk.layers, spec->trunk.n);
  lua_setfield(L, -2, "trunk");
  lua_newtable(L);
  for (int i = 0; i < spec->n_heads; i++) {
    push_list(L, spec->heads[i].layers.layers, spec->heads[i].layers.n);
    lua_setfield(L, -2, spec->heads[i].name);
  }
  lua_setfield(L, -2, "heads");
  if (spec->output.kind) {
    push_layer(L, &spec->output);
    lua_setfield(L, -2, "output");
  }
  return 1;
}

void deer_open_layers(lua_State *L) {
  lua_pushcfunction(L, layers);
  lua_setfield(L, -2, "layers");
}
