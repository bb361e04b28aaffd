/* episode.c: one episode in the agent's own environment: observe, choose, act, store. */
#include "agent/internal.h"

#include <math.h>
#include <string.h>

/* the histories that the environment gives at its reset; the first observation will push out their
 * oldest entry */
static deer_status reset(deer_agent *a) {
  const deer_space *space = &a->env->space;
  deer_lane_clear(&a->own, space);
  a->observed = a->arrived = false;
  DEER_TRY(deer_env_reset(a->env, a->mode, a->own.state));
  return deer_state_check(space, (const void *const *)a->own.state);
}

/* the present observation, before it is shown to anybody */
static deer_status observe(deer_agent *a) {
  if (a->observed) return DEER_OK;
  DEER_TRY(a->env->kind->observe(a->env, a->observation));
  a->observed = true;
  return deer_observation_check(&a->env->space, (const void *const *)a->observation);
}

static deer_status act(deer_agent *a) {
  deer_lane *own = &a->own;
  DEER_TRY(deer_env_repeat(a->env, own->action, a->sticky, &own->reward));
  DEER_TRY(deer_env_ending(a->env, &own->ending));
  a->arrived = a->in_turn && own->ending == DEER_TERMINATED;
  if (a->arrived) own->ending = DEER_RUNNING;
  if (isfinite((deer_real)own->reward)) return DEER_OK;
  return deer_fail(DEER_EDATA, "the environment returned the reward %g (expected a finite number)",
                   isnan(own->reward) ? NAN : own->reward);
}

static deer_status step(deer_agent *a) {
  deer_lane *own = &a->own;
  const void *const *observation = (const void *const *)a->observation;
  DEER_TRY(observe(a));
  deer_lane_shift(own, &a->env->space, observation);
  DEER_TRY(deer_lane_decide(a, own, NULL));
  DEER_TRY(act(a));
  a->observed = false;
  if (deer_agent_tells_ahead(a) && own->ending != DEER_TERMINATED) DEER_TRY(observe(a));
  return deer_lane_took(a, own, observation);
}

/* as in DeeR 0.2, a terminal state is a step of its own, in which nothing is done */
static deer_status arrive(deer_agent *a) {
  deer_lane *own = &a->own;
  const void *const *observation = (const void *const *)a->observation;
  DEER_TRY(observe(a));
  deer_lane_shift(own, &a->env->space, observation);
  if (deer_actions_kind(&a->env->space.actions) == DEER_ACTIONS_DISCRETE) *own->action = 0;
  own->reward = 0;
  own->ending = DEER_TERMINATED;
  return deer_lane_took(a, own, NULL);
}

static deer_status steps(deer_agent *a, int64_t *budget) {
  DEER_TRY(reset(a));
  while (*budget > 0 && a->own.ending == DEER_RUNNING && !a->stopping) {
    if (deer_interrupted()) return deer_fail(DEER_EINTERRUPT, "interrupted");
    --*budget;
    a->step++;
    DEER_TRY(a->arrived ? arrive(a) : step(a));
  }
  /* cut short: what came last is kept, so that the last step can bootstrap from it */
  return a->own.ending == DEER_TERMINATED ? DEER_OK : observe(a);
}

deer_status deer_agent_episode(deer_agent *a, int64_t *budget) {
  a->in_episode = true;
  deer_lane_begin(&a->own);
  deer_status status = steps(a, budget);
  if (status == DEER_OK) return deer_lane_end(a, &a->own, (const void *const *)a->observation);
  a->in_episode = false;
  /* a later run must not go on from here as if nothing had happened */
  deer_replay_break(a->mode == -1 ? a->past.replay : a->test_set, 0);
  return status;
}

deer_status deer_agent_rest(deer_agent *a, int64_t *budget) {
  a->present = &a->own;
  a->in_episode = true;
  deer_status status = DEER_OK;
  for (; *budget > 0 && a->resting && !a->stopping && status == DEER_OK; --*budget) {
    a->step++;
    status = deer_interrupted() ? deer_fail(DEER_EINTERRUPT, "interrupted") : deer_agent_count(a);
    if (status == DEER_OK)
      status = deer_agent_signal(a, (deer_event){.signal = DEER_ON_ACTION_TAKEN});
  }
  a->in_episode = false;
  a->n_values = 0;
  a->last_episode = (deer_episode){.whole = false};
  return status == DEER_OK ? deer_agent_signal(a, (deer_event){.signal = DEER_ON_EPISODE_END})
                           : status;
}
