/* lane.c: one environment as the agent sees it: its state, the choice of an action, and what
 * becomes of what the action led to. */
#include "agent/internal.h"

#include <math.h>
#include <string.h>

/* ---- life ---- */

static deer_status make_memory(const deer_policy *policy, void **memory) {
  if (policy->kind->memory == 0) return DEER_OK;
  *memory = deer_alloc(policy->kind->memory);
  return *memory ? DEER_OK : DEER_ENOMEM;
}

deer_status deer_lane_init(deer_lane *lane, const deer_agent *a) {
  DEER_TRY(make_memory(a->train_policy, &lane->train_memory));
  return make_memory(a->test_policy, &lane->test_memory);
}

void deer_lane_finish(deer_lane *lane) {
  deer_free(lane->train_memory);
  deer_free(lane->test_memory);
}

/* ---- state ---- */

void deer_lane_begin(deer_lane *lane) {
  lane->unasked = true;
  lane->reward = lane->sum = lane->value_sum = 0;
  lane->steps = lane->n_values = 0;
  lane->ending = DEER_RUNNING;
}

void deer_lane_shift(const deer_agent *a, deer_lane *lane, const void *const *observation) {
  const deer_space *space = &a->env->space;
  for (int s = 0; s < space->n_subjects; s++) {
    size_t bytes = deer_subject_bytes(&space->subjects[s]);
    size_t rest = (size_t)(space->subjects[s].history - 1) * bytes;
    char *state = lane->state[s];
    memmove(state, state + bytes, rest);
    memcpy(state + rest, observation[s], bytes);
  }
}

/* ---- action ---- */

/* does the agent gather samples by chance before it learns? */
static bool gathers(const deer_agent *a) {
  return a->mode == -1 && a->horizon == 0 && deer_replay_count(a->replay) <= a->replay_start_size;
}

static deer_status choose(deer_agent *a, deer_lane *lane, deer_answers *answers, double *value,
                          bool *greedy) {
  *value = 0;
  *greedy = false;
  if (a->overridden) return DEER_OK;
  if (gathers(a)) {
    deer_random_action(&a->env->space.actions, &a->policy_rng, lane->action);
    return DEER_OK;
  }
  deer_policy *policy = a->mode == -1 ? a->train_policy : a->test_policy;
  deer_choice choice = {.algo = a->algo,
                        .state = (const void *const *)lane->state,
                        .mode = a->mode,
                        .first = lane->unasked,
                        .memory = a->mode == -1 ? lane->train_memory : lane->test_memory,
                        .rng = &a->policy_rng,
                        .answers = answers,
                        .row = lane->number};
  lane->unasked = false;
  return policy->kind->choose(policy, &choice, lane->action, value, greedy);
}

/* an action asked for by overrideNextAction takes the place of the chosen one */
static void apply_override(deer_agent *a, deer_lane *lane, double *value, bool *greedy) {
  if (!a->overridden) return;
  memcpy(lane->action, a->override, (size_t)a->env->space.actions.size * sizeof *lane->action);
  a->overridden = false;
  *value = 0;
  *greedy = false;
}

deer_status deer_lane_decide(deer_agent *a, deer_lane *lane, deer_answers *answers) {
  double value;
  bool greedy;
  a->present = lane;
  DEER_TRY(choose(a, lane, answers, &value, &greedy));
  apply_override(a, lane, &value, &greedy);
  DEER_TRY(
      deer_agent_signal(a, (deer_event){.signal = DEER_ON_ACTION_CHOSEN, .action = lane->action}));
  apply_override(a, lane, &value, &greedy);
  if (greedy) lane->value_sum += value, lane->n_values++;
  return deer_action_check(&a->env->space.actions, lane->action);
}

/* ---- what it led to ---- */

static deer_replay *memory(const deer_agent *a) { return a->mode == -1 ? a->replay : a->test_set; }

bool deer_agent_tells_ahead(const deer_agent *a) { return a->mode == -1 && a->horizon > 0; }

deer_status deer_agent_count(deer_agent *a) {
  bool trained, due = a->train_every > 0 && a->steps % a->train_every == 0;
  a->steps++;
  return due ? deer_agent_train(a, &trained) : DEER_OK;
}

static deer_status count(deer_agent *a, const deer_sample *sample) {
  bool over = sample->ending != DEER_RUNNING;
  if (a->mode != -1) {
    a->test_reward += sample->reward;
    return DEER_OK;
  }
  deer_algo_observed(a->algo, sample->observation);
  DEER_TRY(deer_algo_rewarded(a->algo, sample->lane, sample->reward, over));
  return deer_agent_count(a);
}

/* the observation that the action was chosen by: the newest entry of the histories */
static void newest(const deer_agent *a, const deer_lane *lane, const void **observation) {
  for (int s = 0; s < a->env->space.n_subjects; s++) {
    const deer_subject *subject = &a->env->space.subjects[s];
    size_t older = (size_t)(subject->history - 1) * deer_subject_bytes(subject);
    observation[s] = (const char *)lane->state[s] + older;
  }
}

deer_status deer_lane_took(deer_agent *a, deer_lane *lane, const void *const *next) {
  const void *observation[DEER_MAX_SUBJECTS];
  a->present = lane;
  lane->sum += lane->reward;
  lane->steps++;
  newest(a, lane, observation);
  deer_sample sample = {.observation = observation,
                        .action = lane->action,
                        .reward = lane->reward,
                        .ending = lane->ending,
                        .lane = lane->number};
  DEER_TRY(deer_replay_push(memory(a), &sample));
  if (deer_agent_tells_ahead(a) && lane->ending != DEER_TERMINATED)
    DEER_TRY(lane->ending == DEER_RUNNING ? deer_replay_follow(a->replay, lane->number, next)
                                          : deer_replay_close(a->replay, lane->number, next));
  DEER_TRY(count(a, &sample));
  return deer_agent_signal(a, (deer_event){.signal = DEER_ON_ACTION_TAKEN});
}

deer_status deer_lane_end(deer_agent *a, deer_lane *lane, const void *const *last) {
  a->present = lane;
  a->in_episode = false; /* so that a listener may run others */
  bool known = lane->ending == DEER_TERMINATED ||
               (lane->ending == DEER_TRUNCATED && deer_agent_tells_ahead(a));
  if (!known) DEER_TRY(deer_replay_close(memory(a), lane->number, last));
  a->value_sum = lane->value_sum;
  a->n_values = lane->n_values;
  a->last_episode = (deer_episode){lane->sum, lane->steps, lane->ending != DEER_RUNNING};
  if (a->mode != -1) a->n_test_episodes++;
  return deer_agent_signal(a, (deer_event){.signal = DEER_ON_EPISODE_END,
                                           .terminal = lane->ending == DEER_TERMINATED,
                                           .reward = lane->reward});
}
