/* test_learner.c: an agent that the caller drives: what it sees, stores and refuses; and that it
 * learns what an agent with a loop of its own learns. */
#include "agent_rig.h"

/* ---- a learner with an algorithm that follows a script: subjects with histories of 3 and 1 ----
 */

typedef struct seat_rig {
  deer_algo *algo;
  deer_epsilon_greedy policy;
  deer_learner *learner;
} seat_rig;

static deer_space two_subjects(void) {
  return (deer_space){
      .n_subjects = 2,
      .subjects = {{3, DEER_SCALAR, DEER_DTYPE_REAL}, {1, DEER_SCALAR, DEER_DTYPE_REAL}},
      .actions = {.n = 4, .size = 1}};
}

static deer_status start(seat_rig *r, int lanes) {
  n_events = 0;
  planned = (fault){0};
  deer_rng rng = deer_rng_seed(1);
  deer_space space = two_subjects();
  deer_algo_config algo = {.space = &space, .rng = &rng};
  DEER_TRY(deer_algo_new(&learner_class, &algo, &r->algo));
  r->policy = deer_epsilon_greedy_make(0);
  deer_learner_config config = {.algo = r->algo,
                                .policy = &r->policy.base,
                                .lanes = lanes,
                                .replay = deer_replay_find("uniform"),
                                .replay_memory_size = 100,
                                .replay_start_size = -1,
                                .rng = &rng};
  return deer_learner_new(&config, &r->learner);
}

static void finish(seat_rig *r) {
  deer_learner_free(r->learner);
  deer_algo_free(r->algo);
}

/* the observation x of the first subject; 10 x is that of the second */
static deer_status choose(const seat_rig *r, int lane, double x, bool explore) {
  deer_real first = (deer_real)x, second = (deer_real)(10 * x), action = -1;
  const void *observation[] = {&first, &second};
  return deer_learner_choose(r->learner, lane, observation, explore, &action);
}

/* ending 0 goes on, 1 is terminal, 2 truncated */
static deer_status observe(const seat_rig *r, int lane, double reward, int ending, double x) {
  deer_real first = (deer_real)x, second = (deer_real)(10 * x);
  const void *next[] = {&first, &second};
  deer_outcome outcome = {
      .lane = lane, .reward = reward, .ending = (deer_ending)ending, .next = next};
  return deer_learner_observe(r->learner, &outcome);
}

static void assert_state(const seat_rig *r, int lane, double a, double b, double c) {
  const void *const *state = deer_learner_state(r->learner, lane);
  const deer_real *history = state[0];
  assert_true(history[0] == (deer_real)a && history[1] == (deer_real)b);
  assert_true(history[2] == (deer_real)c);
  assert_true(*(const deer_real *)state[1] == (deer_real)(10 * c));
}

/* what is remembered, as "observation:reward:ending " of each sample */
static const char *samples(const deer_replay *replay, char text[256]) {
  int64_t slot = -1;
  *text = '\0';
  while (deer_replay_next(replay, &slot)) {
    const deer_real *x = deer_replay_observation(replay, slot, 0);
    size_t n = strlen(text);
    snprintf(text + n, 256 - n, "%g:%g:%c ", (double)*x, deer_replay_reward(replay, slot),
             "-TC"[deer_replay_ending(replay, slot)]);
  }
  return text;
}

static void assert_samples(const seat_rig *r, const char *expected) {
  char text[256];
  assert_string_equal(samples(deer_learner_replay(r->learner), text), expected);
}

#define OK(call)                                                                                   \
  do {                                                                                             \
    if ((call) != DEER_OK) fail_msg("%s", deer_error());                                           \
  } while (0)

static void refused(deer_status got, deer_status expected, const char *message) {
  assert_int_equal(got, expected);
  if (!strstr(deer_error(), message)) fail_msg("'%s' in: %s", message, deer_error());
}

/* ---- what it sees and stores ---- */

static void histories_follow_the_episode(void **state) {
  (void)state;
  seat_rig r;
  OK(start(&r, 1));
  OK(choose(&r, 0, 1, true));
  assert_state(&r, 0, 0, 0, 1);
  OK(observe(&r, 0, 0.5, 0, 2));
  OK(choose(&r, 0, 2, true));
  assert_state(&r, 0, 0, 1, 2);
  OK(choose(&r, 0, 2, true)); /* asking again moves nothing */
  assert_state(&r, 0, 0, 1, 2);
  OK(observe(&r, 0, 1.5, 0, 3));
  OK(deer_learner_choose(r.learner, 0, NULL, true, &(deer_real){0})); /* what came next is known */
  assert_state(&r, 0, 1, 2, 3);
  OK(observe(&r, 0, 2.5, 1, 99));
  OK(choose(&r, 0, 7, true));
  assert_state(&r, 0, 0, 0, 7);
  assert_samples(&r, "1:0.5:- 2:1.5:- 3:2.5:T ");
  finish(&r);
}

/* a truncated sample goes on in what was observed last, a terminal one does not */
static void truncations_bootstrap(void **state) {
  (void)state;
  seat_rig r;
  OK(start(&r, 1));
  for (int episode = 0; episode < 2; episode++) {
    OK(choose(&r, 0, 1, true));
    OK(observe(&r, 0, 1, 0, 2));
    OK(choose(&r, 0, 2, true));
    OK(observe(&r, 0, 2, episode ? 1 : 2, 3));
  }
  assert_samples(&r, "1:1:- 2:2:C 1:1:- 2:2:T ");
  deer_replay *replay = deer_learner_replay(r.learner);
  deer_real r_t[4], goes_on[4], first[4][3], second[4];
  int64_t index[] = {0, 1, 3, 4}; /* slot 2 is the final observation */
  deer_batch batch = {
      .size = 4, .r_t = r_t, .continue_t = goes_on, .obs_t = {first, second}, .index = index};
  OK(deer_replay_gather(replay, &batch));
  assert_true(goes_on[0] == 1 && goes_on[1] == 1 && goes_on[2] == 1 && goes_on[3] == 0);
  assert_true(first[1][0] == 1 && first[1][1] == 2 && first[1][2] == 3 && second[1] == 30);
  finish(&r);
}

/* a person drives: the action is theirs, with or without one chosen before */
static void others_may_act(void **state) {
  (void)state;
  seat_rig r;
  OK(start(&r, 1));
  deer_real x[] = {1, 2, 3}, ten[] = {10, 20, 30}, three = 3, two = 2;
  deer_outcome o = {.observation = (const void *[]){&x[0], &ten[0]},
                    .action = &three,
                    .reward = 5,
                    .next = (const void *[]){&x[1], &ten[1]}};
  OK(deer_learner_observe(r.learner, &o));
  /* the state is the one that came next */
  o = (deer_outcome){.action = &two, .reward = 6, .next = (const void *[]){&x[2], &ten[2]}};
  OK(deer_learner_observe(r.learner, &o));
  OK(choose(&r, 0, 3, true));
  assert_state(&r, 0, 1, 2, 3);
  o = (deer_outcome){.action = &three, .reward = 7, .ending = DEER_TERMINATED};
  OK(deer_learner_observe(r.learner, &o));
  assert_samples(&r, "1:5:- 2:6:- 3:7:T ");
  const deer_replay *replay = deer_learner_replay(r.learner);
  assert_true(*deer_replay_action(replay, 0) == 3 && *deer_replay_action(replay, 1) == 2);
  assert_true(*deer_replay_action(replay, 2) == 3);
  finish(&r);
}

/* to play without telling what happens is no part of the story */
static void tests_leave_no_trace(void **state) {
  (void)state;
  seat_rig r;
  OK(start(&r, 1));
  OK(choose(&r, 0, 1, true));
  OK(observe(&r, 0, 1, 0, 2));
  for (int i = 0; i < 4; i++) OK(choose(&r, 0, 50 + i, false));
  assert_state(&r, 0, 51, 52, 53);
  OK(deer_learner_see(r.learner, 0, (const void *[]){&(deer_real){54}, &(deer_real){540}}));
  assert_state(&r, 0, 52, 53, 54);
  /* back to learning, in another episode */
  OK(choose(&r, 0, 2, true));
  assert_state(&r, 0, 0, 0, 2);
  OK(observe(&r, 0, 2, 1, 0));
  assert_samples(&r, "1:1:C 2:2:T ");
  assert_true(deer_replay_drawable(deer_learner_replay(r.learner), 0));
  finish(&r);
}

/* the best action may as well be part of the story */
static void best_actions_are_stored_too(void **state) {
  (void)state;
  seat_rig r;
  OK(start(&r, 1));
  OK(choose(&r, 0, 1, false));
  OK(observe(&r, 0, 1, 0, 2));
  OK(choose(&r, 0, 2, false));
  OK(choose(&r, 0, 2, true));
  assert_state(&r, 0, 0, 1, 2);
  OK(observe(&r, 0, 2, 1, 0));
  assert_samples(&r, "1:1:- 2:2:T ");
  finish(&r);
}

static void a_reset_begins_with_histories(void **state) {
  (void)state;
  seat_rig r;
  OK(start(&r, 1));
  OK(choose(&r, 0, 1, true));
  OK(observe(&r, 0, 1, 0, 2));
  deer_real first[] = {7, 8, 9}, second = 3;
  OK(deer_learner_reset(r.learner, 0, (const void *[]){first, &second}));
  OK(choose(&r, 0, 5, true));
  assert_state(&r, 0, 8, 9, 5);
  /* one that was given up goes on in what was observed last */
  assert_samples(&r, "1:1:C ");
  first[1] = (deer_real)NAN;
  refused(deer_learner_reset(r.learner, 0, (const void *[]){first, &second}), DEER_EDATA, "nan");
  assert_state(&r, 0, 8, 9, 5);
  finish(&r);
}

/* two environments, told in turn, are as two learners with one each */
static void lanes_are_apart(void **state) {
  (void)state;
  seat_rig both, one[2];
  char text[256], alone[2][256];
  OK(start(&both, 2));
  OK(start(&one[0], 1));
  OK(start(&one[1], 1));
  for (int t = 0; t < 20; t++)
    for (int lane = 0; lane < 2; lane++) {
      int length = 3 + 2 * lane, at = t % length;
      int ending = at == length - 1 ? 1 + lane : 0;
      for (int i = 0; i < 2; i++) {
        const seat_rig *r = i ? &one[lane] : &both;
        OK(choose(r, i ? 0 : lane, 100 * lane + at, true));
        OK(observe(r, i ? 0 : lane, t, ending, 100 * lane + at + 1));
      }
      const void *const *a = deer_learner_state(both.learner, lane);
      const void *const *b = deer_learner_state(one[lane].learner, 0);
      assert_memory_equal(a[0], b[0], 3 * sizeof(deer_real));
    }
  const deer_replay *all = deer_learner_replay(both.learner);
  assert_int_equal(deer_learner_lanes(both.learner), 2);
  for (int lane = 0; lane < 2; lane++) {
    assert_int_equal(deer_replay_pushed(all, lane), 20);
    samples(deer_learner_replay(one[lane].learner), alone[lane]);
  }
  /* the samples of the lanes alternate where both have one */
  assert_int_equal(deer_replay_count(all), 40);
  assert_non_null(strstr(samples(all, text), "0:0:- 100:0:- 1:1:- 101:1:- 2:2:T 102:2:- "));
  assert_non_null(strstr(alone[1], "103:3:- 104:4:C 100:5:- "));
  finish(&both);
  finish(&one[0]);
  finish(&one[1]);
}

/* all lanes at once; x[i] is observed in lane i */
static deer_status choose_all(const seat_rig *r, const deer_real x[2], deer_real chosen[2]) {
  deer_real second[2] = {10 * x[0], 10 * x[1]};
  const void *observations[] = {x, second};
  return deer_learner_choose_all(r->learner, observations, true, chosen);
}

static void lanes_are_refused_together(void **state) {
  (void)state;
  seat_rig r;
  deer_real chosen[2] = {-1, -1};
  OK(start(&r, 2));
  refused(deer_learner_choose_all(r.learner, NULL, true, chosen), DEER_ESTATE,
          "environment 0: an episode begins: expected its first observation");
  refused(choose_all(&r, (deer_real[]){1, NAN}, chosen), DEER_EDATA, "environment 1: ");
  assert_state(&r, 0, 0, 0, 0); /* nothing has moved */
  OK(choose_all(&r, (deer_real[]){1, 2}, chosen));
  assert_true(chosen[0] >= 0 && chosen[1] >= 0);
  assert_state(&r, 0, 0, 0, 1);
  assert_state(&r, 1, 0, 0, 2);
  OK(observe(&r, 0, 1, 0, 3));
  refused(choose_all(&r, (deer_real[]){3, 4}, chosen), DEER_ESTATE,
          "environment 1: the last action was chosen in another state");
  assert_state(&r, 0, 0, 0, 1);
  OK(observe(&r, 1, 1, 1, 4));
  refused(deer_learner_choose_all(r.learner, NULL, true, chosen), DEER_ESTATE,
          "environment 1: an episode begins");
  OK(choose_all(&r, (deer_real[]){3, 5}, chosen));
  assert_state(&r, 0, 0, 1, 3);
  assert_state(&r, 1, 0, 0, 5);
  finish(&r);
}

/* ---- wrong order, wrong numbers ---- */

static void what_does_not_follow_is_refused(void **state) {
  (void)state;
  seat_rig r;
  OK(start(&r, 1));
  refused(deer_learner_choose(r.learner, 0, NULL, true, &(deer_real){0}), DEER_ESTATE,
          "an episode begins: expected its first observation");
  refused(observe(&r, 0, 1, 0, 2), DEER_ESTATE, "an episode begins");
  refused(choose(&r, 1, 1, true), DEER_ESTATE, "there is no environment 1 (expected 0 to 0)");
  refused(choose(&r, -1, 1, true), DEER_ESTATE, "there is no environment -1");
  refused(observe(&r, 1, 1, 0, 2), DEER_ESTATE, "there is no environment 1");
  refused(deer_learner_reset(r.learner, 9, NULL), DEER_ESTATE, "there is no environment 9");
  assert_null(deer_learner_state(r.learner, 1));
  OK(choose(&r, 0, 1, true));
  refused(choose(&r, 0, 2, true), DEER_ESTATE, "what it led to was not observed");
  OK(observe(&r, 0, 1, 0, 2));
  refused(observe(&r, 0, 1, 0, 3), DEER_ESTATE, "no action was chosen");
  refused(choose(&r, 0, 3, true), DEER_ESTATE, "not the next state that was observed last");
  assert_samples(&r, "1:1:- ");
  /* none of it did any harm */
  OK(choose(&r, 0, 2, true));
  assert_state(&r, 0, 0, 1, 2);
  finish(&r);
}

static void wrong_numbers_are_refused(void **state) {
  (void)state;
  seat_rig r;
  OK(start(&r, 2));
  refused(choose(&r, 1, NAN, true), DEER_EDATA, "environment 1: subject 0 of the observation is");
  OK(choose(&r, 1, 1, true));
  refused(observe(&r, 1, NAN, 0, 2), DEER_EDATA, "environment 1: the reward is nan");
  refused(observe(&r, 1, INFINITY, 0, 2), DEER_EDATA, "the reward is inf");
  refused(observe(&r, 1, 1, 0, INFINITY), DEER_EDATA, "what came next: subject 0");
  deer_outcome o = {.lane = 1, .reward = 1, .ending = DEER_TRUNCATED};
  refused(deer_learner_observe(r.learner, &o), DEER_EINVAL, "expected what was observed next");
  o = (deer_outcome){.lane = 1, .action = &(deer_real){4}, .ending = DEER_TERMINATED};
  refused(deer_learner_observe(r.learner, &o), DEER_EINVAL, "action 4 is not one of 0..3");
  assert_samples(&r, "");
  OK(observe(&r, 1, 1, 0, 2));
  assert_samples(&r, "1:1:- ");
  finish(&r);
}

static void failures_of_the_algo_come_through(void **state) {
  (void)state;
  seat_rig r;
  bool learnt = true;
  double loss;
  OK(start(&r, 1));
  OK(deer_learner_update(r.learner, &learnt, &loss));
  assert_false(learnt);
  assert_string_equal(deer_error(), "samples gathered so far: 0 (expected more than 3)");
  for (int i = 0; i < 5; i++) {
    OK(choose(&r, 0, i, true));
    OK(observe(&r, 0, 1, 0, i + 1));
  }
  OK(deer_learner_update(r.learner, &learnt, &loss));
  assert_true(learnt && loss == 0.5);
  planned = (fault){LEARN, 1, DEER_EDATA};
  refused(deer_learner_update(r.learner, &learnt, &loss), DEER_EDATA, "boom");
  planned = (fault){BEST, 1, DEER_ECALLBACK};
  refused(choose(&r, 0, 5, true), DEER_ECALLBACK, "boom");
  OK(choose(&r, 0, 5, true));
  assert_state(&r, 0, 3, 4, 5);
  finish(&r);
}

static void what_cannot_be_made_is_refused(void **state) {
  (void)state;
  deer_rng rng = deer_rng_seed(1);
  deer_space space = two_subjects();
  deer_algo_config algo_config = {.space = &space, .rng = &rng};
  deer_algo *algo;
  OK(deer_algo_new(&learner_class, &algo_config, &algo));
  deer_gaussian_noise noise;
  OK(deer_policy_init(deer_policy_find("gaussian_noise"), NULL, 0, &noise.base));
  deer_epsilon_greedy greedy = deer_epsilon_greedy_make(0);
  deer_learner_config config = {.algo = algo,
                                .policy = &noise.base,
                                .replay = deer_replay_find("uniform"),
                                .replay_start_size = -1,
                                .replay_memory_size = 50,
                                .rng = &rng};
  deer_learner *made = (deer_learner *)&rng;
  refused(deer_learner_new(&config, &made), DEER_EINVAL, "adds noise to continuous actions");
  assert_null(made);
  config.policy = &greedy.base;
  config.replay_start_size = 2;
  refused(deer_learner_new(&config, &made), DEER_EINVAL, "expected at least 3, the longest");
  config.replay_start_size = 50;
  refused(deer_learner_new(&config, &made), DEER_EINVAL, "never holds more than");
  config.replay_start_size = -1;
  config.lanes = 51;
  refused(deer_learner_new(&config, &made), DEER_EINVAL, "in 51 lanes");
  config.lanes = 3;
  size_t blocks = deer_alloc_blocks();
  deer_status status = DEER_ENOMEM;
  for (uint64_t n = 1; status != DEER_OK; n++) {
    deer_alloc_fail_at(n);
    status = deer_learner_new(&config, &made);
    deer_alloc_fail_at(0);
    assert_true(status == DEER_OK || status == DEER_ENOMEM);
    assert_true((made != NULL) == (status == DEER_OK));
    deer_learner_free(made);
    assert_int_equal(deer_alloc_blocks(), blocks);
  }
  deer_algo_free(algo);
}

/* ---- the same as an agent ---- */

typedef struct task_of {
  const char *env, *algo, *policy;
  double max_steps;
} task_of;

typedef struct world {
  deer_env *env;
  deer_algo *algo;
  char policy[256];
  deer_agent *agent;
  int at; /* step of the episode, from 0 */
} world;

static const deer_option small[] = {{"batch_size", {DEER_VALUE_NUMBER, 16, NULL}},
                                    {"learning_rate", {DEER_VALUE_NUMBER, 0.01, NULL}},
                                    {"horizon", {DEER_VALUE_NUMBER, 48, NULL}}};

static void make_world(world *w, const task_of *t) {
  deer_rng rng = deer_rng_seed(3);
  deer_option limit = number("max_steps", t->max_steps);
  OK(deer_env_new(deer_env_find(t->env), &limit, 1, &rng, &w->env));
  const deer_algo_class *class = deer_algo_find(t->algo);
  deer_algo_config config = {
      .space = &w->env->space, .options = small, .n_options = class->horizon ? 3 : 2, .rng = &rng};
  OK(deer_algo_new(class, &config, &w->algo));
  const deer_policy_class *policy = deer_policy_find(t->policy);
  assert_true(policy->size <= sizeof w->policy);
  OK(deer_policy_init(policy, NULL, 0, (deer_policy *)w->policy));
}

static void free_world(world *w) {
  deer_algo_free(w->algo);
  deer_env_free(w->env);
}

/* What can be drawn is the same when the agent has stored a sample of which it does not know what
 * it led to, and when a learner knows what came next but not what was done there. So they learn
 * then, in every step but the first of an episode. */
static deer_status after_step(void *context, const deer_event *event) {
  world *w = context;
  bool trained, learns = w->at++ > 0 && deer_agent_steps(w->agent) > 2;
  if (event->signal == DEER_ON_EPISODE_END) w->at = 0;
  if (event->signal == DEER_ON_EPISODE_END || (!learns && !w->algo->kind->horizon)) return DEER_OK;
  return deer_agent_train(w->agent, &trained);
}

enum { STEPS = 400 };

static deer_agent *run_agent(world *w) {
  deer_rng rng = deer_rng_seed(4);
  deer_epsilon_greedy greedy = deer_epsilon_greedy_make(0);
  deer_agent_config config = {.env = w->env,
                              .algo = w->algo,
                              .train_policy = (deer_policy *)w->policy,
                              .test_policy = &greedy.base,
                              .replay = deer_replay_find("uniform"),
                              .replay_start_size = -1,
                              .replay_memory_size = 1000,
                              .only_full_history = true,
                              .rng = &rng};
  OK(deer_agent_new(&config, &w->agent));
  unsigned mask = 1u << DEER_ON_ACTION_TAKEN | 1u << DEER_ON_EPISODE_END;
  deer_agent_listen(w->agent, after_step, w, mask);
  OK(deer_agent_run(w->agent, 1, STEPS));
  return w->agent;
}

/* an episode begins */
static void begin(world *w, deer_learner *l, deer_real *x) {
  deer_real history[8] = {0};
  w->at = 0;
  OK(deer_env_reset(w->env, -1, (void *[]){history}));
  OK(deer_learner_reset(l, 0, (const void *[]){history}));
  OK(w->env->kind->observe(w->env, (void *[]){x}));
}

static void update(const world *w, deer_learner *l) {
  bool learnt;
  double loss;
  if (w->algo->kind->horizon || w->at > 0) OK(deer_learner_update(l, &learnt, &loss));
}

/* one step of the caller's loop */
static void step(world *w, deer_learner *l, deer_real *x, deer_real *action) {
  const void *seen[] = {x};
  deer_outcome o = {.next = seen};
  OK(deer_learner_choose(l, 0, seen, true, action));
  OK(deer_env_act(w->env, action, &o.reward));
  OK(deer_env_ending(w->env, &o.ending));
  OK(w->env->kind->observe(w->env, (void *[]){x}));
  bool ahead = !w->algo->kind->horizon && o.ending != DEER_TERMINATED;
  if (ahead) update(w, l);
  OK(deer_learner_observe(l, &o));
  if (!ahead) update(w, l);
  w->at++;
  if (o.ending != DEER_RUNNING) begin(w, l, x);
}

static deer_learner *make_learner(const world *w, int lanes) {
  deer_rng rng = deer_rng_seed(4);
  deer_learner_config config = {.algo = w->algo,
                                .policy = (deer_policy *)w->policy,
                                .lanes = lanes,
                                .replay = deer_replay_find("uniform"),
                                .replay_start_size = -1,
                                .replay_memory_size = 1000,
                                .only_full_history = true,
                                .rng = &rng};
  deer_learner *made;
  OK(deer_learner_new(&config, &made));
  return made;
}

static deer_learner *run_learner(world *w) {
  deer_learner *made = make_learner(w, 1);
  deer_real x[8] = {0}, action[8];
  begin(w, made, x);
  uint64_t calls = 0;
  for (int t = 0; t < STEPS; t++) {
    if (t == STEPS / 2) calls = deer_alloc_calls();
    step(w, made, x, action);
  }
  assert_true(deer_alloc_calls() == calls);
  return made;
}

typedef struct digest {
  uint64_t sum;
  size_t n;
} digest;

static void add(void *context, const char *name, const deer_shape *shape, deer_real *data) {
  (void)name;
  digest *d = context;
  for (size_t i = 0; i < deer_shape_count(shape); i++) {
    uint64_t bits = 0;
    memcpy(&bits, &data[i], sizeof data[i]);
    d->sum = d->sum * 6364136223846793005u + bits;
    d->n++;
  }
}

static void compare(const task_of *t) {
  world a = {0}, b = {0};
  make_world(&a, t);
  make_world(&b, t);
  deer_agent *agent = run_agent(&a);
  deer_learner *made = run_learner(&b);
  const deer_replay *mine = deer_learner_replay(made), *its = deer_agent_replay(agent);
  assert_int_equal(deer_replay_count(mine), STEPS);
  size_t size = (size_t)a.env->space.actions.size * sizeof(deer_real);
  size_t bytes = deer_subject_bytes(&a.env->space.subjects[0]);
  int64_t slot = -1, other = -1;
  for (int i = 0; deer_replay_next(mine, &slot) && deer_replay_next(its, &other); i++) {
    if (slot != other) fail_msg("%s: sample %d lies elsewhere", t->algo, i);
    if (memcmp(deer_replay_action(mine, slot), deer_replay_action(its, slot), size) != 0)
      fail_msg("%s: another action in step %d", t->algo, i);
    assert_memory_equal(deer_replay_observation(mine, slot, 0),
                        deer_replay_observation(its, slot, 0), bytes);
    assert_true(deer_replay_reward(mine, slot) == deer_replay_reward(its, slot));
    /* the end of the epoch cuts the agent's last episode */
    if (i < STEPS - 1)
      assert_int_equal(deer_replay_ending(mine, slot), deer_replay_ending(its, slot));
  }
  assert_true(b.algo->updates > (b.algo->kind->horizon ? 5 : 300));
  assert_int_equal(a.algo->updates, b.algo->updates);
  digest first = {0}, second = {0};
  deer_algo_visit(a.algo, &first, add);
  deer_algo_visit(b.algo, &second, add);
  assert_true(first.n > 100 && first.n == second.n);
  if (first.sum != second.sum) fail_msg("%s: other parameters", t->algo);
  deer_learner_free(made);
  deer_agent_free(agent);
  free_world(&a);
  free_world(&b);
}

static void it_learns_what_an_agent_learns(void **state) {
  (void)state;
  static const task_of tasks[] = {
      {"cartpole", "dqn", "epsilon_greedy", 15},      {"pendulum", "sac", "stochastic", 30},
      {"pendulum", "ddpg", "ornstein_uhlenbeck", 30}, {"cartpole", "ppo", "stochastic", 15},
      {"cartpole", "reinforce", "stochastic", 15},    {"pendulum", "a2c", "stochastic", 30}};
  for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) compare(&tasks[i]);
}

/* ---- all lanes at once ---- */

enum { LANES = 5 };

/* what lane i did leads to x; one in eight is the end */
static void tell(deer_learner *l, int i, deer_real *x, double reward) {
  const void *next[] = {x};
  deer_outcome o = {.lane = i, .reward = reward, .next = next};
  o.ending = x[0] > (deer_real)0.75 ? DEER_TERMINATED : DEER_RUNNING;
  OK(deer_learner_observe(l, &o));
}

typedef struct two_learners {
  deer_learner *all, *each;
  size_t width, size; /* of an observation, of an action */
  bool explore;
} two_learners;

static void choose_both(const two_learners *two, deer_real *x) {
  deer_real chosen[LANES * 8], action[8];
  bool fresh = false;
  for (size_t i = 0; i < LANES; i++) fresh = fresh || x[i * two->width] > (deer_real)0.75;
  const void *seen[] = {x};
  OK(deer_learner_choose_all(two->all, fresh ? seen : NULL, two->explore, chosen));
  for (int i = 0; i < LANES; i++) {
    seen[0] = x + (size_t)i * two->width;
    OK(deer_learner_choose(two->each, i, seen, two->explore, action));
    assert_memory_equal(action, chosen + (size_t)i * two->size, two->size * sizeof *action);
  }
}

static void compare_lanes(const task_of *t) {
  world a = {0}, b = {0};
  make_world(&a, t);
  make_world(&b, t);
  size_t width = deer_subject_bytes(&a.env->space.subjects[0]) / sizeof(deer_real);
  /* what an algo draws for many states at once are other numbers than for one after the other */
  bool explore = strcmp(t->policy, "stochastic") != 0;
  two_learners two = {make_learner(&a, LANES), make_learner(&b, LANES), width,
                      (size_t)a.env->space.actions.size, explore};
  deer_real x[LANES * 8];
  deer_rng rng = deer_rng_seed(9);
  for (size_t i = 0; i < LANES * width; i++) x[i] = 1; /* all begin */
  for (int step = 0; step < 100; step++) {
    choose_both(&two, x);
    for (size_t i = 0; i < LANES * width; i++) x[i] = (deer_real)(2 * deer_rng_uniform(&rng) - 1);
    for (int i = 0; i < LANES; i++) {
      bool learnt;
      double loss, reward = deer_rng_uniform(&rng);
      tell(two.all, i, x + (size_t)i * width, reward);
      tell(two.each, i, x + (size_t)i * width, reward);
      OK(deer_learner_update(two.all, &learnt, &loss));
      OK(deer_learner_update(two.each, &learnt, &loss));
    }
  }
  assert_true(a.algo->updates > 1);
  deer_learner_free(two.all);
  deer_learner_free(two.each);
  free_world(&a);
  free_world(&b);
}

static void all_at_once_is_one_by_one(void **state) {
  (void)state;
  static const task_of tasks[] = {{"cartpole", "dqn", "epsilon_greedy", 15},
                                  {"pendulum", "sac", "stochastic", 30},
                                  {"pendulum", "ddpg", "ornstein_uhlenbeck", 30},
                                  {"cartpole", "ppo", "stochastic", 15}};
  for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) compare_lanes(&tasks[i]);
}

int main(void) {
  deer_blas_start();
  const struct CMUnitTest tests[] = {cmocka_unit_test(histories_follow_the_episode),
                                     cmocka_unit_test(truncations_bootstrap),
                                     cmocka_unit_test(others_may_act),
                                     cmocka_unit_test(tests_leave_no_trace),
                                     cmocka_unit_test(best_actions_are_stored_too),
                                     cmocka_unit_test(a_reset_begins_with_histories),
                                     cmocka_unit_test(lanes_are_apart),
                                     cmocka_unit_test(what_does_not_follow_is_refused),
                                     cmocka_unit_test(wrong_numbers_are_refused),
                                     cmocka_unit_test(failures_of_the_algo_come_through),
                                     cmocka_unit_test(what_cannot_be_made_is_refused),
                                     cmocka_unit_test(lanes_are_refused_together),
                                     cmocka_unit_test(all_at_once_is_one_by_one),
                                     cmocka_unit_test(it_learns_what_an_agent_learns)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
