/* bench.c: core.bench, what `deerlua bench` measures in C: the limits of the machine and loops
 * around calls of the core that Lua would slow down. */
#include "bind/core.h"

#include <string.h>
#include <time.h>
#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the machine ---- */

// Twelve chains of multiply-adds in registers, enough to hide the latency of two units on every CPU
// there is. Each starts elsewhere, or the compiler would compute one; their sum is wanted, or none.
#define CHAINS(name, isa, type, spread, fma, first)                                                \
  static isa float name(long n) {                                                                  \
    type a = spread(0.5f), b = spread(1.0f);                                                       \
    type x0 = spread(0), x1 = spread(1), x2 = spread(2), x3 = spread(3), x4 = spread(4);           \
    type x5 = spread(5), x6 = spread(6), x7 = spread(7), x8 = spread(8), x9 = spread(9);           \
    type x10 = spread(10), x11 = spread(11);                                                       \
    for (long i = 0; i < n; i++) {                                                                 \
      x0 = fma(x0, a, b), x1 = fma(x1, a, b), x2 = fma(x2, a, b), x3 = fma(x3, a, b);              \
      x4 = fma(x4, a, b), x5 = fma(x5, a, b), x6 = fma(x6, a, b), x7 = fma(x7, a, b);              \
      x8 = fma(x8, a, b), x9 = fma(x9, a, b), x10 = fma(x10, a, b), x11 = fma(x11, a, b);          \
    }                                                                                              \
    x0 = fma(fma(x0, x1, x2), fma(x3, x4, x5), fma(fma(x6, x7, x8), x9, fma(x10, a, x11)));        \
    return first(x0);                                                                              \
  }

// a = b + c / 2 over arrays of whole vectors: the triad of McCalpin's STREAM
typedef float vector __attribute__((vector_size(64)));
#define TRIAD(name, isa)                                                                           \
  static isa void name(vector *restrict a, const vector *b, const vector *c, size_t n) {           \
    for (size_t i = 0; i < n; i++) a[i] = b[i] + 0.5f * c[i];                                      \
  }

#define SAME(x)            (x)
#define PLAIN_FMA(x, a, b) ((x) * (a) + (b))
CHAINS(chains_plain, , float, SAME, PLAIN_FMA, SAME)
TRIAD(triad_plain, )

#if defined(__x86_64__) && defined(__GNUC__)
#define NARROW   __attribute__((target("avx2,fma")))
#define LOW_8(x) _mm256_cvtss_f32(x)
CHAINS(chains_narrow, NARROW, __m256, _mm256_set1_ps, _mm256_fmadd_ps, LOW_8)
TRIAD(triad_narrow, NARROW)

#define WIDE      __attribute__((target("avx512f")))
#define LOW_16(x) _mm512_cvtss_f32(x)
CHAINS(chains_wide, WIDE, __m512, _mm512_set1_ps, _mm512_fmadd_ps, LOW_16)
TRIAD(triad_wide, WIDE)
#endif

typedef struct kernels {
  float (*chains)(long n);
  void (*triad)(vector *restrict a, const vector *b, const vector *c, size_t n);
  int width; // numbers per register
} kernels;

// for the widest registers that this CPU has
static kernels best_kernels(void) {
#if defined(__x86_64__) && defined(__GNUC__)
  const int level = deer_cpu_level();
  if (level == 2) return (kernels){chains_wide, triad_wide, 16};
  if (level == 1) return (kernels){chains_narrow, triad_narrow, 8};
#endif
  return (kernels){chains_plain, triad_plain, 1};
}

// flops(seconds) -> floating-point operations per second of one core, a multiply-add being two
static int bench_flops(lua_State *L) {
  kernels best = best_kernels();
  double seconds = luaL_checknumber(L, 1), start = now(), spent = 0;
  volatile float sink = 0;
  long rounds = 0, n = 100000;
  do {
    sink = best.chains(n);
    rounds++;
    spent = now() - start;
  } while (spent < seconds && !deer_interrupted());
  (void)sink;
  lua_pushnumber(L, 24.0 * best.width * (double)n * (double)rounds / spent);
  return 1;
}

// bandwidth(bytes, seconds) -> bytes read and written per second in arrays of `bytes` altogether
static int bench_bandwidth(lua_State *L) {
  kernels best = best_kernels();
  lua_Integer bytes = luaL_checkinteger(L, 1);
  double seconds = luaL_checknumber(L, 2);
  luaL_argcheck(L, bytes > 0 && bytes <= 1 << 30, 1, "expected 1 to 2^30 bytes");
  size_t n = (size_t)bytes / (3 * sizeof(vector)) + 1;
  char *block = lua_newuserdatauv(L, (3 * n + 1) * sizeof(vector), 0);
  memset(block, 0, (3 * n + 1) * sizeof(vector));
  // Lua aligns to 16 bytes
  vector *a = (void *)(block + (sizeof(vector) - (uintptr_t)block % sizeof(vector)));
  double start = now(), spent = 0;
  size_t rounds = 0, some = 1 + 10000 / n;
  do {
    for (size_t i = 0; i < some; i++) best.triad(a, a + n, a + 2 * n, n);
    rounds += some;
    spent = now() - start;
  } while (spent < seconds && !deer_interrupted());
  lua_pushnumber(L, 3.0 * (double)(n * sizeof(vector)) * (double)rounds / spent);
  return 1;
}

/* ---- loops around the core ---- */

// an algo that is written in C; the others would be called in Lua
static deer_algo *check_own_algo(lua_State *L, int arg) {
  const deer_algo_box *box = luaL_checkudata(L, arg, DEER_ALGO_CLASS);
  luaL_argcheck(L, box->owned, arg, "an algo written in C expected");
  return box->algo;
}

static void fill(const deer_subject *subject, size_t n, deer_rng *rng, void *data) {
  size_t count = n * (size_t)subject->history * deer_subject_count(subject);
  for (size_t i = 0; i < count; i++)
    if (subject->dtype == DEER_DTYPE_REAL)
      ((deer_real *)data)[i] = (deer_real)deer_rng_uniform(rng);
    else
      ((unsigned char *)data)[i] = (unsigned char)deer_rng_below(rng, 256);
}

// a batch of random numbers in a userdata that is pushed
static void push_batch(lua_State *L, const deer_algo *algo) {
  const deer_space *space = &algo->space;
  deer_batch batch = {.size = (int)algo->batch_size};
  size_t n = (size_t)batch.size, bytes = deer_lua_place_batch(space, &batch, NULL);
  size_t head = (sizeof batch + 15) / 16 * 16, all = head + bytes + n * sizeof *batch.a_tm1;
  char *block = lua_newuserdatauv(L, all, 0);
  memset(block, 0, all);
  deer_lua_place_batch(space, &batch, block + head);
  batch.a_tm1 = (int32_t *)(void *)(block + head + bytes);
  deer_rng rng = deer_rng_seed(1);
  for (int s = 0; s < space->n_subjects; s++) {
    fill(&space->subjects[s], n, &rng, batch.obs_tm1[s]);
    fill(&space->subjects[s], n, &rng, batch.obs_t[s]);
  }
  for (size_t i = 0; i < n; i++) {
    deer_real *action = batch.action_tm1 + i * (size_t)space->actions.size;
    deer_random_action(&space->actions, &rng, action);
    if (space->actions.n > 0) batch.a_tm1[i] = (int32_t)*action;
    batch.r_t[i] = (deer_real)deer_rng_uniform(&rng);
    batch.continue_t[i] = batch.weight[i] = 1;
  }
  memcpy(block, &batch, sizeof batch);
}

// the function(n) that updater returns: n updates
static int update(lua_State *L) {
  deer_algo *algo = check_own_algo(L, lua_upvalueindex(1));
  const deer_batch *batch = lua_touserdata(L, lua_upvalueindex(2));
  lua_Integer n = luaL_checkinteger(L, 1);
  deer_status status = DEER_OK;
  double loss;
  for (lua_Integer i = 0; i < n && status == DEER_OK && !deer_interrupted(); i++)
    status = algo->kind->train(algo, batch, &loss, NULL);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

// updater(algo) -> function(n): updates, each on the same batch of random numbers
static int bench_updater(lua_State *L) {
  const deer_algo *algo = check_own_algo(L, 1);
  luaL_argcheck(L, algo->kind->train, 1, "an algo that learns from batches expected");
  lua_settop(L, 1);
  push_batch(L, algo);
  lua_pushcclosure(L, update, 2);
  return 1;
}

// the function(n) that actor returns: n best actions
static int act(lua_State *L) {
  deer_algo *algo = check_own_algo(L, lua_upvalueindex(1));
  const deer_batch *batch = lua_touserdata(L, lua_upvalueindex(2));
  lua_Integer n = luaL_checkinteger(L, 1);
  deer_status status = DEER_OK;
  deer_real action[DEER_MAX_ACTION_SIZE];
  double value;
  for (lua_Integer i = 0; i < n && status == DEER_OK && !deer_interrupted(); i++)
    status = algo->kind->act(algo, (const void *const *)batch->obs_tm1, action, &value);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

// actor(algo) -> function(n): best actions in one state of random numbers
static int bench_actor(lua_State *L) {
  const deer_algo *algo = check_own_algo(L, 1);
  lua_settop(L, 1);
  push_batch(L, algo);
  lua_pushcclosure(L, act, 2);
  return 1;
}

// empty(n): n runs of a program that has nothing to compute
static int bench_empty(lua_State *L) {
  lua_Integer n = luaL_checkinteger(L, 1);
  deer_program *program = NULL;
  deer_graph *g = deer_graph_new();
  if (!g) return deer_throw(L, DEER_ENOMEM);
  deer_node one = deer_constant(g, DEER_SCALAR, 1);
  deer_status status = deer_compile(g, &one, 1, &program);
  deer_graph_free(g);
  if (status != DEER_OK) return deer_throw(L, status);
  for (lua_Integer i = 0; i < n; i++) deer_program_run(program);
  deer_program_free(program);
  return 0;
}

/* ---- batches ---- */

// what assembler keeps: the data set's memory and a batch, behind it
typedef struct assembly {
  deer_replay *replay;
  deer_rng rng;
  deer_batch batch;
} assembly;

// the function(n) that assembler returns: n batches
static int assemble(lua_State *L) {
  assembly *work = lua_touserdata(L, lua_upvalueindex(1));
  lua_Integer n = luaL_checkinteger(L, 1);
  deer_status status = DEER_OK;
  for (lua_Integer i = 0; i < n && status == DEER_OK && !deer_interrupted(); i++)
    status = deer_replay_sample(work->replay, &work->rng, &work->batch);
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

// assembler(data set, size) -> function(n): batches of that size with all there is to them
static int bench_assembler(lua_State *L) {
  deer_replay *replay = deer_lua_check_replay(L, 1);
  lua_Integer size = luaL_checkinteger(L, 2);
  luaL_argcheck(L, size >= 1 && size <= 1 << 16, 2, "1 to 65536 samples expected");
  assembly work = {.replay = replay, .rng = deer_rng_seed(1), .batch = {.size = (int)size}};
  const deer_space *space = deer_replay_space(replay);
  size_t head = (sizeof work + 15) / 16 * 16;
  size_t bytes = deer_lua_place_batch(space, &work.batch, NULL);
  char *block = lua_newuserdatauv(L, head + bytes, 1);
  deer_lua_place_batch(space, &work.batch, block + head);
  memcpy(block, &work, sizeof work);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  lua_pushcclosure(L, assemble, 1);
  return 1;
}

/* ---- environments in step ---- */

#define STEPPER_CLASS "deer.bench.Stepper"
enum { ROUNDS = 64 };

// environments, which are user value 1, and random actions for so many rounds, behind it
typedef struct stepper {
  deer_vec_env *vec;
  int n, round;
  deer_env **envs;
  int *groups;
  deer_real *actions;
} stepper;

static int stepper_gc(lua_State *L) {
  stepper *work = luaL_checkudata(L, 1, STEPPER_CLASS);
  deer_vec_env_free(work->vec);
  work->vec = NULL;
  return 0;
}

// the function(n) that stepper returns: at least n steps of one environment
static int step(lua_State *L) {
  stepper *work = lua_touserdata(L, lua_upvalueindex(1));
  lua_Integer n = luaL_checkinteger(L, 1);
  deer_status status = DEER_OK;
  size_t row = (size_t)work->n * (size_t)work->vec->space->actions.size;
  for (; n > 0 && status == DEER_OK; n -= work->n) {
    status = deer_vec_step(work->vec, work->actions + row * (size_t)work->round);
    work->round = (work->round + 1) % ROUNDS;
  }
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

static deer_status start_stepper(stepper *work) {
  deer_rng rng = deer_rng_seed(1);
  DEER_TRY(deer_vec_env_new(work->envs, work->n, work->groups, &work->vec));
  const deer_action_space *space = &work->vec->space->actions;
  for (int i = 0; i < work->n * ROUNDS; i++)
    deer_random_action(space, &rng, work->actions + (size_t)i * (size_t)space->size);
  return deer_vec_reset(work->vec, -1);
}

// the environments of the list at 1 and their groups in the list at 2, or each its own
static void read_environments(lua_State *L, stepper *work) {
  for (int i = 0; i < work->n; i++) {
    lua_rawgeti(L, 1, i + 1);
    work->envs[i] = deer_lua_to_env(L, -1);
    luaL_argcheck(L, deer_lua_env_is_alone(L, -1), 1, "copies of an environment expected");
    work->groups[i] = i;
    if (!lua_isnil(L, 2)) {
      lua_rawgeti(L, 2, i + 1);
      work->groups[i] = (int)luaL_checkinteger(L, -1);
    }
    lua_settop(L, 3);
  }
}

// stepper(environments, groups) -> function(n): steps with random actions of environments that need
// nothing of this Lua state
static int bench_stepper(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  size_t n = (size_t)lua_rawlen(L, 1);
  luaL_argcheck(L, n >= 1 && n <= DEER_MAX_ENVS, 1, "1 to 65536 environments expected");
  size_t envs = n * sizeof(deer_env *), groups = n * sizeof(int);
  size_t actions = n * ROUNDS * DEER_MAX_ACTION_SIZE * sizeof(deer_real);
  char *block = lua_newuserdatauv(L, sizeof(stepper) + envs + actions + groups, 1);
  stepper *work = (stepper *)(void *)block;
  *work = (stepper){.n = (int)n, .envs = (deer_env **)(void *)(block + sizeof *work)};
  work->actions = (deer_real *)(void *)(work->envs + n);
  work->groups = (int *)(void *)(work->actions + n * ROUNDS * DEER_MAX_ACTION_SIZE);
  luaL_setmetatable(L, STEPPER_CLASS);
  read_environments(L, work);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 3, 1);
  deer_status status = start_stepper(work);
  if (status != DEER_OK) return deer_throw(L, status);
  lua_pushcclosure(L, step, 1);
  return 1;
}

/* ---- replay ---- */

#define SAMPLER_CLASS "deer.bench.Sampler"

typedef struct sampler {
  deer_replay *replay;
  deer_rng rng;
  deer_batch batch; // its buffers lie behind this struct
} sampler;

static int sampler_gc(lua_State *L) {
  sampler *work = luaL_checkudata(L, 1, SAMPLER_CLASS);
  deer_replay_free(work->replay);
  work->replay = NULL;
  return 0;
}

// the function(n) that sampler returns: n batches drawn, gathered and given new errors
static int draw(lua_State *L) {
  sampler *work = lua_touserdata(L, lua_upvalueindex(1));
  const deer_batch *batch = &work->batch;
  deer_status status = DEER_OK;
  for (lua_Integer n = luaL_checkinteger(L, 1); n > 0 && status == DEER_OK; n--) {
    status = deer_replay_sample(work->replay, &work->rng, &work->batch);
    const deer_real *error = batch->obs_tm1[0]; // any numbers will do
    if (status == DEER_OK)
      status = deer_replay_update(work->replay, batch->size, batch->index, error);
  }
  return status == DEER_OK ? 0 : deer_throw(L, status);
}

// fills the memory with samples of random numbers, each with an error of its own
static deer_status fill_memory(sampler *work, const deer_space *space, int64_t capacity) {
  deer_replay_config config = {.space = space, .capacity = capacity, .only_full_history = true};
  DEER_TRY(deer_replay_new(deer_replay_find("prioritized"), &config, &work->replay));
  for (int64_t i = 0; i < capacity; i++) {
    deer_real x[4], action = (deer_real)(i % 2);
    deer_fill_normal(&work->rng, x, 4);
    const void *observation[] = {x};
    deer_sample sample = {observation, &action, 1, i % 200 == 199 ? DEER_TERMINATED : DEER_RUNNING,
                          0};
    DEER_TRY(deer_replay_push(work->replay, &sample));
  }
  return DEER_OK;
}

// sampler(capacity, size) -> function(n): batches from a full prioritised memory
static int bench_sampler(lua_State *L) {
  lua_Integer capacity = luaL_checkinteger(L, 1), size = luaL_checkinteger(L, 2);
  luaL_argcheck(L, size >= 1 && size <= 65536 && capacity >= size, 2, "1 to 65536 expected");
  deer_space space = {.n_subjects = 1, .actions = {.n = 2, .size = 1}};
  space.subjects[0] = (deer_subject){1, DEER_SHAPE(4), DEER_DTYPE_REAL};
  deer_batch batch = {.size = (int)size};
  size_t head = (sizeof(sampler) + 15) / 16 * 16;
  char *block = lua_newuserdatauv(L, head + deer_lua_place_batch(&space, &batch, NULL), 0);
  sampler *work = (sampler *)(void *)block;
  deer_lua_place_batch(&space, &batch, block + head);
  *work = (sampler){.rng = deer_rng_seed(1), .batch = batch};
  luaL_setmetatable(L, SAMPLER_CLASS);
  deer_status status = fill_memory(work, &space, capacity);
  if (status != DEER_OK) return deer_throw(L, status);
  lua_pushcclosure(L, draw, 1);
  return 1;
}

int deer_open_bench(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"flops", bench_flops},     {"bandwidth", bench_bandwidth}, {"updater", bench_updater},
      {"actor", bench_actor},     {"empty", bench_empty},         {"assembler", bench_assembler},
      {"stepper", bench_stepper}, {"sampler", bench_sampler},     {NULL, NULL}};
  static const luaL_Reg events[] = {{"__gc", stepper_gc}, {NULL, NULL}};
  static const luaL_Reg sampler_events[] = {{"__gc", sampler_gc}, {NULL, NULL}};
  deer_lua_class(L, STEPPER_CLASS, events + 1, events); // no methods
  deer_lua_class(L, SAMPLER_CLASS, events + 1, sampler_events);
  luaL_newlib(L, functions);
  return 1;
}
