/* test_discrete.c: distributions over finitely many actions, against sums over all of them, in
 * double precision. */
#include "distribution_rig.h"

enum { THINGS = 4, DRAWS = 20000 };

static const double p_logits[THINGS] = {0.3, -1.2, 2, 0.9}, q_logits[THINGS] = {-0.4, 0.1, 1, -2};

static void softmax(const double *logits, int n, double *p) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += p[i] = exp(logits[i]);
  for (int i = 0; i < n; i++) p[i] /= sum;
}

static double entropy(const double *p, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum -= p[i] * log(p[i]);
  return sum;
}

static double divergence(const double *p, const double *q, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += p[i] * log(p[i] / q[i]);
  return sum;
}

/* each of n counts of `total` draws within four standard deviations */
static void assert_frequencies(const int *counts, const double *p, int n, int total) {
  for (int i = 0; i < n; i++) {
    const double deviation = sqrt(total * p[i] * (1 - p[i]));
    if (fabs(counts[i] - total * p[i]) > 4 * deviation + 1)
      fail_msg("action %d: %d draws, expected %g +- %g", i, counts[i], total * p[i], deviation);
  }
}

static void fill_rows(deer_real *x, const double *row, int n, int rows) {
  for (int r = 0; r < rows; r++)
    for (int i = 0; i < n; i++) x[r * n + i] = row[i];
}

/* ---- categorical ---- */

/* row i asks about action i */
static void categorical_by_sums(void **state) {
  (void)state;
  rig r;
  double p[THINGS], q[THINGS], total = 0;
  softmax(p_logits, THINGS, p);
  softmax(q_logits, THINGS, q);
  rig_inputs(&r, DEER_SHAPE(THINGS, THINGS), 2);
  deer_node action = deer_input(r.g, "action", DEER_DTYPE_I32, DEER_SHAPE(THINGS));
  rig_output(&r, deer_categorical_log_prob(r.g, r.in[0], action));
  rig_output(&r, deer_categorical_entropy(r.g, r.in[0]));
  rig_output(&r, deer_categorical_kl(r.g, r.in[0], r.in[1]));
  rig_output(&r, deer_categorical_kl(r.g, r.in[0], r.in[0]));
  rig_output(&r, deer_categorical_mode(r.g, r.in[0]));
  rig_compile(&r);
  int32_t *a = deer_program_data(r.program, action);
  for (int i = 0; i < THINGS; i++) a[i] = i;
  fill_rows(r.x[0], p_logits, THINGS, THINGS);
  fill_rows(r.x[1], q_logits, THINGS, THINGS);
  rig_run(&r);
  for (int i = 0; i < THINGS; i++) {
    assert_near(r.y[0][i], log(p[i]), 1e-14);
    assert_near(r.y[1][i], entropy(p, THINGS), 1e-14);
    assert_near(r.y[2][i], divergence(p, q, THINGS), 1e-14);
    assert_true(r.y[3][i] == 0);
    assert_int_equal(((const int32_t *)r.y[4])[i], 2);
    total += exp(r.y[0][i]);
  }
  assert_near(total, 1, 1e-14);
  /* masked actions and far logits: finite, and no action is ever less than impossible */
  const double far[THINGS] = {-1e9, 800, 799, -1e9};
  fill_rows(r.x[0], far, THINGS, THINGS);
  rig_run(&r);
  assert_near(r.y[1][0], 0.5822031, 1e-6);
  assert_near(r.y[0][0], -1e9, 1e-6);
  assert_true(isfinite(r.y[2][0]));
  rig_free(&r);
}

static void categorical_draws_have_their_frequencies(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 3; seed++) {
    rig r;
    double p[THINGS];
    int counts[THINGS] = {0};
    deer_rng stream = deer_rng_seed(seed);
    softmax(p_logits, THINGS, p);
    rig_inputs(&r, DEER_SHAPE(DRAWS, THINGS), 1);
    deer_node noise = deer_random_gumbel(r.g, &stream, r.shape);
    rig_output(&r, deer_categorical_sample(r.g, r.in[0], noise));
    rig_compile(&r);
    fill_rows(r.x[0], p_logits, THINGS, DRAWS);
    rig_run(&r);
    for (int i = 0; i < DRAWS; i++) counts[((const int32_t *)r.y[0])[i]]++;
    assert_frequencies(counts, p, THINGS, DRAWS);
    rig_free(&r);
  }
}

/* ---- several choices: 2 things and 3 ---- */

static const int sizes[2] = {2, 3};
static const double two_p[5] = {0.3, -1.2, 2, 0.9, 1.5}, two_q[5] = {1, 1.5, -0.3, 0, 0.8};

static void joint(const double *logits, double p[6]) {
  double first[2], second[3];
  softmax(logits, 2, first);
  softmax(logits + 2, 3, second);
  for (int i = 0; i < 6; i++) p[i] = first[i / 3] * second[i % 3];
}

static void multi_categorical_by_sums(void **state) {
  (void)state;
  rig r;
  double p[6], q[6];
  joint(two_p, p);
  joint(two_q, q);
  rig_inputs(&r, DEER_SHAPE(6, 5), 2);
  deer_node action = deer_input(r.g, "action", DEER_DTYPE_I32, DEER_SHAPE(6, 2));
  rig_output(&r, deer_multi_categorical_log_prob(r.g, r.in[0], action, sizes, 2));
  rig_output(&r, deer_multi_categorical_entropy(r.g, r.in[0], sizes, 2));
  rig_output(&r, deer_multi_categorical_kl(r.g, r.in[0], r.in[1], sizes, 2));
  rig_output(&r, deer_multi_categorical_mode(r.g, r.in[0], sizes, 2));
  rig_compile(&r);
  int32_t *a = deer_program_data(r.program, action);
  for (int i = 0; i < 6; i++) a[2 * i] = i / 3, a[2 * i + 1] = i % 3;
  fill_rows(r.x[0], two_p, 5, 6);
  fill_rows(r.x[1], two_q, 5, 6);
  rig_run(&r);
  for (int i = 0; i < 6; i++) {
    assert_near(r.y[0][i], log(p[i]), 1e-14);
    assert_near(r.y[1][i], entropy(p, 6), 1e-14);
    assert_near(r.y[2][i], divergence(p, q, 6), 1e-14);
    assert_int_equal(((const int32_t *)r.y[3])[2 * i], 0);
    assert_int_equal(((const int32_t *)r.y[3])[2 * i + 1], 0);
  }
  rig_free(&r);
}

static void multi_categorical_draws_have_their_frequencies(void **state) {
  (void)state;
  rig r;
  double p[6];
  int counts[6] = {0};
  deer_rng stream = deer_rng_seed(11);
  joint(two_p, p);
  rig_inputs(&r, DEER_SHAPE(DRAWS, 5), 1);
  deer_node noise = deer_random_gumbel(r.g, &stream, r.shape);
  rig_output(&r, deer_multi_categorical_sample(r.g, r.in[0], noise, sizes, 2));
  rig_compile(&r);
  fill_rows(r.x[0], two_p, 5, DRAWS);
  rig_run(&r);
  const int32_t *a = (const int32_t *)r.y[0];
  for (int i = 0; i < DRAWS; i++) counts[3 * a[2 * i] + a[2 * i + 1]]++;
  assert_frequencies(counts, p, 6, DRAWS);
  rig_free(&r);
}

/* ---- coins: two at once ---- */

static const double coins_p[2] = {0.7, -1.4}, coins_q[2] = {-0.2, 2.2};

static void tosses(const double *logits, double p[4]) {
  for (int i = 0; i < 4; i++) {
    p[i] = 1;
    for (int k = 0; k < 2; k++) {
      const double heads = 1 / (1 + exp(-logits[k]));
      p[i] *= i >> k & 1 ? heads : 1 - heads;
    }
  }
}

static void bernoulli_by_sums(void **state) {
  (void)state;
  rig r;
  double p[4], q[4];
  tosses(coins_p, p);
  tosses(coins_q, q);
  rig_inputs(&r, DEER_SHAPE(4, 2), 3);
  rig_output(&r, deer_bernoulli_log_prob(r.g, r.in[0], r.in[2]));
  rig_output(&r, deer_bernoulli_entropy(r.g, r.in[0]));
  rig_output(&r, deer_bernoulli_kl(r.g, r.in[0], r.in[1]));
  rig_output(&r, deer_bernoulli_mode(r.g, r.in[0]));
  rig_compile(&r);
  fill_rows(r.x[0], coins_p, 2, 4);
  fill_rows(r.x[1], coins_q, 2, 4);
  for (int i = 0; i < 8; i++) r.x[2][i] = i / 2 >> i % 2 & 1;
  rig_run(&r);
  for (int i = 0; i < 4; i++) {
    assert_near(r.y[0][i], log(p[i]), 1e-14);
    assert_near(r.y[1][i], entropy(p, 4), 1e-14);
    assert_near(r.y[2][i], divergence(p, q, 4), 1e-14);
    assert_true(r.y[3][2 * i] == 1 && r.y[3][2 * i + 1] == 0);
  }
  /* certain coins */
  const double certain[2] = {1000, -1000};
  fill_rows(r.x[0], certain, 2, 4);
  rig_run(&r);
  assert_true(r.y[0][1] == 0 && r.y[0][2] == -2000 && r.y[1][0] == 0 && isfinite(r.y[2][0]));
  rig_free(&r);
}

static void bernoulli_draws_have_their_frequencies(void **state) {
  (void)state;
  rig r;
  double p[4];
  int counts[4] = {0};
  deer_rng stream = deer_rng_seed(5);
  tosses(coins_p, p);
  rig_inputs(&r, DEER_SHAPE(DRAWS, 2), 1);
  deer_node noise = deer_random_uniform(r.g, &stream, r.shape);
  rig_output(&r, deer_bernoulli_sample(r.g, r.in[0], noise));
  rig_compile(&r);
  fill_rows(r.x[0], coins_p, 2, DRAWS);
  rig_run(&r);
  for (int i = 0; i < DRAWS; i++) counts[(int)r.y[0][2 * i] + 2 * (int)r.y[0][2 * i + 1]]++;
  assert_frequencies(counts, p, 4, DRAWS);
  rig_free(&r);
}

/* ---- mistakes ---- */

static deer_node wrong_call(deer_graph *g, int i) {
  const deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(2, 3));
  const deer_node action = deer_input(g, "action", DEER_DTYPE_I32, DEER_SHAPE(3));
  switch (i) {
  case 0:
    return deer_multi_categorical_mode(g, x, sizes, 2);
  case 1:
    return deer_multi_categorical_entropy(g, x, sizes, 0);
  case 2:
    return deer_multi_categorical_log_prob(g, x, action, sizes + 1, 1);
  case 3:
    return deer_categorical_log_prob(g, x, action);
  case 4:
    return deer_categorical_entropy(g, DEER_NONE);
  case 5:
    return deer_bernoulli_log_prob(g, x, action);
  case 6:
    return deer_gumbel_softmax_sample(g, x, x, 0, false);
  default:
    return deer_gumbel_softmax_log_prob(g, DEER_NONE, x, 1);
  }
}

static void wrong_calls_are_named(void **state) {
  (void)state;
  const char *const messages[] = {"2 choices of 5 things in all do not fit logits [2, 3]",
                                  "0 choices",
                                  "slice(",
                                  "take(",
                                  "log_softmax",
                                  "action [3]",
                                  "temperature must be a number above 0, got 0",
                                  "not a node"};
  for (int i = 0; i < 8; i++) {
    deer_graph *g = deer_graph_new();
    assert_int_equal(wrong_call(g, i).id, 0);
    assert_int_not_equal(deer_graph_status(g), DEER_OK);
    if (!strstr(deer_error(), messages[i])) fail_msg("no '%s' in: %s", messages[i], deer_error());
    deer_graph_free(g);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(categorical_by_sums),
      cmocka_unit_test(categorical_draws_have_their_frequencies),
      cmocka_unit_test(multi_categorical_by_sums),
      cmocka_unit_test(multi_categorical_draws_have_their_frequencies),
      cmocka_unit_test(bernoulli_by_sums),
      cmocka_unit_test(bernoulli_draws_have_their_frequencies),
      cmocka_unit_test(wrong_calls_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
