/* luaenv.c: a Lua object as an environment of the core.
 *
 * The methods are looked up at each reset and stay on the stack of the call until the next, so a
 * step costs three calls (act, inTerminalState, observe) or one (step) and no look-up. */
#include "bind/core.h"
#include "bind/home.h"

#include <math.h>
#include <string.h>

typedef struct lua_env {
  deer_env base;
  deer_home *home; // where a copy lives; NULL for the object of a script
  int object;      // its index on the stack of its home
  int number;      // of the copy, for messages
  bool steps;      // the object has step(), which was found at the last reset
  bool known;      // step() has left the next observation and how things stand
  deer_ending ending;
  void *next[DEER_MAX_SUBJECTS]; // behind the box
} lua_env;

typedef struct lua_env_box {
  deer_env_box box;
  lua_env own;
} lua_env_box;

// where the methods lie, counted from the object; then what an observation can be written into
enum { ACT = 1, TERMINAL, TRUNCATED, OBSERVE, INTO, METHODS = OBSERVE, SLOTS = INTO };
static const char *const names[] = {NULL, "act", "inTerminalState", "isTruncated", "observe"};

// user values of the box
enum { OBJECT = 1, FILLED, USER_VALUES = FILLED };

/* ---- being called ---- */

// the object while the core asks it something
typedef struct visit {
  lua_env *env;
  deer_call *call;
  lua_State *L;
  int object, top; // stack indices
  lua_State *outer;
} visit;

static deer_status enter(deer_env *self, visit *v) {
  lua_env *env = (lua_env *)self;
  *v = (visit){.env = env, .object = env->object};
  v->call = env->home ? &env->home->call : deer_call_find(self, &v->object);
  if (!v->call) return DEER_ESTATE;
  v->L = v->call->L;
  v->top = lua_gettop(v->L);
  if (env->home) v->outer = deer_home_enter(env->home);
  return DEER_OK;
}

static deer_status leave(const visit *v, deer_status status) {
  lua_settop(v->L, v->top);
  return v->env->home ? deer_home_leave(v->env->home, v->outer, v->env->number, status) : status;
}

// pushes the method in a slot and its object; the arguments may follow
static void push_slot(const visit *v, int slot) {
  lua_pushvalue(v->L, v->object + slot);
  lua_pushvalue(v->L, v->object);
}

// a result of the method in a slot is refused for the reason in deer_error()
static deer_status refuse(const visit *v, int slot) {
  const char *name = slot == ACT && v->env->steps ? "step" : names[slot];
  return deer_call_refuse(v->call, v->object + slot, name);
}

/* ---- reset ---- */

// what inTerminalState and isTruncated are unless a class has its own: no
static int never(lua_State *L) {
  lua_pushboolean(L, 0);
  return 1;
}

// pushes a method, or nil when it may be absent and is
static void get_method(lua_State *L, const char *name, bool needed) {
  if (lua_getfield(L, 1, name) == LUA_TNIL && needed)
    luaL_error(L, "expected a method '%s', the environment has none", name);
}

// the same for those that say no where they are absent, or the one that always does
static void get_question(lua_State *L, const char *name) {
  get_method(L, name, false);
  if (lua_tocfunction(L, -1) != never) return;
  lua_pop(L, 1);
  lua_pushnil(L);
}

// object -> reset, the methods of a step in the order of their slots, is there a step()?
static int look_up(lua_State *L) {
  get_method(L, "reset", true);
  bool steps = lua_getfield(L, 1, "step") != LUA_TNIL;
  if (!steps) {
    lua_pop(L, 1);
    get_method(L, "act", true);
  }
  get_question(L, "inTerminalState");
  get_question(L, "isTruncated");
  get_method(L, "observe", true);
  lua_pushboolean(L, steps);
  return 1 + METHODS + 1;
}

// fills the slots; leaves reset() on the stack
static deer_status refresh(const visit *v) {
  lua_State *L = v->L;
  lua_pushcfunction(L, look_up);
  lua_pushvalue(L, v->object);
  DEER_TRY(deer_call_run(v->call, 1, 1 + METHODS + 1));
  v->env->steps = lua_toboolean(L, -1);
  v->env->known = false;
  lua_pop(L, 1);
  for (int slot = METHODS; slot > 0; slot--) lua_replace(L, v->object + slot);
  return DEER_OK;
}

static deer_status start(const visit *v, int mode, void *const *history) {
  lua_State *L = v->L;
  DEER_TRY(refresh(v));
  // reset itself stays below its call, for messages
  lua_pushvalue(L, -1);
  lua_pushvalue(L, v->object);
  lua_pushinteger(L, mode);
  DEER_TRY(deer_call_run(v->call, 2, 1));
  if (deer_lua_read_state(L, v->top + 2, &v->env->base.space, history) == DEER_OK) return DEER_OK;
  return deer_call_refuse(v->call, v->top + 1, "reset");
}

// reset(mode) -> histories
static deer_status reset(deer_env *self, int mode, void *const *history) {
  visit v;
  DEER_TRY(enter(self, &v));
  return leave(&v, start(&v, mode, history));
}

/* ---- a step ---- */

// an answer of yes or no; nil is no
static deer_status read_flag(lua_State *L, int index, const char *what, bool *flag) {
  char got[DEER_DESCRIBE];
  *flag = lua_toboolean(L, index);
  if (lua_isnil(L, index) || lua_isboolean(L, index)) return DEER_OK;
  return deer_fail(DEER_EDATA, "expected true or false%s, got %s", what,
                   deer_lua_describe(L, index, got));
}

// the reward at `index`
static deer_status read_reward(lua_State *L, int index, double *reward) {
  char got[DEER_DESCRIBE];
  *reward = lua_tonumber(L, index);
  if (lua_type(L, index) == LUA_TNUMBER && isfinite(*reward)) return DEER_OK;
  return deer_fail(DEER_EDATA, "expected a finite number as the reward, got %s",
                   deer_lua_describe(L, index, got));
}

// what was observed, the values from `index` to the top: one per subject, or, of a vector alone,
// its numbers
static deer_status read_results(const visit *v, int index) {
  const deer_space *space = &v->env->base.space;
  const deer_subject *first = &space->subjects[0];
  int n = lua_gettop(v->L) - index + 1;
  if (space->n_subjects == 1 && first->shape.rank == 1 && lua_type(v->L, index) == LUA_TNUMBER) {
    deer_tensor into = deer_tensor_wrap(first->dtype, first->shape, v->env->next[0]);
    return deer_lua_read_numbers(v->L, index, n, &into);
  }
  if (n != space->n_subjects)
    return deer_fail(DEER_ESHAPE,
                     "expected reward, terminal, truncated and %d more value%s, one per subject, "
                     "got %d",
                     space->n_subjects, space->n_subjects == 1 ? "" : "s", n > 0 ? n : 0);
  for (int s = 0; s < n; s++)
    DEER_TRY(deer_lua_read_subject(v->L, index + s, space, s, v->env->next[s]));
  return DEER_OK;
}

// what step() returned: reward, terminal, truncated, observation...
static deer_status read_step(const visit *v, double *reward) {
  bool terminal, truncated;
  int index = v->top + 1;
  if (lua_gettop(v->L) < index + 2) lua_settop(v->L, index + 2);
  DEER_TRY(read_reward(v->L, index, reward));
  DEER_TRY(read_flag(v->L, index + 1, " (terminal)", &terminal));
  DEER_TRY(read_flag(v->L, index + 2, " (truncated)", &truncated));
  DEER_TRY(read_results(v, index + 3));
  v->env->ending = terminal ? DEER_TERMINATED : truncated ? DEER_TRUNCATED : DEER_RUNNING;
  v->env->known = true;
  return DEER_OK;
}

static deer_status take_step(const visit *v, const deer_real *action, double *reward) {
  bool steps = v->env->steps;
  push_slot(v, ACT);
  DEER_TRY(deer_call_push_action(v->call, &v->env->base.space.actions, action));
  if (steps) lua_pushvalue(v->L, v->object + INTO);
  DEER_TRY(deer_call_run(v->call, steps ? 3 : 2, steps ? LUA_MULTRET : 1));
  deer_status status = steps ? read_step(v, reward) : read_reward(v->L, v->top + 1, reward);
  return status == DEER_OK ? status : refuse(v, ACT);
}

// act(action) -> reward, or step(action, into)
static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  visit v;
  DEER_TRY(enter(self, &v));
  return leave(&v, take_step(&v, action, reward));
}

static deer_status ask_observation(const visit *v, void *const *observation) {
  push_slot(v, OBSERVE);
  lua_pushvalue(v->L, v->object + INTO);
  DEER_TRY(deer_call_run(v->call, 2, 1));
  const deer_space *space = &v->env->base.space;
  deer_status status = deer_lua_read_observation(v->L, v->top + 1, space, observation);
  return status == DEER_OK ? status : refuse(v, OBSERVE);
}

// observe(into) -> list, unless step() has told already
static deer_status observe(deer_env *self, void *const *observation) {
  lua_env *env = (lua_env *)self;
  const deer_space *space = &self->space;
  if (env->known) {
    for (int s = 0; s < space->n_subjects; s++)
      memcpy(observation[s], env->next[s], deer_subject_bytes(&space->subjects[s]));
    return DEER_OK;
  }
  visit v;
  DEER_TRY(enter(self, &v));
  return leave(&v, ask_observation(&v, observation));
}

// asks one of the two methods that end an episode; one that is absent says no
static deer_status ask(const visit *v, int slot, bool *yes) {
  *yes = false;
  if (lua_isnil(v->L, v->object + slot)) return DEER_OK;
  push_slot(v, slot);
  DEER_TRY(deer_call_run(v->call, 1, 1));
  deer_status status = read_flag(v->L, lua_gettop(v->L), "", yes);
  return status == DEER_OK ? status : refuse(v, slot);
}

static deer_status ask_ending(const visit *v, deer_ending *ending) {
  bool yes;
  DEER_TRY(ask(v, TERMINAL, &yes));
  *ending = yes ? DEER_TERMINATED : DEER_RUNNING;
  if (yes) return DEER_OK;
  DEER_TRY(ask(v, TRUNCATED, &yes));
  if (yes) *ending = DEER_TRUNCATED;
  return DEER_OK;
}

// inTerminalState() and isTruncated(), unless step() has told already
static deer_status ending(deer_env *self, deer_ending *ending) {
  lua_env *env = (lua_env *)self;
  *ending = env->ending;
  if (env->known) return DEER_OK;
  visit v;
  DEER_TRY(enter(self, &v));
  return leave(&v, ask_ending(&v, ending));
}

/* ---- seldom ---- */

// object, light name -> the method
static int look_up_one(lua_State *L) {
  lua_getfield(L, 1, lua_touserdata(L, 2));
  return 1;
}

// pushes a method of the object at a stack index, or nil
static deer_status find_method(deer_call *call, int object, const char *name) {
  lua_pushcfunction(call->L, look_up_one);
  lua_pushvalue(call->L, object);
  lua_pushlightuserdata(call->L, (void *)(uintptr_t)name);
  return deer_call_run(call, 2, 1);
}

// Calls a method that an environment need not have; with an argument when `argument` is an object
// of the core whose Lua object is on the stack.
static deer_status call_optional(const visit *v, const char *name, const void *argument) {
  int index = 0;
  if (argument && deer_call_find(argument, &index) != v->call)
    return deer_fail(DEER_ESTATE, "%s: a copy of an environment sees no test samples", name);
  DEER_TRY(find_method(v->call, v->object, name));
  if (lua_isnil(v->L, -1)) return DEER_OK;
  lua_pushvalue(v->L, v->object);
  if (argument) lua_pushvalue(v->L, index);
  // stop() comes after the last epoch, also when that did not end well
  return argument ? deer_call_run(v->call, 2, 0) : deer_call_last(v->call, 1, 0);
}

static deer_status stop(deer_env *self) {
  visit v;
  DEER_TRY(enter(self, &v));
  return leave(&v, call_optional(&v, "stop", NULL));
}

static deer_status summarize(deer_env *self, struct deer_replay *test_set) {
  visit v;
  DEER_TRY(enter(self, &v));
  return leave(&v, call_optional(&v, "summarizePerformance", test_set));
}

static const deer_env_class lua_env_class = {.abi = DEER_ENV_ABI,
                                             .name = "lua",
                                             .help = "an environment written in Lua",
                                             .size = sizeof(lua_env),
                                             .reset = reset,
                                             .act = act,
                                             .observe = observe,
                                             .ending = ending,
                                             .summarize = summarize,
                                             .stop = stop};

/* ---- making one ---- */

// raises unless the object at 1 has the methods of an environment
static void check_methods(lua_State *L) {
  static const char *const needed[] = {
      "reset", "observe", "inputDimensions", "nActions", "inTerminalState", "act", NULL};
  bool steps = lua_getfield(L, 1, "step") != LUA_TNIL;
  for (int i = 0; needed[i]; i++) {
    // step() answers for the last two
    if (steps && i >= 4) break;
    if (lua_getfield(L, 1, needed[i]) != LUA_TFUNCTION)
      deer_lua_fail(L, "environment: expected a method '%s', got %s", needed[i],
                    luaL_typename(L, -1));
  }
  lua_settop(L, 1);
}

static void push_subject(lua_State *L, const void *subject) {
  lua_pushinteger(L, *(const int *)subject);
}

// calls a method that describes the space; the result is on top of the stack, the method below it
static deer_status describe(deer_call *call, const char *name, const int *subject) {
  deer_method method = {name, subject ? push_subject : NULL, subject, subject != NULL};
  return deer_call_method(call, 1, &method, 1);
}

// observationType(subject) of every subject, if there is such a method
static deer_status read_types(deer_call *call, deer_space *space) {
  lua_State *L = call->L;
  DEER_TRY(find_method(call, 1, "observationType"));
  bool absent = lua_isnil(L, -1);
  lua_pop(L, 1);
  for (int s = 0; !absent && s < space->n_subjects; s++) {
    DEER_TRY(describe(call, "observationType", &s));
    if (deer_lua_read_type(L, lua_gettop(L), &space->subjects[s].dtype) != DEER_OK)
      return deer_call_refuse(call, lua_gettop(L) - 1, "observationType");
    lua_pop(L, 2);
  }
  return DEER_OK;
}

// asks the object what can be observed and done
static deer_status read_space(deer_call *call, deer_space *space) {
  lua_State *L = call->L;
  DEER_TRY(describe(call, "inputDimensions", NULL));
  if (deer_lua_read_dimensions(L, lua_gettop(L), space) != DEER_OK)
    return deer_call_refuse(call, lua_gettop(L) - 1, "inputDimensions");
  lua_pop(L, 2);
  DEER_TRY(describe(call, "nActions", NULL));
  if (deer_lua_read_n_actions(L, lua_gettop(L), &space->actions) != DEER_OK)
    return deer_call_refuse(call, lua_gettop(L) - 1, "nActions");
  lua_pop(L, 2);
  DEER_TRY(read_types(call, space));
  return deer_space_check(space);
}

// bytes of an observation of subject s, rounded up so that the next one is aligned
static size_t room(const deer_space *space, int s) {
  return (deer_subject_bytes(&space->subjects[s]) + 15) / 16 * 16;
}

static void push_zeros(lua_State *L, int n) {
  lua_createtable(L, n, 0);
  for (int i = 1; i <= n; i++) {
    lua_pushinteger(L, 0);
    lua_rawseti(L, -2, i);
  }
}

// pushes a list with room for one observation: tables of numbers, tensors for what has more axes
static void push_room(lua_State *L, const deer_space *space) {
  lua_createtable(L, space->n_subjects, 0);
  for (int s = 0; s < space->n_subjects; s++) {
    const deer_subject *subject = &space->subjects[s];
    if (subject->shape.rank > 1)
      deer_lua_new_tensor(L, subject->dtype, &subject->shape);
    else if (subject->shape.rank == 1)
      push_zeros(L, subject->shape.dim[0]);
    else
      lua_pushinteger(L, 0);
    lua_rawseti(L, -2, s + 1);
  }
}

// environment(object)
static int env_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  check_methods(L);
  deer_space space = {0};
  deer_call call;
  deer_call_open(L, &call);
  deer_call_start(&call);
  deer_status status = read_space(&call, &space);
  deer_call_finish(&call, status);
  // everything lies in the userdata: there is nothing to give back
  size_t head = (sizeof(lua_env_box) + 15) / 16 * 16, bytes = head;
  for (int s = 0; s < space.n_subjects; s++) bytes += room(&space, s);
  lua_env_box *box = lua_newuserdatauv(L, bytes, USER_VALUES);
  *box = (lua_env_box){.own = {.base = {.kind = &lua_env_class, .space = space}}};
  box->box.env = &box->own.base;
  char *next = (char *)box + head;
  for (int s = 0; s < space.n_subjects; next += room(&space, s++)) box->own.next[s] = next;
  luaL_setmetatable(L, DEER_ENV_CLASS);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, OBJECT);
  push_room(L, &space);
  lua_setiuservalue(L, -2, FILLED);
  return 1;
}

// userdata -> its object, and what observations can be written into
static int unpack(lua_State *L) {
  lua_getiuservalue(L, 1, OBJECT);
  lua_getiuservalue(L, 1, FILLED);
  return 2;
}

deer_status deer_home_adopt(deer_home *home, int number, deer_env **env) {
  lua_State *L = home->L;
  lua_pushcfunction(L, env_new);
  lua_insert(L, -2);
  DEER_TRY(deer_call_run(&home->call, 1, 1));
  lua_env *own = &((lua_env_box *)lua_touserdata(L, -1))->own;
  // the stack keeps the userdata, then comes what a call has of it
  lua_pushcfunction(L, unpack);
  lua_pushvalue(L, -2);
  DEER_TRY(deer_call_run(&home->call, 1, 2));
  own->home = home;
  own->object = lua_gettop(L) - 1;
  own->number = number;
  for (int slot = 0; slot < METHODS; slot++) lua_pushnil(L);
  lua_pushvalue(L, own->object + 1);
  lua_replace(L, own->object + INTO);
  *env = &own->base;
  return DEER_OK;
}

/* ---- what the other files see ---- */

void deer_lua_own_env(deer_call *call, int index) {
  const deer_env_box *box = lua_touserdata(call->L, index);
  if (box->finish) return;
  lua_getiuservalue(call->L, index, OBJECT);
  deer_call_own(call, box->env, SLOTS);
  lua_getiuservalue(call->L, index, FILLED);
  lua_replace(call->L, -2);
}

static const luaL_Reg functions[] = {{"environment", env_new}, {"never", never}, {NULL, NULL}};

void deer_open_luaenv(lua_State *L) { luaL_setfuncs(L, functions, 0); }
