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
  deer_choice choice = {.algo = &algo, .mode = -1, .first = true, .rng = &rng};
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
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gaussian_noise), cmocka_unit_test(ornstein_uhlenbeck),
      cmocka_unit_test(stochastic), cmocka_unit_test(what_cannot_be_is_refused),
      cmocka_unit_test(random_actions)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
