/* test_agent.c: the step loop: overridden actions, endings, modes, statistics, errors, Ctrl-C,
 * memory. */
#include "agent_rig.h"

/* ---- choosing ---- */

static void first_steps_are_random(void **state) {
  (void)state;
  rig r = {0};
  rig_new(&r, (settings){.actions = 5, .start = 10}, NULL);
  assert_int_equal(deer_agent_run(r.agent, 1, 50), DEER_OK);
  /* as long as the memory holds no more than replay_start_size */
  assert_int_equal(((learner *)r.algo)->chosen, 50 - 11);
  int others = 0;
  for (int i = 0; i < 11; i++) others += actions[i] != 0;
  assert_in_range(others, 4, 11);
  for (int i = 11; i < 50; i++) assert_int_equal(actions[i], 0);
  int64_t n;
  assert_float_equal(deer_agent_mean_value(r.agent, &n), 1.5, 0);
  assert_int_equal(n, 39);
  rig_end(&r);
}

/* overrides the 2nd action while it is announced and the 4th one before it is chosen */
static deer_status override(void *context, const deer_event *event) {
  rig *r = context;
  deer_real one = 1, two = 2, three = 3;
  if (event->signal == DEER_ON_ACTION_CHOSEN) {
    r->seen[r->chosen++] = (char)('0' + (int)*event->action);
    if (r->chosen == 2) DEER_TRY(deer_agent_override_action(r->agent, &one));
  }
  if (event->signal == DEER_ON_ACTION_TAKEN && ++r->taken == 3)
    DEER_TRY(deer_agent_override_action(r->agent, &two));
  assert_int_equal(deer_agent_override_action(r->agent, &three), DEER_EINVAL);
  assert_string_equal(deer_error(), "action 3 is not one of 0..2");
  return DEER_OK;
}

static void actions_can_be_overridden(void **state) {
  (void)state;
  rig r = {0};
  rig_new(&r, (settings){.actions = 3}, override);
  assert_int_equal(deer_agent_start_mode(r.agent, 0, 6), DEER_OK);
  assert_int_equal(deer_agent_run(r.agent, 1, 6), DEER_OK);
  static const int expected[] = {0, 1, 0, 2, 0, 0};
  assert_memory_equal(actions, expected, sizeof expected);
  /* the 2nd was announced as it was chosen, the 4th as it was overridden */
  assert_string_equal(r.seen, "000200");
  /* what was overridden is no greedy step */
  int64_t n;
  assert_float_equal(deer_agent_mean_value(r.agent, &n), 1.5, 0);
  assert_int_equal(n, 4);
  int64_t slot = -1;
  for (int i = 0; i < 6; i++) {
    assert_true(deer_replay_next(deer_agent_test_set(r.agent), &slot));
    assert_float_equal(*deer_replay_action(deer_agent_test_set(r.agent), slot), expected[i], 0);
  }
  rig_end(&r);
}

static void override_before_the_run(void **state) {
  (void)state;
  rig r = {0};
  rig_new(&r, (settings){.actions = 3}, NULL);
  deer_real two = 2;
  assert_int_equal(deer_agent_override_action(r.agent, &two), DEER_OK);
  assert_int_equal(deer_agent_start_mode(r.agent, 0, 2), DEER_OK);
  assert_int_equal(deer_agent_run(r.agent, 1, 2), DEER_OK);
  assert_int_equal(actions[0], 2);
  assert_int_equal(actions[1], 0);
  /* the overridden step did not ask the algorithm */
  assert_int_equal(((learner *)r.algo)->chosen, 1);
  rig_end(&r);
}

static deer_status choose_seven(deer_policy *self, const deer_choice *choice, deer_real *action,
                                double *value, bool *greedy) {
  (void)self, (void)choice;
  *action = 7;
  *value = 0;
  *greedy = false;
  return DEER_OK;
}

static void action_of_a_policy_is_checked(void **state) {
  (void)state;
  static const deer_policy_class class = {.name = "seven", .choose = choose_seven};
  deer_policy policy = {&class};
  rig r = {.policy = &policy};
  rig_new(&r, (settings){.actions = 3}, NULL);
  assert_int_equal(deer_agent_run(r.agent, 1, 9), DEER_EINVAL);
  assert_string_equal(deer_error(), "epoch 1, step 5: action 7 is not one of 0..2");
  rig_end(&r);
}

static void same_seed_same_run(void **state) {
  (void)state;
  int first[200];
  for (int i = 0; i < 3; i++) {
    rig r = {0};
    rig_new(&r, (settings){.actions = 7, .terminal_at = 5, .seed = i == 2}, NULL);
    r.train.epsilon = 0.5;
    assert_int_equal(deer_agent_run(r.agent, 2, 100), DEER_OK);
    if (i == 0) memcpy(first, actions, sizeof first);
    assert_int_equal(memcmp(first, actions, sizeof first) == 0, i < 2);
    rig_end(&r);
  }
}

static void epsilon_greedy(void **state) {
  (void)state;
  rig r = {0};
  rig_new(&r, (settings){.actions = 4}, NULL);
  deer_real zeros[3] = {0}, action;
  const void *states[] = {zeros, zeros};
  deer_rng rng = deer_rng_seed(1), before = rng;
  deer_choice choice = {.algo = r.algo, .state = states, .mode = -1, .rng = &rng};
  double value;
  bool greedy;
  /* the greedy policy draws no random number */
  assert_int_equal(r.train.base.kind->choose(&r.train.base, &choice, &action, &value, &greedy), 0);
  assert_true(greedy && value == 1.5 && action == 0);
  assert_memory_equal(&rng, &before, sizeof rng);
  /* a random action is worth 0 and may be any */
  int random = 0, counts[4] = {0};
  r.train.epsilon = 0.3;
  for (int i = 0; i < 20000; i++) {
    r.train.base.kind->choose(&r.train.base, &choice, &action, &value, &greedy);
    assert_true(value == (greedy ? 1.5 : 0));
    if (!greedy) random++, counts[(int)action]++;
  }
  assert_in_range(random, 5700, 6300);
  for (int i = 0; i < 4; i++) assert_in_range(counts[i], random / 4 - 150, random / 4 + 150);
  rig_end(&r);
}

static void random_actions_of_a_box(void **state) {
  (void)state;
  deer_action_space box = {.size = 2, .low = {-3, 10}, .high = {-1, 10}};
  deer_rng rng = deer_rng_seed(3);
  double least = 0, most = -9, sum = 0;
  for (int i = 0; i < 10000; i++) {
    deer_real action[2];
    deer_random_action(&box, &rng, action);
    assert_int_equal(deer_action_check(&box, action), DEER_OK);
    least = fmin(least, (double)action[0]);
    most = fmax(most, (double)action[0]);
    sum += (double)action[0];
  }
  assert_true(least < -2.99 && most > -1.01 && fabs(sum / 10000 + 2) < 0.03);
}

/* ---- endings ---- */

static deer_status count_slots(void *context, const deer_event *event) {
  rig *r = context;
  if (event->signal != DEER_ON_EPISODE_END) return DEER_OK;
  /* the final observation is in the memory before anybody hears of the end */
  const deer_replay *replay = deer_agent_replay(r->agent);
  assert_int_equal(deer_replay_slots(replay) - deer_replay_count(replay), ++r->episodes);
  assert_false(event->terminal);
  assert_true(deer_replay_drawable(replay, deer_replay_slots(replay) - 2));
  return DEER_OK;
}

static void truncated_episodes_keep_what_followed(void **state) {
  (void)state;
  rig r = {0};
  rig_new(&r, (settings){.truncated_at = 3, .any_history = true}, count_slots);
  assert_int_equal(deer_agent_run(r.agent, 1, 7), DEER_OK);
  /* two episodes cut by the environment, one by the end of the epoch */
  assert_int_equal(r.episodes, 3);
  const deer_replay *replay = deer_agent_replay(r.agent);
  assert_int_equal(deer_replay_count(replay), 7);
  static const int64_t last[] = {2, 6, 8};
  for (int i = 0; i < 3; i++) {
    deer_real next[3], goes_on;
    int64_t index = last[i];
    deer_batch batch = {.size = 1, .obs_t = {next}, .continue_t = &goes_on, .index = &index};
    assert_int_equal(deer_replay_ending(replay, index), DEER_TRUNCATED);
    assert_int_equal(deer_replay_gather(replay, &batch), DEER_OK);
    assert_float_equal(next[2], i == 0 ? 103 : i == 1 ? 203 : 301, 0);
    assert_float_equal(goes_on, 1, 0);
  }
  rig_end(&r);
}

static void terminal_episodes_need_nothing_more(void **state) {
  (void)state;
  rig r = {0};
  rig_new(&r, (settings){.terminal_at = 4}, NULL);
  assert_int_equal(deer_agent_run(r.agent, 3, 8), DEER_OK);
  assert_int_equal(deer_replay_count(deer_agent_replay(r.agent)), 24);
  assert_int_equal(deer_replay_slots(deer_agent_replay(r.agent)), 24);
  assert_int_equal(deer_agent_steps(r.agent), 24);
  assert_int_equal(deer_agent_epochs(r.agent), 3);
  rig_end(&r);
}

/* ---- modes ---- */

static deer_status misuse(void *context, const deer_event *event) {
  rig *r = context;
  if (event->signal == DEER_ON_ACTION_CHOSEN || event->signal == DEER_ON_ACTION_TAKEN) {
    assert_int_equal(deer_agent_run(r->agent, 1, 1), DEER_ESTATE);
    assert_string_equal(deer_error(), "run inside an episode");
    assert_int_equal(deer_agent_start_mode(r->agent, 0, 5), DEER_ESTATE);
    assert_int_equal(deer_agent_resume_training(r->agent), DEER_ESTATE);
    r->extra++;
  }
  if (event->signal == DEER_ON_EPOCH_END || event->signal == DEER_ON_START)
    assert_int_equal(deer_agent_run(r->agent, 1, 1), DEER_ESTATE);
  return DEER_OK;
}

static void calls_at_the_wrong_moment(void **state) {
  (void)state;
  rig r = {0};
  rig_new(&r, (settings){.terminal_at = 4}, misuse);
  assert_int_equal(deer_agent_summarize(r.agent), DEER_ESTATE);
  assert_int_equal(deer_agent_run(r.agent, 1, 6), DEER_OK);
  assert_int_equal(r.extra, 12);
  assert_int_equal(deer_agent_steps(r.agent), 6);
  assert_int_equal(deer_agent_start_mode(r.agent, -1, 5), DEER_EINVAL);
  assert_int_equal(deer_agent_start_mode(r.agent, 0, 0), DEER_EINVAL);
  assert_int_equal(deer_agent_run(r.agent, -1, 5), DEER_EINVAL);
  assert_int_equal(deer_agent_run(r.agent, 1, 0), DEER_EINVAL);
  rig_end(&r);
}

static void test_sets_are_kept(void **state) {
  (void)state;
  rig r = {0};
  rig_new(&r, (settings){.memory = 20}, NULL);
  int64_t n;
  assert_null(deer_agent_test_set(r.agent));
  assert_int_equal(deer_agent_start_mode(r.agent, 3, 5), DEER_OK);
  assert_int_equal(deer_agent_mode(r.agent), 3);
  assert_int_equal(deer_agent_run(r.agent, 2, 10), DEER_OK);
  /* the last 5 of 20 steps; the score is over both epochs */
  assert_int_equal(deer_replay_count(deer_agent_test_set(r.agent)), 5);
  assert_float_equal(deer_agent_test_score(r.agent, &n), 55, 0);
  assert_int_equal(n, 2);
  /* values are of the last episode */
  assert_float_equal(deer_agent_mean_value(r.agent, &n), 1.5, 0);
  assert_int_equal(n, 10);
  assert_int_equal(deer_agent_resume_training(r.agent), DEER_OK);
  assert_int_equal(deer_replay_count(deer_agent_test_set(r.agent)), 5);
  assert_int_equal(deer_agent_steps(r.agent), 0);
  assert_int_equal(deer_replay_count(deer_agent_replay(r.agent)), 0);
  /* a new one never holds more than the memory of training */
  assert_int_equal(deer_agent_start_mode(r.agent, 0, 1000), DEER_OK);
  assert_int_equal(deer_replay_count(deer_agent_test_set(r.agent)), 0);
  assert_float_equal(deer_agent_test_score(r.agent, &n), 0, 0);
  assert_int_equal(deer_agent_run(r.agent, 1, 50), DEER_OK);
  assert_int_equal(deer_replay_count(deer_agent_test_set(r.agent)), 20);
  rig_end(&r);
}

/* ---- training ---- */

static deer_status train_each_step(void *context, const deer_event *event) {
  rig *r = context;
  bool trained;
  int64_t n;
  if (event->signal == DEER_ON_ACTION_TAKEN && deer_agent_mode(r->agent) == -1) {
    DEER_TRY(deer_agent_train(r->agent, &trained));
    r->extra += trained;
  }
  if (event->signal == DEER_ON_EPOCH_END && deer_agent_mode(r->agent) == -1) {
    double loss = deer_agent_mean_loss(r->agent, &n);
    DEER_TRY(test_epoch(r, 1, 2, 3));
    assert_float_equal(deer_agent_mean_loss(r->agent, &n), loss, 0);
    assert_int_equal(n, ++r->epochs == 1 ? 17 : 20);
  }
  return DEER_OK;
}

static void losses_are_of_the_epoch(void **state) {
  (void)state;
  rig r = {0};
  int64_t n;
  rig_new(&r, (settings){0}, train_each_step);
  assert_float_equal(deer_agent_mean_loss(r.agent, &n), -1, 0);
  assert_int_equal(n, 0);
  assert_float_equal(deer_agent_mean_value(r.agent, &n), 0, 0);
  assert_int_equal(n, 0);
  assert_int_equal(deer_agent_run(r.agent, 2, 20), DEER_OK);
  /* updates begin with the fourth sample: more than the longest history */
  assert_int_equal(r.extra, 37);
  assert_int_equal(deer_agent_epochs(r.agent), 2);
  assert_int_equal(n, 0);
  rig_end(&r);
}

static char logged[512];
static void keep_log(void *context, deer_log_level level, const char *message) {
  (void)context, (void)level;
  snprintf(logged + strlen(logged), sizeof logged - strlen(logged), "%s\n", message);
}

static deer_status train_only(void *context, const deer_event *event) {
  rig *r = context;
  bool trained = false;
  if (event->signal != DEER_ON_ACTION_TAKEN) return DEER_OK;
  deer_status status = deer_agent_train(r->agent, &trained);
  assert_false(trained);
  return status;
}

static void nothing_to_draw_is_no_error(void **state) {
  (void)state;
  rig r = {0};
  rig_new(&r, (settings){.terminal_at = 2}, train_only);
  deer_log_set(keep_log, NULL, DEER_LOG_WARNING);
  assert_int_equal(deer_agent_run(r.agent, 2, 20), DEER_OK);
  deer_log_set(NULL, NULL, DEER_LOG_WARNING);
  assert_int_equal(((learner *)r.algo)->updates, 0);
  assert_string_equal(logged,
                      "epoch 1: 17 updates asked for, none done: no sample has a full history\n"
                      "epoch 2: 20 updates asked for, none done: no sample has a full history\n");
  rig_end(&r);
}

/* ---- errors ---- */

static void failures_end_the_run_in_order(void **state) {
  (void)state;
  static const struct {
    callback in;
    int at;
    const char *where;
  } cases[] = {{RESET, 2, "epoch 1, step 4: boom"},   {OBSERVE, 3, "epoch 1, step 3: boom"},
               {ACT, 9, "epoch 2, step 1: boom"},     {ENDING, 1, "epoch 1, step 1: boom"},
               {OBSERVE, 5, "epoch 1, step 5: boom"}, {OBSERVE, 9, "epoch 1, step 8: boom"},
               {BEST, 1, "epoch 1, step 5: boom"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int foreign = 0; foreign < 2; foreign++) {
      rig r = {0};
      rig_new(&r, (settings){.terminal_at = i == 5 ? 0 : 4}, NULL);
      deer_status status = foreign ? DEER_ECALLBACK : DEER_EIO;
      planned = (fault){cases[i].in, cases[i].at, status};
      assert_int_equal(deer_agent_run(r.agent, 2, 8), status);
      /* the message of user code is left as it is */
      assert_string_equal(deer_error(), foreign ? "boom" : cases[i].where);
      assert_string_equal(last_event(0), "stop");
      rig_end(&r);
    }
}

static deer_status fail_in_signal(void *context, const deer_event *event) {
  rig *r = context;
  note("%s", signal_names[event->signal]);
  /* a second failure, at the end, does not hide the first one */
  if (event->signal == r->fail_in) return deer_fail(DEER_ECALLBACK, "first");
  return event->signal == DEER_ON_END ? deer_fail(DEER_EIO, "second") : DEER_OK;
}

static void failures_of_listeners(void **state) {
  (void)state;
  for (int s = 0; s < DEER_SIGNALS; s++) {
    rig r = {.fail_in = (deer_signal)s};
    rig_new(&r, (settings){.terminal_at = 4}, fail_in_signal);
    planned = (fault){STOP, 1, DEER_ENOMEM};
    if (s == DEER_ON_END) planned.in = NONE;
    assert_int_equal(deer_agent_run(r.agent, 3, 8), DEER_ECALLBACK);
    assert_string_equal(deer_error(), "first");
    assert_string_equal(last_event(1), "stop");
    assert_string_equal(last_event(0), "OnEnd");
    rig_end(&r);
  }
}

/* fails in the third step of a test epoch, then after one */
static deer_status fail_around_a_test(void *context, const deer_event *event) {
  rig *r = context;
  if (event->signal == DEER_ON_END) r->chosen = deer_agent_mode(r->agent);
  if (event->signal != DEER_ON_EPOCH_END || deer_agent_mode(r->agent) != -1) return DEER_OK;
  planned = (fault){ACT, r->extra, DEER_EIO};
  DEER_TRY(test_epoch(r, 1, 5, 15));
  return deer_fail(DEER_EIO, "after the test");
}

static void failures_around_test_epochs(void **state) {
  (void)state;
  static const char *const messages[] = {"epoch 1, step 8: test epoch 1, step 3: boom",
                                         "epoch 1, step 8: after the test"};
  for (int i = 0; i < 2; i++) {
    rig r = {.extra = i == 0 ? 3 : 100};
    rig_new(&r, (settings){0}, fail_around_a_test);
    assert_int_equal(deer_agent_run(r.agent, 3, 8), DEER_EIO);
    assert_string_equal(deer_error(), messages[i]);
    /* also what listens to the end hears it in training mode */
    assert_int_equal(r.chosen, -1);
    assert_int_equal(deer_agent_mode(r.agent), -1);
    rig_end(&r);
  }
}

static void not_a_number_is_refused(void **state) {
  (void)state;
  static const struct {
    double reward, observation, history;
    const char *message;
  } cases[] = {
      {NAN, 0, 0,
       "epoch 1, step 3: the environment returned the reward nan (expected a finite number)"},
      {-NAN, 0, 0,
       "epoch 1, step 3: the environment returned the reward nan (expected a finite number)"},
      {-INFINITY, 0, 0,
       "epoch 1, step 3: the environment returned the reward -inf (expected a finite number)"},
      {1e300, 0, 0,
       "epoch 1, step 3: the environment returned the reward 1e+300 (expected a finite number)"},
      {0, INFINITY, 0,
       "epoch 1, step 4: subject 1 of the observation is inf at element 0 (expected a finite "
       "number)"},
      {0, 0, NAN,
       "epoch 1, step 0: subject 0 of the initial history is nan at element 1 (expected a finite "
       "number)"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    rig r = {0};
    rig_new(&r, (settings){0}, NULL);
    task *t = (task *)r.env;
    t->wrong_reward = cases[i].reward;
    t->wrong_observation = cases[i].observation;
    t->wrong_history = cases[i].history;
    t->wrong_at = 3;
    assert_int_equal(deer_agent_run(r.agent, 1, 9), DEER_EDATA);
    assert_string_equal(deer_error(), cases[i].message);
    rig_end(&r);
  }
}

static deer_status interrupt_fifth(void *context, const deer_event *event) {
  rig *r = context;
  if (event->signal == DEER_ON_ACTION_TAKEN && ++r->taken == 5) deer_interrupt_raise();
  note_signal(r, event);
  return DEER_OK;
}

static void interrupt_ends_the_run(void **state) {
  (void)state;
  rig r = {0};
  rig_new(&r, (settings){.any_history = true}, interrupt_fifth);
  assert_int_equal(deer_agent_run(r.agent, 100, 1000), DEER_EINTERRUPT);
  assert_int_equal(deer_agent_steps(r.agent), 5);
  assert_string_equal(last_event(2), "OnActionTaken -1 n=5");
  assert_string_equal(last_event(1), "stop");
  assert_string_equal(last_event(0), "OnEnd -1 n=5");
  deer_interrupt_clear();
  /* a second run does not go on from the episode that was broken off */
  assert_int_equal(deer_agent_run(r.agent, 1, 5), DEER_OK);
  const deer_replay *replay = deer_agent_replay(r.agent);
  assert_true(deer_replay_drawable(replay, 3));
  assert_false(deer_replay_drawable(replay, 4));
  assert_true(deer_replay_drawable(replay, 5));
  deer_real history[3];
  int64_t index = 5;
  deer_batch batch = {.size = 1, .obs_tm1 = {history}, .index = &index};
  assert_int_equal(deer_replay_gather(replay, &batch), DEER_OK);
  assert_true(history[0] == 0 && history[1] == 0 && history[2] == 200);
  rig_end(&r);
}

/* in an epoch without acting, failures and Ctrl-C end the run as always */
static void training_without_acting(void **state) {
  (void)state;
  rig r = {.fail_in = DEER_SIGNALS};
  rig_new(&r, (settings){.terminal_at = 4}, fail_in_signal);
  deer_agent_set_gathering(r.agent, false);
  assert_int_equal(deer_agent_run(r.agent, 1, 3), DEER_EIO); /* that of OnEnd */
  static const char *const expected[] = {"OnStart",       "OnActionTaken", "OnActionTaken",
                                         "OnActionTaken", "OnEpisodeEnd",  "OnEpochEnd",
                                         "stop",          "OnEnd"};
  assert_int_equal(n_events, 8);
  for (int i = 0; i < 8; i++) assert_string_equal(events[i], expected[i]);
  assert_int_equal(deer_agent_steps(r.agent), 3);
  r.fail_in = DEER_ON_ACTION_TAKEN;
  assert_int_equal(deer_agent_run(r.agent, 1, 3), DEER_ECALLBACK);
  assert_string_equal(last_event(2), "OnActionTaken");
  deer_agent_listen(r.agent, NULL, NULL, 0);
  deer_interrupt_raise();
  assert_int_equal(deer_agent_run(r.agent, 1, 3), DEER_EINTERRUPT);
  deer_interrupt_clear();
  deer_agent_set_gathering(r.agent, true);
  assert_int_equal(deer_agent_set_sticky(r.agent, 0), DEER_EINVAL);
  assert_int_equal(deer_agent_set_sticky(r.agent, 3), DEER_OK);
  assert_int_equal(deer_agent_run(r.agent, 1, 2), DEER_OK);
  const deer_replay *replay = deer_agent_replay(r.agent);
  assert_float_equal(deer_replay_reward(replay, 0), 6, 0);
  assert_float_equal(deer_replay_reward(replay, 1), 4, 0);
  assert_int_equal(deer_replay_ending(replay, 1), DEER_TERMINATED);
  rig_end(&r);
}

static void agents_that_cannot_be(void **state) {
  (void)state;
  rig r = {0};
  assert_int_equal(rig_start(&r, (settings){.start = 2}), DEER_EINVAL);
  assert_string_equal(deer_error(),
                      "replay_start_size is 2 (expected at least 3, the longest history)");
  assert_null(r.agent);
  rig_end(&r);
  r = (rig){0};
  assert_int_equal(rig_start(&r, (settings){.start = 20, .memory = 20}), DEER_EINVAL);
  assert_string_equal(
      deer_error(),
      "a replay memory of 20 never holds more than replay_start_size 20 (expected less)");
  rig_end(&r);
  r = (rig){0};
  assert_int_equal(rig_start(&r, (settings){.memory = -4}), DEER_EINVAL);
  assert_null(r.agent);
  r.env->space.subjects[1].history = 2;
  deer_agent_config config = {.env = r.env, .algo = r.algo, .replay_start_size = -1};
  assert_int_equal(deer_agent_new(&config, &r.agent), DEER_EINVAL);
  assert_string_equal(deer_error(), "the algorithm was made for another environment");
  /* an algorithm of another version of the interface */
  deer_algo_class old = learner_class;
  old.abi = DEER_ALGO_ABI + 1;
  deer_rng rng = deer_rng_seed(1);
  deer_algo *algo;
  deer_algo_config algo_config = {.space = &r.env->space, .rng = &rng};
  assert_int_equal(deer_algo_new(&old, &algo_config, &algo), DEER_EINVAL);
  assert_null(algo);
  assert_non_null(strstr(deer_error(), "learner: made for version "));
  rig_end(&r);
}

/* ---- memory ---- */

static deer_status watch_allocations(void *context, const deer_event *event) {
  rig *r = context;
  bool trained;
  if (event->signal == DEER_ON_ACTION_TAKEN) {
    if (r->taken++ == 0) r->calls = deer_alloc_calls();
    DEER_TRY(deer_agent_train(r->agent, &trained));
  }
  assert_true(r->taken == 0 || deer_alloc_calls() == r->calls);
  return DEER_OK;
}

static void steady_state_allocates_nothing(void **state) {
  (void)state;
  for (int mode = -1; mode < 1; mode++) {
    rig r = {0};
    rig_new(&r, (settings){.terminal_at = 7, .truncated_at = 5}, watch_allocations);
    if (mode == 0) assert_int_equal(deer_agent_start_mode(r.agent, mode, 100), DEER_OK);
    assert_int_equal(deer_agent_run(r.agent, 5, 100), DEER_OK);
    assert_int_equal(r.taken, 500);
    rig_end(&r);
  }
}

static deer_status everything(rig *r) {
  DEER_TRY(rig_start(r, (settings){.terminal_at = 4}));
  deer_agent_listen(r->agent, traced, r, (1u << DEER_SIGNALS) - 1);
  return deer_agent_run(r->agent, 2, 9);
}

static void every_failed_allocation_is_survived(void **state) {
  (void)state;
  size_t blocks = deer_alloc_blocks();
  deer_status status = DEER_ENOMEM;
  int n = 0;
  while (status != DEER_OK) {
    rig r = {0};
    deer_alloc_fail_at((uint64_t)++n);
    status = everything(&r);
    assert_true(status == DEER_OK || status == DEER_ENOMEM);
    if (status != DEER_OK) assert_non_null(strstr(deer_error(), "out of memory"));
    rig_end(&r);
    assert_int_equal(deer_alloc_blocks(), blocks);
  }
  deer_alloc_fail_at(0);
  /* creation alone asks for a dozen blocks, each test epoch for a memory */
  assert_in_range(n, 30, 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_steps_are_random),
      cmocka_unit_test(actions_can_be_overridden),
      cmocka_unit_test(override_before_the_run),
      cmocka_unit_test(action_of_a_policy_is_checked),
      cmocka_unit_test(same_seed_same_run),
      cmocka_unit_test(epsilon_greedy),
      cmocka_unit_test(random_actions_of_a_box),
      cmocka_unit_test(truncated_episodes_keep_what_followed),
      cmocka_unit_test(terminal_episodes_need_nothing_more),
      cmocka_unit_test(calls_at_the_wrong_moment),
      cmocka_unit_test(test_sets_are_kept),
      cmocka_unit_test(losses_are_of_the_epoch),
      cmocka_unit_test(nothing_to_draw_is_no_error),
      cmocka_unit_test(failures_end_the_run_in_order),
      cmocka_unit_test(failures_of_listeners),
      cmocka_unit_test(failures_around_test_epochs),
      cmocka_unit_test(not_a_number_is_refused),
      cmocka_unit_test(interrupt_ends_the_run),
      cmocka_unit_test(training_without_acting),
      cmocka_unit_test(agents_that_cannot_be),
      cmocka_unit_test(steady_state_allocates_nothing),
      cmocka_unit_test(every_failed_allocation_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
