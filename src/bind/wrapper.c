/* wrapper.c: deer.Env around another deer.Env. */
#include "bind/core.h"

// user values: the buffers that env.c wants, the environment inside
enum { BUFFERS = 1, INNER, WRAPPER_VALUES = INNER };

static const deer_env_class *check_class(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg), *names[64];
  size_t n = 0;
  const deer_env_class *class = deer_wrapper_find(name);
  if (class) return class;
  for (; n < 64 && deer_wrapper_at((int)n); n++) names[n] = deer_wrapper_at((int)n)->name;
  deer_lua_unknown(L, "wrapper", name, names, n);
  return NULL;
}

static void free_wrapper(deer_env_box *box) { deer_env_free(box->env); }

// wrapper(name, environment, { option = value, ... }); the environment does without the script's
// Lua state
static int wrapper_new(lua_State *L) {
  const deer_env_class *class = check_class(L, 1);
  const deer_env_box *inner = luaL_checkudata(L, 2, DEER_ENV_CLASS);
  if (!inner->finish) deer_lua_fail(L, "wrapper: expected an environment that runs by itself");
  lua_settop(L, 3);
  deer_lua_check_options(L, 3);
  int n;
  const deer_option *options = deer_lua_options(L, 3, &n);
  deer_env_box *box = lua_newuserdatauv(L, sizeof *box, WRAPPER_VALUES);
  *box = (deer_env_box){.finish = free_wrapper};
  luaL_setmetatable(L, DEER_ENV_CLASS);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, INNER);
  deer_status status = deer_wrapper_new(class, options, n, inner->env, &box->env);
  if (status != DEER_OK) return deer_throw(L, status);
  deer_lua_push_buffers(L, &box->env->space);
  lua_setiuservalue(L, -2, BUFFERS);
  return 1;
}

static const luaL_Reg functions[] = {{"wrapper", wrapper_new}, {NULL, NULL}};

void deer_open_wrapper(lua_State *L) { luaL_setfuncs(L, functions, 0); }
