/* policy.c: deer.Policy: epsilon-greedy, and policies written in Lua. */
#include "bind/core.h"

#include <string.h>

/* ---- epsilon-greedy ---- */

// the policy at 1, which must have an epsilon
static deer_epsilon_greedy *check_epsilon_greedy(lua_State *L) {
  static const char name[] = "epsilon_greedy";
  deer_policy *policy = luaL_checkudata(L, 1, DEER_POLICY_CLASS);
  if (strcmp(policy->kind->name, name) != 0) deer_lua_fail(L, "this policy has no epsilon");
  return (deer_epsilon_greedy *)policy;
}

static double check_epsilon(lua_State *L, int arg, double epsilon) {
  if (!(epsilon >= 0 && epsilon <= 1)) deer_lua_bad_argument(L, arg, "epsilon of 0 to 1 expected");
  return epsilon;
}

static int policy_epsilon(lua_State *L) {
  lua_pushnumber(L, check_epsilon_greedy(L)->epsilon);
  return 1;
}

static int policy_set_epsilon(lua_State *L) {
  deer_epsilon_greedy *policy = check_epsilon_greedy(L);
  policy->epsilon = check_epsilon(L, 2, deer_lua_check_number(L, 2));
  return 0;
}

// policy("epsilon_greedy", { epsilon = x })
static int policy_new(lua_State *L) {
  static const char *const names[] = {"epsilon_greedy", NULL};
  luaL_checkoption(L, 1, NULL, names);
  double epsilon = 0.1;
  if (!lua_isnoneornil(L, 2)) {
    deer_lua_check_options(L, 2);
    epsilon = check_epsilon(L, 2, deer_lua_number_option(L, 2, "epsilon", epsilon));
  }
  deer_epsilon_greedy *policy = lua_newuserdatauv(L, sizeof *policy, 1);
  *policy = deer_epsilon_greedy_make(epsilon);
  luaL_setmetatable(L, DEER_POLICY_CLASS);
  return 1;
}

/* ---- policies written in Lua ---- */

// state, mode
static void push_choice(lua_State *L, const void *data) {
  const deer_choice *choice = data;
  deer_lua_push_state(L, &choice->algo->space, choice->state);
  lua_pushinteger(L, choice->mode);
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

// action(state, mode) -> action [, value [, greedy]]
static deer_status choose(deer_policy *self, const deer_choice *choice, deer_real *action,
                          double *value, bool *greedy) {
  int object;
  deer_call *call = deer_call_find(self, &object);
  if (!call) return DEER_ESTATE;
  lua_State *L = call->L;
  int top = lua_gettop(L);
  deer_method method = {"action", push_choice, choice, 2};
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
    {"epsilon", policy_epsilon}, {"setEpsilon", policy_set_epsilon}, {NULL, NULL}};
static const luaL_Reg functions[] = {
    {"policy", policy_new}, {"luapolicy", policy_lua}, {NULL, NULL}};

void deer_open_policy(lua_State *L) {
  deer_lua_class(L, DEER_POLICY_CLASS, methods, NULL);
  luaL_setfuncs(L, functions, 0);
}
