/* vec.c: environments in step. They are sorted by group, and each worker takes a run of them. */
#include "env/vec.h"

#include "base/pool.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* what went wrong on a thread */
typedef struct failure {
  int env; /* -1 for none */
  int at;  /* its place in the order */
  deer_status status;
  char message[2048];
} failure;

typedef struct vec {
  deer_vec_env base;
  deer_space space;
  size_t bytes[DEER_MAX_SUBJECTS]; /* of an observation of each subject */
  int mode;
  deer_env **envs;
  bool *fresh;   /* an episode has begun and nothing happened in it */
  int *order;    /* environments sorted by group; NULL: as they are */
  int *boundary; /* [n + 1]: where the first group at or after a place in the order begins */
  int groups;

  const deer_real *actions; /* of the step under way, NULL while resetting */
  int workers;
  double cost; /* seconds of one environment's step */
  failure failures[DEER_MAX_THREADS];
} vec;

/* ---- life ---- */

static deer_status reserve(vec *v) {
  size_t n = (size_t)v->base.n;
  v->envs = deer_alloc_array(n, sizeof *v->envs);
  v->fresh = deer_alloc_array(n, sizeof *v->fresh);
  v->base.reward = deer_alloc_array(n, sizeof *v->base.reward);
  v->base.ending = deer_alloc_array(n, sizeof *v->base.ending);
  if (!v->envs || !v->fresh || !v->base.reward || !v->base.ending) return DEER_ENOMEM;
  for (int s = 0; s < v->space.n_subjects; s++) {
    size_t history = (size_t)v->space.subjects[s].history;
    v->bytes[s] = deer_subject_bytes(&v->space.subjects[s]);
    v->base.observation[s] = deer_alloc_array(n, v->bytes[s]);
    v->base.final_observation[s] = deer_alloc_array(n, v->bytes[s]);
    v->base.history[s] = deer_alloc_array(n, history * v->bytes[s]);
    if (!v->base.observation[s] || !v->base.final_observation[s] || !v->base.history[s])
      return DEER_ENOMEM;
  }
  return DEER_OK;
}

/* sorts by group, in the order in which the groups appear */
static deer_status sort(vec *v, const int *group) {
  int n = v->base.n, placed = 0;
  v->groups = n;
  if (!group) return DEER_OK;
  v->order = deer_alloc_array((size_t)n, sizeof *v->order);
  v->boundary = deer_alloc_array((size_t)n + 1, sizeof *v->boundary);
  if (!v->order || !v->boundary) return DEER_ENOMEM;
  bool *taken = v->fresh; /* not in use yet */
  v->groups = 0;
  for (int i = 0; i < n; i++) {
    if (taken[i]) continue;
    int begin = placed;
    for (int k = i; k < n; k++)
      if (group[k] == group[i]) v->order[placed++] = k, taken[k] = true;
    for (int k = begin + 1; k <= placed; k++) v->boundary[k] = placed;
    v->groups++;
  }
  memset(taken, 0, (size_t)n * sizeof *taken);
  return DEER_OK;
}

static deer_status start(vec *v, deer_env *const *envs, const int *group) {
  for (int i = 0; i < v->base.n; i++)
    if (!deer_space_equal(&envs[i]->space, &envs[0]->space))
      return deer_fail(DEER_EINVAL, "environment %d has another space than environment 0", i);
  v->space = envs[0]->space;
  v->base.space = &v->space;
  v->base.active = v->base.n;
  DEER_TRY(reserve(v));
  memcpy(v->envs, envs, (size_t)v->base.n * sizeof *envs);
  return sort(v, group);
}

deer_status deer_vec_env_new(deer_env *const *envs, int n, const int *group, deer_vec_env **made) {
  *made = NULL;
  if (n < 1 || n > DEER_MAX_ENVS)
    return deer_fail(DEER_EINVAL, "%d environments (expected 1 to %d)", n, DEER_MAX_ENVS);
  vec *v = deer_alloc(sizeof *v);
  if (!v) return DEER_ENOMEM;
  v->base.n = n;
  deer_status status = start(v, envs, group);
  if (status == DEER_OK)
    *made = &v->base;
  else
    deer_vec_env_free(&v->base);
  return status;
}

void deer_vec_env_free(deer_vec_env *made) {
  if (!made) return;
  vec *v = (vec *)made;
  for (int s = 0; s < DEER_MAX_SUBJECTS; s++) {
    deer_free(made->observation[s]);
    deer_free(made->final_observation[s]);
    deer_free(made->history[s]);
  }
  deer_free(made->reward);
  deer_free(made->ending);
  deer_free(v->envs);
  deer_free(v->fresh);
  deer_free(v->order);
  deer_free(v->boundary);
  deer_free(v);
}

/* ---- one environment ---- */

/* pointers to the rows of environment i */
static void rows(const vec *v, void *const *base, int i, void **row) {
  for (int s = 0; s < v->space.n_subjects; s++) row[s] = (char *)base[s] + (size_t)i * v->bytes[s];
}

/* the observation of environment i into its row of `base` */
static deer_status observe(vec *v, int i, void *const *base) {
  void *row[DEER_MAX_SUBJECTS];
  rows(v, base, i, row);
  DEER_TRY(v->envs[i]->kind->observe(v->envs[i], row));
  return deer_observation_check(&v->space, (const void *const *)row);
}

static deer_status begin(vec *v, int i) {
  if (v->fresh[i] && v->envs[i]->mode == v->mode) return DEER_OK;
  void *row[DEER_MAX_SUBJECTS];
  for (int s = 0; s < v->space.n_subjects; s++) {
    size_t bytes = (size_t)v->space.subjects[s].history * v->bytes[s];
    row[s] = (char *)v->base.history[s] + (size_t)i * bytes;
    memset(row[s], 0, bytes);
  }
  v->fresh[i] = false;
  DEER_TRY(deer_env_reset(v->envs[i], v->mode, row));
  DEER_TRY(deer_state_check(&v->space, (const void *const *)row));
  DEER_TRY(observe(v, i, v->base.observation));
  v->fresh[i] = true;
  return DEER_OK;
}

static deer_status check_reward(double reward) {
  if (isfinite((deer_real)reward)) return DEER_OK;
  return deer_fail(DEER_EDATA, "the reward is %g (expected a finite number)",
                   isnan(reward) ? NAN : reward);
}

static deer_status act(vec *v, int i) {
  deer_env *env = v->envs[i];
  v->fresh[i] = false;
  DEER_TRY(deer_env_repeat(env, v->actions + (size_t)i * (size_t)v->space.actions.size,
                           v->base.repeats, &v->base.reward[i]));
  DEER_TRY(deer_env_ending(env, &v->base.ending[i]));
  DEER_TRY(check_reward(v->base.reward[i]));
  if (v->base.ending[i] == DEER_RUNNING) return observe(v, i, v->base.observation);
  if (v->base.ending[i] == DEER_TRUNCATED) DEER_TRY(observe(v, i, v->base.final_observation));
  return begin(v, i);
}

/* ---- several of one class at once ---- */

/* what is left to do after kind->steps: the time limit, and endings */
static deer_status follow_up(vec *v, int i) {
  deer_env *env = v->envs[i];
  deer_ending *ending = &v->base.ending[i];
  v->fresh[i] = false;
  env->steps++;
  if (*ending == DEER_RUNNING && env->max_steps > 0 && env->steps >= env->max_steps)
    *ending = DEER_TRUNCATED;
  if (!isfinite((deer_real)v->base.reward[i])) return check_reward(v->base.reward[i]);
  if (*ending == DEER_RUNNING) return DEER_OK;
  if (*ending == DEER_TRUNCATED)
    for (int s = 0; s < v->space.n_subjects; s++)
      memcpy((char *)v->base.final_observation[s] + (size_t)i * v->bytes[s],
             (char *)v->base.observation[s] + (size_t)i * v->bytes[s], v->bytes[s]);
  return begin(v, i);
}

/* how many from `i` on, before `end`, have the class of environment i */
static int alike(const vec *v, int i, int end) {
  int n = 1;
  while (i + n < end && v->envs[i + n]->kind == v->envs[i]->kind) n++;
  return n;
}

/* ---- many ---- */

/* what one thread does: the environments from place `at` to `end` of the order */
typedef struct share {
  int worker, at, end;
} share;

static bool failed(vec *v, const share *mine, int i, deer_status status) {
  if (status == DEER_OK) return false;
  failure *f = &v->failures[mine->worker];
  f->env = i;
  f->at = mine->at;
  f->status = status;
  snprintf(f->message, sizeof f->message, "%s", deer_error());
  return true;
}

/* steps the next ones, which are of one class that can do so at once and lie as they are numbered;
 * false when one failed */
static bool step_alike(vec *v, share *mine) {
  enum { AT_ONCE = 64 };
  int i = mine->at, n = alike(v, i, i + AT_ONCE < mine->end ? i + AT_ONCE : mine->end);
  void *row[DEER_MAX_SUBJECTS];
  rows(v, v->base.observation, i, row);
  deer_env_rows some = {.n = n,
                        .action = v->actions + (size_t)i * (size_t)v->space.actions.size,
                        .observation = row,
                        .reward = v->base.reward + i,
                        .ending = v->base.ending + i};
  v->envs[i]->kind->steps(v->envs + i, &some);
  bool finite = deer_observations_check(&v->space, n, (const void *const *)row) == DEER_OK;
  for (int k = i; k < i + n; k++, mine->at++) {
    if (!finite) {
      rows(v, v->base.observation, k, row);
      if (failed(v, mine, k, deer_observation_check(&v->space, (const void *const *)row)))
        return false;
    }
    if (failed(v, mine, k, follow_up(v, k))) return false;
  }
  return true;
}

static bool step_one(vec *v, share *mine) {
  int i = v->order ? v->order[mine->at] : mine->at;
  if (v->actions && i >= v->base.active) return mine->at++, true;
  if (failed(v, mine, i, v->actions ? act(v, i) : begin(v, i))) return false;
  mine->at++;
  return true;
}

/* where the part of a worker begins */
static int part(const vec *v, int worker) {
  int n = v->order || !v->actions ? v->base.n : v->base.active;
  int at = (int)((int64_t)n * worker / v->workers);
  return v->boundary ? v->boundary[at] : at;
}

static void work(void *context, int worker) {
  vec *v = context;
  share mine = {worker, part(v, worker), part(v, worker + 1)};
  bool well = true;
  while (well && mine.at < mine.end) {
    bool at_once = v->actions && !v->order && v->base.repeats <= 1 && v->envs[mine.at]->kind->steps;
    well = at_once ? step_alike(v, &mine) : step_one(v, &mine);
  }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* handing work to other threads takes about a microsecond each, and more when they sleep */
static const double worth_a_thread = 10e-6;

static int count_workers(const vec *v) {
  int most = deer_threads() < v->groups ? deer_threads() : v->groups;
  double cost = v->cost * v->base.n / worth_a_thread;
  return cost < most ? cost < 1 ? 1 : (int)cost : most;
}

/* the failure that one thread alone would have come upon */
static deer_status report(const vec *v) {
  const failure *first = NULL;
  for (int w = 0; w < v->workers; w++)
    if (v->failures[w].env >= 0 && (!first || v->failures[w].at < first->at))
      first = &v->failures[w];
  if (!first) return DEER_OK;
  if (first->status == DEER_ECALLBACK || first->status == DEER_EINTERRUPT)
    return deer_fail(first->status, "%s", first->message);
  return deer_fail(first->status, "environment %d: %s", first->env, first->message);
}

static void work_alone(vec *v) {
  v->workers = 1;
  v->failures[0].env = -1;
  work(v, 0);
}

static void work_together(vec *v) {
  double start = now();
  v->workers = count_workers(v);
  for (int w = 0; w < v->workers; w++) v->failures[w].env = -1;
  if (v->workers == 1 || !deer_pool_run(v->workers, work, v)) work_alone(v);
  /* of all the work on all threads; a slow step in between counts little */
  double cost = (now() - start) * v->workers / v->base.n;
  v->cost += (cost - v->cost) / 16;
}

static deer_status everywhere(vec *v, const deer_real *actions) {
  if (deer_interrupted()) return deer_fail(DEER_EINTERRUPT, "interrupted");
  v->actions = actions;
  if (deer_threads() > 1 && v->groups > 1)
    work_together(v);
  else
    work_alone(v);
  return report(v);
}

deer_status deer_vec_reset(deer_vec_env *made, int mode) {
  ((vec *)made)->mode = mode;
  return everywhere((vec *)made, NULL);
}

deer_status deer_vec_step(deer_vec_env *made, const deer_real *actions) {
  return everywhere((vec *)made, actions);
}
