/* luaenv.c: a Lua object as an environment of the core.
 *
 * The methods are looked up at each reset and stay on the stack of the call until the next, so a
 * step costs three calls (act, inTerminalState, observe) or one (step) and no look-up. */
#include "bind/core.h"

#include <math.h>
#include <string.h>

typedef struct lua_env {
  deer_env base;
  bool steps; // the object has step(), which was found at the last reset
  bool known; // step() has left the next observation and how things stand
  deer_ending ending;
  void *next[DEER_MAX_SUBJECTS]; // behind the box
} lua_env;

typedef struct lua_env_box {
  deer_env_box box;
  lua_env own;
} lua_env_box;

// where the methods lie, counted from the object
enum { ACT = 1, TERMINAL, TRUNCATED, OBSERVE, SLOTS = OBSERVE };
static const char *const names[] = {NULL, "act", "inTerminalState", "isTruncated", "observe"};

/* ---- reset ---- */

// pushes a method, or nil when it may be absent and is
static void get_method(lua_State *L, const char *name, bool needed) {
  if (lua_getfield(L, 1, name) == LUA_TNIL && needed)
    luaL_error(L, "expected a method '%s', the environment has none", name);
}

// object -> reset, the methods of a step in the order of their slots, is there a step()?
static int look_up(lua_State *L) {
  get_method(L, "reset", true);
  bool steps = lua_getfield(L, 1, "step") != LUA_TNIL;
  if (!steps) {
    lua_pop(L, 1);
    get_method(L, "act", true);
  }
  get_method(L, "inTerminalState", false);
  get_method(L, "isTruncated", false);
  get_method(L, "observe", true);
  lua_pushboolean(L, steps);
  return 1 + SLOTS + 1;
}

// fills the slots; leaves reset() on the stack
static deer_status refresh(lua_env *env, deer_call *call, int object) {
  lua_State *L = call->L;
  lua_pushcfunction(L, look_up);
  lua_pushvalue(L, object);
  DEER_TRY(deer_call_run(call, 1, 1 + SLOTS + 1));
  env->steps = lua_toboolean(L, -1);
  env->known = false;
  lua_pop(L, 1);
  for (int slot = SLOTS; slot > 0; slot--) lua_replace(L, object + slot);
  return DEER_OK;
}

// reset(mode) -> histories
static deer_status reset(deer_env *self, int mode, void *const *history) {
  int object;
  deer_call *call = deer_call_find(self, &object);
  if (!call) return DEER_ESTATE;
  lua_State *L = call->L;
  int top = lua_gettop(L);
  DEER_TRY(refresh((lua_env *)self, call, object));
  // reset itself stays below its call, for messages
  lua_pushvalue(L, -1);
  lua_pushvalue(L, object);
  lua_pushinteger(L, mode);
  deer_status status = deer_call_run(call, 2, 1);
  if (status == DEER_OK && deer_lua_read_state(L, top + 2, &self->space, history) != DEER_OK)
    status = deer_call_refuse(call, top + 1, "reset");
  lua_settop(L, top);
  return status;
}

/* ---- a step ---- */

// pushes the method in a slot and its object; the arguments may follow
static void push_slot(lua_State *L, int object, int slot) {
  lua_pushvalue(L, object + slot);
  lua_pushvalue(L, object);
}

// a result of the method in a slot is refused for the reason in deer_error()
static deer_status refuse(const lua_env *env, deer_call *call, int object, int slot) {
  return deer_call_refuse(call, object + slot, slot == ACT && env->steps ? "step" : names[slot]);
}

// an answer of yes or no; nil is no
static deer_status read_flag(lua_State *L, int index, const char *what, bool *flag) {
  char got[DEER_DESCRIBE];
  *flag = lua_toboolean(L, index);
  if (lua_isnil(L, index) || lua_isboolean(L, index)) return DEER_OK;
  return deer_fail(DEER_EDATA, "expected true or false%s, got %s", what,
                   deer_lua_describe(L, index, got));
}

// the reward at `index`
static deer_status read_reward(lua_State *L, int index, double *reward) {
  char got[DEER_DESCRIBE];
  *reward = lua_tonumber(L, index);
  if (lua_type(L, index) == LUA_TNUMBER && isfinite(*reward)) return DEER_OK;
  return deer_fail(DEER_EDATA, "expected a finite number as the reward, got %s",
                   deer_lua_describe(L, index, got));
}

// what step() returned: reward, terminal, truncated and an observation of each subject, from
// `index` on
static deer_status read_step(lua_env *env, lua_State *L, int index, double *reward) {
  bool terminal, truncated;
  DEER_TRY(read_reward(L, index, reward));
  DEER_TRY(read_flag(L, index + 1, " (terminal)", &terminal));
  DEER_TRY(read_flag(L, index + 2, " (truncated)", &truncated));
  const deer_space *space = &env->base.space;
  for (int s = 0; s < space->n_subjects; s++)
    DEER_TRY(deer_lua_read_subject(L, index + 3 + s, space, s, env->next[s]));
  env->ending = terminal ? DEER_TERMINATED : truncated ? DEER_TRUNCATED : DEER_RUNNING;
  env->known = true;
  return DEER_OK;
}

// act(action) -> reward, or step(action)
static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  lua_env *env = (lua_env *)self;
  int object;
  deer_call *call = deer_call_find(self, &object);
  if (!call) return DEER_ESTATE;
  lua_State *L = call->L;
  int top = lua_gettop(L);
  push_slot(L, object, ACT);
  deer_status status = deer_call_push_action(call, &self->space.actions, action);
  if (status == DEER_OK)
    status = deer_call_run(call, 2, env->steps ? 3 + self->space.n_subjects : 1);
  if (status == DEER_OK) {
    status = env->steps ? read_step(env, L, top + 1, reward) : read_reward(L, top + 1, reward);
    if (status != DEER_OK) status = refuse(env, call, object, ACT);
  }
  lua_settop(L, top);
  return status;
}

// observe() -> list, unless step() has told already
static deer_status observe(deer_env *self, void *const *observation) {
  lua_env *env = (lua_env *)self;
  const deer_space *space = &self->space;
  if (env->known) {
    for (int s = 0; s < space->n_subjects; s++)
      memcpy(observation[s], env->next[s], deer_subject_bytes(&space->subjects[s]));
    return DEER_OK;
  }
  int object;
  deer_call *call = deer_call_find(self, &object);
  if (!call) return DEER_ESTATE;
  lua_State *L = call->L;
  int top = lua_gettop(L);
  push_slot(L, object, OBSERVE);
  DEER_TRY(deer_call_run(call, 1, 1));
  deer_status status = deer_lua_read_observation(L, top + 1, space, observation);
  if (status != DEER_OK) status = refuse(env, call, object, OBSERVE);
  lua_settop(L, top);
  return status;
}

// asks one of the two methods that end an episode; one that is absent says no
static deer_status ask(lua_env *env, deer_call *call, int object, int slot, bool *yes) {
  lua_State *L = call->L;
  *yes = false;
  if (lua_isnil(L, object + slot)) return DEER_OK;
  push_slot(L, object, slot);
  DEER_TRY(deer_call_run(call, 1, 1));
  deer_status status = read_flag(L, lua_gettop(L), "", yes);
  if (status != DEER_OK) status = refuse(env, call, object, slot);
  lua_pop(L, 1);
  return status;
}

// inTerminalState() and isTruncated(), unless step() has told already
static deer_status ending(deer_env *self, deer_ending *ending) {
  lua_env *env = (lua_env *)self;
  *ending = env->ending;
  if (env->known) return DEER_OK;
  int object;
  deer_call *call = deer_call_find(self, &object);
  if (!call) return DEER_ESTATE;
  bool yes;
  DEER_TRY(ask(env, call, object, TERMINAL, &yes));
  *ending = yes ? DEER_TERMINATED : DEER_RUNNING;
  if (yes) return DEER_OK;
  DEER_TRY(ask(env, call, object, TRUNCATED, &yes));
  if (yes) *ending = DEER_TRUNCATED;
  return DEER_OK;
}

/* ---- seldom ---- */

// object, light name -> the method
static int look_up_one(lua_State *L) {
  lua_getfield(L, 1, lua_touserdata(L, 2));
  return 1;
}

// pushes a method of the object at a stack index, or nil
static deer_status find_method(deer_call *call, int object, const char *name) {
  lua_pushcfunction(call->L, look_up_one);
  lua_pushvalue(call->L, object);
  lua_pushlightuserdata(call->L, (void *)(uintptr_t)name);
  return deer_call_run(call, 2, 1);
}

// Calls a method that an environment need not have; with an argument when `argument` is an object
// of the core whose Lua object is on the stack.
static deer_status call_optional(deer_env *self, const char *name, const void *argument) {
  int object, index;
  deer_call *call = deer_call_find(self, &object);
  if (!call || (argument && !deer_call_find(argument, &index))) return DEER_ESTATE;
  lua_State *L = call->L;
  DEER_TRY(find_method(call, object, name));
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return DEER_OK;
  }
  lua_pushvalue(L, object);
  if (argument) lua_pushvalue(L, index);
  // stop() comes after the last epoch, also when that did not end well
  return argument ? deer_call_run(call, 2, 0) : deer_call_last(call, 1, 0);
}

static deer_status stop(deer_env *self) { return call_optional(self, "stop", NULL); }

static deer_status summarize(deer_env *self, struct deer_replay *test_set) {
  return call_optional(self, "summarizePerformance", test_set);
}

static const deer_env_class lua_env_class = {.abi = DEER_ENV_ABI,
                                             .name = "lua",
                                             .help = "an environment written in Lua",
                                             .size = sizeof(lua_env),
                                             .reset = reset,
                                             .act = act,
                                             .observe = observe,
                                             .ending = ending,
                                             .summarize = summarize,
                                             .stop = stop};

/* ---- making one ---- */

// raises unless the object at 1 has the methods of an environment
static void check_methods(lua_State *L) {
  static const char *const needed[] = {
      "reset", "observe", "inputDimensions", "nActions", "inTerminalState", "act", NULL};
  bool steps = lua_getfield(L, 1, "step") != LUA_TNIL;
  for (int i = 0; needed[i]; i++) {
    // step() answers for the last two
    if (steps && i >= 4) break;
    if (lua_getfield(L, 1, needed[i]) != LUA_TFUNCTION)
      deer_lua_fail(L, "environment: expected a method '%s', got %s", needed[i],
                    luaL_typename(L, -1));
  }
  lua_settop(L, 1);
}

static void push_subject(lua_State *L, const void *subject) {
  lua_pushinteger(L, *(const int *)subject);
}

// calls a method that describes the space; the result is on top of the stack, the method below it
static deer_status describe(deer_call *call, const char *name, const int *subject) {
  deer_method method = {name, subject ? push_subject : NULL, subject, subject != NULL};
  return deer_call_method(call, 1, &method, 1);
}

// observationType(subject) of every subject, if there is such a method
static deer_status read_types(deer_call *call, deer_space *space) {
  lua_State *L = call->L;
  DEER_TRY(find_method(call, 1, "observationType"));
  bool absent = lua_isnil(L, -1);
  lua_pop(L, 1);
  for (int s = 0; !absent && s < space->n_subjects; s++) {
    DEER_TRY(describe(call, "observationType", &s));
    if (deer_lua_read_type(L, lua_gettop(L), &space->subjects[s].dtype) != DEER_OK)
      return deer_call_refuse(call, lua_gettop(L) - 1, "observationType");
    lua_pop(L, 2);
  }
  return DEER_OK;
}

// asks the object what can be observed and done
static deer_status read_space(deer_call *call, deer_space *space) {
  lua_State *L = call->L;
  DEER_TRY(describe(call, "inputDimensions", NULL));
  if (deer_lua_read_dimensions(L, lua_gettop(L), space) != DEER_OK)
    return deer_call_refuse(call, lua_gettop(L) - 1, "inputDimensions");
  lua_pop(L, 2);
  DEER_TRY(describe(call, "nActions", NULL));
  if (deer_lua_read_n_actions(L, lua_gettop(L), &space->actions) != DEER_OK)
    return deer_call_refuse(call, lua_gettop(L) - 1, "nActions");
  lua_pop(L, 2);
  DEER_TRY(read_types(call, space));
  return deer_space_check(space);
}

// bytes of an observation of subject s, rounded up so that the next one is aligned
static size_t room(const deer_space *space, int s) {
  return (deer_subject_bytes(&space->subjects[s]) + 15) / 16 * 16;
}

// environment(object)
static int env_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  check_methods(L);
  deer_space space = {0};
  deer_call call;
  deer_call_open(L, &call);
  deer_call_start(&call);
  deer_status status = read_space(&call, &space);
  deer_call_finish(&call, status);
  // everything lies in the userdata: there is nothing to give back
  size_t head = (sizeof(lua_env_box) + 15) / 16 * 16, bytes = head;
  for (int s = 0; s < space.n_subjects; s++) bytes += room(&space, s);
  lua_env_box *box = lua_newuserdatauv(L, bytes, 1);
  *box = (lua_env_box){.own = {.base = {.kind = &lua_env_class, .space = space}}};
  box->box.env = &box->own.base;
  char *next = (char *)box + head;
  for (int s = 0; s < space.n_subjects; next += room(&space, s++)) box->own.next[s] = next;
  luaL_setmetatable(L, DEER_ENV_CLASS);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* ---- what the other files see ---- */

void deer_lua_own_env(deer_call *call, int index) {
  const deer_env_box *box = lua_touserdata(call->L, index);
  if (box->owned) return;
  lua_getiuservalue(call->L, index, 1);
  deer_call_own(call, box->env, SLOTS);
}

static const luaL_Reg functions[] = {{"environment", env_new}, {NULL, NULL}};

void deer_open_luaenv(lua_State *L) { luaL_setfuncs(L, functions, 0); }
