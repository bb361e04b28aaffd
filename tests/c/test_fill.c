/* test_fill.c: arrays of random numbers: their distributions, their bits, and the nodes that draw
 * them. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 400000 };

typedef void fill_function(deer_rng *rng, deer_real *out, size_t n);

static double uniform_cdf(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
static double normal_cdf(double x) { return 0.5 * erfc(-x / sqrt(2)); }
static double gumbel_cdf(double x) { return exp(-exp(-x)); }

static int by_size(const void *a, const void *b) {
  const deer_real x = *(const deer_real *)a, y = *(const deer_real *)b;
  return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov: the largest distance between the counted and the true distribution is
 * below 1.95 / sqrt(n) in 999 of 1000 samples */
static void expect_distribution(fill_function *fill, double (*cdf)(double)) {
  deer_real *x = deer_alloc_array(N, sizeof *x);
  deer_rng rng = deer_rng_seed(11);
  assert_non_null(x);
  fill(&rng, x, N);
  qsort(x, N, sizeof *x, by_size);
  double furthest = 0;
  for (int i = 0; i < N; i++) {
    const double truth = cdf((double)x[i]);
    furthest = fmax(furthest, fmax(fabs(truth - (double)i / N), fabs(truth - (i + 1.0) / N)));
  }
  assert_true(furthest < 1.95 / sqrt(N));
  deer_free(x);
}

static void distributions(void **state) {
  (void)state;
  expect_distribution(deer_fill_uniform, uniform_cdf);
  expect_distribution(deer_fill_normal, normal_cdf);
  expect_distribution(deer_fill_gumbel, gumbel_cdf);
}

/* moments of many normals, and how the two of a pair and neighbours go together */
static void normals_are_independent(void **state) {
  (void)state;
  deer_real *x = deer_alloc_array(N, sizeof *x);
  deer_rng rng = deer_rng_seed(5);
  double sum[5] = {0}, pair = 0, squares = 0, next = 0;
  assert_non_null(x);
  deer_fill_normal(&rng, x, N);
  for (int i = 0; i < N; i++) {
    double power = 1;
    for (int k = 1; k <= 4; k++) sum[k] += power *= (double)x[i];
    if (i + 2 < N) next += (double)x[i] * (double)x[i + 2];
    if (i % 2) continue;
    pair += (double)x[i] * (double)x[i + 1];
    squares += ((double)x[i] * (double)x[i] - 1) * ((double)x[i + 1] * (double)x[i + 1] - 1);
  }
  /* five standard deviations of each mean */
  const double unit = 5 / sqrt(N);
  assert_true(fabs(sum[1] / N) < unit);
  assert_true(fabs(sum[2] / N - 1) < unit * sqrt(2));
  assert_true(fabs(sum[3] / N) < unit * sqrt(15));
  assert_true(fabs(sum[4] / N - 3) < unit * sqrt(96));
  assert_true(fabs(next / N) < unit);
  assert_true(fabs(pair / (N / 2)) < unit * sqrt(2));
  assert_true(fabs(squares / (N / 2)) < unit * sqrt(8));
  deer_free(x);
}

/* words with every extreme: nothing is infinite, NaN or outside */
static void extremes_are_finite(void **state) {
  (void)state;
  fill_function *const fills[] = {deer_fill_uniform, deer_fill_normal, deer_fill_gumbel};
  const double low[] = {0, -6.7, -2.9}, high[] = {1 - 0x1p-24, 6.7, 16.7};
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < 4; i++) {
      /* the first word is s[0] + rotated (s[0] + s[3]): all zeros, all ones, and half of each */
      static const uint64_t first[] = {0, UINT64_MAX, UINT32_MAX, (uint64_t)UINT32_MAX << 32};
      deer_rng rng = {{first[i], 1, 2, 0 - first[i]}}, copy = rng;
      assert_true(deer_rng_bits(&copy) == first[i]);
      deer_real x[2];
      fills[k](&rng, x, 2);
      for (int j = 0; j < 2; j++) assert_true((double)x[j] >= low[k] && (double)x[j] <= high[k]);
    }
}

/* element 2 k and 2 k + 1 come from word k, whatever the length of the array */
static void lengths_agree(void **state) {
  (void)state;
  fill_function *const fills[] = {deer_fill_uniform, deer_fill_normal, deer_fill_gumbel};
  deer_real all[1000], some[1000];
  for (int k = 0; k < 3; k++) {
    deer_rng whole = deer_rng_seed(3);
    fills[k](&whole, all, 1000);
    for (int n = 0; n <= 1000; n += n < 20 || (n > 250 && n < 260) ? 1 : 37) {
      deer_rng rng = deer_rng_seed(3), words = rng;
      fills[k](&rng, some, (size_t)n);
      assert_memory_equal(some, all, (size_t)n * sizeof *some);
      for (int i = 0; i < (n + 1) / 2; i++) deer_rng_bits(&words);
      assert_memory_equal(&rng, &words, sizeof rng);
    }
  }
}

/* the same bits with every compiler and CPU */
static void bits_are_fixed(void **state) {
  (void)state;
  fill_function *const fills[] = {deer_fill_uniform, deer_fill_normal, deer_fill_gumbel};
  static const uint64_t wanted[] = {0xa8666caa8abcd02, 0x17f69b996aec9879, 0xee5a3303359f4bc6};
  static deer_real x[100001];
  for (int k = 0; k < 3; k++) {
    deer_rng rng = deer_rng_seed(8);
    fills[k](&rng, x, 100001);
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < sizeof x; i++) hash = (hash ^ ((unsigned char *)x)[i]) * 0x100000001b3u;
    if (hash != wanted[k]) fail_msg("fill %d gives 0x%llx", k, (unsigned long long)hash);
  }
}

static void words_are_those_of_the_stream(void **state) {
  (void)state;
  deer_rng a = deer_rng_seed(1), b = a;
  uint64_t words[100];
  deer_rng_fill(&a, words, 100);
  for (int i = 0; i < 100; i++) assert_true(words[i] == deer_rng_bits(&b));
  assert_memory_equal(&a, &b, sizeof a);
}

/* ---- nodes ---- */

/* two nodes that look the same draw twice, in the order in which they were made */
static void nodes_draw_in_order(void **state) {
  (void)state;
  deer_rng stream = deer_rng_seed(4), copy = stream;
  deer_graph *g = deer_graph_new();
  deer_node first = deer_random_normal(g, &stream, DEER_SHAPE(3, 5));
  deer_node second = deer_random_normal(g, &stream, DEER_SHAPE(3, 5));
  deer_node unused = deer_random_normal(g, &stream, DEER_SHAPE(7));
  deer_node third = deer_random_uniform(g, &stream, DEER_SCALAR);
  deer_node out[] = {third, second, first};
  deer_program *p;
  assert_int_equal(deer_compile(g, out, 3, &p), DEER_OK);
  assert_null(deer_program_data(p, unused));
  for (int run = 0; run < 3; run++) {
    deer_real wanted[15], last;
    deer_program_run(p);
    deer_fill_normal(&copy, wanted, 15);
    assert_memory_equal(deer_program_data(p, first), wanted, sizeof wanted);
    deer_fill_normal(&copy, wanted, 15);
    assert_memory_equal(deer_program_data(p, second), wanted, sizeof wanted);
    deer_fill_uniform(&copy, &last, 1);
    assert_memory_equal(deer_program_data(p, third), &last, sizeof last);
  }
  deer_program_free(p);
  deer_graph_free(g);
}

/* what is kept is scaled, what is dropped has no gradient; as many as the rate says */
static void dropout_scales_what_it_keeps(void **state) {
  (void)state;
  enum { M = 20000 };
  deer_rng stream = deer_rng_seed(2);
  deer_graph *g = deer_graph_new();
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(M));
  deer_node out[2] = {deer_dropout(g, x, 0.25, &stream)};
  deer_node loss = deer_sum(g, out[0], DEER_ALL_AXES);
  assert_int_equal(deer_gradients(g, loss, &x, 1, &out[1]), DEER_OK);
  assert_int_equal(deer_dropout(g, x, 0, &stream).id, x.id);
  deer_program *p;
  assert_int_equal(deer_compile(g, out, 2, &p), DEER_OK);
  for (int i = 0; i < M; i++) ((deer_real *)deer_program_data(p, x))[i] = 3;
  deer_program_run(p);
  const deer_real *y = deer_program_data(p, out[0]), *gradient = deer_program_data(p, out[1]);
  int dropped = 0;
  for (int i = 0; i < M; i++) {
    dropped += y[i] == 0;
    assert_true(y[i] == 0 ? gradient[i] == 0
                          : y[i] == 4 && fabs((double)gradient[i] * 3 - 4) < 1e-6);
  }
  assert_true(fabs(dropped - 0.25 * M) < 5 * sqrt(0.25 * 0.75 * M));
  deer_program_free(p);
  deer_graph_free(g);
}

static void mistakes_are_named(void **state) {
  (void)state;
  deer_rng stream = deer_rng_seed(2);
  for (int i = 0; i < 5; i++) {
    deer_graph *g = deer_graph_new();
    deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(2));
    deer_node wrong = i == 0   ? deer_random_normal(g, NULL, DEER_SHAPE(2))
                      : i == 1 ? deer_random_gumbel(g, &stream, DEER_SHAPE(0))
                      : i == 2 ? deer_dropout(g, x, 1, &stream)
                      : i == 3 ? deer_dropout(g, x, NAN, &stream)
                               : deer_dropout(g, x, 0.5, NULL);
    static const char *const parts[] = {"random_normal(): needs a stream",
                                        "random_gumbel(): result", "dropout: the rate", "got nan",
                                        "needs a stream"};
    assert_int_equal(wrong.id, 0);
    assert_int_not_equal(deer_graph_status(g), DEER_OK);
    if (!strstr(deer_error(), parts[i])) fail_msg("%s", deer_error());
    deer_graph_free(g);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(distributions),       cmocka_unit_test(normals_are_independent),
      cmocka_unit_test(extremes_are_finite), cmocka_unit_test(lengths_agree),
      cmocka_unit_test(bits_are_fixed),      cmocka_unit_test(words_are_those_of_the_stream),
      cmocka_unit_test(nodes_draw_in_order), cmocka_unit_test(dropout_scales_what_it_keeps),
      cmocka_unit_test(mistakes_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
