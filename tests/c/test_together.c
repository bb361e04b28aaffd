/* test_together.c: an agent that trains in several environments in step, and one whose algorithm
 * learns from fresh samples alone. */
#include "counter_env.h"

enum { MOST = 16 };

/* ---- an algorithm that notes what it is given ---- */

/* The best action is 1. With a horizon it learns when each lane has so many fresh samples, all of
 * which can then be gathered. */
typedef struct watcher {
  deer_algo base;
  int64_t horizon; /* option */
  int64_t used;    /* samples of each lane */
  double reward_sum;
  int acts, rows, refused;
} watcher;

static deer_status watcher_init(deer_algo *self, const deer_net_spec *net, const deer_rng *rng) {
  (void)net, (void)rng;
  self->batch_size = 4;
  return DEER_OK;
}

static deer_status watcher_act(deer_algo *self, const void *const *state, deer_real *action,
                               double *value) {
  (void)state;
  ((watcher *)self)->acts++;
  *action = 1;
  if (value) *value = 2;
  return DEER_OK;
}

/* the action shows which state it was asked about: the step, modulo 4 */
static deer_status watcher_act_rows(deer_algo *self, int n, const void *const *state,
                                    deer_real *action, double *value) {
  const deer_real *s = state[0];
  ((watcher *)self)->rows++;
  for (int i = 0; i < n; i++) action[i] = (deer_real)((int)s[i * 6 + 4] % 4);
  for (int i = 0; i < n && value; i++) value[i] = i;
  return DEER_OK;
}

static int64_t watcher_horizon(const deer_algo *self) { return ((const watcher *)self)->horizon; }

static deer_status learn_fresh(watcher *w, deer_replay *replay) {
  int64_t index[MOST];
  deer_real r[MOST], next[MOST][6];
  int lanes = deer_replay_lanes(replay), h = (int)w->horizon;
  for (int lane = 0; lane < lanes; lane++)
    if (deer_replay_pushed(replay, lane) < w->used + h) return w->refused++, DEER_EAGAIN;
  for (int lane = 0; lane < lanes; lane++) {
    assert_int_equal(deer_replay_pushed(replay, lane), w->used + h);
    assert_int_equal(deer_replay_recent(replay, lane, h, index), h);
    deer_batch batch = {.size = h, .r_t = r, .obs_t = {next}, .index = index};
    assert_int_equal(deer_replay_gather(replay, &batch), DEER_OK);
    for (int i = 0; i < h; i++) w->reward_sum += (double)r[i];
  }
  w->used += h;
  return DEER_OK;
}

static deer_status watcher_learn(deer_algo *self, deer_replay *replay, deer_rng *rng,
                                 double *loss) {
  watcher *w = (watcher *)self;
  deer_real reward[4];
  deer_batch batch = {.size = 4, .r_t = reward};
  *loss = 1;
  if (w->horizon > 0)
    DEER_TRY(learn_fresh(w, replay));
  else
    DEER_TRY(deer_replay_sample(replay, rng, &batch));
  self->updates++;
  return DEER_OK;
}

static const deer_field watcher_fields[] = {
    {"horizon", DEER_FIELD_INT, offsetof(watcher, horizon), .max = MOST, .help = "samples"}, {0}};

static const deer_algo_class watcher_class = {.abi = DEER_ALGO_ABI,
                                              .name = "watcher",
                                              .caps = DEER_ALGO_DISCRETE,
                                              .size = sizeof(watcher),
                                              .fields = watcher_fields,
                                              .init = watcher_init,
                                              .act = watcher_act,
                                              .act_rows = watcher_act_rows,
                                              .horizon = watcher_horizon,
                                              .learn = watcher_learn};

/* ---- all of it together ---- */

typedef struct rig {
  deer_env *env, *envs[MOST];
  int n;
  deer_algo *algo;
  deer_epsilon_greedy train, test;
  deer_agent *agent;
  char heard[4000];
  int test_in; /* a test epoch at the end of each episode of this lane; -1 for none */
} rig;

typedef struct settings {
  int n; /* environments; 0: the agent's own */
  double epsilon;
  int64_t horizon, memory, start, train_every, work;
  const deer_env_class *kind;       /* NULL: counters */
  const deer_algo_class *algo_kind; /* NULL: watchers */
  bool any_history;
} settings;

static deer_env *env_new(const settings *c, int i) {
  deer_rng rng = deer_rng_seed((uint64_t)i + 100);
  deer_env *env;
  deer_option options[] = {number("number", i), number("limit", 2 + i),
                           number("work", (double)c->work)};
  const deer_env_class *kind = c->kind ? c->kind : &counter_class;
  if (deer_env_new(kind, options, c->kind ? 0 : 3, &rng, &env) != DEER_OK)
    fail_msg("%s", deer_error());
  return env;
}

static deer_algo *algo_new(const settings *c, const deer_space *space) {
  deer_algo *algo;
  deer_rng rng = deer_rng_seed(7);
  deer_option options[] = {c->algo_kind ? number("batch_size", 8)
                                        : number("horizon", (double)c->horizon)};
  deer_algo_config config = {.space = space, .options = options, .n_options = 1, .rng = &rng};
  const deer_algo_class *kind = c->algo_kind ? c->algo_kind : &watcher_class;
  if (deer_algo_new(kind, &config, &algo) != DEER_OK) fail_msg("%s", deer_error());
  return algo;
}

static deer_status rig_start(rig *r, settings c) {
  *r = (rig){.n = c.n, .test_in = -1, .env = env_new(&c, 0)};
  for (int i = 0; i < c.n; i++) r->envs[i] = env_new(&c, i);
  r->algo = algo_new(&c, &r->env->space);
  r->train = deer_epsilon_greedy_make(c.epsilon);
  r->test = deer_epsilon_greedy_make(0);
  deer_rng rng = deer_rng_seed(3);
  deer_agent_config config = {.env = r->env,
                              .algo = r->algo,
                              .train_policy = &r->train.base,
                              .test_policy = &r->test.base,
                              .replay = deer_replay_find("uniform"),
                              .envs = r->envs,
                              .n_envs = c.n,
                              .replay_memory_size = c.memory,
                              .replay_start_size = c.start ? c.start : -1,
                              .only_full_history = !c.any_history,
                              .train_every = c.train_every,
                              .rng = &rng};
  return deer_agent_new(&config, &r->agent);
}

static void rig_new(rig *r, settings c) {
  if (rig_start(r, c) != DEER_OK) fail_msg("%s", deer_error());
}

static void rig_end(rig *r) {
  deer_agent_free(r->agent);
  deer_algo_free(r->algo);
  deer_env_free(r->env);
  for (int i = 0; i < r->n; i++) deer_env_free(r->envs[i]);
}

static void run(rig *r, int64_t epochs, int64_t length) {
  if (deer_agent_run(r->agent, epochs, length) != DEER_OK) fail_msg("%s", deer_error());
}

static uint64_t mix(uint64_t sum, const void *data, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) sum = (sum ^ ((const uint8_t *)data)[i]) * 1099511628211u;
  return sum;
}

/* everything in the memory */
static uint64_t digest(const rig *r) {
  const deer_replay *replay = deer_agent_replay(r->agent);
  const deer_space *space = deer_replay_space(replay);
  uint64_t sum = 14695981039346656037u;
  for (int64_t slot = -1; deer_replay_next(replay, &slot);) {
    double reward = deer_replay_reward(replay, slot);
    deer_ending ending = deer_replay_ending(replay, slot);
    bool drawable = deer_replay_drawable(replay, slot);
    for (int s = 0; s < space->n_subjects; s++)
      sum = mix(sum, deer_replay_observation(replay, slot, s),
                deer_subject_bytes(&space->subjects[s]));
    sum = mix(sum, deer_replay_action(replay, slot), (size_t)space->actions.size * 4);
    sum = mix(mix(mix(sum, &reward, sizeof reward), &ending, sizeof ending), &drawable, 1);
  }
  return sum;
}

/* ---- signals ---- */

static deer_status hear(void *context, const deer_event *event) {
  rig *r = context;
  static const char letters[] = "SCTEPX";
  size_t n = strlen(r->heard);
  if (deer_agent_mode(r->agent) != -1) return DEER_OK;
  char *to = r->heard + n;
  size_t left = sizeof r->heard - n;
  int lane = deer_agent_lane(r->agent);
  switch (event->signal) {
  case DEER_ON_ACTION_CHOSEN:
  case DEER_ON_ACTION_TAKEN:
    snprintf(to, left, "%c%d ", letters[event->signal], lane);
    break;
  case DEER_ON_EPISODE_END: {
    deer_episode last = deer_agent_last_episode(r->agent);
    snprintf(to, left, "E%d%s(%d) ", lane,
             event->terminal ? "!"
             : last.whole    ? "|"
                             : "-",
             (int)last.steps);
    break;
  }
  default:
    snprintf(to, left, "%c ", letters[event->signal]);
  }
  if (event->signal == DEER_ON_EPISODE_END && lane == r->test_in) {
    DEER_TRY(deer_agent_start_mode(r->agent, 0, 5));
    DEER_TRY(deer_agent_run(r->agent, 1, 5));
    DEER_TRY(deer_agent_resume_training(r->agent));
  }
  return DEER_OK;
}

/* counter 0 is terminal after 2 steps, 1 truncated after 3, 2 terminal after 4 */
static void signals_come_for_each_environment(void **state) {
  (void)state;
  rig r;
  rig_new(&r, (settings){.n = 3});
  deer_agent_listen(r.agent, hear, &r, (1u << DEER_SIGNALS) - 1);
  run(&r, 2, 11);
  const char *epoch = "C0 C1 C2 T0 T1 T2 C0 C1 C2 T0 E0!(2) T1 T2 C0 C1 C2 T0 T1 E1|(3) T2 "
                      "C0 C1 T0 E0!(2) T1 E1-(1) E2-(3) P ";
  char expected[1000];
  snprintf(expected, sizeof expected, "S %s%sX ", epoch, epoch);
  assert_string_equal(r.heard, expected);
  assert_int_equal(deer_agent_steps(r.agent), 22);
  assert_int_equal(deer_agent_epochs(r.agent), 2);
  rig_end(&r);
}

/* tests run in the agent's own environment, also while episodes are under way in others */
static void tests_in_between_change_nothing(void **state) {
  (void)state;
  uint64_t sums[2];
  for (int k = 0; k < 2; k++) {
    rig r;
    rig_new(&r, (settings){.n = 3, .epsilon = 0.5, .train_every = 2});
    r.test_in = k ? 1 : -1;
    deer_agent_listen(r.agent, hear, &r, (1u << DEER_SIGNALS) - 1);
    run(&r, 2, 40);
    sums[k] = digest(&r);
    assert_int_equal(((counter *)r.env)->episode > 0, k);
    rig_end(&r);
  }
  assert_true(sums[0] == sums[1]);
}

/* what a time-out led to is known and counts, a terminal state counts nothing */
static void endings_are_told_apart(void **state) {
  (void)state;
  rig r;
  rig_new(&r, (settings){.n = 4, .any_history = true});
  run(&r, 1, 80);
  deer_replay *replay = deer_agent_replay(r.agent);
  int terminal = 0, truncated = 0;
  for (int64_t slot = -1; deer_replay_next(replay, &slot);) {
    deer_real next[6], go_on, tm1[6];
    deer_batch batch = {.size = 1, .obs_tm1 = {tm1}, .obs_t = {next}, .continue_t = &go_on};
    batch.index = &slot;
    int lane = (int)(slot % 4);
    assert_int_equal(deer_replay_gather(replay, &batch), DEER_OK);
    deer_ending ending = deer_replay_ending(replay, slot);
    bool last = (int)tm1[4] == 1 + lane; /* the step before limit 2 + lane */
    assert_true(ending == DEER_RUNNING || last || deer_replay_pushed(replay, lane) == 20);
    assert_true(go_on == (ending != DEER_TERMINATED));
    if (ending != DEER_TERMINATED) assert_true(next[4] == tm1[4] + 1 && next[3] == tm1[3]);
    terminal += ending == DEER_TERMINATED;
    truncated += ending == DEER_TRUNCATED;
    assert_true(ending != DEER_TERMINATED || lane % 2 == 0);
  }
  assert_int_equal(deer_replay_count(replay), 80);
  assert_in_range(terminal, 14, 16);  /* 20 steps of 2, 20 of 4 */
  assert_in_range(truncated, 10, 13); /* 20 of 3, 20 of 5 */
  rig_end(&r);
}

/* ---- actions ---- */

static deer_status override_one(void *context, const deer_event *event) {
  rig *r = context;
  (void)event;
  const deer_real three = 3;
  if (deer_agent_lane(r->agent) != 1) return DEER_OK;
  return deer_agent_override_action(r->agent, &three);
}

/* in onActionChosen it replaces that environment's action, before it the next one's */
static void overrides_reach_one_environment(void **state) {
  (void)state;
  rig r;
  rig_new(&r, (settings){.n = 3, .start = 5, .epsilon = 0});
  run(&r, 1, 30);
  deer_agent_listen(r.agent, override_one, &r, 1u << DEER_ON_ACTION_CHOSEN);
  const deer_real two = 2;
  assert_int_equal(deer_agent_override_action(r.agent, &two), DEER_OK);
  run(&r, 1, 30);
  deer_replay *replay = deer_agent_replay(r.agent);
  for (int lane = 0; lane < 3; lane++) {
    int64_t slots[10];
    assert_int_equal(deer_replay_recent(replay, lane, 10, slots), 10);
    for (int i = 0; i < 10; i++) {
      int at = (int)((const deer_real *)deer_replay_observation(replay, slots[i], 0))[1];
      int expected = lane == 1 ? 3 : lane == 0 && i == 0 ? 2 : at % 4;
      assert_true(*deer_replay_action(replay, slots[i]) == expected);
    }
  }
  rig_end(&r);
}

/* the algo is asked once for all environments, and not at all while samples are gathered */
static void algo_is_asked_once_a_step(void **state) {
  (void)state;
  rig r;
  rig_new(&r, (settings){.n = 4, .start = 20, .epsilon = 0});
  run(&r, 1, 20);
  assert_int_equal(((watcher *)r.algo)->rows, 0);
  run(&r, 1, 44);
  assert_int_equal(((watcher *)r.algo)->rows, 10); /* one more step at random: 20 is not enough */
  assert_int_equal(((watcher *)r.algo)->acts, 0);
  rig_end(&r);
}

/* ---- the same as one ---- */

static void one_in_step_equals_the_plain_loop(void **state) {
  (void)state;
  uint64_t sums[2];
  double losses[2];
  for (int n = 0; n < 2; n++) {
    rig r;
    rig_new(&r, (settings){.n = n,
                           .epsilon = 0.3,
                           .memory = 90,
                           .start = 10,
                           .train_every = 1,
                           .kind = deer_env_find("cartpole"),
                           .algo_kind = deer_algo_find("dqn")});
    run(&r, 3, 77);
    int64_t count;
    losses[n] = deer_agent_mean_loss(r.agent, &count);
    assert_int_equal(count, 77);
    sums[n] = digest(&r);
    rig_end(&r);
  }
  assert_true(sums[0] == sums[1]);
  assert_true(losses[0] == losses[1]);
}

static void threads_change_nothing(void **state) {
  (void)state;
  uint64_t sums[3];
  for (int threads = 1; threads <= 3; threads++) {
    rig r;
    assert_int_equal(deer_threads_set(threads), DEER_OK);
    rig_new(&r, (settings){.n = 5,
                           .epsilon = 0.3,
                           .train_every = 1,
                           .work = 20000,
                           .algo_kind = deer_algo_find("dqn")});
    run(&r, 2, 123);
    sums[threads - 1] = digest(&r);
    rig_end(&r);
  }
  assert_int_equal(deer_threads_set(1), DEER_OK);
  assert_true(sums[0] == sums[1]);
  assert_true(sums[0] == sums[2]);
}

/* ---- algorithms that learn from fresh samples ---- */

static void fresh_samples_are_complete(void **state) {
  (void)state;
  for (int n = 0; n <= 3; n++) {
    rig r;
    rig_new(&r, (settings){.n = n, .horizon = 4, .train_every = 1});
    int lanes = n > 0 ? n : 1;
    run(&r, 3, 10 * lanes);
    const watcher *w = (const watcher *)r.algo;
    assert_int_equal(r.algo->updates, 7); /* 30 steps of each, 4 at a time */
    assert_int_equal(w->refused, 30 * lanes - 7);
    /* it acts from the first step on, and nothing is complained about */
    assert_int_equal(n > 0 ? w->rows : w->acts, 30);
    int64_t losses;
    deer_agent_mean_loss(r.agent, &losses);
    assert_in_range(losses, 2, 3);
    /* as much memory as there must be: a horizon, the longest history and one for each */
    assert_int_equal(deer_replay_count(deer_agent_replay(r.agent)), lanes * (4 + 2 + 1));
    rig_end(&r);
  }
}

static void fresh_memories_can_be_larger(void **state) {
  (void)state;
  rig r;
  rig_new(&r, (settings){.n = 2, .horizon = 4, .memory = 50});
  run(&r, 1, 60);
  assert_int_equal(deer_replay_count(deer_agent_replay(r.agent)), 50);
  rig_end(&r);
  assert_int_equal(rig_start(&r, (settings){.n = 2, .horizon = 4, .start = 30}), DEER_EINVAL);
  assert_string_equal(deer_error(), "replay_start_size is 30, but watcher learns from what it does "
                                    "itself, from the first step on (expected none)");
  rig_end(&r);
}

/* ---- what goes wrong ---- */

static void failures_end_the_run_in_order(void **state) {
  (void)state;
  rig r;
  rig_new(&r, (settings){.n = 3, .any_history = true});
  counter *two = (counter *)r.envs[2];
  two->fail_at = 2;
  two->fail_in = 2;
  assert_int_equal(deer_agent_run(r.agent, 5, 12), DEER_EDATA);
  /* its first episode takes 4 steps, an epoch cuts nothing there */
  assert_string_equal(deer_error(), "epoch 2, step 6: environment 2: boom 2");
  /* what was under way is never glued to what comes */
  two->fail_at = 0;
  run(&r, 1, 12);
  deer_replay *replay = deer_agent_replay(r.agent);
  int cut = 0;
  for (int64_t slot = -1; deer_replay_next(replay, &slot);) {
    deer_real next[6], tm1[6];
    deer_batch batch = {.size = 1, .obs_tm1 = {tm1}, .obs_t = {next}, .index = &slot};
    if (!deer_replay_drawable(replay, slot)) {
      cut++;
      continue;
    }
    assert_int_equal(deer_replay_gather(replay, &batch), DEER_OK);
    if (deer_replay_ending(replay, slot) == DEER_TERMINATED) continue;
    assert_true(next[5] == tm1[5] && next[4] == tm1[4] + 1);
  }
  assert_int_equal(cut, 3);
  rig_end(&r);
}

static deer_status stop_soon(void *context, const deer_event *event) {
  rig *r = context;
  if (event->signal == DEER_ON_ACTION_TAKEN && deer_agent_steps(r->agent) == 7)
    deer_agent_stop(r->agent);
  return hear(context, event);
}

static void stopping_ends_after_the_step(void **state) {
  (void)state;
  rig r;
  rig_new(&r, (settings){.n = 3});
  deer_agent_listen(r.agent, stop_soon, &r, (1u << DEER_SIGNALS) - 1);
  run(&r, 2, 100);
  assert_int_equal(deer_agent_steps(r.agent), 9);
  assert_non_null(strstr(r.heard, "E1|(3) T2 E0-(1) E2-(3) P X"));
  rig_end(&r);
}

static deer_status leave_in_test(void *context, const deer_event *event) {
  return event->signal == DEER_ON_EPISODE_END ? deer_agent_start_mode(((rig *)context)->agent, 0, 5)
                                              : DEER_OK;
}

static void other_mistakes_are_told(void **state) {
  (void)state;
  rig r;
  rig_new(&r, (settings){.n = 3});
  deer_agent_listen(r.agent, leave_in_test, &r, 1u << DEER_ON_EPISODE_END);
  assert_int_equal(deer_agent_run(r.agent, 1, 100), DEER_ESTATE);
  assert_non_null(strstr(deer_error(), "a test mode was begun in training and not left"));
  deer_agent_listen(r.agent, NULL, NULL, 0);
  deer_interrupt_raise();
  assert_int_equal(deer_agent_run(r.agent, 1, 100), DEER_EINTERRUPT);
  deer_interrupt_clear();
  run(&r, 1, 10);
  rig_end(&r);
  assert_int_equal(rig_start(&r, (settings){.n = 4, .memory = 3, .start = 2}), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "4 lanes"));
  rig_end(&r);
}

/* ---- memory ---- */

static deer_status watch_allocations(void *context, const deer_event *event) {
  static uint64_t before;
  (void)event;
  rig *r = context;
  int64_t at = deer_agent_steps(r->agent);
  if (at == 100) before = deer_alloc_calls();
  if (at == 400) assert_int_equal(deer_alloc_calls(), before);
  return DEER_OK;
}

static void steady_state_allocates_nothing(void **state) {
  (void)state;
  rig r;
  rig_new(&r,
          (settings){.n = 4, .epsilon = 0.5, .train_every = 2, .algo_kind = deer_algo_find("dqn")});
  deer_agent_listen(r.agent, watch_allocations, &r, 1u << DEER_ON_ACTION_TAKEN);
  run(&r, 2, 250);
  rig_end(&r);
}

static void every_failed_allocation_is_survived(void **state) {
  (void)state;
  rig r;
  rig_new(&r, (settings){.n = 3});
  size_t before = 0;
  int failures = 0;
  for (deer_status status = DEER_ENOMEM; status == DEER_ENOMEM; failures++) {
    deer_agent_free(r.agent);
    r.agent = NULL;
    if (failures == 0) before = deer_alloc_bytes();
    deer_rng rng = deer_rng_seed(3);
    deer_agent_config config = {.env = r.env,
                                .algo = r.algo,
                                .train_policy = &r.train.base,
                                .test_policy = &r.test.base,
                                .replay = deer_replay_find("uniform"),
                                .envs = r.envs,
                                .n_envs = r.n,
                                .replay_memory_size = 100,
                                .replay_start_size = -1,
                                .rng = &rng};
    deer_alloc_fail_at((uint64_t)failures + 1);
    status = deer_agent_new(&config, &r.agent);
    deer_alloc_fail_at(0);
    if (status != DEER_OK) assert_int_equal(deer_alloc_bytes(), before);
  }
  assert_in_range(failures, 25, 200);
  run(&r, 1, 20);
  rig_end(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(signals_come_for_each_environment),
      cmocka_unit_test(tests_in_between_change_nothing),
      cmocka_unit_test(endings_are_told_apart),
      cmocka_unit_test(overrides_reach_one_environment),
      cmocka_unit_test(algo_is_asked_once_a_step),
      cmocka_unit_test(one_in_step_equals_the_plain_loop),
      cmocka_unit_test(threads_change_nothing),
      cmocka_unit_test(fresh_samples_are_complete),
      cmocka_unit_test(fresh_memories_can_be_larger),
      cmocka_unit_test(failures_end_the_run_in_order),
      cmocka_unit_test(stopping_ends_after_the_step),
      cmocka_unit_test(other_mistakes_are_told),
      cmocka_unit_test(steady_state_allocates_nothing),
      cmocka_unit_test(every_failed_allocation_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
