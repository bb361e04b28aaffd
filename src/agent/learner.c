/* learner.c: where each lane stands in its episode, and what may come next. */
#include "agent/internal.h"
#include "agent/learner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum stage {
  FRESH,  /* before the first observation of an episode */
  SEEN,   /* an observation is the newest of the state */
  CHOSEN, /* and an action was chosen there */
  NEXT    /* what that led to is known, `next` */
} stage;

typedef struct seat {
  deer_lane lane;
  stage stage;
  bool loose;   /* nobody needs to tell what follows: the last choice did not explore */
  int choosing; /* choices at work, in which code of the user's may ask again */
  void *next[DEER_MAX_SUBJECTS]; /* [shape...] */
} seat;

struct deer_learner {
  deer_algo *algo;
  const deer_space *space; /* of the algo */
  deer_policy *policy;
  deer_experience past;
  deer_rng policy_rng;
  seat *seats;
  int n_seats;
  deer_answers answers; /* of the algo to the states of all seats, which lie there */
  deer_real *actions;   /* [n_seats, size] */
};

/* ---- life ---- */

static deer_status make_seat(deer_learner *l, int i) {
  seat *at = &l->seats[i];
  at->lane.number = i;
  at->lane.action = l->actions + (size_t)i * (size_t)l->space->actions.size;
  deer_lane_place(&at->lane, l->space, &l->answers);
  deer_lane_begin(&at->lane);
  for (int s = 0; s < l->space->n_subjects; s++) {
    at->next[s] = deer_alloc(deer_subject_bytes(&l->space->subjects[s]));
    if (!at->next[s]) return DEER_ENOMEM;
  }
  return deer_lane_init(&at->lane, l->policy, NULL);
}

static deer_status start(deer_learner *l, const deer_learner_config *c) {
  deer_experience_config past = {.algo = c->algo,
                                 .replay = c->replay,
                                 .options = c->replay_options,
                                 .n_options = c->n_replay_options,
                                 .lanes = c->lanes,
                                 .size = c->replay_memory_size,
                                 .start_size = c->replay_start_size,
                                 .only_full_history = c->only_full_history,
                                 .rng = c->rng};
  l->algo = c->algo;
  l->space = &c->algo->space;
  l->policy = c->policy;
  l->policy_rng = deer_rng_split(c->rng, "policy");
  if (c->policy->kind->check) DEER_TRY(c->policy->kind->check(c->policy, c->algo));
  DEER_TRY(deer_experience_init(&l->past, &past));
  l->n_seats = deer_replay_lanes(l->past.replay);
  l->seats = deer_alloc_array((size_t)l->n_seats, sizeof *l->seats);
  l->actions =
      deer_alloc_array((size_t)l->n_seats, (size_t)l->space->actions.size * sizeof *l->actions);
  if (!l->seats || !l->actions) return DEER_ENOMEM;
  DEER_TRY(deer_answers_init(&l->answers, l->space, l->n_seats));
  for (int i = 0; i < l->n_seats; i++) DEER_TRY(make_seat(l, i));
  return DEER_OK;
}

deer_status deer_learner_new(const deer_learner_config *config, deer_learner **learner) {
  *learner = NULL;
  deer_learner *made = deer_alloc(sizeof *made);
  if (!made) return DEER_ENOMEM;
  deer_status status = start(made, config);
  if (status == DEER_OK)
    *learner = made;
  else
    deer_learner_free(made);
  return status;
}

void deer_learner_free(deer_learner *l) {
  if (!l) return;
  for (int i = 0; l->seats && i < l->n_seats; i++) {
    for (int s = 0; s < DEER_MAX_SUBJECTS; s++) deer_free(l->seats[i].next[s]);
    deer_lane_finish(&l->seats[i].lane);
  }
  deer_free(l->seats);
  deer_free(l->actions);
  deer_answers_finish(&l->answers);
  deer_experience_finish(&l->past);
  deer_free(l);
}

/* ---- messages ---- */

/* a policy must not change the lane for which it chooses */
static deer_status check_idle(const seat *at) {
  if (!at->choosing) return DEER_OK;
  return deer_fail(DEER_ESTATE, "an action is being chosen: the policy can only ask for the best "
                                "one in the same state");
}

static deer_status find_seat(const deer_learner *l, int lane, seat **at) {
  *at = lane >= 0 && lane < l->n_seats ? &l->seats[lane] : NULL;
  if (*at) return DEER_OK;
  return deer_fail(DEER_ESTATE, "there is no environment %d (expected 0 to %d)", lane,
                   l->n_seats - 1);
}

/* says of which lane a message speaks; that of user code is left as it is */
static deer_status locate(const deer_learner *l, int lane, deer_status status) {
  if (status == DEER_OK || status == DEER_ECALLBACK || status == DEER_EINTERRUPT) return status;
  if (l->n_seats == 1 || lane < 0 || lane >= l->n_seats) return status;
  return deer_fail(status, "environment %d: %s", lane, deer_error());
}

/* ---- the state ---- */

/* -0 is 0 */
static bool same_reals(const deer_real *a, const deer_real *b, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (a[i] != b[i]) return false;
  return true;
}

static bool same(const deer_learner *l, const void *const *a, const void *const *b) {
  for (int s = 0; s < l->space->n_subjects; s++) {
    const deer_subject *subject = &l->space->subjects[s];
    size_t bytes = deer_subject_bytes(subject);
    if (subject->dtype == DEER_DTYPE_REAL ? !same_reals(a[s], b[s], bytes / sizeof(deer_real))
                                          : memcmp(a[s], b[s], bytes) != 0)
      return false;
  }
  return true;
}

/* the episode under way ends here, and another one may begin */
static void finish(deer_learner *l, seat *at) {
  deer_replay_break(l->past.replay, at->lane.number);
  deer_lane_clear(&at->lane, l->space);
  deer_lane_begin(&at->lane);
  at->stage = FRESH;
}

static void show(deer_learner *l, seat *at, const void *const *observation) {
  deer_lane_shift(&at->lane, l->space, observation);
  at->stage = SEEN;
}

/* is this the observation that is expected, also if it is not given? */
static bool follows(const deer_learner *l, const seat *at, const void *const *observation) {
  if (!observation || at->stage == FRESH) return true;
  if (at->stage == NEXT) return same(l, observation, (const void *const *)at->next);
  return same(l, observation, (const void *const *)at->lane.newest);
}

/* Can this be observed now? If not `loose`, what happens has to be one story. */
static deer_status check_follows(const deer_learner *l, const seat *at,
                                 const void *const *observation, bool loose) {
  if (at->stage == FRESH && !observation)
    return deer_fail(DEER_ESTATE, "an episode begins: expected its first observation");
  if (observation) DEER_TRY(deer_observation_check(l->space, observation));
  if (follows(l, at, observation)) return DEER_OK;
  if (at->stage == CHOSEN && !at->loose)
    return deer_fail(DEER_ESTATE, "the last action was chosen in another state, and what it led to "
                                  "was not observed (a reset begins a new episode)");
  if (at->stage == NEXT && !loose)
    return deer_fail(DEER_ESTATE, "the state is not the next state that was observed last (a reset "
                                  "begins a new episode)");
  return DEER_OK;
}

/* makes what check_follows accepts the newest of the state */
static void see(deer_learner *l, seat *at, const void *const *observation, bool loose) {
  if (!follows(l, at, observation)) {
    bool along = loose && at->stage != NEXT;
    if (!along) finish(l, at);
    show(l, at, observation);
  } else if (at->stage == FRESH) {
    show(l, at, observation);
  } else if (at->stage == NEXT) {
    show(l, at, (const void *const *)at->next);
  }
  at->loose = loose;
}

static deer_status check_and_see(deer_learner *l, int lane, const void *const *observation,
                                 bool loose) {
  seat *at;
  DEER_TRY(find_seat(l, lane, &at));
  DEER_TRY(check_idle(at));
  DEER_TRY(check_follows(l, at, observation, loose));
  see(l, at, observation, loose);
  return DEER_OK;
}

deer_status deer_learner_see(deer_learner *l, int lane, const void *const *observation) {
  seat *at = lane >= 0 && lane < l->n_seats ? &l->seats[lane] : NULL;
  if (at && at->choosing && follows(l, at, observation)) return DEER_OK; /* it is the newest */
  /* looking does not undo a choice that explored */
  bool loose = !(at && at->stage == CHOSEN && !at->loose);
  return locate(l, lane, check_and_see(l, lane, observation, loose));
}

/* ---- actions ---- */

/* Is the best action only looked at, while another one is under way, or chosen? */
static bool only_looks(const seat *at, bool explore) {
  return !explore && (at->choosing || (at->stage == CHOSEN && !at->loose));
}

/* Can an action be chosen now? A policy at work may ask for the best one in the same state. */
static deer_status check_choice(const deer_learner *l, const seat *at,
                                const void *const *observation, bool explore) {
  if (explore || !follows(l, at, observation)) DEER_TRY(check_idle(at));
  return check_follows(l, at, observation, !explore);
}

/* `answers` is NULL for one lane */
static deer_status pick(deer_learner *l, seat *at, bool explore, deer_answers *answers,
                        deer_real *action) {
  deer_lane *lane = &at->lane;
  deer_choice choice = {.algo = l->algo,
                        .state = (const void *const *)lane->state,
                        .mode = explore ? -1 : 0,
                        .first = lane->unasked,
                        .memory = lane->train_memory,
                        .rng = &l->policy_rng,
                        .answers = answers,
                        .row = lane->number};
  double value;
  bool greedy;
  if (!explore) return deer_choice_best(&choice, action, NULL);
  if (deer_experience_gathers(&l->past)) {
    deer_random_action(&l->space->actions, &l->policy_rng, action);
    return DEER_OK;
  }
  lane->unasked = false;
  return l->policy->kind->choose(l->policy, &choice, action, &value, &greedy);
}

static deer_status pick_checked(deer_learner *l, seat *at, bool explore, deer_answers *answers,
                                deer_real *action) {
  DEER_TRY(pick(l, at, explore, answers, action));
  return deer_action_check(&l->space->actions, action);
}

/* an action is to be chosen for this */
static void face(deer_learner *l, seat *at, const void *const *observation, bool explore) {
  see(l, at, observation, !explore);
  at->stage = SEEN;
}

/* the action is the lane's */
static void commit(const deer_learner *l, seat *at, const deer_real *action) {
  memcpy(at->lane.action, action, (size_t)l->space->actions.size * sizeof *action);
  at->stage = CHOSEN;
}

static deer_status choose(deer_learner *l, int lane, const void *const *observation, bool explore,
                          deer_real *action) {
  seat *at = &l->seats[lane];
  DEER_TRY(check_choice(l, at, observation, explore));
  bool looks = only_looks(at, explore);
  if (!looks) face(l, at, observation, explore);
  at->choosing++;
  deer_status status = pick_checked(l, at, explore, NULL, action);
  at->choosing--;
  if (status == DEER_OK && !looks) commit(l, at, action);
  return status;
}

deer_status deer_learner_choose(deer_learner *l, int lane, const void *const *observation,
                                bool explore, deer_real *action) {
  seat *at;
  DEER_TRY(find_seat(l, lane, &at));
  return locate(l, lane, choose(l, lane, observation, explore, action));
}

/* what lane i observes, of the observations of all */
static const void *const *row(const deer_learner *l, const void *const *all, int i,
                              const void **to) {
  for (int s = 0; all && s < l->space->n_subjects; s++)
    to[s] = (const char *)all[s] + (size_t)i * l->seats[i].lane.bytes[s];
  return all ? to : NULL;
}

/* all lanes are at it until the last one has its action */
static deer_status pick_all(deer_learner *l, bool explore, deer_real *actions) {
  size_t size = (size_t)l->space->actions.size;
  deer_status status = DEER_OK;
  for (int i = 0; i < l->n_seats; i++) l->seats[i].choosing++;
  deer_answers_forget(&l->answers);
  for (int i = 0; i < l->n_seats && status == DEER_OK; i++) {
    deer_real *action = actions + (size_t)i * size;
    status = locate(l, i, pick_checked(l, &l->seats[i], explore, &l->answers, action));
  }
  for (int i = 0; i < l->n_seats; i++) l->seats[i].choosing--;
  return status;
}

deer_status deer_learner_choose_all(deer_learner *l, const void *const *observations, bool explore,
                                    deer_real *actions) {
  const void *of[DEER_MAX_SUBJECTS];
  for (int i = 0; i < l->n_seats; i++) {
    const void *const *observation = row(l, observations, i, of);
    DEER_TRY(locate(l, i, check_choice(l, &l->seats[i], observation, explore)));
  }
  for (int i = 0; i < l->n_seats; i++)
    if (!only_looks(&l->seats[i], explore))
      face(l, &l->seats[i], row(l, observations, i, of), explore);
  DEER_TRY(pick_all(l, explore, actions));
  size_t size = (size_t)l->space->actions.size;
  for (int i = 0; i < l->n_seats; i++)
    if (!only_looks(&l->seats[i], explore)) commit(l, &l->seats[i], actions + (size_t)i * size);
  return DEER_OK;
}

/* ---- what they led to ---- */

static deer_status check_outcome(const deer_learner *l, const seat *at, const deer_outcome *o) {
  DEER_TRY(check_follows(l, at, o->observation, false));
  bool chosen = at->stage == CHOSEN && follows(l, at, o->observation);
  if (!o->action && !chosen)
    return deer_fail(DEER_ESTATE, "no action was chosen: expected one, or a choice before");
  if (o->action) DEER_TRY(deer_action_check(&l->space->actions, o->action));
  if (!isfinite((deer_real)o->reward))
    return deer_fail(DEER_EDATA, "the reward is %g (expected a finite number)",
                     isnan(o->reward) ? NAN : o->reward);
  if (o->ending == DEER_TERMINATED) return DEER_OK;
  if (!o->next)
    return deer_fail(DEER_EINVAL, "the episode goes on, or was cut short: expected what was "
                                  "observed next");
  deer_status status = deer_observation_check(l->space, o->next);
  return status == DEER_OK ? DEER_OK : deer_fail(status, "what came next: %s", deer_error());
}

/* what has been checked cannot fail but for want of memory for statistics */
static deer_status take(deer_learner *l, seat *at, const deer_outcome *o) {
  deer_lane *lane = &at->lane;
  see(l, at, o->observation, false);
  if (o->action)
    memcpy(lane->action, o->action, (size_t)l->space->actions.size * sizeof *o->action);
  lane->reward = o->reward;
  lane->ending = o->ending;
  DEER_TRY(deer_lane_store(lane, l->past.replay, o->next));
  at->stage = NEXT;
  for (int s = 0; s < l->space->n_subjects && o->ending == DEER_RUNNING; s++)
    memcpy(at->next[s], o->next[s], deer_subject_bytes(&l->space->subjects[s]));
  deer_status status = deer_lane_tell(lane, l->algo);
  if (o->ending != DEER_RUNNING) finish(l, at);
  return status;
}

deer_status deer_learner_observe(deer_learner *l, const deer_outcome *outcome) {
  seat *at;
  DEER_TRY(find_seat(l, outcome->lane, &at));
  deer_status status = check_idle(at);
  if (status == DEER_OK) status = check_outcome(l, at, outcome);
  if (status == DEER_OK) status = take(l, at, outcome);
  return locate(l, outcome->lane, status);
}

/* ---- the rest ---- */

deer_status deer_learner_update(deer_learner *l, bool *learnt, double *loss) {
  deer_status status = deer_experience_learn(&l->past, loss);
  *learnt = status == DEER_OK;
  return status == DEER_EAGAIN ? DEER_OK : status;
}

deer_status deer_learner_reset(deer_learner *l, int lane, const void *const *history) {
  seat *at;
  DEER_TRY(find_seat(l, lane, &at));
  DEER_TRY(locate(l, lane, check_idle(at)));
  if (history) DEER_TRY(locate(l, lane, deer_state_check(l->space, history)));
  finish(l, at);
  for (int s = 0; history && s < l->space->n_subjects; s++) {
    const deer_subject *subject = &l->space->subjects[s];
    memcpy(at->lane.state[s], history[s], deer_history_bytes(subject));
  }
  return DEER_OK;
}

const void *const *deer_learner_state(const deer_learner *l, int lane) {
  if (lane < 0 || lane >= l->n_seats) return NULL;
  return (const void *const *)l->seats[lane].lane.state;
}

int deer_learner_lanes(const deer_learner *l) { return l->n_seats; }
deer_replay *deer_learner_replay(const deer_learner *l) { return l->past.replay; }
