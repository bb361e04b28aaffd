/* state.h: Lua states whose small objects come from a pool of their own: a script makes and drops
 * short tables and strings at every step, and states on several threads shall not wait for one
 * another. */
#ifndef DEER_STATE_H
#define DEER_STATE_H

#include "bind/bind.h"

/* As luaL_newstate: an empty state, NULL when there is no memory. lua_close gives the pool back. */
lua_State *deer_state_new(void);

#endif
