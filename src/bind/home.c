/* home.c: deer.Home: Lua states for the copies of environments. */
#include "bind/home.h"
#include "bind/core.h"
#include "bind/interrupt.h"
#include "bind/search.h"
#include "bind/state.h"

#include <string.h>

#define HOME_CLASS "deer.Home"

// user value 1: the coroutine, or nil
typedef struct home_box {
  deer_home *home;
} home_box;

// user values: the buffers that env.c wants, the deer.Home
enum { BUFFERS = 1, HOME, COPY_VALUES = HOME };

typedef struct copy_box {
  deer_env_box box;
  deer_home *home;
} copy_box;

/* ---- in and out ---- */

lua_State *deer_home_enter(deer_home *home) {
  home->call.failed = false;
  return deer_interrupt_enter(home->L);
}

// "walk.lua:7: boom (environment 3)", then the traceback
static deer_status name_environment(int number) {
  const char *text = deer_error(), *rest = strstr(text, "\nstack traceback:");
  int n = (int)(rest ? (size_t)(rest - text) : strlen(text));
  return deer_fail(DEER_ECALLBACK, "%.*s (environment %d)%s", n, text, number, rest ? rest : "");
}

deer_status deer_home_leave(deer_home *home, lua_State *outer, int number, deer_status status) {
  // the error value is in deer_error(); there is nobody to raise it here
  if (home->call.failed) {
    lua_pushnil(home->L);
    lua_replace(home->L, home->call.error);
  }
  deer_interrupt_leave(outer);
  if (status == DEER_OK) return status;
  if (deer_interrupted()) return deer_fail(DEER_EINTERRUPT, "interrupted");
  return status == DEER_ECALLBACK && number >= 0 ? name_environment(number) : status;
}

void deer_home_release(deer_home *home) {
  if (!home || --home->users > 0) return;
  if (home->own && home->L) {
    // finalisers are Lua code: Ctrl-C reaches them
    lua_State *outer = deer_interrupt_enter(home->L);
    lua_close(home->L);
    deer_interrupt_leave(outer);
  }
  deer_free(home);
}

/* ---- making one ---- */

typedef struct words {
  const char *text;
  size_t n;
} words;

// light words -> what a function of deer.copies makes of them
static int ask_copies(lua_State *L, const char *function) {
  const words *w = lua_touserdata(L, 1);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "deer.copies");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, function);
  lua_pushlstring(L, w->text, w->n);
  lua_call(L, 1, 1);
  return 1;
}

// light words: the libraries, our modules, then what the script's state tells of itself
static int furnish(lua_State *L) {
  luaL_openlibs(L);
  deer_search_install(L, "");
  deer_interrupt_prepare(L);
  lua_gc(L, LUA_GCGEN, 0, 0);
  return ask_copies(L, "furnish");
}

static int make(lua_State *L) { return ask_copies(L, "make_here"); }

// calls a function with words on the stack of a home; its result stays there
static deer_status run(deer_home *home, lua_CFunction function, words *w) {
  lua_pushcfunction(home->L, function);
  lua_pushlightuserdata(home->L, w);
  return deer_call_run(&home->call, 1, 1);
}

// home(settings) with a state of its own; home() in this one
static int home_new(lua_State *L) {
  words w;
  w.text = luaL_optlstring(L, 1, NULL, &w.n);
  home_box *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (home_box){0};
  luaL_setmetatable(L, HOME_CLASS);
  lua_State *co = w.text ? NULL : lua_newthread(L);
  if (co) lua_setiuservalue(L, -2, 1);
  deer_home *home = box->home = deer_alloc(sizeof *home);
  if (!home) return deer_throw(L, DEER_ENOMEM);
  *home = (deer_home){.L = co, .own = !co, .users = 1};
  if (!co) home->L = deer_state_new();
  if (!home->L) return deer_throw(L, deer_fail(DEER_ENOMEM, "no memory for one more Lua state"));
  deer_call_settle(home->L, &home->call);
  if (co) return 1;
  lua_State *outer = deer_home_enter(home);
  deer_status status = deer_home_leave(home, outer, -1, run(home, furnish, &w));
  if (status != DEER_OK) return deer_throw(L, status);
  lua_pop(home->L, 1);
  return 1;
}

static deer_home *check_home(lua_State *L) {
  const home_box *box = luaL_checkudata(L, 1, HOME_CLASS);
  return box->home;
}

static int home_gc(lua_State *L) {
  home_box *box = luaL_checkudata(L, 1, HOME_CLASS);
  deer_home_release(box->home);
  box->home = NULL;
  return 0;
}

/* ---- copies ---- */

static void release_copy(deer_env_box *box) { deer_home_release(((copy_box *)box)->home); }

// brings the object to the stack of its home, where it becomes an environment
static deer_status settle(deer_home *home, words *recipe, int number, deer_env **env) {
  // otherwise it lies there already
  if (recipe->text) DEER_TRY(run(home, make, recipe));
  return deer_home_adopt(home, number, env);
}

// environment(object or recipe, number) -> deer.Env that needs nothing of this state
static int home_environment(lua_State *L) {
  deer_home *home = check_home(L);
  words recipe = {0};
  if (home->own)
    recipe.text = luaL_checklstring(L, 2, &recipe.n);
  else
    luaL_checktype(L, 2, LUA_TTABLE);
  int number = (int)luaL_checkinteger(L, 3);
  copy_box *copy = lua_newuserdatauv(L, sizeof *copy, COPY_VALUES);
  *copy = (copy_box){.box = {.finish = release_copy}};
  luaL_setmetatable(L, DEER_ENV_CLASS);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, HOME);
  int top = lua_gettop(home->L);
  if (!lua_checkstack(home->L, 64)) return deer_throw(L, deer_fail(DEER_ENOMEM, "out of memory"));
  if (!home->own) {
    lua_pushvalue(L, 2);
    lua_xmove(L, home->L, 1);
  }
  lua_State *outer = deer_home_enter(home);
  deer_status status = settle(home, &recipe, number, &copy->box.env);
  status = deer_home_leave(home, outer, number, status);
  if (status != DEER_OK) {
    lua_settop(home->L, top);
    return deer_throw(L, status);
  }
  copy->home = home;
  home->users++;
  deer_lua_push_buffers(L, &copy->box.env->space);
  lua_setiuservalue(L, -2, BUFFERS);
  return 1;
}

static const luaL_Reg methods[] = {{"environment", home_environment}, {NULL, NULL}};
static const luaL_Reg events[] = {{"__gc", home_gc}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"home", home_new}, {NULL, NULL}};

void deer_open_home(lua_State *L) {
  deer_lua_class(L, HOME_CLASS, methods, events);
  luaL_setfuncs(L, functions, 0);
}
