/* test_policy.c: the policies for continuous actions, on an algorithm whose best action is known.
 */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DRAWS = 20000 };

static deer_status act(deer_algo *self, const void *const *state, deer_real *action,
                       double *value) {
  (void)self;
  (void)state;
  action[0] = 3, action[1] = 20;
  if (value) *value = 7;
  return DEER_OK;
}

static deer_status explore(deer_algo *self, const void *const *state, deer_rng *rng,
                           deer_real *action) {
  (void)self;
  (void)state;
  action[0] = (deer_real)(2 + 4 * deer_rng_uniform(rng));
  action[1] = 15;
  return DEER_OK;
}

static const deer_algo_class fixed = {.name = "fixed", .act = act};
static const deer_algo_class drawing = {.name = "drawing", .act = act, .explore = explore};

/* the box is 2..6 by 10..20: its half widths are 2 and 5, the best action is 3, 20 */
static deer_algo make_algo(const deer_algo_class *kind) {
  return (deer_algo){.kind = kind,
                     .space = {.n_subjects = 1,
                               .subjects = {{1, DEER_SCALAR, DEER_DTYPE_REAL}},
                               .actions = {.size = 2, .low = {2, 10}, .high = {6, 20}}}};
}

static void make(const char *name, const char *option, double number, deer_policy *policy) {
  deer_option options[] = {{option, {DEER_VALUE_NUMBER, number, NULL}}};
  memset(policy, 0, deer_policy_find(name)->size);
  assert_int_equal(deer_policy_init(deer_policy_find(name), options, option != NULL, policy), 0);
}

/* one choice of a policy; it must lie in the box and be exploratory */
static void choose(deer_policy *policy, deer_choice *choice, deer_real action[2]) {
  double value = -1;
  bool greedy = true;
  assert_int_equal(policy->kind->choose(policy, choice, action, &value, &greedy), DEER_OK);
  assert_int_equal(deer_action_check(&choice->algo->space.actions, action), DEER_OK);
  assert_true(!greedy && value == 0);
}

static void gaussian_noise(void **state) {
  (void)state;
  deer_gaussian_noise policy;
  deer_algo algo = make_algo(&fixed);
  deer_rng rng = deer_rng_seed(1);
  deer_choice choice = {.algo = &algo, .mode = -1, .rng = &rng};
  make("gaussian_noise", "sigma", 0.1, &policy.base);
  assert_int_equal(policy.base.kind->check(&policy.base, &algo), DEER_OK);
  double sum = 0, squares = 0, product = 0, last = 0;
  int at_bound = 0;
  for (int i = 0; i < DRAWS; i++) {
    deer_real action[2];
    choose(&policy.base, &choice, action);
    double x = (double)action[0] - 3;
    sum += x, squares += x * x, product += x * last, last = x;
    /* half of the noise on the second would leave the box */
    at_bound += action[1] == 20;
  }
  assert_true(fabs(sum / DRAWS) < 0.01);
  assert_true(fabs(sqrt(squares / DRAWS) - 0.2) < 0.005);
  assert_true(fabs(product / squares) < 0.03);
  assert_true(abs(at_bound - DRAWS / 2) < DRAWS / 50);
  policy.sigma = 0;
  deer_real action[2];
  choose(&policy.base, &choice, action);
  assert_true(action[0] == 3 && action[1] == 20);
}

static void ornstein_uhlenbeck(void **state) {
  (void)state;
  deer_ornstein_uhlenbeck policy;
  deer_algo algo = make_algo(&fixed);
  deer_rng rng = deer_rng_seed(1), copy = rng;
  double noise[DEER_MAX_ACTION_SIZE] = {0};
  deer_choice choice = {.algo = &algo, .mode = -1, .first = true, .memory = noise, .rng = &rng};
  make("ornstein_uhlenbeck", "sigma", 0.05, &policy.base);
  assert_true(policy.theta == 0.15);
  double x[2] = {0, 0};
  for (int i = 0; i < 300; i++) {
    choice.first = i % 100 == 0;
    deer_real action[2];
    choose(&policy.base, &choice, action);
    for (int k = 0; k < 2; k++) {
      if (choice.first) x[k] = 0;
      x[k] += -0.15 * x[k] + 0.05 * deer_rng_normal(&copy);
    }
    double expected[] = {fmax(3 + 2 * x[0], 2), fmin(20 + 5 * x[1], 20)};
    for (int k = 0; k < 2; k++) assert_true(fabs((double)action[k] - expected[k]) < 1e-5);
  }
}

static void stochastic(void **state) {
  (void)state;
  deer_policy policy;
  deer_algo algo = make_algo(&drawing), other = make_algo(&fixed);
  deer_rng rng = deer_rng_seed(1), copy = rng;
  deer_choice choice = {.algo = &algo, .mode = -1, .rng = &rng};
  make("stochastic", NULL, 0, &policy);
  deer_real action[2], expected[2];
  for (int i = 0; i < 10; i++) {
    choose(&policy, &choice, action);
    explore(&algo, NULL, &copy, expected);
    assert_memory_equal(action, expected, sizeof action);
  }
  assert_int_equal(policy.kind->check(&policy, &algo), DEER_OK);
  assert_int_equal(policy.kind->check(&policy, &other), DEER_EINVAL);
  assert_string_equal(
      deer_error(), "the policy stochastic needs an algorithm that draws actions, fixed does not");
}

/* ---- what chooses among numbered actions ---- */

static deer_status values(deer_algo *self, const void *const *state, deer_real *q) {
  (void)self;
  (void)state;
  q[0] = 1, q[1] = 3, q[2] = 2;
  return DEER_OK;
}

static deer_status best(deer_algo *self, const void *const *state, deer_real *action,
                        double *value) {
  (void)self;
  (void)state;
  *action = 1;
  if (value) *value = 3;
  return DEER_OK;
}

static const deer_algo_class knowing = {.name = "knowing", .act = best, .values = values};

static deer_algo make_discrete(const deer_algo_class *kind, int n) {
  deer_algo algo = make_algo(kind);
  algo.space.actions = (deer_action_space){.n = n, .size = 1};
  return algo;
}

static void boltzmann(void **state) {
  (void)state;
  deer_boltzmann policy;
  deer_algo algo = make_discrete(&knowing, 3), other = make_algo(&fixed);
  deer_rng rng = deer_rng_seed(1);
  deer_choice choice = {.algo = &algo, .mode = -1, .rng = &rng};
  make("boltzmann", "temperature", 0.5, &policy.base);
  assert_int_equal(policy.base.kind->check(&policy.base, &algo), DEER_OK);
  double counts[3] = {0}, total = exp(2) + exp(6) + exp(4);
  for (int i = 0; i < DRAWS; i++) {
    deer_real action;
    double value;
    bool greedy;
    assert_int_equal(policy.base.kind->choose(&policy.base, &choice, &action, &value, &greedy), 0);
    assert_true(greedy == (action == 1) && value == (greedy ? 3 : 0));
    counts[(int)action]++;
  }
  const double expected[] = {exp(2) / total, exp(6) / total, exp(4) / total};
  for (int a = 0; a < 3; a++) assert_true(fabs(counts[a] / DRAWS - expected[a]) < 0.01);
  /* a difference that exp could not hold */
  policy.temperature = 1e-6;
  for (int i = 0; i < 100; i++) {
    deer_real action;
    double value;
    bool greedy;
    assert_int_equal(policy.base.kind->choose(&policy.base, &choice, &action, &value, &greedy), 0);
    assert_true(action == 1 && greedy);
  }
  assert_int_equal(policy.base.kind->check(&policy.base, &other), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "knows the value of every action, fixed does not"));
}

/* one choice of longer exploration: was it exploratory? */
static bool explores(deer_policy *policy, deer_choice *choice, deer_real *action) {
  double value;
  bool greedy;
  assert_int_equal(policy->kind->choose(policy, choice, action, &value, &greedy), DEER_OK);
  return !greedy;
}

static deer_status act_only(deer_algo *self, const void *const *state, deer_real *action,
                            double *value) {
  (void)self;
  (void)state;
  *action = 0;
  if (value) *value = 0;
  return DEER_OK;
}

static const deer_algo_class single = {.name = "single", .act = act_only};

/* half of the random actions are any but the best of three */
static void excluded_greedy_action(void **state) {
  (void)state;
  deer_algo algo = make_discrete(&knowing, 3), lonely = make_discrete(&single, 1);
  deer_rng rng = deer_rng_seed(7);
  deer_epsilon_greedy policy = deer_epsilon_greedy_make(1);
  policy.exclude_greedy = 0.5;
  deer_choice choice = {.algo = &algo, .mode = -1, .rng = &rng};
  double counts[3] = {0};
  deer_real action[2];
  for (int i = 0; i < DRAWS; i++) {
    assert_true(explores(&policy.base, &choice, action));
    counts[(int)action[0]]++;
  }
  const double expected[] = {5.0 / 12, 1.0 / 6, 5.0 / 12};
  for (int a = 0; a < 3; a++) assert_true(fabs(counts[a] / DRAWS - expected[a]) < 0.01);
  /* there is no other action, and the search for one ends */
  choice.algo = &lonely;
  policy.exclude_greedy = 1;
  assert_true(explores(&policy.base, &choice, action));
  assert_true(action[0] == 0);
}

/* around the best one, 3, 20, nothing from 2 to 4 by 17.5 to 20, an eighth of the box */
static void excluded_part_of_a_box(void **state) {
  (void)state;
  deer_algo algo = make_algo(&fixed);
  deer_rng rng = deer_rng_seed(8);
  deer_epsilon_greedy policy;
  make("epsilon_greedy", "distance", 0.5, &policy.base);
  policy.epsilon = policy.exclude_greedy = 1;
  deer_choice choice = {.algo = &algo, .mode = -1, .rng = &rng};
  int left = 0;
  for (int i = 0; i < DRAWS; i++) {
    deer_real action[2];
    choose(&policy.base, &choice, action);
    assert_false(action[0] <= 4 && action[1] >= (deer_real)17.5);
    left += action[0] <= 4;
  }
  assert_true(fabs((double)left / DRAWS - 3.0 / 7) < 0.015);
}

/* epsilon is the share of exploratory steps, whatever the length */
static void longer_exploration_share(void **state) {
  (void)state;
  deer_algo algo = make_discrete(&knowing, 3);
  deer_rng rng = deer_rng_seed(3);
  for (int length = 1; length <= 21; length += 10) {
    deer_longer_exploration policy;
    make("longer_exploration", "length", length, &policy.base);
    policy.epsilon = 0.3;
    void *memory = calloc(1, policy.base.kind->memory);
    deer_choice choice = {.algo = &algo, .mode = -1, .memory = memory, .rng = &rng};
    int n = 0, steps = 20 * DRAWS;
    for (int i = 0; i < steps; i++) {
      deer_real action;
      n += explores(&policy.base, &choice, &action);
    }
    assert_true(fabs((double)n / steps - 0.3) < 0.01);
    free(memory);
  }
}

/* three actions in sequences of four: 15 ways to count them, each as likely as any other, and of
 * the orders of one count each too */
static void longer_exploration_sequences(void **state) {
  (void)state;
  deer_algo algo = make_discrete(&knowing, 3);
  deer_rng rng = deer_rng_seed(5);
  deer_longer_exploration policy;
  make("longer_exploration", "length", 4, &policy.base);
  policy.epsilon = 1;
  void *memory = calloc(1, policy.base.kind->memory);
  deer_choice choice = {.algo = &algo, .mode = -1, .memory = memory, .rng = &rng};
  int counts[5][5] = {{0}}, first[4] = {0};
  for (int i = 0; i < DRAWS; i++) {
    int n[3] = {0}, where = 0;
    for (int k = 0; k < 4; k++) {
      deer_real action;
      assert_true(explores(&policy.base, &choice, &action));
      n[(int)action]++;
      if (action == 2) where = k;
    }
    counts[n[0]][n[1]]++;
    if (n[0] == 3 && n[2] == 1) first[where]++;
  }
  double chi_square = 0;
  for (int a = 0; a <= 4; a++)
    for (int b = 0; a + b <= 4; b++)
      chi_square += pow(counts[a][b] - DRAWS / 15.0, 2) / (DRAWS / 15.0);
  assert_true(chi_square < 36.1); /* 14 degrees of freedom, 0.1 % */
  for (int k = 0; k < 4; k++) assert_true(fabs(first[k] - DRAWS / 60.0) < 0.2 * DRAWS / 60);
  free(memory);
}

/* in a box a sequence is made of three numbers per side */
static void longer_exploration_in_a_box(void **state) {
  (void)state;
  deer_algo algo = make_algo(&fixed);
  deer_rng rng = deer_rng_seed(6);
  deer_longer_exploration policy;
  make("longer_exploration", "length", 100, &policy.base);
  policy.epsilon = 1;
  void *memory = calloc(1, policy.base.kind->memory);
  deer_choice choice = {.algo = &algo, .mode = -1, .memory = memory, .rng = &rng};
  double mean = 0;
  for (int i = 0; i < 50; i++) {
    deer_real seen[2][3];
    int n[2] = {0, 0};
    for (int k = 0; k < 100; k++) {
      deer_real action[2];
      assert_true(explores(&policy.base, &choice, action));
      assert_int_equal(deer_action_check(&algo.space.actions, action), DEER_OK);
      mean += (double)action[0] / 5000;
      for (int side = 0; side < 2; side++) {
        int at = 0;
        while (at < n[side] && seen[side][at] != action[side]) at++;
        if (at < n[side]) continue;
        assert_true(n[side] < 3);
        seen[side][n[side]++] = action[side];
      }
    }
  }
  assert_true(fabs(mean - 4) < 0.4);
  free(memory);
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  deer_ornstein_uhlenbeck policy;
  deer_algo algo = make_algo(&fixed);
  algo.space.actions = (deer_action_space){.n = 2, .size = 1};
  static const char *const names[] = {"gaussian_noise", "ornstein_uhlenbeck"};
  for (int i = 0; i < 2; i++) {
    make(names[i], NULL, 0, &policy.base);
    assert_int_equal(policy.base.kind->check(&policy.base, &algo), DEER_EINVAL);
    assert_non_null(strstr(deer_error(), names[i]));
    assert_non_null(strstr(deer_error(), "adds noise to continuous actions, the environment has "
                                         "discrete ones"));
  }
  deer_option wrong = {"sigma", {DEER_VALUE_NUMBER, -1, NULL}};
  const deer_policy_class *kind = deer_policy_find("gaussian_noise");
  assert_int_equal(deer_policy_init(kind, &wrong, 1, &policy.base), DEER_EINVAL);
  assert_null(deer_policy_find("gaussian"));
  for (int i = 0; deer_policy_at(i); i++) {
    assert_true(strlen(deer_policy_at(i)->help) > 0);
    assert_ptr_equal(deer_policy_find(deer_policy_at(i)->name), deer_policy_at(i));
  }
}

/* every number of a random action is uniform in its own interval */
static void random_actions(void **state) {
  (void)state;
  deer_algo algo = make_algo(&fixed);
  deer_rng rng = deer_rng_seed(4);
  double sum[2] = {0}, squares[2] = {0};
  for (int i = 0; i < DRAWS; i++) {
    deer_real action[2];
    deer_random_action(&algo.space.actions, &rng, action);
    assert_int_equal(deer_action_check(&algo.space.actions, action), DEER_OK);
    for (int k = 0; k < 2; k++) {
      double x = ((double)action[k] - (k ? 15 : 4)) / (k ? 5 : 2);
      sum[k] += x, squares[k] += x * x;
    }
  }
  for (int k = 0; k < 2; k++) {
    assert_true(fabs(sum[k] / DRAWS) < 0.02);
    assert_true(fabs(squares[k] / DRAWS - 1.0 / 3) < 0.01);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(gaussian_noise),
                                     cmocka_unit_test(ornstein_uhlenbeck),
                                     cmocka_unit_test(stochastic),
                                     cmocka_unit_test(what_cannot_be_is_refused),
                                     cmocka_unit_test(random_actions),
                                     cmocka_unit_test(boltzmann),
                                     cmocka_unit_test(excluded_greedy_action),
                                     cmocka_unit_test(excluded_part_of_a_box),
                                     cmocka_unit_test(longer_exploration_share),
                                     cmocka_unit_test(longer_exploration_sequences),
                                     cmocka_unit_test(longer_exploration_in_a_box)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
