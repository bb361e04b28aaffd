/* agent.c: deer.Agent, the step loop. */
#include "bind/core.h"

#include <limits.h>

typedef struct agent_box {
  deer_agent *agent; // NULL when closed
  int running;       // calls of the core that are under way
} agent_box;

// user values: what the agent borrows, the functions that listen, its two data sets, the list of
// environments to train in
enum { ENVIRONMENT = 1, ALGO, TRAIN_POLICY, TEST_POLICY, LISTENERS, DATASET, TEST_DATASET, COPIES };
enum { USER_VALUES = COPIES };

// the agent at `index`, which must be open
deer_agent *deer_lua_check_agent(lua_State *L, int index) {
  agent_box *box = luaL_checkudata(L, index, DEER_AGENT_CLASS);
  if (!box->agent) deer_lua_fail(L, "the agent is closed");
  return box->agent;
}

/* ---- making one ---- */

// the policy in a field of the options at 1; pushes its userdata
static deer_policy *check_policy(lua_State *L, const char *name) {
  lua_getfield(L, 1, name);
  deer_policy *policy = deer_lua_to_policy(L, -1);
  if (!policy) deer_lua_bad_option(L, name, "a policy", -1);
  return policy;
}

// reads the options at 1; what the agent borrows is left on the stack from 2 on
static deer_agent_config read_config(lua_State *L) {
  deer_agent_config config = {.env = deer_lua_environment_option(L, 1)};
  lua_getfield(L, 1, "algo");
  config.algo = deer_lua_to_algo(L, -1);
  if (!config.algo) deer_lua_bad_option(L, "algo", "an algo", -1);
  config.train_policy = check_policy(L, "train_policy");
  config.test_policy = check_policy(L, "test_policy");
  config.replay = deer_lua_replay(L, deer_lua_word_option(L, 1, "replay", "uniform"));
  if (lua_getfield(L, 1, "replay_options") != LUA_TNIL && !lua_istable(L, -1))
    deer_lua_bad_option(L, "replay_options", "a table", -1);
  config.replay_options = deer_lua_options(L, lua_gettop(L), &config.n_replay_options);
  config.replay_memory_size = deer_lua_integer_option(L, 1, "replay_memory_size", 0, 1);
  config.replay_start_size = deer_lua_integer_option(L, 1, "replay_start_size", -1, 1);
  config.train_every = deer_lua_integer_option(L, 1, "train_every", 0, 0);
  config.only_full_history = deer_lua_boolean_option(L, 1, "only_full_history", true);
  config.in_turn = deer_lua_boolean_option(L, 1, "in_turn", false);
  return config;
}

// a data set that looks into the agent on top of the stack, as its user value
static void add_dataset(lua_State *L, const deer_space *space, const deer_rng *seed, bool test) {
  deer_rng rng = deer_rng_split(seed, test ? "test_dataset" : "dataset");
  deer_lua_push_dataset(L, space, &rng, test);
  lua_pushvalue(L, -2);
  lua_setiuservalue(L, -2, 1);
  lua_setiuservalue(L, -2, test ? TEST_DATASET : DATASET);
}

// reads `copies`, environments that need nothing of this Lua state, and `groups` of the options at
// 1; leaves the list and memory for both on the stack
static void read_copies(lua_State *L, deer_agent_config *config) {
  if (lua_getfield(L, 1, "copies") == LUA_TNIL) return;
  int copies = lua_gettop(L);
  luaL_checktype(L, copies, LUA_TTABLE);
  bool grouped = lua_getfield(L, 1, "groups") == LUA_TTABLE;
  lua_Unsigned n = lua_rawlen(L, copies);
  if (n < 1 || n > DEER_MAX_ENVS) deer_lua_bad_option(L, "copies", "1 to 65536", copies);
  deer_env **envs = lua_newuserdatauv(L, n * sizeof *envs, 0);
  int *group = grouped ? lua_newuserdatauv(L, n * sizeof *group, 0) : NULL;
  for (lua_Unsigned i = 0; i < n; i++) {
    lua_rawgeti(L, copies, (lua_Integer)i + 1);
    envs[i] = deer_lua_to_env(L, -1);
    if (!envs[i] || !deer_lua_env_is_alone(L, -1))
      deer_lua_bad_option(L, "copies", "copies of an environment", -1);
    if (grouped && lua_rawgeti(L, copies + 1, (lua_Integer)i + 1))
      group[i] = (int)luaL_checkinteger(L, -1);
    lua_settop(L, copies + (grouped ? 3 : 2));
  }
  config->envs = envs;
  config->n_envs = (int)n;
  config->group = group;
}

// agent{ environment =, algo =, train_policy =, test_policy =, ... }
static int agent_new(lua_State *L) {
  deer_lua_check_options(L, 1);
  deer_agent_config config = read_config(L);
  read_copies(L, &config);
  deer_rng rng = deer_rng_seed((uint64_t)deer_lua_integer_option(L, 1, "seed", 0, LUA_MININTEGER));
  config.rng = &rng;
  // the userdata comes first and keeps what the agent borrows
  agent_box *box = lua_newuserdatauv(L, sizeof *box, USER_VALUES);
  *box = (agent_box){0};
  luaL_setmetatable(L, DEER_AGENT_CLASS);
  for (int i = ENVIRONMENT; i <= TEST_POLICY; i++) {
    lua_pushvalue(L, 1 + i);
    lua_setiuservalue(L, -2, i);
  }
  lua_createtable(L, DEER_SIGNALS, 0);
  lua_setiuservalue(L, -2, LISTENERS);
  lua_getfield(L, 1, "copies");
  lua_setiuservalue(L, -2, COPIES);
  add_dataset(L, &config.env->space, &rng, false);
  add_dataset(L, &config.env->space, &rng, true);
  deer_status status = deer_agent_new(&config, &box->agent);
  return status == DEER_OK ? 1 : deer_throw(L, status);
}

// close(), __close and __gc
static int agent_close(lua_State *L) {
  agent_box *box = luaL_checkudata(L, 1, DEER_AGENT_CLASS);
  if (box->running) return deer_lua_fail(L, "an agent cannot be closed while it runs");
  // environment, algo and policies may be gone already when the state closes: not touched here
  deer_agent_free(box->agent);
  box->agent = NULL;
  return 0;
}

/* ---- calls that come back to Lua ---- */

// opens a call of the agent at 1 and lets the objects take part whose user values are first..last
static deer_agent *open_call(lua_State *L, deer_call *call, int first, int last) {
  deer_agent *agent = deer_lua_check_agent(L, 1);
  deer_call_open(L, call);
  for (int i = first; i <= last; i++) {
    lua_getiuservalue(L, 1, i);
    int index = lua_gettop(L);
    switch (i) {
    case ENVIRONMENT:
      deer_lua_own_env(call, index);
      break;
    case ALGO:
      deer_lua_own_algo(call, index);
      break;
    case LISTENERS:
      deer_call_own(call, lua_touserdata(L, 1), 0);
      break;
    default:
      deer_lua_own_policy(call, index);
    }
  }
  return agent;
}

// from here to finish() nothing raises, and the agent cannot be closed
static void start(deer_call *call) {
  ((agent_box *)lua_touserdata(call->L, 1))->running++;
  deer_call_start(call);
}

static void finish(deer_call *call, deer_status status) {
  ((agent_box *)lua_touserdata(call->L, 1))->running--;
  deer_call_finish(call, status);
}

// what the agent calls for each signal that somebody hears
static deer_status listener(void *context, const deer_event *event) {
  int listeners;
  deer_call *call = deer_call_find(context, &listeners);
  if (!call) return DEER_ESTATE;
  lua_State *L = call->L;
  int top = lua_gettop(L);
  // the function, then what it receives
  lua_rawgeti(L, listeners, (lua_Integer)event->signal + 1);
  deer_status status = DEER_OK;
  if (event->signal == DEER_ON_ACTION_CHOSEN) {
    const deer_replay *replay = deer_agent_replay(((agent_box *)context)->agent);
    status = deer_call_push_action(call, &deer_replay_space(replay)->actions, event->action);
  } else if (event->signal == DEER_ON_EPISODE_END) {
    lua_pushboolean(L, event->terminal);
    lua_pushnumber(L, event->reward);
  }
  // the end of a run is told even when Ctrl-C brought it about
  int n_args = lua_gettop(L) - top - 1;
  if (status == DEER_OK && event->signal == DEER_ON_END)
    status = deer_call_last(call, n_args, 0);
  else if (status == DEER_OK)
    status = deer_call_run(call, n_args, 0);
  lua_settop(L, top);
  return status;
}

// run(n_epochs, length)
static int agent_run(lua_State *L) {
  deer_lua_check_agent(L, 1);
  lua_Integer n_epochs = deer_lua_check_integer(L, 2), length = deer_lua_check_integer(L, 3);
  lua_settop(L, 1);
  deer_call call;
  // everything may be called: environment, algo, policies, listeners
  deer_agent *agent = open_call(L, &call, ENVIRONMENT, LISTENERS);
  start(&call);
  finish(&call, deer_agent_run(agent, n_epochs, length));
  return 0;
}

// stop(): the run ends after the present step
static int agent_stop(lua_State *L) {
  deer_agent_stop(deer_lua_check_agent(L, 1));
  return 0;
}

// train() -> was there an update?
static int agent_train(lua_State *L) {
  deer_call call;
  bool trained = false;
  deer_lua_check_agent(L, 1);
  lua_settop(L, 1);
  deer_agent *agent = open_call(L, &call, ALGO, ALGO);
  start(&call);
  finish(&call, deer_agent_train(agent, &trained));
  lua_pushboolean(L, trained);
  return 1;
}

// summarizeTestPerformance(): the environment looks at the test samples
static int agent_summarize(lua_State *L) {
  deer_call call;
  deer_lua_check_agent(L, 1);
  lua_settop(L, 1);
  deer_agent *agent = open_call(L, &call, ENVIRONMENT, ENVIRONMENT);
  // what the environment will see of the samples that the core hands to it
  lua_getiuservalue(L, 1, TEST_DATASET);
  deer_call_own(&call, deer_agent_test_set(agent), 0);
  start(&call);
  finish(&call, deer_agent_summarize(agent));
  return 0;
}

/* ---- signals ---- */

// listen(signal, function | nil)
static int agent_listen(lua_State *L) {
  static const char *const signals[] = {
      "onStart", "onActionChosen", "onActionTaken", "onEpisodeEnd", "onEpochEnd", "onEnd", NULL};
  deer_agent *agent = deer_lua_check_agent(L, 1);
  int signal = luaL_checkoption(L, 2, NULL, signals);
  if (!lua_isnoneornil(L, 3)) luaL_checktype(L, 3, LUA_TFUNCTION);
  lua_settop(L, 3);
  lua_getiuservalue(L, 1, LISTENERS);
  lua_pushvalue(L, 3);
  lua_rawseti(L, -2, signal + 1);
  // the agent is told which signals anybody hears
  unsigned mask = 0;
  for (int i = 0; i < DEER_SIGNALS; i++) {
    if (lua_rawgeti(L, 4, i + 1) != LUA_TNIL) mask |= 1u << i;
    lua_pop(L, 1);
  }
  deer_agent_listen(agent, listener, lua_touserdata(L, 1), mask);
  return 0;
}

/* ---- modes ---- */

// setGathering(boolean)
static int agent_set_gathering(lua_State *L) {
  luaL_checktype(L, 2, LUA_TBOOLEAN);
  deer_agent_set_gathering(deer_lua_check_agent(L, 1), lua_toboolean(L, 2));
  return 0;
}

// setSticky(times)
static int agent_set_sticky(lua_State *L) {
  deer_agent *agent = deer_lua_check_agent(L, 1);
  deer_status status = deer_agent_set_sticky(agent, deer_lua_check_integer(L, 2));
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

static int agent_mode(lua_State *L) {
  lua_pushinteger(L, deer_agent_mode(deer_lua_check_agent(L, 1)));
  return 1;
}

// startMode(mode, length)
static int agent_start_mode(lua_State *L) {
  deer_agent *agent = deer_lua_check_agent(L, 1);
  lua_Integer mode = deer_lua_check_integer(L, 2), length = deer_lua_check_integer(L, 3);
  if (mode < 0 || mode > INT_MAX)
    return deer_lua_bad_argument(L, 2, "test mode of at least 0 expected");
  deer_status status = deer_agent_start_mode(agent, (int)mode, length);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

// resumeTrainingMode()
static int agent_resume(lua_State *L) {
  deer_status status = deer_agent_resume_training(deer_lua_check_agent(L, 1));
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

// overrideNextAction(action)
static int agent_override(lua_State *L) {
  deer_agent *agent = deer_lua_check_agent(L, 1);
  deer_real action[DEER_MAX_ACTION_SIZE];
  luaL_checkany(L, 2);
  const deer_space *space = deer_replay_space(deer_agent_replay(agent));
  if (deer_lua_read_action(L, 2, &space->actions, action) != DEER_OK)
    return deer_lua_bad_argument(L, 2, deer_error());
  deer_status status = deer_agent_override_action(agent, action);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

/* ---- statistics ---- */

// a mean of n numbers; a whole number when there was none, which prints as DeeR's does
static int push_mean(lua_State *L, double mean, int64_t n, lua_Integer none) {
  if (n > 0)
    lua_pushnumber(L, mean);
  else
    lua_pushinteger(L, none);
  return 1;
}

// avgBellmanResidual(): -1 when there was no update
static int agent_loss(lua_State *L) {
  int64_t n;
  double mean = deer_agent_mean_loss(deer_lua_check_agent(L, 1), &n);
  return push_mean(L, mean, n, -1);
}

// avgEpisodeVValue(): 0 when no step was greedy
static int agent_value(lua_State *L) {
  int64_t n;
  double mean = deer_agent_mean_value(deer_lua_check_agent(L, 1), &n);
  return push_mean(L, mean, n, 0);
}

// totalRewardOverLastTest() -> score, n_episodes
static int agent_score(lua_State *L) {
  int64_t n;
  lua_pushnumber(L, deer_agent_test_score(deer_lua_check_agent(L, 1), &n));
  lua_pushinteger(L, (lua_Integer)n);
  return 2;
}

// environmentIndex()
static int agent_lane(lua_State *L) {
  lua_pushinteger(L, deer_agent_lane(deer_lua_check_agent(L, 1)));
  return 1;
}

// lastEpisode() -> sum of rewards, steps, did the environment end it?
static int agent_last_episode(lua_State *L) {
  deer_episode last = deer_agent_last_episode(deer_lua_check_agent(L, 1));
  lua_pushnumber(L, last.reward);
  lua_pushinteger(L, (lua_Integer)last.steps);
  lua_pushboolean(L, last.whole);
  return 3;
}

// state() -> a list with the history of each subject
static int agent_state(lua_State *L) {
  const deer_agent *agent = deer_lua_check_agent(L, 1);
  deer_lua_push_state(L, deer_replay_space(deer_agent_replay(agent)), deer_agent_state(agent));
  return 1;
}

static int agent_steps(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)deer_agent_steps(deer_lua_check_agent(L, 1)));
  return 1;
}

static int agent_epochs(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)deer_agent_epochs(deer_lua_check_agent(L, 1)));
  return 1;
}

/* ---- samples ---- */

// dataset(): always the same object
static int agent_dataset(lua_State *L) {
  deer_lua_check_agent(L, 1);
  lua_getiuservalue(L, 1, DATASET);
  return 1;
}

// testDataset(): nil before the first test epoch
static int agent_test_dataset(lua_State *L) {
  if (deer_agent_test_set(deer_lua_check_agent(L, 1)))
    lua_getiuservalue(L, 1, TEST_DATASET);
  else
    lua_pushnil(L);
  return 1;
}

static const luaL_Reg methods[] = {
    {"run", agent_run},
    {"stop", agent_stop},
    {"train", agent_train},
    {"listen", agent_listen},
    {"setGathering", agent_set_gathering},
    {"setSticky", agent_set_sticky},
    {"mode", agent_mode},
    {"startMode", agent_start_mode},
    {"resumeTrainingMode", agent_resume},
    {"summarizeTestPerformance", agent_summarize},
    {"overrideNextAction", agent_override},
    {"avgBellmanResidual", agent_loss},
    {"avgEpisodeVValue", agent_value},
    {"totalRewardOverLastTest", agent_score},
    {"lastEpisode", agent_last_episode},
    {"environmentIndex", agent_lane},
    {"state", agent_state},
    {"steps", agent_steps},
    {"epochs", agent_epochs},
    {"dataset", agent_dataset},
    {"testDataset", agent_test_dataset},
    {"close", agent_close},
    {NULL, NULL},
};
static const luaL_Reg events[] = {{"__gc", agent_close}, {"__close", agent_close}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"agent", agent_new}, {NULL, NULL}};

void deer_open_agent(lua_State *L) {
  deer_lua_class(L, DEER_AGENT_CLASS, methods, events);
  luaL_setfuncs(L, functions, 0);
}
