/* rng.c: deer.Rng, reproducible random numbers, and deer.RandomState, those of numpy. */
#include "bind/core.h"

#include <math.h>

#define RANDOM_STATE "deer.RandomState"

/* ---- Rng ---- */

static deer_rng *check_rng(lua_State *L) { return luaL_checkudata(L, 1, DEER_RNG_CLASS); }

static int push_rng(lua_State *L, deer_rng rng) {
  deer_rng *own = lua_newuserdatauv(L, sizeof *own, 0);
  *own = rng;
  luaL_setmetatable(L, DEER_RNG_CLASS);
  return 1;
}

// a finite number
static double check_finite(lua_State *L, int arg) {
  double x = luaL_checknumber(L, arg);
  luaL_argcheck(L, isfinite(x), arg, "finite number expected");
  return x;
}

// Rng(seed)
static int rng_new(lua_State *L) {
  return push_rng(L, deer_rng_seed((uint64_t)luaL_checkinteger(L, 1)));
}

// uniform([low, high])
static int rng_uniform(lua_State *L) {
  deer_rng *rng = check_rng(L);
  if (lua_isnoneornil(L, 2) && lua_isnoneornil(L, 3)) {
    lua_pushnumber(L, deer_rng_uniform(rng));
    return 1;
  }
  double low = check_finite(L, 2), high = check_finite(L, 3);
  luaL_argcheck(L, low <= high, 3, "at least the lower bound expected");
  lua_pushnumber(L, low + (high - low) * deer_rng_uniform(rng));
  return 1;
}

// below(n): a whole number of 0 to n - 1
static int rng_below(lua_State *L) {
  deer_rng *rng = check_rng(L);
  lua_Integer n = luaL_checkinteger(L, 2);
  luaL_argcheck(L, n >= 1, 2, "at least 1 expected");
  lua_pushinteger(L, (lua_Integer)deer_rng_below(rng, (uint64_t)n));
  return 1;
}

// int(low, high): a whole number, both ends included
static int rng_int(lua_State *L) {
  deer_rng *rng = check_rng(L);
  lua_Integer low = luaL_checkinteger(L, 2), high = luaL_checkinteger(L, 3);
  luaL_argcheck(L, low <= high, 3, "at least the lower bound expected");
  // unsigned arithmetic wraps where the distance is too long for signed numbers
  uint64_t n = (uint64_t)high - (uint64_t)low + 1;
  uint64_t x = n == 0 ? deer_rng_bits(rng) : deer_rng_below(rng, n);
  lua_pushinteger(L, (lua_Integer)((uint64_t)low + x));
  return 1;
}

// normal([mean, std])
static int rng_normal(lua_State *L) {
  deer_rng *rng = check_rng(L);
  double mean = luaL_optnumber(L, 2, 0), std = luaL_optnumber(L, 3, 1);
  luaL_argcheck(L, std >= 0, 3, "at least 0 expected");
  lua_pushnumber(L, mean + std * deer_rng_normal(rng));
  return 1;
}

// split(name): a generator that depends on the name and on how far this one is
static int rng_split(lua_State *L) {
  return push_rng(L, deer_rng_split(check_rng(L), luaL_checkstring(L, 2)));
}

/* ---- RandomState ---- */

static deer_mt19937 *check_state(lua_State *L) { return luaL_checkudata(L, 1, RANDOM_STATE); }

// RandomState(seed)
static int state_new(lua_State *L) {
  lua_Integer seed = luaL_checkinteger(L, 1);
  luaL_argcheck(L, seed >= 0 && seed <= UINT32_MAX, 1, "seed of 0 to 2^32 - 1 expected");
  deer_mt19937 *mt = lua_newuserdatauv(L, sizeof *mt, 0);
  deer_mt19937_seed(mt, (uint32_t)seed);
  luaL_setmetatable(L, RANDOM_STATE);
  return 1;
}

// rand(): 0 to 1
static int state_rand(lua_State *L) {
  lua_pushnumber(L, deer_mt19937_uniform(check_state(L)));
  return 1;
}

// uniform([low, high])
static int state_uniform(lua_State *L) {
  deer_mt19937 *mt = check_state(L);
  double low = luaL_optnumber(L, 2, 0), high = luaL_optnumber(L, 3, 1);
  lua_pushnumber(L, low + (high - low) * deer_mt19937_uniform(mt));
  return 1;
}

// randint(low, high): high excluded; randint(high) begins at 0
static int state_randint(lua_State *L) {
  deer_mt19937 *mt = check_state(L);
  lua_Integer low = luaL_checkinteger(L, 2), high = low;
  int last = lua_isnoneornil(L, 3) ? 2 : 3;
  if (last == 3)
    high = luaL_checkinteger(L, 3);
  else
    low = 0;
  luaL_argcheck(L, low < high, last, "more than the lower bound expected");
  uint64_t n = (uint64_t)high - (uint64_t)low;
  luaL_argcheck(L, n <= UINT32_MAX, last, "at most 2^32 - 1 different numbers can be drawn");
  lua_pushinteger(L, (lua_Integer)((uint64_t)low + deer_mt19937_below(mt, (uint32_t)n)));
  return 1;
}

static const luaL_Reg rng_methods[] = {
    {"uniform", rng_uniform}, {"below", rng_below}, {"int", rng_int},
    {"normal", rng_normal},   {"split", rng_split}, {NULL, NULL},
};
static const luaL_Reg state_methods[] = {
    {"rand", state_rand}, {"uniform", state_uniform}, {"randint", state_randint}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"Rng", rng_new}, {"RandomState", state_new}, {NULL, NULL}};

void deer_open_rng(lua_State *L) {
  deer_lua_class(L, DEER_RNG_CLASS, rng_methods, NULL);
  deer_lua_class(L, RANDOM_STATE, state_methods, NULL);
  luaL_setfuncs(L, functions, 0);
}
