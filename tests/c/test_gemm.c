/* test_gemm.c: the library's own matrix products: right for every shape and transposition, the same
 * bits for any number of rows and for AVX2 and AVX-512, and nothing written outside. */
#include "tensor/gemm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { A_SIZE = 200000, C_SIZE = 60000 };

static deer_real a[A_SIZE], b[A_SIZE], c[C_SIZE], before[C_SIZE];
static deer_rng rng;

static int draw(int n) { return 1 + (int)deer_rng_below(&rng, (uint64_t)n); }

static int setup(void **state) {
  (void)state;
  rng = deer_rng_seed(11);
  for (int i = 0; i < A_SIZE; i++) {
    a[i] = (deer_real)deer_rng_normal(&rng);
    b[i] = (deer_real)deer_rng_normal(&rng);
  }
  return 0;
}

static deer_product draw_product(int longest_k) {
  deer_product p = {.a = a, .b = b, .c = c};
  p.transpose_a = draw(2) == 1;
  p.transpose_b = draw(2) == 1;
  p.m = draw(40);
  p.n = draw(150);
  p.k = draw(longest_k);
  p.lda = (p.transpose_a ? p.m : p.k) + draw(3) - 1;
  p.ldb = (p.transpose_b ? p.k : p.n) + draw(3) - 1;
  p.ldc = p.n + draw(3) - 1;
  p.beta = (deer_real)(draw(2) - 1);
  return p;
}

static void check_product(const deer_product *p) {
  for (int i = 0; i < p->m; i++)
    for (int j = 0; j < p->n; j++) {
      double sum = p->beta != 0 ? (double)before[i * p->ldc + j] : 0, size = fabs(sum);
      for (int l = 0; l < p->k; l++) {
        double x = (double)a[p->transpose_a ? l * p->lda + i : i * p->lda + l] *
                   (double)b[p->transpose_b ? j * p->ldb + l : l * p->ldb + j];
        sum += x;
        size += fabs(x);
      }
      double error = fabs(sum - (double)c[i * p->ldc + j]);
      if (error > 1e-6 * size)
        fail_msg("%dx%dx%d at %d, %d: off by %g", p->m, p->n, p->k, i, j, error);
      c[i * p->ldc + j] = before[i * p->ldc + j];
    }
  /* all elements of C are back: whatever differs now was written outside */
  assert_memory_equal(c, before, sizeof c);
}

static void every_shape_is_right(void **state) {
  (void)state;
  for (int level = 0; level <= 2; level++) {
    deer_gemm_allow(level);
    for (int round = 0; round < 300; round++) {
      deer_product p = draw_product(round % 10 == 0 ? 1200 : 80);
      for (int i = 0; i < C_SIZE; i++) c[i] = before[i] = (deer_real)(i % 7);
      deer_gemm(&p); /* level 0: OpenBLAS alone */
      check_product(&p);
    }
  }
  deer_gemm_allow(2);
}

static void narrow_and_wide_kernels_agree_to_the_bit(void **state) {
  (void)state;
  static deer_real wide[C_SIZE];
  for (int round = 0; round < 200; round++) {
    deer_product p = draw_product(700);
    memset(c, 0, sizeof c);
    deer_gemm_allow(2);
    bool ran = deer_gemm_own(&p);
    memcpy(wide, c, sizeof c);
    memset(c, 0, sizeof c);
    deer_gemm_allow(1);
    assert_int_equal(deer_gemm_own(&p), ran);
    assert_memory_equal(c, wide, sizeof c);
  }
  deer_gemm_allow(2);
}

/* what a network says about a state does not depend on the batch it is in */
static void rows_do_not_depend_on_their_number(void **state) {
  (void)state;
  static deer_real one[200];
  deer_product p = {
      .m = 40, .n = 150, .k = 600, .a = a, .lda = 600, .b = b, .ldb = 150, .c = c, .ldc = 150};
  if (!deer_gemm_own(&p)) return; /* no kernel for this CPU: OpenBLAS makes no such promise */
  for (int row = 0; row < p.m; row++) {
    deer_product single = p;
    single.m = 1;
    single.a = a + row * p.lda;
    single.c = one;
    deer_gemm(&single);
    assert_memory_equal(one, c + row * p.ldc, (size_t)p.n * sizeof *one);
  }
}

static void other_factors_are_left_to_the_blas(void **state) {
  (void)state;
  deer_product p = {.m = 2, .n = 2, .k = 1, .a = a, .lda = 1, .b = b, .ldb = 2, .c = c, .ldc = 2};
  p.beta = (deer_real)0.5;
  assert_false(deer_gemm_own(&p));
  c[0] = 4;
  deer_gemm(&p);
  assert_true(fabs((double)(c[0] - (2 + a[0] * b[0]))) < 1e-5);
  deer_gemm_allow(0);
  p.beta = 0;
  assert_false(deer_gemm_own(&p));
  deer_gemm_allow(2);
}

int main(void) {
  deer_blas_start();
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_shape_is_right),
                                     cmocka_unit_test(narrow_and_wide_kernels_agree_to_the_bit),
                                     cmocka_unit_test(rows_do_not_depend_on_their_number),
                                     cmocka_unit_test(other_factors_are_left_to_the_blas)};
  return cmocka_run_group_tests(tests, setup, NULL);
}
