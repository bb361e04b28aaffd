/* policy.c: deer.Policy: those written in C, and policies written in Lua. */
#include "bind/core.h"

#include <string.h>

/* ---- policies written in C ---- */

// the class called by the name at `arg`; raises with the nearest name
static const deer_policy_class *check_class(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg), *names[64];
  size_t n = 0;
  const deer_policy_class *class = deer_policy_find(name);
  if (class) return class;
  for (; n < 64 && deer_policy_at((int)n); n++) names[n] = deer_policy_at((int)n)->name;
  deer_lua_unknown(L, "policy", name, names, n);
  return NULL;
}

// policy(name, { epsilon = x, ... })
static int policy_new(lua_State *L) {
  const deer_policy_class *class = check_class(L, 1);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) deer_lua_check_options(L, 2);
  int n;
  const deer_option *options = deer_lua_options(L, 2, &n);
  deer_policy *policy = lua_newuserdatauv(L, class->size, 1);
  memset(policy, 0, class->size);
  luaL_setmetatable(L, DEER_POLICY_CLASS);
  deer_status status = deer_policy_init(class, options, n, policy);
  return status == DEER_OK ? 1 : deer_throw(L, status);
}

// the option called by the name at 2 of the policy at 1
static const deer_field *check_option(lua_State *L, deer_policy **policy) {
  *policy = luaL_checkudata(L, 1, DEER_POLICY_CLASS);
  const char *name = luaL_checkstring(L, 2);
  const deer_field *field = deer_fields_find((*policy)->kind->fields, name);
  if (!field) deer_lua_fail(L, "this policy has no %s", name);
  return field;
}

// option(name) -> number
static int policy_option(lua_State *L) {
  deer_policy *policy;
  const deer_field *field = check_option(L, &policy);
  lua_pushnumber(L, deer_fields_get(field, policy).number);
  return 1;
}

// setOption(name, number)
static int policy_set_option(lua_State *L) {
  deer_policy *policy;
  const deer_field *field = check_option(L, &policy);
  deer_value value = {DEER_VALUE_NUMBER, deer_lua_check_number(L, 3), NULL};
  deer_status status = deer_fields_set(field, policy, field->name, value);
  return status == DEER_OK ? 0 : deer_lua_bad_argument(L, 3, deer_error());
}

/* ---- policies written in Lua ---- */

// state, mode, is it the first choice of an episode?
static void push_choice(lua_State *L, const void *data) {
  const deer_choice *choice = data;
  deer_lua_push_state(L, &choice->algo->space, choice->state);
  lua_pushinteger(L, choice->mode);
  lua_pushboolean(L, choice->first);
}

// action [, value [, greedy]] at `index`; without the last an action that has a value is greedy
static deer_status read_choice(lua_State *L, int index, double *value, bool *greedy) {
  char got[DEER_DESCRIBE];
  *value = lua_tonumber(L, index);
  *greedy = lua_isnil(L, index + 1) ? *value != 0 : lua_toboolean(L, index + 1);
  if (!lua_isnil(L, index) && lua_type(L, index) != LUA_TNUMBER)
    return deer_fail(DEER_EDATA, "expected a number, the value, got %s",
                     deer_lua_describe(L, index, got));
  if (lua_isnil(L, index + 1) || lua_isboolean(L, index + 1)) return DEER_OK;
  return deer_fail(DEER_EDATA, "expected true or false (greedy), got %s",
                   deer_lua_describe(L, index + 1, got));
}

// action(state, mode, first) -> action [, value [, greedy]]
static deer_status choose(deer_policy *self, const deer_choice *choice, deer_real *action,
                          double *value, bool *greedy) {
  int object;
  deer_call *call = deer_call_find(self, &object);
  if (!call) return DEER_ESTATE;
  lua_State *L = call->L;
  int top = lua_gettop(L);
  deer_method method = {"action", push_choice, choice, 3};
  DEER_TRY(deer_call_method(call, object, &method, 3));
  deer_status status = deer_lua_read_action(L, top + 2, &choice->algo->space.actions, action);
  if (status == DEER_OK) status = read_choice(L, top + 3, value, greedy);
  if (status != DEER_OK) status = deer_call_refuse(call, top + 1, "action");
  lua_settop(L, top);
  return status;
}

static const deer_policy_class lua_policy_class = {
    .name = "lua", .help = "a policy written in Lua", .choose = choose};

// luapolicy(object)
static int policy_lua(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (lua_getfield(L, 1, "action") != LUA_TFUNCTION)
    deer_lua_fail(L, "policy: expected a method 'action', got %s", luaL_typename(L, -1));
  deer_policy *policy = lua_newuserdatauv(L, sizeof *policy, 1);
  *policy = (deer_policy){&lua_policy_class};
  luaL_setmetatable(L, DEER_POLICY_CLASS);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* ---- what the other files see ---- */

deer_policy *deer_lua_to_policy(lua_State *L, int index) {
  return luaL_testudata(L, index, DEER_POLICY_CLASS);
}

void deer_lua_own_policy(deer_call *call, int index) {
  deer_policy *policy = deer_lua_to_policy(call->L, index);
  if (policy->kind != &lua_policy_class) return;
  lua_getiuservalue(call->L, index, 1);
  deer_call_own(call, policy, 0);
}

static const luaL_Reg methods[] = {
    {"option", policy_option}, {"setOption", policy_set_option}, {NULL, NULL}};
static const luaL_Reg functions[] = {
    {"policy", policy_new}, {"luapolicy", policy_lua}, {NULL, NULL}};

void deer_open_policy(lua_State *L) {
  deer_lua_class(L, DEER_POLICY_CLASS, methods, NULL);
  luaL_setfuncs(L, functions, 0);
}
