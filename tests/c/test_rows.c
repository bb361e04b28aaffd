/* test_rows.c: sums of rows, and rows brought to mean 0 and variance 1: close to the truth, and the
 * same bits on every kind of CPU. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tensor/standard.h"
#include "tensor/target.h"

enum { ROWS = 5, MOST = 1030 };
static const size_t widths[] = {1, 2, 7, 8, 9, 31, 64, 65, 100, 256, 1030};
enum { WIDTHS = sizeof widths / sizeof *widths };

static deer_real x[ROWS * MOST], gy[ROWS * MOST];

/* rows around 100, each a hundredth as wide */
static void fill(void) {
  deer_rng rng = deer_rng_seed(6);
  deer_fill_normal(&rng, x, ROWS * MOST);
  deer_fill_normal(&rng, gy, ROWS * MOST);
  for (int i = 0; i < ROWS * MOST; i++) x[i] += 100;
}

typedef struct results {
  deer_real sum[ROWS], y[ROWS * MOST], r[ROWS], gx[ROWS * MOST];
} results;

static void compute(size_t n, results *out) {
  const deer_row_block m = {x, ROWS, n, n}, g = {gy, ROWS, n, n};
  memset(out, 0, sizeof *out);
  deer_sum_rows(&m, out->sum);
  deer_standardize_rows(&m, 1e-3, out->y, out->r);
  deer_standardize_rows_back(&g, out->y, out->r, out->gx);
}

static void rows_are_close_to_the_truth(void **state) {
  (void)state;
  static results got;
  fill();
  for (int w = 0; w < WIDTHS; w++) {
    const size_t n = widths[w];
    compute(n, &got);
    for (size_t row = 0; row < ROWS; row++) {
      const deer_real *at = x + row * n, *g = gy + row * n;
      double sum = 0, squares = 0, mean_g = 0, product = 0;
      for (size_t i = 0; i < n; i++) sum += (double)at[i];
      const double mean = sum / (double)n;
      for (size_t i = 0; i < n; i++) squares += pow((double)at[i] - mean, 2);
      const double r = 1 / sqrt(squares / (double)n + 1e-3);
      for (size_t i = 0; i < n; i++) {
        mean_g += (double)g[i] / (double)n;
        product += (double)g[i] * ((double)at[i] - mean) * r / (double)n;
      }
      assert_true(fabs((double)got.sum[row] - sum) <= 2e-7 * fabs(sum));
      assert_true(fabs((double)got.r[row] - r) <= 1e-5 * r);
      for (size_t i = 0; i < n; i++) {
        const double y = ((double)at[i] - mean) * r;
        const double back = r * ((double)g[i] - mean_g - y * product);
        /* an ulp of 100 is 8e-6 of these */
        assert_true(fabs((double)got.y[row * n + i] - y) <= 1e-5 * r + 1e-6);
        assert_true(fabs((double)got.gx[row * n + i] - back) <= 1e-4 * r);
      }
    }
  }
}

static void rows_have_the_same_bits_on_every_cpu(void **state) {
  (void)state;
  static results all[3];
  fill();
  for (int w = 0; w < WIDTHS; w++) {
    for (int level = 0; level <= 2; level++) {
      deer_cpu_allow(level);
      compute(widths[w], &all[level]);
    }
    assert_memory_equal(&all[1], &all[0], sizeof all[0]);
    assert_memory_equal(&all[2], &all[0], sizeof all[0]);
  }
}

/* either result may be left out, rows may lie apart, and a row alone has the bits it has among
 * others */
static void parts_of_the_result(void **state) {
  (void)state;
  static results got;
  deer_real y[ROWS * 9], r[ROWS], sum;
  fill();
  compute(9, &got);
  const deer_row_block m = {x, ROWS, 9, 9}, apart = {x, 3, 9, 18}, last = {x + 36, 1, 9, 9};
  deer_standardize_rows(&m, 1e-3, y, NULL);
  deer_standardize_rows(&m, 1e-3, NULL, r);
  assert_memory_equal(y, got.y, sizeof y);
  assert_memory_equal(r, got.r, sizeof r);
  deer_standardize_rows(&apart, 1e-3, y, r);
  for (size_t k = 0; k < 3; k++) {
    assert_memory_equal(y + k * 9, got.y + k * 18, 9 * sizeof *y);
    assert_true(r[k] == got.r[2 * k]);
  }
  deer_sum_rows(&last, &sum);
  assert_true(sum == got.sum[4]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_close_to_the_truth),
      cmocka_unit_test(rows_have_the_same_bits_on_every_cpu),
      cmocka_unit_test(parts_of_the_result),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
