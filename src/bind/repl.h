/* repl.h: the interactive prompt. */
#ifndef DEER_REPL_H
#define DEER_REPL_H

#include "bind/bind.h"

/* Reads, runs and prints until the end of the input. The global `deer` is set here, and only here.
 * The history is kept in $DEERLUA_HISTORY or ~/.deerlua_history. */
void deer_repl_run(lua_State *L);

#endif
