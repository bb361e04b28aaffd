/* init.c: the module deer.core. */
#include "bind/bind.h"

int luaopen_deer_core(lua_State *L) {
  lua_newtable(L);
  lua_pushliteral(L, DEER_VERSION);
  lua_setfield(L, -2, "version");
  return 1;
}
