/* env.c: deer.Env, an environment of the core: one written in C that runs by itself or in an agent
 * without going through Lua, (luaenv.c) a Lua object, or (home.c) the copy of one. */
#include "bind/core.h"

#include <string.h>

// where a native environment writes what is observed: behind this, in user value 1 of its userdata
typedef struct native_buffers {
  void *history[DEER_MAX_SUBJECTS], *observation[DEER_MAX_SUBJECTS];
} native_buffers;

/* ---- life ---- */

static size_t aligned(size_t bytes) { return (bytes + 15) / 16 * 16; }

void deer_lua_push_buffers(lua_State *L, const deer_space *space) {
  size_t bytes = aligned(sizeof(native_buffers));
  for (int s = 0; s < space->n_subjects; s++) {
    size_t one = deer_subject_bytes(&space->subjects[s]);
    bytes += aligned((size_t)space->subjects[s].history * one) + aligned(one);
  }
  native_buffers *buffers = lua_newuserdatauv(L, bytes, 0);
  char *next = (char *)buffers + aligned(sizeof *buffers);
  for (int s = 0; s < space->n_subjects; s++) {
    size_t one = deer_subject_bytes(&space->subjects[s]);
    buffers->history[s] = next;
    next += aligned((size_t)space->subjects[s].history * one);
    buffers->observation[s] = next;
    next += aligned(one);
  }
}

// the class called by the name at `arg`; raises with the nearest name
static const deer_env_class *check_class(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg), *names[256];
  size_t n = 0;
  const deer_env_class *class = deer_env_find(name);
  if (class) return class;
  for (; n < 256 && deer_env_at((int)n); n++) names[n] = deer_env_at((int)n)->name;
  deer_lua_unknown(L, "environment", name, names, n);
  return NULL;
}

static void free_native(deer_env_box *box) { deer_env_free(box->env); }

// env(name, { options =, seed = })
static int env_new(lua_State *L) {
  const deer_env_class *class = check_class(L, 1);
  deer_lua_check_options(L, 2);
  deer_rng seed = deer_rng_seed((uint64_t)deer_lua_integer_option(L, 2, "seed", 0, LUA_MININTEGER));
  deer_rng rng = deer_rng_split(&seed, "environment");
  if (lua_getfield(L, 2, "options") != LUA_TNIL && !lua_istable(L, -1))
    deer_lua_bad_option(L, "options", "a table", -1);
  int n;
  const deer_option *options = deer_lua_options(L, lua_gettop(L), &n);
  // the userdata comes first, so that nothing is lost if there is no memory for it
  deer_env_box *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (deer_env_box){.finish = free_native};
  luaL_setmetatable(L, DEER_ENV_CLASS);
  deer_status status = deer_env_new(class, options, n, &rng, &box->env);
  if (status != DEER_OK) return deer_throw(L, status);
  deer_lua_push_buffers(L, &box->env->space);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

// objects of a script lie inside their userdata
static int env_gc(lua_State *L) {
  deer_env_box *box = luaL_checkudata(L, 1, DEER_ENV_CLASS);
  if (box->finish) box->finish(box);
  box->env = NULL;
  return 0;
}

/* ---- by itself ---- */

// the environment at 1, which is no object of the script
static deer_env *check_alone(lua_State *L) {
  const deer_env_box *box = luaL_checkudata(L, 1, DEER_ENV_CLASS);
  if (!box->finish) deer_lua_fail(L, "this environment is written in Lua: ask its own object");
  return box->env;
}

// pushes the buffers of the environment at 1
static native_buffers *get_buffers(lua_State *L) {
  lua_getiuservalue(L, 1, 1);
  return lua_touserdata(L, -1);
}

// reset(mode) -> histories
static int env_reset(lua_State *L) {
  deer_env *env = check_alone(L);
  const deer_space *space = &env->space;
  lua_Integer mode = deer_lua_check_integer(L, 2);
  if (mode < -1 || mode > 1 << 20)
    return deer_lua_bad_argument(L, 2, "mode of -1 (training), 0, 1, ... expected");
  native_buffers *buffers = get_buffers(L);
  for (int s = 0; s < space->n_subjects; s++) {
    const deer_subject *subject = &space->subjects[s];
    memset(buffers->history[s], 0, deer_history_bytes(subject));
  }
  deer_status status = deer_env_reset(env, (int)mode, buffers->history);
  if (status != DEER_OK) return deer_throw(L, status);
  deer_lua_push_state(L, space, (const void *const *)buffers->history);
  return 1;
}

// act(action) -> reward
static int env_act(lua_State *L) {
  deer_env *env = check_alone(L);
  deer_real action[DEER_MAX_ACTION_SIZE];
  double reward;
  luaL_checkany(L, 2);
  if (deer_lua_read_action(L, 2, &env->space.actions, action) != DEER_OK)
    return deer_lua_bad_argument(L, 2, deer_error());
  deer_status status = deer_env_act(env, action, &reward);
  if (status != DEER_OK) return deer_throw(L, status);
  lua_pushnumber(L, reward);
  return 1;
}

// observe() -> list with one entry per subject
static int env_observe(lua_State *L) {
  deer_env *env = check_alone(L);
  native_buffers *buffers = get_buffers(L);
  deer_status status = env->kind->observe(env, buffers->observation);
  if (status != DEER_OK) return deer_throw(L, status);
  lua_createtable(L, env->space.n_subjects, 0);
  for (int s = 0; s < env->space.n_subjects; s++) {
    const deer_subject *subject = &env->space.subjects[s];
    deer_tensor from = deer_tensor_wrap(subject->dtype, subject->shape, buffers->observation[s]);
    deer_lua_push(L, &from);
    lua_rawseti(L, -2, s + 1);
  }
  return 1;
}

static int push_ending(lua_State *L, deer_ending wanted) {
  deer_env *env = check_alone(L);
  deer_ending ending;
  deer_status status = deer_env_ending(env, &ending);
  if (status != DEER_OK) return deer_throw(L, status);
  lua_pushboolean(L, ending == wanted);
  return 1;
}

static int env_terminal(lua_State *L) { return push_ending(L, DEER_TERMINATED); }

static int env_truncated(lua_State *L) { return push_ending(L, DEER_TRUNCATED); }

// reads the observation at 2, a list with a value per subject, into the buffers; raises
static const void *const *check_observation(lua_State *L, const deer_space *space) {
  native_buffers *buffers = get_buffers(L);
  if (!lua_istable(L, 2) || lua_rawlen(L, 2) != (lua_Unsigned)space->n_subjects)
    deer_lua_bad_argument(
        L, 2,
        lua_pushfstring(L, "list with an observation of %d subjects expected", space->n_subjects));
  for (int s = 0; s < space->n_subjects; s++) {
    const deer_subject *subject = &space->subjects[s];
    deer_tensor to = deer_tensor_wrap(subject->dtype, subject->shape, buffers->observation[s]);
    lua_rawgeti(L, 2, s + 1);
    if (deer_lua_read(L, -1, &to) != DEER_OK) deer_lua_bad_argument(L, 2, deer_error());
    lua_pop(L, 1);
  }
  const void *const *observation = (const void *const *)buffers->observation;
  if (deer_observation_check(space, observation) != DEER_OK)
    deer_lua_bad_argument(L, 2, deer_error());
  return observation;
}

// render([observation]) -> tensor of bytes [rows, columns, 3]: the present state, or what was seen
static int env_render(lua_State *L) {
  deer_env *env = check_alone(L);
  bool past = !lua_isnoneornil(L, 2);
  if (past ? !env->kind->draw : !env->kind->render)
    return deer_lua_fail(L, "%s draws no pictures%s", env->kind->name,
                         past ? " of observations" : "");
  const void *const *observation = past ? check_observation(L, &env->space) : NULL;
  deer_shape shape = DEER_SHAPE(env->picture_height, env->picture_width, 3);
  deer_tensor *picture = deer_lua_new_tensor(L, DEER_DTYPE_U8, &shape);
  deer_canvas *canvas = deer_canvas_new(env->picture_width, env->picture_height);
  if (!canvas) return deer_throw(L, DEER_ENOMEM);
  deer_status status =
      past ? env->kind->draw(env, observation, canvas) : env->kind->render(env, canvas);
  if (status == DEER_OK)
    memcpy(picture->data, deer_canvas_pixels(canvas), deer_shape_count(&shape));
  deer_canvas_free(canvas);
  return status == DEER_OK ? 1 : deer_throw(L, status);
}

// pictureRate() -> steps that are a second in a film; 0: any
static int env_picture_rate(lua_State *L) {
  lua_pushinteger(L, check_alone(L)->picture_rate);
  return 1;
}

// alone(): does it do without the script's Lua state?
static int env_alone(lua_State *L) {
  luaL_checkudata(L, 1, DEER_ENV_CLASS);
  lua_pushboolean(L, deer_lua_env_is_alone(L, 1));
  return 1;
}

/* ---- spaces ---- */

// raises about a field of the options at 1 for the reason in deer_error()
static void check_option(lua_State *L, const char *name, deer_status status) {
  if (status != DEER_OK) deer_lua_fail(L, "option '%s': %s", name, deer_error());
}

void deer_lua_space_options(lua_State *L, deer_space *space) {
  lua_getfield(L, 1, "input_dimensions");
  check_option(L, "input_dimensions", deer_lua_read_dimensions(L, lua_gettop(L), space));
  lua_getfield(L, 1, "n_actions");
  check_option(L, "n_actions", deer_lua_read_n_actions(L, lua_gettop(L), &space->actions));
  if (lua_getfield(L, 1, "observation_types") != LUA_TNIL) {
    if (!lua_istable(L, -1)) deer_lua_bad_option(L, "observation_types", "a list", -1);
    for (int s = 0; s < space->n_subjects; s++) {
      lua_rawgeti(L, -1, s + 1);
      check_option(L, "observation_types",
                   deer_lua_read_type(L, lua_gettop(L), &space->subjects[s].dtype));
      lua_pop(L, 1);
    }
  }
  deer_status status = deer_space_check(space);
  if (status != DEER_OK) deer_throw(L, status);
}

static int push_space(lua_State *L, const deer_space *space) {
  lua_createtable(L, 0, 3);
  deer_lua_push_dimensions(L, space);
  lua_setfield(L, -2, "inputDimensions");
  deer_lua_push_n_actions(L, &space->actions);
  lua_setfield(L, -2, "nActions");
  lua_createtable(L, space->n_subjects, 0);
  for (int s = 0; s < space->n_subjects; s++) {
    lua_pushstring(L, deer_dtype_name(space->subjects[s].dtype));
    lua_rawseti(L, -2, s + 1);
  }
  lua_setfield(L, -2, "observationTypes");
  return 1;
}

// space() -> { inputDimensions =, nActions =, observationTypes = }
static int env_space(lua_State *L) {
  const deer_env_box *box = luaL_checkudata(L, 1, DEER_ENV_CLASS);
  return push_space(L, &box->env->space);
}

// space{ input_dimensions =, n_actions =, observation_types = } -> the same
static int space_new(lua_State *L) {
  deer_space space = {0};
  deer_lua_check_options(L, 1);
  deer_lua_space_options(L, &space);
  return push_space(L, &space);
}

/* ---- what the other files see ---- */

deer_env *deer_lua_to_env(lua_State *L, int index) {
  const deer_env_box *box = luaL_testudata(L, index, DEER_ENV_CLASS);
  return box ? box->env : NULL;
}

bool deer_lua_env_is_alone(lua_State *L, int index) {
  const deer_env_box *box = luaL_testudata(L, index, DEER_ENV_CLASS);
  return box && box->finish;
}

static const luaL_Reg methods[] = {
    {"space", env_space},       {"reset", env_reset},
    {"act", env_act},           {"observe", env_observe},
    {"terminal", env_terminal}, {"truncated", env_truncated},
    {"render", env_render},     {"pictureRate", env_picture_rate},
    {"alone", env_alone},       {NULL, NULL},
};
static const luaL_Reg events[] = {{"__gc", env_gc}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"env", env_new}, {"space", space_new}, {NULL, NULL}};

void deer_open_env(lua_State *L) {
  deer_lua_class(L, DEER_ENV_CLASS, methods, events);
  luaL_setfuncs(L, functions, 0);
}
