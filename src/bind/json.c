/* json.c: JSON texts as Lua values: core.json(text). Objects and lists become tables, null a field
 * that is not there. */
#include "bind/core.h"

#include <math.h>
#include <string.h>

enum { MOST_DEPTH = 64 };

typedef struct reader {
  lua_State *L;
  int depth;
} reader;

static deer_status push_value(deer_json *json, reader *r);

// an element of the list on top of the stack
static deer_status push_element(deer_json *json, void *context) {
  reader *r = context;
  DEER_TRY(push_value(json, r));
  if (lua_isnil(r->L, -1)) return deer_fail(DEER_EDATA, "null has no place in a list");
  lua_rawseti(r->L, -2, (lua_Integer)lua_rawlen(r->L, -2) + 1);
  return DEER_OK;
}

// a field of the object on top of the stack
static deer_status push_member(deer_json *json, char *key, void *context) {
  lua_State *L = ((reader *)context)->L;
  if (lua_getfield(L, -1, key) != LUA_TNIL)
    return deer_fail(DEER_EDATA, "the key '%s' comes twice", key);
  lua_pop(L, 1);
  DEER_TRY(push_value(json, context));
  lua_setfield(L, -2, key);
  return DEER_OK;
}

static deer_status push_table(deer_json *json, reader *r, bool object) {
  if (r->depth == MOST_DEPTH)
    return deer_fail(DEER_EDATA, "lists and objects lie more than %d deep", MOST_DEPTH);
  luaL_checkstack(r->L, 8, "JSON");
  lua_newtable(r->L);
  r->depth++;
  DEER_TRY(object ? deer_json_object(json, push_member, r) : deer_json_list(json, push_element, r));
  r->depth--;
  return DEER_OK;
}

static deer_status push_number(deer_json *json, lua_State *L) {
  double x;
  bool whole;
  DEER_TRY(deer_json_number(json, &x, &whole));
  if (whole && fabs(x) < 0x1p53)
    lua_pushinteger(L, (lua_Integer)x);
  else
    lua_pushnumber(L, x);
  return DEER_OK;
}

static deer_status push_value(deer_json *json, reader *r) {
  char *string, next = deer_json_next(json);
  switch (next) {
  case '{':
  case '[':
    return push_table(json, r, next == '{');
  case '"':
    DEER_TRY(deer_json_string(json, &string));
    lua_pushstring(r->L, string);
    return DEER_OK;
  case 't':
  case 'f':
    DEER_TRY(deer_json_word(json, next == 't' ? "true" : "false"));
    lua_pushboolean(r->L, next == 't');
    return DEER_OK;
  case 'n':
    lua_pushnil(r->L);
    return deer_json_word(json, "null");
  default:
    return push_number(json, r->L); // or what is wrong with it
  }
}

// json(text): the value, or nil and what is wrong where
static int json_read(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  // it is overwritten while it is read; a userdata holds it because reading may raise
  char *copy = lua_newuserdatauv(L, size + 1, 0);
  memcpy(copy, text, size + 1);
  deer_json json = {copy, copy};
  deer_status status = push_value(&json, &(reader){.L = L});
  if (status == DEER_OK) status = deer_json_end(&json, size);
  if (status == DEER_OK) return 1;
  lua_pushnil(L);
  lua_pushstring(L, deer_error());
  return 2;
}

void deer_open_json(lua_State *L) {
  lua_pushcfunction(L, json_read);
  lua_setfield(L, -2, "json");
}
