/* lane.c: one environment as the agent sees it: its state, the choice of an action, and what
 * becomes of what the action led to. */
#include "agent/internal.h"

#include <string.h>

/* ---- life ---- */

static deer_status make_memory(const deer_policy *policy, void **memory) {
  if (!policy || policy->kind->memory == 0) return DEER_OK;
  *memory = deer_alloc(policy->kind->memory);
  return *memory ? DEER_OK : DEER_ENOMEM;
}

deer_status deer_lane_init(deer_lane *lane, const deer_policy *train, const deer_policy *test) {
  DEER_TRY(make_memory(train, &lane->train_memory));
  return make_memory(test, &lane->test_memory);
}

void deer_lane_finish(deer_lane *lane) {
  deer_free(lane->train_memory);
  deer_free(lane->test_memory);
}

static void place(deer_lane *lane, const deer_space *space, int s, void *state) {
  const deer_subject *subject = &space->subjects[s];
  lane->state[s] = state;
  lane->bytes[s] = deer_subject_bytes(subject);
  lane->newest[s] = (char *)state + deer_history_bytes(subject) - lane->bytes[s];
}

void deer_lane_place(deer_lane *lane, const deer_space *space, const deer_answers *all) {
  for (int s = 0; s < space->n_subjects; s++) {
    size_t bytes = deer_history_bytes(&space->subjects[s]);
    place(lane, space, s, (char *)all->state[s] + (size_t)lane->number * bytes);
  }
}

deer_status deer_lane_reserve(deer_lane *lane, const deer_space *space) {
  for (int s = 0; s < space->n_subjects; s++) {
    void *state = deer_alloc(deer_history_bytes(&space->subjects[s]));
    if (!state) return DEER_ENOMEM;
    place(lane, space, s, state);
  }
  lane->action = deer_alloc_array((size_t)space->actions.size, sizeof *lane->action);
  return lane->action ? DEER_OK : DEER_ENOMEM;
}

void deer_lane_release(deer_lane *lane) {
  for (int s = 0; s < DEER_MAX_SUBJECTS; s++) deer_free(lane->state[s]);
  deer_free(lane->action);
}

/* ---- state ---- */

void deer_lane_begin(deer_lane *lane) {
  lane->unasked = true;
  lane->reward = lane->sum = lane->value_sum = 0;
  lane->steps = lane->n_values = 0;
  lane->ending = DEER_RUNNING;
}

void deer_lane_clear(deer_lane *lane, const deer_space *space) {
  for (int s = 0; s < space->n_subjects; s++)
    memset(lane->state[s], 0, deer_history_bytes(&space->subjects[s]));
}

void deer_lane_shift(deer_lane *lane, const deer_space *space, const void *const *observation) {
  for (int s = 0; s < space->n_subjects; s++) {
    char *state = lane->state[s], *newest = lane->newest[s];
    if (newest != state) memmove(state, state + lane->bytes[s], (size_t)(newest - state));
    memcpy(newest, observation[s], lane->bytes[s]);
  }
}

/* ---- action ---- */

static deer_status choose(deer_agent *a, deer_lane *lane, deer_answers *answers, double *value,
                          bool *greedy) {
  *value = 0;
  *greedy = false;
  if (a->overridden) return DEER_OK;
  if (a->mode == -1 && deer_experience_gathers(&a->past)) {
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

deer_status deer_lane_store(const deer_lane *lane, deer_replay *replay, const void *const *next) {
  deer_sample sample = {.observation = (const void *const *)lane->newest,
                        .action = lane->action,
                        .reward = lane->reward,
                        .ending = lane->ending,
                        .lane = lane->number};
  DEER_TRY(deer_replay_push(replay, &sample));
  if (!next || lane->ending == DEER_TERMINATED) return DEER_OK;
  return lane->ending == DEER_RUNNING ? deer_replay_follow(replay, lane->number, next)
                                      : deer_replay_close(replay, lane->number, next);
}

deer_status deer_lane_tell(const deer_lane *lane, deer_algo *algo) {
  deer_algo_observed(algo, (const void *const *)lane->newest);
  return deer_algo_rewarded(algo, lane->number, lane->reward, lane->ending != DEER_RUNNING);
}

static deer_replay *memory(const deer_agent *a) {
  return a->mode == -1 ? a->past.replay : a->test_set;
}

bool deer_agent_tells_ahead(const deer_agent *a) { return a->mode == -1 && a->past.horizon > 0; }

deer_status deer_agent_count(deer_agent *a) {
  bool trained, due = a->train_every > 0 && a->steps % a->train_every == 0;
  a->steps++;
  return due ? deer_agent_train(a, &trained) : DEER_OK;
}

static deer_status count(deer_agent *a, const deer_lane *lane) {
  if (a->mode != -1) {
    a->test_reward += lane->reward;
    return DEER_OK;
  }
  DEER_TRY(deer_lane_tell(lane, a->algo));
  return deer_agent_count(a);
}

deer_status deer_lane_took(deer_agent *a, deer_lane *lane, const void *const *next) {
  a->present = lane;
  lane->sum += lane->reward;
  lane->steps++;
  DEER_TRY(deer_lane_store(lane, memory(a), deer_agent_tells_ahead(a) ? next : NULL));
  DEER_TRY(count(a, lane));
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
