/* agent.c: life, epochs, modes, training and statistics of the agent. */
#include "agent/internal.h"
#include "base/log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- life ---- */

static deer_status check_policy(const deer_policy *policy, const deer_algo *algo) {
  return policy->kind->check ? policy->kind->check(policy, algo) : DEER_OK;
}

static deer_status check_turns(const deer_agent_config *c, int64_t horizon) {
  if (!c->in_turn || (c->n_envs == 0 && horizon == 0)) return DEER_OK;
  return deer_fail(DEER_EINVAL,
                   "epochs as in DeeR 0.2 are for one environment and an algorithm that "
                   "learns from old samples");
}

static deer_status check(const deer_agent_config *c) {
  if (!deer_space_equal(&c->algo->space, &c->env->space))
    return deer_fail(DEER_EINVAL, "the algorithm was made for another environment");
  if (c->n_envs > 0 && !deer_space_equal(&c->algo->space, &c->envs[0]->space))
    return deer_fail(DEER_EINVAL, "the environments to train in have another space");
  DEER_TRY(check_policy(c->train_policy, c->algo));
  return check_policy(c->test_policy, c->algo);
}

static deer_status make_own(deer_agent *a) {
  const deer_space *space = &a->env->space;
  for (int s = 0; s < space->n_subjects; s++) {
    a->observation[s] = deer_alloc(deer_subject_bytes(&space->subjects[s]));
    if (!a->observation[s]) return DEER_ENOMEM;
  }
  DEER_TRY(deer_lane_reserve(&a->own, space));
  return deer_lane_init(&a->own, a->train_policy, a->test_policy);
}

static deer_status make_past(deer_agent *a, const deer_agent_config *c) {
  deer_experience_config config = {.algo = c->algo,
                                   .replay = c->replay,
                                   .options = c->replay_options,
                                   .n_options = c->n_replay_options,
                                   .lanes = c->n_envs,
                                   .size = c->replay_memory_size,
                                   .start_size = c->replay_start_size,
                                   .only_full_history = c->only_full_history,
                                   .rng = c->rng};
  return deer_experience_init(&a->past, &config);
}

static deer_status start(deer_agent *a, const deer_agent_config *c) {
  DEER_TRY(check(c));
  a->env = c->env;
  a->algo = c->algo;
  a->train_policy = c->train_policy;
  a->test_policy = c->test_policy;
  a->mode = -1;
  a->present = &a->own;
  a->train_every = c->train_every;
  a->in_turn = c->in_turn;
  a->sticky = 1;
  a->policy_rng = deer_rng_split(c->rng, "policy");
  DEER_TRY(make_past(a, c));
  DEER_TRY(check_turns(c, a->past.horizon));
  DEER_TRY(make_own(a));
  a->n_envs = c->n_envs;
  return a->n_envs > 0 ? deer_agent_make_lanes(a, c->envs, c->group) : DEER_OK;
}

deer_status deer_agent_new(const deer_agent_config *config, deer_agent **agent) {
  *agent = NULL;
  deer_agent *made = deer_alloc(sizeof *made);
  if (!made) return DEER_ENOMEM;
  deer_status status = start(made, config);
  if (status == DEER_OK)
    *agent = made;
  else
    deer_agent_free(made);
  return status;
}

void deer_agent_free(deer_agent *a) {
  if (!a) return;
  for (int s = 0; s < DEER_MAX_SUBJECTS; s++) deer_free(a->observation[s]);
  deer_lane_release(&a->own);
  deer_lane_finish(&a->own);
  deer_agent_free_lanes(a);
  deer_experience_finish(&a->past);
  deer_replay_free(a->test_set);
  deer_free(a);
}

void deer_agent_listen(deer_agent *a, deer_listener *listener, void *context, unsigned mask) {
  a->listener = listener;
  a->listener_context = context;
  a->mask = listener ? mask : 0;
}

/* ---- run ---- */

/* as many of *length steps as belong together */
static deer_status some_steps(deer_agent *a, int64_t *length) {
  if (a->mode != -1) return deer_agent_episode(a, length);
  if (a->resting) return deer_agent_rest(a, length);
  if (a->n_envs == 0) return deer_agent_episode(a, length);
  int64_t all = *length;
  *length = 0;
  return deer_agent_together(a, all);
}

/* one epoch of `length` steps in the present mode */
static deer_status epoch(deer_agent *a, int64_t length) {
  bool training = a->mode == -1;
  a->step = 0;
  if (training || a->in_turn) a->loss_sum = 0, a->n_losses = 0, a->n_refused = 0;
  while (length > 0 && !a->stopping) DEER_TRY(some_steps(a, &length));
  if (training) {
    a->epochs++;
    /* episodes shorter than the history would otherwise pass in silence */
    if (a->n_refused > 0 && a->n_losses == 0)
      deer_log_write(DEER_LOG_WARNING,
                     "epoch %lld: %lld updates asked for, none done: no sample has a full history",
                     (long long)a->epoch, (long long)a->n_refused);
  }
  return deer_agent_signal(a, (deer_event){.signal = DEER_ON_EPOCH_END});
}

/* says where it happened; the message of user code and of Ctrl-C is left as it is */
static deer_status locate(const deer_agent *a, deer_status status, const char *kind) {
  if (status == DEER_OK || status == DEER_ECALLBACK || status == DEER_EINTERRUPT) return status;
  return deer_fail(status, "%s %lld, step %lld: %s", kind, (long long)a->epoch, (long long)a->step,
                   deer_error());
}

static deer_status located_epoch(deer_agent *a, int64_t length) {
  const char *kind = a->mode == -1 ? "epoch" : "test epoch";
  return locate(a, epoch(a, length), kind);
}

/* the test epochs that listeners have asked for; at the end of each they may ask for another */
static deer_status tests_in_turn(deer_agent *a) {
  while (a->mode != -1 && !a->stopping) {
    int64_t length = a->test_length;
    if (length == 0)
      return deer_fail(DEER_ESTATE, "test mode %d was not left at the end of its epoch", a->mode);
    a->test_length = 0;
    DEER_TRY(located_epoch(a, length));
  }
  return DEER_OK;
}

static deer_status epochs(deer_agent *a, int64_t n_epochs, int64_t length) {
  bool in_turn = a->in_turn && a->mode == -1;
  a->test_length = 0;
  for (a->epoch = 1; a->epoch <= n_epochs && !a->stopping; a->epoch++) {
    DEER_TRY(located_epoch(a, length));
    if (in_turn) DEER_TRY(tests_in_turn(a));
  }
  return DEER_OK;
}

/* the first of several failures, which is the one to report */
typedef struct failure {
  deer_status status;
  char message[2048];
} failure;

static void keep_first(failure *first, deer_status status) {
  if (first->status != DEER_OK || status == DEER_OK) return;
  first->status = status;
  snprintf(first->message, sizeof first->message, "%s", deer_error());
}

static deer_status stop(deer_env *env) { return env->kind->stop ? env->kind->stop(env) : DEER_OK; }

static deer_status training(deer_agent *a, int64_t n_epochs, int64_t length) {
  failure first = {.status = DEER_OK};
  deer_status status = deer_agent_signal(a, (deer_event){.signal = DEER_ON_START});
  if (status == DEER_OK) status = epochs(a, n_epochs, length);
  /* a test epoch that failed or was stopped has not been left */
  if (status != DEER_OK || a->stopping) a->mode = -1;
  keep_first(&first, status);
  /* the end is told also when it comes early */
  keep_first(&first, stop(a->env));
  for (int i = 0; i < a->n_envs; i++) keep_first(&first, stop(a->envs[i]));
  keep_first(&first, deer_agent_signal(a, (deer_event){.signal = DEER_ON_END}));
  return first.status == DEER_OK ? DEER_OK : deer_fail(first.status, "%s", first.message);
}

deer_status deer_agent_run(deer_agent *a, int64_t n_epochs, int64_t length) {
  if (a->in_episode) return deer_fail(DEER_ESTATE, "run inside an episode");
  if (n_epochs < 0 || length < 1)
    return deer_fail(DEER_EINVAL,
                     "run: %lld epochs of %lld steps (expected at least 0 of at least 1)",
                     (long long)n_epochs, (long long)length);
  int64_t outer_epoch = a->epoch, outer_step = a->step;
  deer_status status;
  if (a->mode != -1) {
    if (!a->in_training_run) a->stopping = false;
    status = epochs(a, n_epochs, length);
  } else if (a->in_training_run) {
    return deer_fail(DEER_ESTATE, "run in training mode inside another run");
  } else {
    a->in_training_run = true;
    a->stopping = false;
    status = training(a, n_epochs, length);
    a->in_training_run = false;
  }
  a->epoch = outer_epoch;
  a->step = outer_step;
  return status;
}

void deer_agent_stop(deer_agent *a) { a->stopping = true; }

/* ---- training ---- */

deer_status deer_agent_train(deer_agent *a, bool *trained) {
  *trained = false;
  if (deer_experience_gathers(&a->past)) return DEER_OK;
  double loss;
  deer_status status = deer_experience_learn(&a->past, &loss);
  if (status == DEER_EAGAIN) {
    /* an algo that learns from fresh samples waits until there are enough */
    if (a->past.horizon == 0) a->n_refused++;
    return DEER_OK;
  }
  DEER_TRY(status);
  a->loss_sum += loss;
  a->n_losses++;
  *trained = true;
  return DEER_OK;
}

/* ---- modes ---- */

void deer_agent_set_gathering(deer_agent *a, bool gathering) { a->resting = !gathering; }

deer_status deer_agent_set_sticky(deer_agent *a, int64_t times) {
  if (times < 1)
    return deer_fail(DEER_EINVAL, "each action done %lld times (expected at least 1)",
                     (long long)times);
  a->sticky = times;
  return DEER_OK;
}

deer_status deer_agent_start_mode(deer_agent *a, int mode, int64_t length) {
  if (a->in_episode) return deer_fail(DEER_ESTATE, "startMode inside an episode");
  if (mode < 0) return deer_fail(DEER_EINVAL, "startMode: mode %d (expected at least 0)", mode);
  if (length < 1)
    return deer_fail(DEER_EINVAL, "startMode: %lld steps (expected at least 1)", (long long)length);
  deer_replay_config config = {.space = &a->env->space,
                               .capacity = deer_experience_test_size(&a->past, length),
                               .only_full_history = a->past.only_full_history};
  deer_replay *fresh;
  DEER_TRY(deer_replay_new(deer_replay_find("uniform"), &config, &fresh));
  deer_replay_free(a->test_set);
  a->test_set = fresh;
  a->mode = mode;
  a->test_length = length;
  a->test_reward = 0;
  a->n_test_episodes = 0;
  return DEER_OK;
}

deer_status deer_agent_resume_training(deer_agent *a) {
  if (a->in_episode) return deer_fail(DEER_ESTATE, "resumeTrainingMode inside an episode");
  a->mode = -1;
  return DEER_OK;
}

int deer_agent_mode(const deer_agent *a) { return a->mode; }

deer_status deer_agent_summarize(deer_agent *a) {
  if (a->mode == -1 || !a->test_set)
    return deer_fail(DEER_ESTATE, "summarizeTestPerformance: there is no test epoch to summarize");
  return a->env->kind->summarize ? a->env->kind->summarize(a->env, a->test_set) : DEER_OK;
}

deer_status deer_agent_override_action(deer_agent *a, const deer_real *action) {
  DEER_TRY(deer_action_check(&a->env->space.actions, action));
  memcpy(a->override, action, (size_t)a->env->space.actions.size * sizeof *action);
  a->overridden = true;
  return DEER_OK;
}

/* ---- statistics ---- */

double deer_agent_mean_loss(const deer_agent *a, int64_t *n) {
  *n = a->n_losses;
  return *n > 0 ? a->loss_sum / (double)*n : -1;
}

double deer_agent_mean_value(const deer_agent *a, int64_t *n) {
  *n = a->n_values;
  return *n > 0 ? a->value_sum / (double)*n : 0;
}

double deer_agent_test_score(const deer_agent *a, int64_t *n_episodes) {
  *n_episodes = a->n_test_episodes;
  return *n_episodes > 0 ? a->test_reward / (double)*n_episodes : 0;
}

int deer_agent_lane(const deer_agent *a) { return a->present->number; }
const void *const *deer_agent_state(const deer_agent *a) {
  return (const void *const *)a->present->state;
}
deer_episode deer_agent_last_episode(const deer_agent *a) { return a->last_episode; }
int64_t deer_agent_steps(const deer_agent *a) { return a->steps; }
int64_t deer_agent_epochs(const deer_agent *a) { return a->epochs; }
deer_replay *deer_agent_replay(const deer_agent *a) { return a->past.replay; }
deer_replay *deer_agent_test_set(const deer_agent *a) { return a->test_set; }
