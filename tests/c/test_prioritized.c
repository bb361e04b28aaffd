/* test_prioritized.c: the sum tree against sums made anew, and prioritised replay: how often what
 * is drawn, also after the memory has wrapped, importance weights, priorities and their limits. */
#include "deer.h"
#include "replay/sum_tree.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check_close(double x, double expected, double tolerance) {
  if (!(fabs(x - expected) <= tolerance)) fail_msg("%.9g instead of %.9g", x, expected);
}

/* ---- the tree ---- */

/* a weight, often 0 and of any size */
static deer_real random_weight(deer_rng *rng) {
  if (deer_rng_below(rng, 3) == 0) return 0;
  return (deer_real)exp(8 * deer_rng_normal(rng));
}

static void sums_do_not_drift(void **state) {
  (void)state;
  static const int64_t sizes[] = {1, 2, 15, 16, 17, 255, 256, 257, 5000};
  deer_rng rng = deer_rng_seed(2);
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    deer_sum_tree changed = {0}, fresh = {0};
    assert_int_equal(deer_sum_tree_init(&changed, sizes[k]), DEER_OK);
    assert_int_equal(deer_sum_tree_init(&fresh, sizes[k]), DEER_OK);
    for (int round = 0; round < 200; round++) {
      int64_t index[300];
      deer_real weight[300];
      for (int i = 0; i < 300; i++) {
        index[i] = (int64_t)deer_rng_below(&rng, (uint64_t)sizes[k]);
        weight[i] = random_weight(&rng);
      }
      deer_sum_tree_set(&changed, 300, index, weight);
    }
    double sum = 0;
    for (int64_t i = 0; i < sizes[k]; i++) {
      deer_sum_tree_set(&fresh, 1, &i, &changed.leaf[i]);
      sum += (double)changed.leaf[i];
    }
    assert_true(deer_sum_tree_total(&changed) == deer_sum_tree_total(&fresh));
    check_close(deer_sum_tree_total(&changed), sum, 1e-12 * sum);
    deer_sum_tree_free(&changed);
    deer_sum_tree_free(&fresh);
  }
}

static void targets_are_found(void **state) {
  (void)state;
  enum { N = 700, TARGETS = 2000 };
  deer_rng rng = deer_rng_seed(3);
  deer_sum_tree tree = {0};
  assert_int_equal(deer_sum_tree_init(&tree, N), DEER_OK);
  for (int64_t i = 0; i < N; i++) {
    /* whole numbers, so that every sum is exact */
    deer_real weight = (deer_real)deer_rng_below(&rng, 4);
    deer_sum_tree_set(&tree, 1, &i, &weight);
  }
  double target[TARGETS], total = deer_sum_tree_total(&tree);
  int64_t found[TARGETS];
  for (int i = 0; i < TARGETS; i++) target[i] = floor(deer_rng_uniform(&rng) * total * 2) / 2;
  target[0] = 0;
  target[1] = total; /* where rounding may lead */
  double asked[TARGETS];
  memcpy(asked, target, sizeof asked);
  deer_sum_tree_find(&tree, TARGETS, target, found);
  for (int i = 0; i < TARGETS; i++) {
    double begin = 0;
    for (int64_t k = 0; k < found[i]; k++) begin += (double)tree.leaf[k];
    assert_true(tree.leaf[found[i]] > 0);
    assert_true(begin <= asked[i]);
    assert_true(asked[i] < begin + (double)tree.leaf[found[i]] || asked[i] == total);
  }
  deer_sum_tree_free(&tree);
}

/* ---- the replay ---- */

enum { MOST = 4000 };

static deer_replay *replay_new(int64_t capacity, int history, const deer_option *options, int n) {
  deer_space space = {.n_subjects = 1,
                      .subjects = {{history, DEER_SCALAR, DEER_DTYPE_REAL}},
                      .actions = {.n = 2, .size = 1}};
  deer_replay_config config = {.space = &space, .capacity = capacity, .only_full_history = true};
  config.options = options;
  config.n_options = n;
  deer_replay *replay;
  if (deer_replay_new(deer_replay_find("prioritized"), &config, &replay) != DEER_OK)
    fail_msg("%s", deer_error());
  return replay;
}

static deer_option number(const char *name, double x) {
  return (deer_option){name, {DEER_VALUE_NUMBER, x, NULL}};
}

/* sample t: the reward says which it is */
static void push(deer_replay *replay, int t, deer_ending ending) {
  deer_real x = (deer_real)t, action = 0;
  const void *observation[] = {&x};
  deer_sample sample = {observation, &action, t, ending, 0};
  assert_int_equal(deer_replay_push(replay, &sample), DEER_OK);
}

static void close_with(deer_replay *replay) {
  deer_real x = -1;
  const void *observation[] = {&x};
  assert_int_equal(deer_replay_close(replay, 0, observation), DEER_OK);
}

/* Draws are in proportion to weight[t] among what can be drawn. Spread over strata they vary less
 * than independent draws, so only a large statistic is a mistake. */
static void check_shares(deer_replay *replay, const double *weight, deer_rng *rng) {
  enum { BATCHES = 1000, SIZE = 64 };
  static int hits[MOST];
  double total = 0, statistic = 0, freedom = -1;
  memset(hits, 0, sizeof hits);
  for (int k = 0; k < BATCHES; k++) {
    int64_t index[SIZE];
    deer_real r[SIZE];
    deer_batch batch = {.size = SIZE, .r_t = r, .index = index};
    assert_int_equal(deer_replay_sample(replay, rng, &batch), DEER_OK);
    for (int i = 0; i < SIZE; i++) {
      assert_true(deer_replay_drawable(replay, index[i]));
      hits[(int)r[i]]++;
    }
  }
  for (int64_t i = 0; i < deer_replay_slots(replay); i++)
    if (deer_replay_drawable(replay, i)) total += weight[(int)deer_replay_reward(replay, i)];
  for (int64_t i = 0; i < deer_replay_slots(replay); i++) {
    if (!deer_replay_drawable(replay, i)) continue;
    int t = (int)deer_replay_reward(replay, i);
    double expected = BATCHES * SIZE * weight[t] / total;
    statistic += (hits[t] - expected) * (hits[t] - expected) / expected;
    freedom++;
  }
  assert_true(freedom > 20);
  if (statistic > freedom + 4.5 * sqrt(2 * freedom))
    fail_msg("chi-square %g with %g degrees of freedom", statistic, freedom);
}

static void draws_follow_priorities(void **state) {
  (void)state;
  static double weight[MOST];
  deer_option options[] = {number("alpha", 1), number("epsilon", 1e-12)};
  deer_replay *replay = replay_new(100, 3, options, 2);
  deer_rng rng = deer_rng_seed(4);
  double largest = 1;
  for (int t = 0; t < 1000; t++) {
    /* what is new counts as much as the most important so far */
    weight[t] = largest;
    push(replay, t, t % 23 == 0 ? DEER_TERMINATED : DEER_RUNNING);
    if (t % 17 == 0 && t % 23 != 0) close_with(replay);
    int64_t index[4];
    deer_real r[4], error[4];
    deer_batch batch = {.size = 4, .r_t = r, .index = index};
    if (deer_replay_sample(replay, &rng, &batch) != DEER_OK) continue;
    for (int i = 0; i < 4; i++) error[i] = (deer_real)(0.5 + 2 * deer_rng_uniform(&rng));
    for (int i = 0; i < 4; i++) {
      weight[(int)r[i]] = (double)error[i];
      largest = fmax(largest, (double)error[i]);
      error[i] *= i % 2 ? -1 : 1;
    }
    assert_int_equal(deer_replay_update(replay, 4, index, error), DEER_OK);
    /* before the memory is full, just as it is, and after it has wrapped several times */
    if (t == 60 || t == 99 || t == 106 || t % 301 == 300) check_shares(replay, weight, &rng);
  }
  deer_replay_free(replay);
}

/* alpha 0, and no errors at all: as likely as the others; n of n are drawn once each */
static void strata_spread_a_batch(void **state) {
  (void)state;
  deer_replay *replay = replay_new(64, 1, NULL, 0);
  for (int t = 0; t < 150; t++) push(replay, t, DEER_TERMINATED);
  deer_rng rng = deer_rng_seed(5);
  int64_t index[64];
  deer_batch batch = {.size = 64, .index = index};
  for (int k = 0; k < 50; k++) {
    int hits[64] = {0};
    assert_int_equal(deer_replay_sample(replay, &rng, &batch), DEER_OK);
    for (int i = 0; i < 64; i++) hits[index[i]]++;
    for (int i = 0; i < 64; i++) assert_int_equal(hits[i], 1);
  }
  deer_replay_free(replay);
}

/* ---- weights and priorities ---- */

/* two samples with errors a and b; the importance weights of both, found by drawing */
static void weights_of_two(deer_replay *replay, double a, double b, deer_real *weights) {
  int64_t both[] = {0, 1};
  deer_real error[] = {(deer_real)a, (deer_real)b};
  assert_int_equal(deer_replay_update(replay, 2, both, error), DEER_OK);
  deer_rng rng = deer_rng_seed(6);
  for (int seen = 0; seen != 3;) {
    int64_t index[64];
    deer_real weight[64];
    deer_batch batch = {.size = 64, .index = index, .weight = weight};
    assert_int_equal(deer_replay_sample(replay, &rng, &batch), DEER_OK);
    seen = 0;
    for (int i = 0; i < 64; i++) {
      weights[index[i]] = weight[i];
      seen |= 1 << index[i];
    }
  }
}

static deer_replay *two_samples(const deer_option *options, int n) {
  deer_replay *replay = replay_new(10, 1, options, n);
  push(replay, 0, DEER_TERMINATED);
  push(replay, 1, DEER_TERMINATED);
  return replay;
}

static void importance_weights(void **state) {
  (void)state;
  deer_real w[2];
  deer_option options[] = {number("alpha", 0.6), number("beta", 0.4), number("beta_updates", 4),
                           number("epsilon", 0.01)};
  deer_replay *replay = two_samples(options, 4);
  /* beta grows from 0.4 to 1 in four updates, and stays there */
  for (int k = 1; k <= 6; k++) {
    weights_of_two(replay, 0.5, -3, w);
    double beta = k < 4 ? 0.4 + 0.6 * k / 4 : 1;
    check_close((double)w[0], 1, 0);
    check_close((double)w[1], pow(3.01 / 0.51, -0.6 * beta), 1e-6);
  }
  deer_replay_free(replay);

  /* DeeR's: (error^2)^alpha + epsilon, and no weights unless beta says so */
  deer_option squared[] = {number("alpha", 1),
                           number("beta", 1),
                           number("epsilon", 0.01),
                           {"priority", {DEER_VALUE_TEXT, 0, "squared"}}};
  replay = two_samples(squared, 4);
  weights_of_two(replay, 0.5, -3, w);
  check_close((double)w[1], 0.26 / 9.01, 1e-6);
  deer_replay_free(replay);
  squared[1] = number("beta", 0);
  deer_option constant[] = {squared[0], squared[1], squared[3], number("beta_updates", 0)};
  replay = two_samples(constant, 4);
  weights_of_two(replay, 0.5, -1, w);
  assert_true(w[0] == 1 && w[1] == 1);
  deer_replay_free(replay);
}

static void uniform_replays_weigh_everything_the_same(void **state) {
  (void)state;
  deer_space space = {.n_subjects = 1,
                      .subjects = {{1, DEER_SCALAR, DEER_DTYPE_REAL}},
                      .actions = {.n = 2, .size = 1}};
  deer_replay_config config = {.space = &space, .capacity = 10};
  deer_replay *replay;
  assert_int_equal(deer_replay_new(deer_replay_find("uniform"), &config, &replay), DEER_OK);
  push(replay, 0, DEER_TERMINATED);
  deer_rng rng = deer_rng_seed(1);
  deer_real weight[100] = {0};
  deer_batch batch = {.size = 100, .weight = weight};
  assert_int_equal(deer_replay_sample(replay, &rng, &batch), DEER_OK);
  for (int i = 0; i < 100; i++) assert_true(weight[i] == 1);
  int64_t index = 0;
  assert_int_equal(deer_replay_update(replay, 1, &index, weight), DEER_OK);
  deer_replay_free(replay);
}

/* ---- limits ---- */

static void extreme_errors_are_survived(void **state) {
  (void)state;
  deer_real w[2];
  deer_option options[] = {number("alpha", 2), number("epsilon", 1e-12)};
  deer_replay *replay = two_samples(options, 2);
  int64_t index[] = {0, 1};
  deer_real error[] = {1, NAN};
  assert_int_equal(deer_replay_update(replay, 2, index, error), DEER_EDATA);
  assert_non_null(strstr(deer_error(), "the error of sample 1 is"));
  error[1] = INFINITY;
  assert_int_equal(deer_replay_update(replay, 2, index, error), DEER_EDATA);
  weights_of_two(replay, 0, 0, w);
  assert_true(w[0] == 1 && w[1] == 1);
  error[1] = (deer_real)1e38;
  assert_int_equal(deer_replay_update(replay, 2, index, error), DEER_OK);
  deer_rng rng = deer_rng_seed(1);
  deer_batch batch = {.size = 2, .index = index, .weight = w};
  assert_int_equal(deer_replay_sample(replay, &rng, &batch), DEER_OK);
  assert_true(index[0] == 1 && index[1] == 1 && w[0] == 1 && w[1] == 1);
  deer_replay_free(replay);
}

/* an update cannot make something drawable: what waits, what has gone, what never was */
static void only_what_can_be_drawn_gets_a_priority(void **state) {
  (void)state;
  deer_replay *replay = replay_new(10, 1, NULL, 0);
  push(replay, 0, DEER_TERMINATED);
  push(replay, 1, DEER_RUNNING);
  int64_t index[] = {1, 2, -1, INT64_MAX};
  deer_real error[] = {100, 100, 100, 100}, r[32];
  assert_int_equal(deer_replay_update(replay, 4, index, error), DEER_OK);
  deer_rng rng = deer_rng_seed(1);
  deer_batch batch = {.size = 32, .r_t = r};
  assert_int_equal(deer_replay_sample(replay, &rng, &batch), DEER_OK);
  for (int i = 0; i < 32; i++) assert_true(r[i] == 0);
  deer_replay_free(replay);
}

static void every_failed_allocation_is_survived(void **state) {
  (void)state;
  deer_space space = {.n_subjects = 1,
                      .subjects = {{1, DEER_SCALAR, DEER_DTYPE_REAL}},
                      .actions = {.n = 2, .size = 1}};
  deer_replay_config config = {.space = &space, .capacity = 5000};
  size_t blocks = deer_alloc_blocks();
  deer_status status = DEER_ENOMEM;
  int n = 0;
  while (status != DEER_OK) {
    deer_replay *replay;
    deer_alloc_fail_at((uint64_t)++n);
    status = deer_replay_new(deer_replay_find("prioritized"), &config, &replay);
    assert_true(status == DEER_OK ? replay != NULL : status == DEER_ENOMEM && !replay);
    deer_replay_free(replay);
    assert_int_equal(deer_alloc_blocks(), blocks);
  }
  deer_alloc_fail_at(0);
  assert_in_range(n, 8, 20);
}

/* the tree is part of what the replay says it needs */
static void memory_is_told(void **state) {
  (void)state;
  size_t before = deer_alloc_bytes();
  deer_replay *replay = replay_new(1000000, 1, NULL, 0);
  size_t used = deer_alloc_bytes() - before, told = deer_replay_bytes(replay);
  assert_true(told < used + used / 40 && used < told + told / 40);
  deer_replay_free(replay);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sums_do_not_drift),
                                     cmocka_unit_test(targets_are_found),
                                     cmocka_unit_test(draws_follow_priorities),
                                     cmocka_unit_test(strata_spread_a_batch),
                                     cmocka_unit_test(importance_weights),
                                     cmocka_unit_test(uniform_replays_weigh_everything_the_same),
                                     cmocka_unit_test(extreme_errors_are_survived),
                                     cmocka_unit_test(only_what_can_be_drawn_gets_a_priority),
                                     cmocka_unit_test(every_failed_allocation_is_survived),
                                     cmocka_unit_test(memory_is_told)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
