/* test_softmax.c: softmax and its kin in float: large, infinite and missing elements, many short
 * rows and few long ones, bits. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef deer_node along(deer_graph *g, deer_node x, int axis);

/* y = op(x) over the rows of [rows, n] */
static void run(along *op, const deer_real *x, int rows, int n, deer_real *y) {
  deer_graph *g = deer_graph_new();
  deer_node in = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(rows, n)), out = op(g, in, 1);
  deer_program *p;
  if (deer_compile(g, &out, 1, &p) != DEER_OK) fail_msg("%s", deer_error());
  const deer_shape shape = deer_node_shape(g, out);
  memcpy(deer_program_data(p, in), x, (size_t)(rows * n) * sizeof *x);
  deer_program_run(p);
  memcpy(y, deer_program_data(p, out), deer_shape_count(&shape) * sizeof *y);
  deer_program_free(p);
  deer_graph_free(g);
}

/* log of the sum of exponentials, in double */
static double truth(const deer_real *x, int n) {
  double most = -INFINITY, sum = 0;
  for (int i = 0; i < n; i++) most = fmax(most, (double)x[i]);
  for (int i = 0; i < n; i++) sum += exp((double)x[i] - most);
  return most + log(sum);
}

static void close_to_the_truth(void **state) {
  (void)state;
  static deer_real x[30000], y[30000], z[30000], total[30000];
  deer_rng rng = deer_rng_seed(2);
  static const int widths[] = {1, 2, 7, 16, 51, 1000, 5000};
  for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
    const int n = widths[k], rows = 30000 / n;
    deer_fill_normal(&rng, x, 30000);
    for (int i = 0; i < 30000; i++) x[i] *= 10;
    run(deer_softmax, x, rows, n, y);
    run(deer_log_softmax, x, rows, n, z);
    run(deer_logsumexp, x, rows, n, total);
    for (int i = 0; i < rows * n; i++) {
      const double sum = truth(x + i / n * n, n), wanted = (double)x[i] - sum;
      assert_true(fabs((double)total[i / n] - sum) <= 3e-7 * (1 + fabs(sum)));
      assert_true(fabs((double)z[i] - wanted) <= 4e-7 * (1 + fabs(wanted)));
      assert_true(fabs((double)y[i] - exp(wanted)) <=
                  3e-7 * (1 + fabs(wanted)) * exp(wanted) + 1e-38);
    }
  }
}

static void large_and_infinite_elements(void **state) {
  (void)state;
  const deer_real x[] = {3e38F,     3e38F, -3e38F, 0,     -INFINITY, 0, -INFINITY, -INFINITY,
                         -INFINITY, -1e4F, -1e4F,  -1e4F, NAN,       0, 0,         1};
  deer_real p[16], log_p[16], total[5];
  run(deer_softmax, x, 5, 3, p);
  run(deer_log_softmax, x, 5, 3, log_p);
  run(deer_logsumexp, x, 5, 3, total);
  assert_true(p[0] == 0.5F && p[1] == 0.5F && p[2] == 0);
  assert_true(p[3] == 0.5F && p[4] == 0 && p[5] == 0.5F);
  assert_true(isinf(log_p[4]) && log_p[4] < 0 && fabs((double)log_p[3] - log(0.5)) < 1e-7);
  assert_true(total[0] == 3e38F && fabs((double)total[1] - log(2)) < 1e-7);
  /* nothing is possible: no probabilities */
  assert_true(isnan(p[6]) && isinf(total[2]) && total[2] < 0);
  for (int i = 9; i < 12; i++) assert_true(fabs((double)p[i] - 1.0 / 3) < 1e-7);
  for (int i = 12; i < 15; i++) assert_true(isnan(p[i]) && isnan(log_p[i]));
  assert_true(isnan(total[4]));
  const deer_real above[] = {INFINITY, 1};
  run(deer_logsumexp, above, 1, 2, total);
  assert_true(isinf(total[0]) && total[0] > 0);
}

/* a row has the same bits alone and among others */
static void bits_do_not_depend_on_the_batch(void **state) {
  (void)state;
  along *const ops[] = {deer_softmax, deer_log_softmax, deer_logsumexp};
  deer_real x[700 * 7], all[700 * 7], one[7];
  deer_rng rng = deer_rng_seed(4);
  deer_fill_normal(&rng, x, 700 * 7);
  for (int k = 0; k < 3; k++) {
    const int width = k < 2 ? 7 : 1;
    run(ops[k], x, 700, 7, all);
    for (int r = 0; r < 700; r += 23) {
      run(ops[k], x + r * 7, 1, 7, one);
      assert_memory_equal(one, all + r * width, (size_t)width * sizeof *one);
    }
  }
}

/* a hundred thousand times 0.1, in both directions */
static void long_running_sums_are_close(void **state) {
  (void)state;
  enum { N = 100000 };
  deer_graph *g = deer_graph_new();
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(N));
  deer_node out[] = {deer_cumsum(g, x, 0, false), deer_cumsum(g, x, 0, true)};
  deer_program *p;
  assert_int_equal(deer_compile(g, out, 2, &p), DEER_OK);
  for (int i = 0; i < N; i++) ((deer_real *)deer_program_data(p, x))[i] = 0.1F;
  deer_program_run(p);
  const deer_real *up = deer_program_data(p, out[0]), *down = deer_program_data(p, out[1]);
  for (int i = 0; i < N; i++) {
    const double wanted = (i + 1) * (double)0.1F;
    assert_true(fabs((double)up[i] - wanted) <= 1e-7 * wanted);
    assert_true(up[i] == down[N - 1 - i]);
  }
  deer_program_free(p);
  deer_graph_free(g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(close_to_the_truth),
      cmocka_unit_test(large_and_infinite_elements),
      cmocka_unit_test(bits_do_not_depend_on_the_batch),
      cmocka_unit_test(long_running_sums_are_close),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
