// learner.c: deer.Learner, what is behind deer.Agent: an agent that a script drives.
#include "bind/core.h"

#include <limits.h>

typedef struct learner_box {
  deer_learner *learner; // NULL when closed
  int running;           // calls of the core that are under way
  deer_space space;
  // behind this struct: two observations and a state on their way
  void *observation[DEER_MAX_SUBJECTS], *next[DEER_MAX_SUBJECTS], *history[DEER_MAX_SUBJECTS];
} learner_box;

// user values: what the learner borrows, its data set, and room for all lanes at once
enum { ALGO = 1, POLICY, DATASET, ROWS, USER_VALUES = ROWS };

static learner_box *check_box(lua_State *L, int index) {
  learner_box *box = luaL_checkudata(L, index, DEER_LEARNER_CLASS);
  if (!box->learner) deer_lua_fail(L, "the agent is closed");
  return box;
}

deer_learner *deer_lua_check_learner(lua_State *L, int index) {
  return check_box(L, index)->learner;
}

/* ---- making one ---- */

static size_t room(size_t bytes) { return (bytes + 15) / 16 * 16; }

// a userdata with its buffers, pushed
static learner_box *push_box(lua_State *L, const deer_space *space) {
  size_t head = room(sizeof(learner_box)), bytes = head;
  for (int s = 0; s < space->n_subjects; s++) {
    size_t one = deer_subject_bytes(&space->subjects[s]);
    bytes += 2 * room(one) + room((size_t)space->subjects[s].history * one);
  }
  learner_box *box = lua_newuserdatauv(L, bytes, USER_VALUES);
  *box = (learner_box){.space = *space};
  char *place = (char *)box + head;
  for (int s = 0; s < space->n_subjects; s++) {
    size_t one = deer_subject_bytes(&space->subjects[s]);
    box->observation[s] = place;
    box->next[s] = place += room(one);
    box->history[s] = place += room(one);
    place += room((size_t)space->subjects[s].history * one);
  }
  luaL_setmetatable(L, DEER_LEARNER_CLASS);
  return box;
}

// the options at 1; algo and policy are left on the stack at 2 and 3
static deer_learner_config read_config(lua_State *L) {
  deer_learner_config config = {.lanes = 1};
  lua_getfield(L, 1, "algo");
  config.algo = deer_lua_to_algo(L, -1);
  if (!config.algo) deer_lua_bad_option(L, "algo", "an algo", -1);
  lua_getfield(L, 1, "policy");
  config.policy = deer_lua_to_policy(L, -1);
  if (!config.policy) deer_lua_bad_option(L, "policy", "a policy", -1);
  config.replay = deer_lua_replay(L, deer_lua_word_option(L, 1, "replay", "uniform"));
  if (lua_getfield(L, 1, "replay_options") != LUA_TNIL && !lua_istable(L, -1))
    deer_lua_bad_option(L, "replay_options", "a table", -1);
  config.replay_options = deer_lua_options(L, lua_gettop(L), &config.n_replay_options);
  lua_Integer lanes = deer_lua_integer_option(L, 1, "n_envs", 1, 1);
  config.lanes = lanes > INT_MAX ? INT_MAX : (int)lanes; // too many for any replay
  config.replay_memory_size = deer_lua_integer_option(L, 1, "replay_memory_size", 0, 1);
  config.replay_start_size = deer_lua_integer_option(L, 1, "replay_start_size", -1, 1);
  config.only_full_history = deer_lua_boolean_option(L, 1, "only_full_history", true);
  return config;
}

// an environment need not be given, but if it is, it must be like that of the algo
static void check_environment(lua_State *L, const deer_algo *algo) {
  if (lua_getfield(L, 1, "environment") == LUA_TNIL) return;
  if (!deer_space_equal(&deer_lua_environment_option(L, 1)->space, &algo->space))
    deer_lua_fail(L, "the algorithm was made for another environment");
}

// learner{ algo =, policy =, n_envs =, replay_memory_size =, ... }
static int learner_new(lua_State *L) {
  deer_lua_check_options(L, 1);
  deer_learner_config config = read_config(L);
  deer_rng rng = deer_rng_seed((uint64_t)deer_lua_integer_option(L, 1, "seed", 0, LUA_MININTEGER));
  config.rng = &rng;
  check_environment(L, config.algo);
  // the userdata comes first and keeps what the learner borrows
  const deer_space *space = &config.algo->space;
  learner_box *box = push_box(L, space);
  for (int i = ALGO; i <= POLICY; i++) {
    lua_pushvalue(L, 1 + i);
    lua_setiuservalue(L, -2, i);
  }
  rng = deer_rng_split(config.rng, "dataset");
  deer_lua_push_dataset(L, space, &rng, false);
  lua_pushvalue(L, -2);
  lua_setiuservalue(L, -2, 1);
  lua_setiuservalue(L, -2, DATASET);
  deer_status status = deer_learner_new(&config, &box->learner);
  return status == DEER_OK ? 1 : deer_throw(L, status);
}

// close(), __close and __gc
static int learner_close(lua_State *L) {
  learner_box *box = luaL_checkudata(L, 1, DEER_LEARNER_CLASS);
  if (box->running) return deer_lua_fail(L, "an agent cannot be closed while it chooses or learns");
  // algo and policy may be gone already when the state closes: not touched here
  deer_learner_free(box->learner);
  box->learner = NULL;
  return 0;
}

/* ---- calls that come back to Lua ---- */

static void open_call(lua_State *L, deer_call *call, bool policy) {
  deer_call_open(L, call);
  lua_getiuservalue(L, 1, ALGO);
  deer_lua_own_algo(call, lua_gettop(L));
  if (!policy) return;
  lua_getiuservalue(L, 1, POLICY);
  deer_lua_own_policy(call, lua_gettop(L));
}

// From here to finish() nothing raises, and the learner cannot be closed. Reading arguments may
// have run code of the user's, which may have done that.
static void start(learner_box *box, deer_call *call) {
  check_box(call->L, 1);
  box->running++;
  deer_call_start(call);
}

static void finish(learner_box *box, deer_call *call, deer_status status) {
  box->running--;
  deer_call_finish(call, status);
}

/* ---- arguments ---- */

// How many tables are in each other at `index`, by their first entries; `number` tells whether a
// number is in the last one.
static int depth(lua_State *L, int index, bool *number) {
  int n = 0;
  lua_pushvalue(L, index);
  while (lua_type(L, -1) == LUA_TTABLE && n <= DEER_MAX_RANK + 1) {
    lua_rawgeti(L, -1, 1);
    lua_remove(L, -2);
    n++;
  }
  *number = lua_type(L, -1) == LUA_TNUMBER;
  lua_pop(L, 1);
  return n;
}

// is the value at `index` what the only subject shows, without a list around it?
static bool is_bare(lua_State *L, int index, const deer_space *space) {
  if (space->n_subjects > 1 || lua_isnil(L, index)) return false;
  if (lua_type(L, index) != LUA_TTABLE) return true;
  int rank = space->subjects[0].shape.rank;
  if (rank == 0) return false;
  bool number;
  int n = depth(L, index, &number);
  return number ? n <= rank : lua_rawlen(L, index) > 1;
}

// an observation; false when there is none
static bool read_observation(lua_State *L, int index, const learner_box *box, void *const *into,
                             const char *what) {
  const deer_space *space = &box->space;
  if (lua_isnoneornil(L, index)) return false;
  deer_status status = is_bare(L, index, space) ? deer_lua_read_subject(L, index, space, 0, into[0])
                                                : deer_lua_read_observation(L, index, space, into);
  if (status != DEER_OK) deer_lua_fail(L, "%s: %s", what, deer_error());
  return true;
}

// the number of an environment at `index`, 0 when there is none
static int check_lane(lua_State *L, int index) {
  if (lua_isnoneornil(L, index)) return 0;
  int whole = 0;
  lua_Integer lane = lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &whole) : 0;
  char got[DEER_DESCRIBE];
  if (!whole)
    deer_lua_fail(L, "env: expected the number of an environment, from 0 on, got %s",
                  deer_lua_describe(L, index, got));
  return lane < 0 || lane > INT_MAX ? -1 : (int)lane;
}

/* ---- acting ---- */

// getAction(observation, env, explore) -> action
static int learner_choose(lua_State *L) {
  learner_box *box = check_box(L, 1);
  lua_settop(L, 4);
  bool given = read_observation(L, 2, box, box->observation, "state");
  int lane = check_lane(L, 3);
  bool explore = lua_toboolean(L, 4);
  deer_action_space actions = box->space.actions;
  deer_real action[DEER_MAX_ACTION_SIZE];
  deer_call call;
  open_call(L, &call, true);
  start(box, &call);
  const void *const *observation = given ? (const void *const *)box->observation : NULL;
  finish(box, &call, deer_learner_choose(box->learner, lane, observation, explore, action));
  deer_lua_push_action(L, &actions, action);
  return 1;
}

// Room for what all lanes observe, [lanes, shape...] of each subject, and do, which is returned.
// Made at the first call and kept; a call inside of another one has its own.
static deer_real *rows_of(lua_State *L, learner_box *box, void **observation) {
  size_t lanes = (size_t)deer_learner_lanes(box->learner);
  size_t bytes = room(lanes * (size_t)box->space.actions.size * sizeof(deer_real)), at = bytes;
  for (int s = 0; s < box->space.n_subjects; s++)
    bytes += room(lanes * deer_subject_bytes(&box->space.subjects[s]));
  if (lua_getiuservalue(L, 1, ROWS) == LUA_TNIL || box->running) {
    lua_pop(L, 1);
    lua_newuserdatauv(L, bytes, 0);
    lua_pushvalue(L, -1);
    if (box->running)
      lua_pop(L, 1);
    else
      lua_setiuservalue(L, 1, ROWS);
  }
  char *rows = lua_touserdata(L, -1);
  for (int s = 0; s < box->space.n_subjects; s++) {
    observation[s] = rows + at;
    at += room(lanes * deer_subject_bytes(&box->space.subjects[s]));
  }
  return (deer_real *)(void *)rows;
}

// the list at 2 into observation[s] = [lanes, shape...]
static void read_rows(lua_State *L, const learner_box *box, void *const *observation) {
  int lanes = deer_learner_lanes(box->learner);
  char got[DEER_DESCRIBE], what[48];
  if (lua_type(L, 2) != LUA_TTABLE || lua_rawlen(L, 2) != (lua_Unsigned)lanes)
    deer_lua_fail(L, "states: expected a list of %d, one of each environment, got %s", lanes,
                  deer_lua_describe(L, 2, got));
  for (int i = 0; i < lanes; i++) {
    void *into[DEER_MAX_SUBJECTS];
    for (int s = 0; s < box->space.n_subjects; s++)
      into[s] = (char *)observation[s] + (size_t)i * deer_subject_bytes(&box->space.subjects[s]);
    lua_rawgeti(L, 2, i + 1);
    snprintf(what, sizeof what, "environment %d: state", i);
    if (!read_observation(L, lua_gettop(L), box, into, what))
      deer_lua_fail(L, "%s: expected what is observed, got nil", what);
    lua_pop(L, 1);
  }
}

// getActions(observations, explore) -> a list of actions, one of each lane
static int learner_choose_all(lua_State *L) {
  learner_box *box = check_box(L, 1);
  lua_settop(L, 3);
  bool given = !lua_isnil(L, 2), explore = lua_toboolean(L, 3);
  deer_action_space space = box->space.actions;
  int lanes = deer_learner_lanes(box->learner);
  void *rows[DEER_MAX_SUBJECTS];
  deer_real *actions = rows_of(L, box, rows);
  if (given) read_rows(L, box, rows);
  deer_call call;
  open_call(L, &call, true);
  start(box, &call);
  const void *const *observations = given ? (const void *const *)rows : NULL;
  finish(box, &call, deer_learner_choose_all(box->learner, observations, explore, actions));
  lua_createtable(L, lanes, 0);
  for (int i = 0; i < lanes; i++) {
    deer_lua_push_action(L, &space, actions + (size_t)i * (size_t)space.size);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

// see(observation, env): the state is up to date
static int learner_see(lua_State *L) {
  learner_box *box = check_box(L, 1);
  lua_settop(L, 3);
  bool given = read_observation(L, 2, box, box->observation, "state");
  const void *const *observation = given ? (const void *const *)box->observation : NULL;
  int lane = check_lane(L, 3);
  deer_status status = deer_learner_see(check_box(L, 1)->learner, lane, observation);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

// state(env) -> a list with the history of each subject
static int learner_state(lua_State *L) {
  learner_box *box = check_box(L, 1);
  lua_settop(L, 2);
  const void *const *state = deer_learner_state(box->learner, check_lane(L, 2));
  if (!state)
    deer_lua_fail(L, "there is no such environment (expected 0 to %d)",
                  deer_learner_lanes(box->learner) - 1);
  deer_lua_push_state(L, &box->space, state);
  return 1;
}

/* ---- learning ---- */

// a field of the table at 2 that is true or false
static bool read_flag(lua_State *L, const char *name) {
  char got[DEER_DESCRIBE];
  if (lua_getfield(L, 2, name) != LUA_TNIL && !lua_isboolean(L, -1))
    deer_lua_fail(L, "observe: %s: expected true or false, got %s", name,
                  deer_lua_describe(L, -1, got));
  bool flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

static double read_reward(lua_State *L) {
  char got[DEER_DESCRIBE];
  if (lua_getfield(L, 2, "reward") != LUA_TNUMBER)
    deer_lua_fail(L, "observe: reward: expected a number, got %s", deer_lua_describe(L, -1, got));
  double reward = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return reward;
}

static const void *const *read_shown(lua_State *L, const char *name, const learner_box *box,
                                     void *const *into) {
  char what[32];
  lua_getfield(L, 2, name);
  snprintf(what, sizeof what, "observe: %s", name);
  bool given = read_observation(L, lua_gettop(L), box, into, what);
  lua_pop(L, 1);
  return given ? (const void *const *)into : NULL;
}

static const deer_real *read_action(lua_State *L, const deer_space *space, deer_real *action) {
  bool given = lua_getfield(L, 2, "action") != LUA_TNIL;
  if (given && deer_lua_read_action(L, lua_gettop(L), &space->actions, action) != DEER_OK)
    deer_lua_fail(L, "observe: action: %s", deer_error());
  lua_pop(L, 1);
  return given ? action : NULL;
}

// observe{ state =, action =, reward =, next_state =, terminal =, truncated =, env = }
static int learner_observe(lua_State *L) {
  static const char *const names[] = {"state",    "action",    "reward", "next_state",
                                      "terminal", "truncated", "env"};
  learner_box *box = check_box(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  deer_lua_check_names(L, 2, "field of observe", names, sizeof names / sizeof *names);
  deer_real action[DEER_MAX_ACTION_SIZE];
  deer_outcome outcome = {.observation = read_shown(L, "state", box, box->observation),
                          .next = read_shown(L, "next_state", box, box->next),
                          .action = read_action(L, &box->space, action),
                          .reward = read_reward(L)};
  bool terminal = read_flag(L, "terminal"), truncated = read_flag(L, "truncated");
  outcome.ending = terminal ? DEER_TERMINATED : truncated ? DEER_TRUNCATED : DEER_RUNNING;
  lua_getfield(L, 2, "env");
  outcome.lane = check_lane(L, -1);
  deer_status status = deer_learner_observe(check_box(L, 1)->learner, &outcome);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

// update() -> loss; nil and what is waited for
static int learner_update(lua_State *L) {
  learner_box *box = check_box(L, 1);
  lua_settop(L, 1);
  bool learnt = false;
  double loss = 0;
  deer_call call;
  open_call(L, &call, false);
  start(box, &call);
  finish(box, &call, deer_learner_update(box->learner, &learnt, &loss));
  if (learnt) {
    lua_pushnumber(L, loss);
    return 1;
  }
  luaL_pushfail(L);
  lua_pushstring(L, deer_error());
  return 2;
}

// reset(env [, histories])
static int learner_reset(lua_State *L) {
  learner_box *box = check_box(L, 1);
  lua_settop(L, 3);
  bool given = !lua_isnil(L, 3);
  if (given && deer_lua_read_state(L, 3, &box->space, box->history) != DEER_OK)
    deer_lua_fail(L, "histories: %s", deer_error());
  const void *const *history = given ? (const void *const *)box->history : NULL;
  int lane = check_lane(L, 2);
  deer_status status = deer_learner_reset(check_box(L, 1)->learner, lane, history);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

static int learner_lanes(lua_State *L) {
  lua_pushinteger(L, deer_learner_lanes(deer_lua_check_learner(L, 1)));
  return 1;
}

// dataset(): always the same object
static int learner_dataset(lua_State *L) {
  check_box(L, 1);
  lua_getiuservalue(L, 1, DATASET);
  return 1;
}

static const luaL_Reg methods[] = {
    {"getAction", learner_choose},
    {"getActions", learner_choose_all},
    {"see", learner_see},
    {"state", learner_state},
    {"observe", learner_observe},
    {"update", learner_update},
    {"reset", learner_reset},
    {"lanes", learner_lanes},
    {"dataset", learner_dataset},
    {"close", learner_close},
    {NULL, NULL},
};
static const luaL_Reg events[] = {
    {"__gc", learner_close}, {"__close", learner_close}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"learner", learner_new}, {NULL, NULL}};

void deer_open_learner(lua_State *L) {
  deer_lua_class(L, DEER_LEARNER_CLASS, methods, events);
  luaL_setfuncs(L, functions, 0);
}
