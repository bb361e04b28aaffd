/* episode.c: one episode: observe, choose, act, store, and the signals between. */
#include "agent/internal.h"

#include <math.h>
#include <string.h>

deer_status deer_agent_signal(deer_agent *agent, deer_event event) {
  if (!(agent->mask & 1u << event.signal)) return DEER_OK;
  return agent->listener(agent->listener_context, &event);
}

/* ---- state ---- */

/* the histories that the environment gives at its reset; the first observation will push out their
 * oldest entry */
static deer_status reset(deer_agent *a) {
  const deer_space *space = &a->env->space;
  for (int s = 0; s < space->n_subjects; s++) {
    const deer_subject *subject = &space->subjects[s];
    memset(a->state[s], 0, (size_t)subject->history * deer_subject_bytes(subject));
  }
  DEER_TRY(deer_env_reset(a->env, a->mode, a->state));
  return deer_state_check(space, (const void *const *)a->state);
}

/* the present observation, before it is shown to anybody */
static deer_status observe(deer_agent *a) {
  DEER_TRY(a->env->kind->observe(a->env, a->observation));
  return deer_observation_check(&a->env->space, (const void *const *)a->observation);
}

/* drops the oldest entry of each history and appends the present observation */
static void shift(deer_agent *a) {
  const deer_space *space = &a->env->space;
  for (int s = 0; s < space->n_subjects; s++) {
    size_t bytes = deer_subject_bytes(&space->subjects[s]);
    size_t rest = (size_t)(space->subjects[s].history - 1) * bytes;
    char *state = a->state[s];
    memmove(state, state + bytes, rest);
    memcpy(state + rest, a->observation[s], bytes);
  }
}

/* ---- action ---- */

static deer_replay *memory(const deer_agent *a) { return a->mode == -1 ? a->replay : a->test_set; }

static deer_status choose(deer_agent *a, double *value, bool *greedy) {
  *value = 0;
  *greedy = false;
  if (a->overridden) return DEER_OK;
  if (a->mode == -1 && deer_replay_count(a->replay) <= a->replay_start_size) {
    deer_random_action(&a->env->space.actions, &a->policy_rng, a->action);
    return DEER_OK;
  }
  deer_policy *policy = a->mode == -1 ? a->train_policy : a->test_policy;
  deer_choice choice = {.algo = a->algo,
                        .state = (const void *const *)a->state,
                        .mode = a->mode,
                        .first = a->unasked,
                        .memory = a->mode == -1 ? a->train_memory : a->test_memory,
                        .rng = &a->policy_rng};
  a->unasked = false;
  return policy->kind->choose(policy, &choice, a->action, value, greedy);
}

/* an action asked for by overrideNextAction takes the place of the chosen one */
static void apply_override(deer_agent *a, double *value, bool *greedy) {
  if (!a->overridden) return;
  memcpy(a->action, a->override, (size_t)a->env->space.actions.size * sizeof *a->action);
  a->overridden = false;
  *value = 0;
  *greedy = false;
}

static deer_status decide(deer_agent *a) {
  double value;
  bool greedy;
  DEER_TRY(choose(a, &value, &greedy));
  apply_override(a, &value, &greedy);
  DEER_TRY(
      deer_agent_signal(a, (deer_event){.signal = DEER_ON_ACTION_CHOSEN, .action = a->action}));
  apply_override(a, &value, &greedy);
  if (greedy) a->value_sum += value, a->n_values++;
  return deer_action_check(&a->env->space.actions, a->action);
}

/* ---- step ---- */

typedef struct outcome {
  double reward, sum; /* the last one, and all of the episode */
  int64_t steps;
  deer_ending ending;
} outcome;

/* counts the step, and learns if it is time */
static deer_status count(deer_agent *a, double reward) {
  bool trained;
  if (a->mode != -1) {
    a->test_reward += reward;
    return DEER_OK;
  }
  bool due = a->train_every > 0 && a->steps % a->train_every == 0;
  a->steps++;
  return due ? deer_agent_train(a, &trained) : DEER_OK;
}

static deer_status step(deer_agent *a, outcome *o) {
  DEER_TRY(observe(a));
  shift(a);
  DEER_TRY(decide(a));
  DEER_TRY(deer_env_act(a->env, a->action, &o->reward));
  DEER_TRY(deer_env_ending(a->env, &o->ending));
  if (!isfinite((deer_real)o->reward))
    return deer_fail(DEER_EDATA,
                     "the environment returned the reward %g (expected a finite number)",
                     isnan(o->reward) ? NAN : o->reward);
  o->sum += o->reward;
  o->steps++;
  deer_sample sample = {.observation = (const void *const *)a->observation,
                        .action = a->action,
                        .reward = o->reward,
                        .ending = o->ending};
  DEER_TRY(deer_replay_push(memory(a), &sample));
  DEER_TRY(count(a, o->reward));
  return deer_agent_signal(a, (deer_event){.signal = DEER_ON_ACTION_TAKEN});
}

static deer_status steps(deer_agent *a, int64_t *budget, outcome *o) {
  DEER_TRY(reset(a));
  while (*budget > 0 && o->ending == DEER_RUNNING && !a->stopping) {
    if (deer_interrupted()) return deer_fail(DEER_EINTERRUPT, "interrupted");
    --*budget;
    a->step++;
    DEER_TRY(step(a, o));
  }
  if (o->ending == DEER_TERMINATED) return DEER_OK;
  /* cut short: what came last is kept, so that the last step can bootstrap from it */
  DEER_TRY(observe(a));
  return deer_replay_close(memory(a), 0, (const void *const *)a->observation);
}

deer_status deer_agent_episode(deer_agent *a, int64_t *budget) {
  outcome o = {.ending = DEER_RUNNING};
  a->value_sum = 0;
  a->n_values = 0;
  a->in_episode = true;
  a->unasked = true;
  deer_status status = steps(a, budget, &o);
  a->in_episode = false;
  if (status != DEER_OK) {
    /* a later run must not go on from here as if nothing had happened */
    deer_replay_break(memory(a), 0);
    return status;
  }
  a->last_episode = (deer_episode){o.sum, o.steps, o.ending != DEER_RUNNING};
  if (a->mode != -1) a->n_test_episodes++;
  return deer_agent_signal(a, (deer_event){.signal = DEER_ON_EPISODE_END,
                                           .terminal = o.ending == DEER_TERMINATED,
                                           .reward = o.reward});
}
