/* together.c: an epoch of training in several environments that act in step. Everything but the
 * steps themselves happens on one thread, for one environment after the other in their order. */
#include "agent/internal.h"

#include <string.h>

/* ---- life ---- */

static deer_status make_lane(deer_agent *a, int i) {
  deer_lane *lane = &a->lanes[i];
  lane->number = i;
  lane->action = a->actions + (size_t)i * (size_t)a->env->space.actions.size;
  deer_lane_place(lane, &a->env->space, &a->answers);
  return deer_lane_init(lane, a->train_policy, a->test_policy);
}

deer_status deer_agent_make_lanes(deer_agent *a, deer_env *const *envs, const int *group) {
  size_t n = (size_t)a->n_envs;
  DEER_TRY(deer_vec_env_new(envs, a->n_envs, group, &a->vec));
  a->lanes = deer_alloc_array(n, sizeof *a->lanes);
  a->envs = deer_alloc_array(n, sizeof(deer_env *));
  a->actions = deer_alloc_array(n, (size_t)a->env->space.actions.size * sizeof *a->actions);
  if (!a->lanes || !a->envs || !a->actions) return DEER_ENOMEM;
  memcpy(a->envs, envs, n * sizeof *envs);
  DEER_TRY(deer_answers_init(&a->answers, &a->env->space, a->n_envs));
  for (int i = 0; i < a->n_envs; i++) DEER_TRY(make_lane(a, i));
  return DEER_OK;
}

void deer_agent_free_lanes(deer_agent *a) {
  for (int i = 0; a->lanes && i < a->n_envs; i++) deer_lane_finish(&a->lanes[i]);
  deer_vec_env_free(a->vec);
  deer_free(a->lanes);
  deer_free(a->envs);
  deer_answers_finish(&a->answers);
  deer_free(a->actions);
}

/* ---- a step ---- */

/* row i of observations in step */
static void row(const deer_agent *a, void *const *base, int i, const void **to) {
  for (int s = 0; s < a->env->space.n_subjects; s++)
    to[s] = (const char *)base[s] + (size_t)i * a->lanes[i].bytes[s];
}

/* an episode has begun in environment i: its histories and the first observation */
static void begin(deer_agent *a, int i) {
  for (int s = 0; s < a->env->space.n_subjects; s++) {
    size_t bytes = deer_history_bytes(&a->env->space.subjects[s]);
    memcpy(a->lanes[i].state[s], (const char *)a->vec->history[s] + (size_t)i * bytes, bytes);
  }
  deer_lane_begin(&a->lanes[i]);
}

/* actions for the first n, which the algo is asked for when all states are up to date */
static deer_status decide(deer_agent *a, int n) {
  const void *observation[DEER_MAX_SUBJECTS];
  for (int i = 0; i < n; i++) {
    row(a, a->vec->observation, i, observation);
    deer_lane_shift(&a->lanes[i], &a->env->space, observation);
  }
  deer_answers_forget(&a->answers);
  for (int i = 0; i < n; i++) DEER_TRY(deer_lane_decide(a, &a->lanes[i], &a->answers));
  return DEER_OK;
}

/* what the action of environment i led to; if the episode is over, another one has begun */
static deer_status take(deer_agent *a, int i) {
  deer_lane *lane = &a->lanes[i];
  const void *next[DEER_MAX_SUBJECTS];
  lane->reward = a->vec->reward[i];
  lane->ending = a->vec->ending[i];
  bool truncated = lane->ending == DEER_TRUNCATED;
  row(a, truncated ? a->vec->final_observation : a->vec->observation, i, next);
  DEER_TRY(deer_lane_took(a, lane, next));
  if (lane->ending == DEER_RUNNING) return DEER_OK;
  DEER_TRY(deer_lane_end(a, lane, next));
  if (a->mode != -1)
    return deer_fail(DEER_ESTATE, "a test mode was begun in training and not left");
  a->in_episode = true;
  begin(a, i);
  return DEER_OK;
}

static deer_status step(deer_agent *a, int n) {
  DEER_TRY(decide(a, n));
  a->vec->active = n;
  a->vec->repeats = a->sticky;
  DEER_TRY(deer_vec_step(a->vec, a->actions));
  for (int i = 0; i < n; i++) DEER_TRY(take(a, i));
  return DEER_OK;
}

/* ---- an epoch ---- */

static deer_status steps(deer_agent *a, int64_t length) {
  DEER_TRY(deer_vec_reset(a->vec, -1));
  for (int i = 0; i < a->n_envs; i++) begin(a, i);
  while (length > 0 && !a->stopping) {
    int n = length < a->n_envs ? (int)length : a->n_envs;
    length -= n;
    a->step += n;
    DEER_TRY(step(a, n));
  }
  return DEER_OK;
}

/* the epoch cuts the episodes under way; those that have just begun are none */
static deer_status cut(deer_agent *a) {
  for (int i = 0; i < a->n_envs; i++) {
    const void *last[DEER_MAX_SUBJECTS];
    if (a->lanes[i].steps == 0) continue;
    row(a, a->vec->observation, i, last);
    DEER_TRY(deer_lane_end(a, &a->lanes[i], last));
  }
  return DEER_OK;
}

deer_status deer_agent_together(deer_agent *a, int64_t length) {
  a->in_episode = true;
  deer_status status = steps(a, length);
  if (status == DEER_OK) status = cut(a);
  a->in_episode = false;
  /* a later run must not go on from here as if nothing had happened */
  for (int i = 0; i < a->n_envs && status != DEER_OK; i++) deer_replay_break(a->past.replay, i);
  return status;
}
