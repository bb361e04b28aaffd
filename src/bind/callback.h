/* callback.h: how the core calls Lua back while a function of this module lets it run.
 *
 * Such a function (Agent:run, Algo:chooseBestAction) opens a call on its own Lua stack, puts the
 * objects there that may be called, starts the call, runs the core and finishes the call:
 *
 *   deer_call call;
 *   deer_call_open(L, &call);                // may raise
 *   lua_getiuservalue(L, 1, 1);              // the Lua object behind a C environment ...
 *   deer_call_own(&call, env, 0);            // ... is now known by the address of the latter
 *   deer_call_start(&call);                  // from here on nothing raises
 *   deer_status status = deer_agent_run(...);
 *   return deer_call_finish(&call, status);  // raises what a callback raised, unchanged
 *
 * Calls nest: a callback may call a function that opens the next one, in a coroutine as well. */
#ifndef DEER_CALLBACK_H
#define DEER_CALLBACK_H

#include "bind/bind.h"

#define DEER_CALL_OWNERS 6

typedef struct deer_call {
  lua_State *L;
  int handler, error; /* stack indices of the message handler and of the first error value */
  bool failed;        /* the error value is set */
  int n_owners;
  struct {
    const void *object; /* of the core */
    int index;          /* of its Lua object on the stack; slots for its methods follow */
  } owners[DEER_CALL_OWNERS];
  struct deer_call *outer;
} deer_call;

void deer_call_open(lua_State *L, deer_call *call);

/* The value on top of the stack is the Lua object of `object`; `slots` nils are pushed after it. */
void deer_call_own(deer_call *call, const void *object, int slots);

void deer_call_start(deer_call *call);

/* A call that stays open, on a stack where no function of this module runs; deer_call_run and what
 * is built on it find the error of the last failure in deer_error(), with its traceback. Room for
 * what a call needs is made; raises nothing, the state is new. */
void deer_call_settle(lua_State *L, deer_call *call);

/* Ends the call; returns 0 or raises. DEER_EAGAIN is no failure. */
int deer_call_finish(deer_call *call, deer_status status);

/* ---- inside of a callback; nothing here raises ---- */

/* The call under way and the stack index of the Lua object of `object`; NULL with a message when
 * the object takes no part in it. */
deer_call *deer_call_find(const void *object, int *index);

/* Calls the function below n_args arguments; its n_results replace them. On failure DEER_ECALLBACK,
 * with the error value kept for deer_call_finish and nothing left on the stack. */
deer_status deer_call_run(deer_call *call, int n_args, int n_results);

/* The same for what is called although the run is over: a Ctrl-C that was seen does not stop it. */
deer_status deer_call_last(deer_call *call, int n_args, int n_results);

/* Calls a method by its name. `push` puts n_args arguments on the stack and may raise; NULL when
 * there are none. The stack then holds the method, for deer_call_refuse, and n_results results; as
 * it was on failure. */
typedef struct deer_method {
  const char *name;
  void (*push)(lua_State *L, const void *data);
  const void *data;
  int n_args;
} deer_method;
deer_status deer_call_method(deer_call *call, int object, const deer_method *method, int n_results);

/* Pushes an action as scripts see it: a whole number, or a list, for which memory is needed. */
deer_status deer_call_push_action(deer_call *call, const deer_action_space *actions,
                                  const deer_real *action);

/* The function at stack index `method` returned something that is refused for the reason in
 * deer_error(): "toy_env.lua:57 (observe): reason" becomes the error value. */
deer_status deer_call_refuse(deer_call *call, int method, const char *name);

#endif
