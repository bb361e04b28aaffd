/* bind.h: what the Lua faces of the modules share. src/bind and src/main.c are the only places that
 * see Lua. Five rules keep a script from crashing, leaking or hanging the program:
 *
 * 1. A userdata comes first, marked empty and with its metatable set; only then is the thing it
 * holds acquired, so that there is always somebody to give it back.
 * 2. `__gc`, `__close` and `:close()` are the same function, and calling it twice does no harm.
 * 3. What borrows from a parent keeps the parent alive in user value 1.
 * 4. Between acquiring something that Lua does not own and giving it back, nothing is called that
 * can raise (in Lua nearly everything that allocates can); an error is raised last of all.
 * 5. C enters Lua only through lua_pcall with deer_traceback as its message handler. */
#ifndef DEER_BIND_H
#define DEER_BIND_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "deer.h"

/* The modules written in C. require "deer.core": tensors, environments, agents; require "deer.sys":
 * files, terminal and clock. */
int luaopen_deer_core(lua_State *L);
int luaopen_deer_sys(lua_State *L);

/* Parts of deer.core that are tables of their own, core.canvas and so on: pushed. */
int deer_open_bench(lua_State *L);
int deer_open_canvas(lua_State *L);
int deer_open_safetensors(lua_State *L);
int deer_open_video(lua_State *L);
int deer_open_rl(lua_State *L);

/* Pushes "file:line: " of the nearest running function that belongs to the user's script and not to
 * deer's own Lua files; "" when there is none. */
void deer_push_where(lua_State *L);

/* Raises deer_error(), with the user's file and line in front unless the message is a script's own
 * (DEER_ECALLBACK). The last thing a C function does. */
int deer_throw(lua_State *L, deer_status status);

/* What scripts get of an operation on files: true, or nil and the message for DEER_EIO and
 * DEER_EDATA, which may be expected; everything else is raised. The last thing a C function does.
 */
int deer_push_result(lua_State *L, deer_status status);

/* The message handler: turns an error object into text and adds a traceback, once. */
int deer_traceback(lua_State *L);

#endif
