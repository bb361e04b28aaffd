/* init.c: the module deer.core, put together from its parts. */
#include "bind/core.h"

int luaopen_deer_core(lua_State *L) {
  lua_newtable(L);
  deer_open_info(L);
  deer_open_layers(L);
  deer_open_rng(L);
  deer_open_schedule(L);
  deer_open_tensor(L);
  deer_open_env(L);
  deer_open_luaenv(L);
  deer_open_home(L);
  deer_open_wrapper(L);
  deer_open_algo(L);
  deer_open_luaalgo(L);
  deer_open_policy(L);
  deer_open_dataset(L);
  deer_open_agent(L);
  deer_open_learner(L);
  deer_open_graph(L);
  deer_open_program(L);
  deer_open_net(L);
  deer_open_optimizer(L);
  deer_open_rl(L);
  lua_setfield(L, -2, "rl");
  deer_open_json(L);
  deer_open_npy(L);
  deer_open_csv(L);
  deer_open_bench(L);
  lua_setfield(L, -2, "bench");
  deer_open_canvas(L);
  lua_setfield(L, -2, "canvas");
  deer_open_video(L);
  lua_setfield(L, -2, "video");
  deer_open_safetensors(L);
  lua_setfield(L, -2, "safetensors");
  return 1;
}
