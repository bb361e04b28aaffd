/* schedule.c: deer.schedule, numbers that change with time. */
#include "bind/core.h"

#include <math.h>
#include <string.h>

#define SCHEDULE "deer.Schedule"

static const deer_schedule *check_schedule(lua_State *L) { return luaL_checkudata(L, 1, SCHEDULE); }

/* ---- from a table: kind and its parameters by name, of piecewise the list `points` ---- */

// the number on top of the stack is the parameter called `name`
static double parameter(lua_State *L, const char *name) {
  if (lua_type(L, -1) != LUA_TNUMBER) deer_lua_bad_option(L, name, "a number", -1);
  double x = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return x;
}

// {{t, value}, ...} at index 2
static int read_points(lua_State *L, double *numbers) {
  int n = 0;
  if (!lua_istable(L, 2)) deer_lua_bad_option(L, "points", "a list such as {{0, 1}, {9, 0.1}}", 2);
  for (int i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
    if (!lua_istable(L, -1)) deer_lua_bad_option(L, "points", "pairs {time, value}", -1);
    if (n + 2 > DEER_SCHEDULE_NUMBERS)
      deer_lua_fail(L, "option 'points': more than %d points", DEER_SCHEDULE_NUMBERS / 2);
    for (int k = 1; k <= 2; k++) {
      lua_rawgeti(L, -1, k);
      numbers[n++] = parameter(L, "points");
    }
  }
  lua_pop(L, 1);
  return n;
}

#define MOST_NAMES 4
typedef char name_list[MOST_NAMES][16];

// "from, to, steps" in parts; returns how many
static int split(const char *list, name_list names) {
  int n = 0;
  for (; *list && n < MOST_NAMES; list += strspn(list, ", "), n++) {
    size_t length = strcspn(list, ",");
    memcpy(names[n], list, length);
    names[n][length] = '\0';
    list += length;
  }
  return n;
}

// the table has the kind, the parameters `names` and nothing else
static void check_keys(lua_State *L, const char *list, name_list names, int n) {
  for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    int i = 0;
    while (i < n && strcmp(key, names[i]) != 0) i++;
    if (i == n && strcmp(key, "kind") != 0)
      deer_lua_fail(L, "schedule: beside kind expected %s, got %s", list,
                    luaL_tolstring(L, -2, NULL));
  }
}

static deer_status from_table(lua_State *L, deer_schedule *schedule) {
  double numbers[DEER_SCHEDULE_NUMBERS];
  name_list names;
  lua_settop(L, 1);
  const char *kind = deer_lua_word_option(L, 1, "kind", NULL), *known, *list = "";
  if (!kind) deer_lua_fail(L, "schedule: option 'kind' is missing, as in {kind = \"linear\", ...}");
  for (int i = 0; (known = deer_schedule_kind(i, &list)) && strcmp(known, kind) != 0;) i++;
  bool points = known && strcmp(known, "piecewise") == 0;
  if (points) list = "points";
  int n = known ? split(list, names) : 0;
  if (known) check_keys(L, list, names, n);
  for (int i = 0; i < n; i++) {
    lua_getfield(L, 1, names[i]);
    if (!points) numbers[i] = parameter(L, names[i]);
  }
  return deer_schedule_make(kind, numbers, points ? read_points(L, numbers) : n, schedule);
}

// schedule(number, text, table or schedule)
static int schedule_new(lua_State *L) {
  if (luaL_testudata(L, 1, SCHEDULE)) {
    lua_settop(L, 1);
    return 1;
  }
  deer_schedule made;
  deer_status status;
  if (lua_type(L, 1) == LUA_TNUMBER) {
    double value = lua_tonumber(L, 1);
    status = deer_schedule_make("constant", &value, 1, &made);
  } else if (lua_type(L, 1) == LUA_TSTRING) {
    status = deer_schedule_parse(lua_tostring(L, 1), &made);
  } else if (lua_istable(L, 1)) {
    status = from_table(L, &made);
  } else {
    char got[DEER_DESCRIBE];
    return deer_lua_fail(L, "schedule: expected a number, a text or a table, got %s",
                         deer_lua_describe(L, 1, got));
  }
  if (status != DEER_OK) return deer_throw(L, status);
  deer_schedule *own = lua_newuserdatauv(L, sizeof *own, 0);
  *own = made;
  luaL_setmetatable(L, SCHEDULE);
  return 1;
}

// at(t), also as a call
static int schedule_at(lua_State *L) {
  char got[DEER_DESCRIBE];
  const deer_schedule *schedule = check_schedule(L);
  const lua_Number t = lua_type(L, 2) == LUA_TNUMBER ? lua_tonumber(L, 2) : (lua_Number)NAN;
  if (isnan(t))
    deer_lua_fail(L, "schedule: expected a time, a number, got %s", deer_lua_describe(L, 2, got));
  lua_pushnumber(L, deer_schedule_at(schedule, t));
  return 1;
}

static int schedule_text(lua_State *L) {
  char text[DEER_SCHEDULE_TEXT];
  lua_pushstring(L, deer_schedule_text(check_schedule(L), text));
  return 1;
}

static const luaL_Reg methods[] = {{"at", schedule_at}, {NULL, NULL}};
static const luaL_Reg events[] = {
    {"__call", schedule_at}, {"__tostring", schedule_text}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"schedule", schedule_new}, {NULL, NULL}};

void deer_open_schedule(lua_State *L) {
  deer_lua_class(L, SCHEDULE, methods, events);
  luaL_setfuncs(L, functions, 0);
}
