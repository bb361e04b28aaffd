/* agent_rig.h: an agent with an environment and an algorithm that follow a script and note down
 * what happens. For tests of the step loop. */
#ifndef AGENT_RIG_H
#define AGENT_RIG_H

#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- what happened ---- */

enum { MOST_EVENTS = 400, MOST_ACTIONS = 4096 };

static char events[MOST_EVENTS][96];
static int n_events;
static int actions[MOST_ACTIONS], n_actions;

static inline void note(const char *format, ...) DEER_PRINTF(1, 2);
static inline void note(const char *format, ...) {
  if (n_events == MOST_EVENTS) return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(events[n_events++], sizeof events[0], format, arguments);
  va_end(arguments);
}

static inline const char *last_event(int back) {
  return n_events > back ? events[n_events - 1 - back] : "";
}

/* ---- an environment that follows a script: in step n of episode k one observes 100 k + n and
 * 10 n, the n-th action earns n ---- */

typedef enum callback { NONE, RESET, OBSERVE, ACT, ENDING, STOP, LEARN, BEST } callback;

typedef struct fault {
  callback in;
  int at; /* the n-th call fails */
  deer_status status;
} fault;

static fault planned;

static inline deer_status maybe_fail(callback in) {
  if (planned.in != in || --planned.at != 0) return DEER_OK;
  return deer_fail(planned.status, "boom");
}

typedef struct task {
  deer_env base;
  int64_t terminal_at, truncated_at, actions; /* 0 for never */
  int episode, step;
  double wrong_reward, wrong_observation, wrong_history; /* 0 for none */
  int wrong_at;                                          /* step */
} task;

static inline deer_status task_init(deer_env *self, const deer_rng *rng) {
  (void)rng;
  self->space = (deer_space){
      .n_subjects = 2,
      .subjects = {{3, DEER_SCALAR, DEER_DTYPE_REAL}, {1, DEER_SCALAR, DEER_DTYPE_REAL}},
      .actions = {.n = (int)((task *)self)->actions, .size = 1}};
  return DEER_OK;
}

static inline deer_status task_reset(deer_env *self, int mode, void *const *history) {
  task *t = (task *)self;
  note("reset %d", mode);
  DEER_TRY(maybe_fail(RESET));
  t->episode++;
  t->step = 0;
  deer_real *h = history[0];
  for (int i = 0; i < 3; i++) {
    if (h[i] != 0) return deer_fail(DEER_ESTATE, "the history is not zeroed");
    h[i] = (deer_real)(-1 - i);
  }
  if (t->wrong_history != 0) h[1] = (deer_real)t->wrong_history;
  return DEER_OK;
}

static inline deer_status task_act(deer_env *self, const deer_real *action, double *reward) {
  task *t = (task *)self;
  DEER_TRY(maybe_fail(ACT));
  *reward = ++t->step;
  if (t->wrong_reward != 0 && t->step == t->wrong_at) *reward = t->wrong_reward;
  note("act %d reward %g", (int)*action, *reward);
  if (n_actions < MOST_ACTIONS) actions[n_actions++] = (int)*action;
  return DEER_OK;
}

static inline deer_status task_observe(deer_env *self, void *const *observation) {
  task *t = (task *)self;
  DEER_TRY(maybe_fail(OBSERVE));
  *(deer_real *)observation[0] = (deer_real)(100 * t->episode + t->step);
  *(deer_real *)observation[1] = (deer_real)(10 * t->step);
  if (t->wrong_observation != 0 && t->step == t->wrong_at)
    *(deer_real *)observation[1] = (deer_real)t->wrong_observation;
  return DEER_OK;
}

static inline deer_status task_ending(deer_env *self, deer_ending *ending) {
  task *t = (task *)self;
  DEER_TRY(maybe_fail(ENDING));
  *ending = t->step == t->terminal_at    ? DEER_TERMINATED
            : t->step == t->truncated_at ? DEER_TRUNCATED
                                         : DEER_RUNNING;
  return DEER_OK;
}

static inline deer_status task_summarize(deer_env *self, deer_replay *set) {
  (void)self;
  char endings[64] = "";
  int64_t slot = -1;
  for (size_t i = 0; deer_replay_next(set, &slot) && i < sizeof endings - 1; i++)
    endings[i] = deer_replay_ending(set, slot) == DEER_TERMINATED ? 'T' : '-';
  note("summarize %s", endings);
  return DEER_OK;
}

static inline deer_status task_stop(deer_env *self) {
  (void)self;
  note("stop");
  return maybe_fail(STOP);
}

static const deer_field task_fields[] = {
    {"terminal_at", DEER_FIELD_INT, offsetof(task, terminal_at), .max = 1000},
    {"truncated_at", DEER_FIELD_INT, offsetof(task, truncated_at), .max = 1000},
    {"actions", DEER_FIELD_INT, offsetof(task, actions), .fallback = 1, .min = 1, .max = 10},
    {0}};

static const deer_env_class task_class = {.abi = DEER_ENV_ABI,
                                          .name = "task",
                                          .size = sizeof(task),
                                          .fields = task_fields,
                                          .init = task_init,
                                          .reset = task_reset,
                                          .act = task_act,
                                          .observe = task_observe,
                                          .ending = task_ending,
                                          .summarize = task_summarize,
                                          .stop = task_stop};

/* ---- an algorithm that follows a script: action 0 is best and worth 1.5, the k-th update has the
 * loss k / 2 ---- */

typedef struct learner {
  deer_algo base;
  int updates, chosen;
} learner;

static inline deer_status learner_init(deer_algo *self, const deer_net_spec *net,
                                       const deer_rng *rng) {
  (void)net, (void)rng;
  self->batch_size = 4;
  return DEER_OK;
}

static inline deer_status learner_act(deer_algo *self, const void *const *state, deer_real *action,
                                      double *value) {
  const deer_real *s = state[0];
  note("best %g %g %g | %g", (double)s[0], (double)s[1], (double)s[2],
       (double)*(const deer_real *)state[1]);
  DEER_TRY(maybe_fail(BEST));
  ((learner *)self)->chosen++;
  *action = 0;
  if (value) *value = 1.5;
  return DEER_OK;
}

static inline deer_status learner_learn(deer_algo *self, deer_replay *replay, deer_rng *rng,
                                        double *loss) {
  learner *l = (learner *)self;
  DEER_TRY(maybe_fail(LEARN));
  deer_real reward[4];
  deer_batch batch = {.size = 4, .r_t = reward};
  DEER_TRY(deer_replay_sample(replay, rng, &batch));
  note("learn %d", ++l->updates);
  *loss = 0.5 * l->updates;
  return DEER_OK;
}

static const deer_algo_class learner_class = {.abi = DEER_ALGO_ABI,
                                              .name = "learner",
                                              .caps = DEER_ALGO_DISCRETE,
                                              .size = sizeof(learner),
                                              .init = learner_init,
                                              .act = learner_act,
                                              .learn = learner_learn};

/* ---- all of it together ---- */

typedef struct rig {
  deer_env *env;
  deer_algo *algo;
  deer_epsilon_greedy train, test;
  deer_policy *policy; /* of training; NULL for `train` */
  deer_agent *agent;
  /* what listeners keep */
  int chosen, taken, episodes, epochs, extra;
  double epsilon, next_epsilon;
  uint64_t calls;
  deer_signal fail_in;
  char seen[64];
} rig;

typedef struct settings {
  int terminal_at, truncated_at, actions;
  int64_t memory, start; /* 0 for 100 and for the longest history */
  bool any_history, in_turn;
  uint64_t seed;
} settings;

static inline deer_option number(const char *name, double x) {
  return (deer_option){name, {.type = DEER_VALUE_NUMBER, .number = x}};
}

static inline deer_status rig_start(rig *r, settings c) {
  n_events = n_actions = 0;
  planned = (fault){0};
  deer_rng rng = deer_rng_seed(c.seed);
  deer_option options[] = {number("terminal_at", c.terminal_at),
                           number("truncatedAt", c.truncated_at),
                           number("actions", c.actions ? c.actions : 1)};
  DEER_TRY(deer_env_new(&task_class, options, 3, &rng, &r->env));
  deer_algo_config algo = {.space = &r->env->space, .rng = &rng};
  DEER_TRY(deer_algo_new(&learner_class, &algo, &r->algo));
  r->train = r->test = deer_epsilon_greedy_make(0);
  deer_agent_config agent = {.env = r->env,
                             .algo = r->algo,
                             .train_policy = r->policy ? r->policy : &r->train.base,
                             .test_policy = &r->test.base,
                             .replay = deer_replay_find("uniform"),
                             .replay_memory_size = c.memory ? c.memory : 100,
                             .replay_start_size = c.start ? c.start : -1,
                             .only_full_history = !c.any_history,
                             .in_turn = c.in_turn,
                             .rng = &rng};
  return deer_agent_new(&agent, &r->agent);
}

static inline void rig_end(rig *r) {
  deer_agent_free(r->agent);
  deer_algo_free(r->algo);
  deer_env_free(r->env);
}

static inline void rig_new(rig *r, settings c, deer_listener *listener) {
  assert_int_equal(rig_start(r, c), DEER_OK);
  if (listener) deer_agent_listen(r->agent, listener, r, (1u << DEER_SIGNALS) - 1);
}

static const char *const signal_names[] = {"OnStart",      "OnActionChosen", "OnActionTaken",
                                           "OnEpisodeEnd", "OnEpochEnd",     "OnEnd"};

static inline void note_signal(const rig *r, const deer_event *event) {
  char text[32] = "";
  if (event->signal == DEER_ON_ACTION_CHOSEN)
    snprintf(text, sizeof text, " %d", (int)*event->action);
  if (event->signal == DEER_ON_EPISODE_END)
    snprintf(text, sizeof text, " %s %g", event->terminal ? "true" : "false", event->reward);
  note("%s %d n=%lld%s", signal_names[event->signal], deer_agent_mode(r->agent),
       (long long)deer_replay_count(deer_agent_replay(r->agent)), text);
}

static inline deer_status test_epoch(rig *r, int mode, int64_t length, double score) {
  int64_t n;
  DEER_TRY(deer_agent_start_mode(r->agent, mode, length));
  DEER_TRY(deer_agent_run(r->agent, 1, length));
  assert_float_equal(deer_agent_test_score(r->agent, &n), score, 1e-12);
  if (mode == 0) DEER_TRY(deer_agent_summarize(r->agent));
  return deer_agent_resume_training(r->agent);
}

/* the controllers of the traced run: an update at every second step, epsilon from 1 down to 0.2 in
 * 10 steps (one behind), two test epochs after each training epoch */
static inline deer_status traced(void *context, const deer_event *event) {
  rig *r = context;
  bool training = deer_agent_mode(r->agent) == -1, trained;
  if (training && event->signal == DEER_ON_START) r->epsilon = r->next_epsilon = 1;
  if (training && event->signal == DEER_ON_ACTION_CHOSEN) {
    r->epsilon = r->next_epsilon;
    r->next_epsilon = fmax(r->epsilon - 0.08, 0.2);
  }
  if (training && event->signal == DEER_ON_ACTION_TAKEN && r->taken++ % 2 == 0)
    DEER_TRY(deer_agent_train(r->agent, &trained));
  if (training && event->signal == DEER_ON_EPOCH_END) {
    bool ends = ((task *)r->env)->terminal_at == 4;
    DEER_TRY(test_epoch(r, 0, 7, ends ? 8 : 28));
    DEER_TRY(test_epoch(r, 1, 5, ends ? 5.5 : 15));
  }
  note_signal(r, event);
  return DEER_OK;
}

#endif
