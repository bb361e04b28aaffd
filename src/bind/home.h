/* home.h: where copies of environments written in Lua live: a Lua state of their own, so that a
 * thread can step them while others run, or, when they cannot be made there, a coroutine of the
 * script's state. Its stack holds the objects for as long as it lives. One thread at a time enters
 * a home. */
#ifndef DEER_HOME_H
#define DEER_HOME_H

#include "bind/callback.h"

typedef struct deer_home {
  lua_State *L;
  deer_call call; /* always open */
  bool own;       /* L is a state of its own, closed with the home */
  int users;      /* that have not released it */
} deer_home;

/* Around whatever is done on the stack of a home. Leaving says what went wrong: a failure of the
 * Lua code names environment `number` (none below 0) behind its message, Ctrl-C is DEER_EINTERRUPT.
 * `outer` is what entering returned. */
lua_State *deer_home_enter(deer_home *home);
deer_status deer_home_leave(deer_home *home, lua_State *outer, int number, deer_status status);

/* One user less; the last closes the state. NULL allowed. */
void deer_home_release(deer_home *home);

/* luaenv.c: an environment of the object on top of the home's stack, which stays there, as number
 * `number`. Called inside. The environment lives as long as the home. */
deer_status deer_home_adopt(deer_home *home, int number, deer_env **env);

#endif
