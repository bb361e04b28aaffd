/* callback.c: calls from the core into Lua. */
#include "bind/callback.h"
#include "bind/value.h"

#include <stdio.h>

// what a call needs at most: objects, their methods, arguments and results
enum { STACK = 64 };

// the innermost call of this thread, whose stack the callbacks use
static _Thread_local deer_call *innermost;

/* ---- around the core ---- */

// strings get a traceback; an error object of the user passes as it is, and so does Ctrl-C, whose
// message must end in "interrupted"
static int on_error(lua_State *L) {
  if (lua_type(L, 1) != LUA_TSTRING || deer_interrupted()) return 1;
  return deer_traceback(L);
}

void deer_call_open(lua_State *L, deer_call *call) {
  luaL_checkstack(L, STACK, "too many calls inside each other");
  *call = (deer_call){.L = L};
  lua_pushcfunction(L, on_error);
  call->handler = lua_gettop(L);
  lua_pushnil(L);
  call->error = lua_gettop(L);
}

// nobody is there to take an object: everything but Ctrl-C becomes a text with a traceback
static int on_error_far(lua_State *L) { return deer_interrupted() ? 1 : deer_traceback(L); }

void deer_call_settle(lua_State *L, deer_call *call) {
  *call = (deer_call){.L = L};
  lua_pushcfunction(L, on_error_far);
  call->handler = lua_gettop(L);
  lua_pushnil(L);
  call->error = lua_gettop(L);
}

void deer_call_own(deer_call *call, const void *object, int slots) {
  // one policy may serve for training and test: the first entry is found
  call->owners[call->n_owners].object = object;
  call->owners[call->n_owners++].index = lua_gettop(call->L);
  for (int i = 0; i < slots; i++) lua_pushnil(call->L);
}

void deer_call_start(deer_call *call) {
  call->outer = innermost;
  innermost = call;
}

int deer_call_finish(deer_call *call, deer_status status) {
  lua_State *L = call->L;
  innermost = call->outer;
  if (status == DEER_OK || status == DEER_EAGAIN) return 0;
  // an error of the user is raised as it came
  if (status == DEER_ECALLBACK && call->failed) {
    lua_pushvalue(L, call->error);
    return lua_error(L);
  }
  // one of the core gets the place where the core was called
  if (status != DEER_EINTERRUPT) return deer_throw(L, status);
  deer_push_where(L);
  lua_pushliteral(L, "interrupted");
  lua_concat(L, 2);
  return lua_error(L);
}

/* ---- inside of a callback ---- */

deer_call *deer_call_find(const void *object, int *index) {
  for (int i = 0; innermost && i < innermost->n_owners; i++) {
    if (innermost->owners[i].object != object) continue;
    *index = innermost->owners[i].index;
    return innermost;
  }
  deer_fail(DEER_ESTATE, "an object written in Lua is used by a call that does not know it");
  return NULL;
}

// the error value on top of the stack is kept if it is the first; what a listener of the end raises
// after it is dropped
static deer_status keep_error(deer_call *call) {
  lua_State *L = call->L;
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error object";
  deer_fail(DEER_ECALLBACK, "%s", text);
  if (call->failed) {
    lua_pop(L, 1);
  } else {
    lua_replace(L, call->error);
  }
  call->failed = true;
  return DEER_ECALLBACK;
}

deer_status deer_call_run(deer_call *call, int n_args, int n_results) {
  if (lua_pcall(call->L, n_args, n_results, call->handler) == LUA_OK) return DEER_OK;
  return keep_error(call);
}

deer_status deer_call_last(deer_call *call, int n_args, int n_results) {
  lua_State *L = call->L;
  if (!deer_interrupted()) return deer_call_run(call, n_args, n_results);
  // after Ctrl-C a hook raises at each instruction of Lua
  lua_Hook hook = lua_gethook(L);
  int mask = lua_gethookmask(L), count = lua_gethookcount(L);
  lua_sethook(L, NULL, 0, 0);
  deer_status status = deer_call_run(call, n_args, n_results);
  lua_sethook(L, hook, mask, count);
  return status;
}

// object, deer_method -> the method twice, the object, the arguments
static int prepare(lua_State *L) {
  const deer_method *method = lua_touserdata(L, 2);
  luaL_checkstack(L, STACK, NULL);
  if (lua_getfield(L, 1, method->name) == LUA_TNIL)
    return luaL_error(L, "expected a method '%s', the object has none", method->name);
  lua_pushvalue(L, -1);
  lua_pushvalue(L, 1);
  if (method->push) method->push(L, method->data);
  return 3 + method->n_args;
}

deer_status deer_call_method(deer_call *call, int object, const deer_method *method,
                             int n_results) {
  lua_State *L = call->L;
  // looking up and making arguments may raise, so it is done in a protected call of its own
  lua_pushcfunction(L, prepare);
  lua_pushvalue(L, object);
  lua_pushlightuserdata(L, (void *)(uintptr_t)method);
  DEER_TRY(deer_call_run(call, 2, 3 + method->n_args));
  deer_status status = deer_call_run(call, 1 + method->n_args, n_results);
  if (status != DEER_OK) lua_pop(L, 1);
  return status;
}

// making a string may raise
static int push_text(lua_State *L) {
  lua_pushstring(L, lua_touserdata(L, 1));
  return 1;
}

deer_status deer_call_refuse(deer_call *call, int method, const char *name) {
  lua_State *L = call->L;
  lua_Debug ar = {.linedefined = -1};
  if (lua_isfunction(L, method)) {
    lua_pushvalue(L, method);
    lua_getinfo(L, ">S", &ar);
  }
  // a C function has no line
  if (ar.linedefined > 0) {
    deer_fail(DEER_ECALLBACK, "%s:%d (%s): %s", ar.short_src, ar.linedefined, name, deer_error());
  } else {
    deer_fail(DEER_ECALLBACK, "%s: %s", name, deer_error());
  }
  lua_pushcfunction(L, push_text);
  lua_pushlightuserdata(L, (void *)(uintptr_t)deer_error());
  // either way there is a value: the text, or that there is no memory for it
  lua_pcall(L, 1, 1, 0);
  return keep_error(call);
}

typedef struct action_argument {
  const deer_action_space *actions;
  const deer_real *action;
} action_argument;

// light action_argument -> action
static int push_list(lua_State *L) {
  const action_argument *argument = lua_touserdata(L, 1);
  deer_lua_push_action(L, argument->actions, argument->action);
  return 1;
}

deer_status deer_call_push_action(deer_call *call, const deer_action_space *actions,
                                  const deer_real *action) {
  if (actions->n > 0) {
    lua_pushinteger(call->L, (lua_Integer)*action);
    return DEER_OK;
  }
  action_argument argument = {actions, action};
  lua_pushcfunction(call->L, push_list);
  lua_pushlightuserdata(call->L, &argument);
  return deer_call_run(call, 1, 1);
}
