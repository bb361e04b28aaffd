/* interrupt.h: Ctrl-C (SIGINT), and SIGTERM, by which kill and batch systems ask a program to end.
 * The handler raises the core's flag, which long C loops look at, and arms a hook that makes the
 * running Lua code raise "interrupted" at every instruction, so that no pcall can keep it running.
 * A second signal before the first is dealt with ends the program at once. */
#ifndef DEER_INTERRUPT_H
#define DEER_INTERRUPT_H

#include "bind/bind.h"

/* From now on both signals stop what runs in L or in a coroutine of it. Replaces coroutine.resume
 * and coroutine.wrap by functions that remember which coroutine runs. L's libraries must be open;
 * when L is closed, the signals get their default meaning back. */
void deer_interrupt_install(lua_State *L);

/* The replaced functions of coroutines alone, for a state that hears of signals when it is entered.
 */
void deer_interrupt_prepare(lua_State *L);

/* From now on this thread runs L, which Ctrl-C stops, until it leaves it for what it ran before:
 * what entering returned, NULL for a thread that runs no Lua of its own. */
lua_State *deer_interrupt_enter(lua_State *L);
void deer_interrupt_leave(lua_State *outer);

/* The signal that came and was not dealt with, 0 if there is none. 128 more is the status by which
 * shells know of it. */
int deer_interrupt_signal(void);

/* The interrupt was dealt with: the flag falls, the hook goes. */
void deer_interrupt_done(lua_State *L);

#endif
