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

static deer_real a[A_SIZE], b[A_SIZE], c[C_SIZE], before[C_SIZE], gate[C_SIZE];
static deer_rng rng;

static int draw(int n) { return 1 + (int)deer_rng_below(&rng, (uint64_t)n); }

static int setup(void **state) {
  (void)state;
  rng = deer_rng_seed(11);
  for (int i = 0; i < A_SIZE; i++) {
    a[i] = (deer_real)deer_rng_normal(&rng);
    b[i] = (deer_real)deer_rng_normal(&rng);
  }
  /* what relu leaves: zeros of both signs, positive numbers; here and there NaN */
  const deer_real kinds[] = {0, 1, (deer_real)-0.0, (deer_real)1e-30, NAN, -2};
  for (int i = 0; i < C_SIZE; i++) gate[i] = kinds[deer_rng_below(&rng, 6)];
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
  if (draw(2) == 1) p.bias = b + draw(100);
  p.epilogue = (deer_epilogue)(draw(3) - 1);
  p.gate = p.epilogue == DEER_EPILOGUE_GATE ? gate + draw(3) : NULL;
  p.ldgate = p.n + draw(3) - 1;
  return p;
}

/* sum, in double, after the epilogue */
static double finished(const deer_product *p, int i, int j, double sum) {
  if (p->epilogue == DEER_EPILOGUE_RELU) return sum <= 0 ? 0 : sum;
  if (p->epilogue == DEER_EPILOGUE_GATE && p->gate[i * p->ldgate + j] == 0) return 0;
  return sum;
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
      if (p->bias) sum += (double)p->bias[j], size += fabs((double)p->bias[j]);
      double error = fabs(finished(p, i, j, sum) - (double)c[i * p->ldc + j]);
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

/* relu and gate as the ops have them, with 0, -0 and NaN as the sum; also after many blocks of k */
static void epilogues_treat_nan_and_zero_as_the_ops(void **state) {
  (void)state;
  const deer_real sums[] = {0, (deer_real)-0.0, NAN, -1, 2, INFINITY, -INFINITY};
  const deer_real gates[] = {0, (deer_real)-0.0, NAN, -1};
  enum { SUMS = 7, GATES = 4 };
  static deer_real zeros[2000], out[SUMS];
  for (int level = 0; level <= 2; level++)
    for (int k = 1; k <= 2000; k += 1999)
      for (int i = 0; i < GATES; i++) {
        deer_gemm_allow(level);
        const deer_real kept[SUMS] = {gates[i], gates[i], gates[i], gates[i],
                                      gates[i], gates[i], gates[i]};
        deer_product p = {.m = 1, .n = SUMS, .k = k, .a = zeros, .lda = k};
        p.transpose_b = true, p.ldb = k, p.b = b, p.c = out, p.ldc = SUMS, p.bias = sums;
        p.epilogue = DEER_EPILOGUE_RELU;
        deer_gemm(&p);
        for (int j = 0; j < SUMS; j++) {
          const deer_real wanted = sums[j] <= 0 ? 0 : sums[j];
          assert_true(isnan(wanted) ? isnan(out[j]) : out[j] == wanted && !signbit(out[j]));
        }
        p.epilogue = DEER_EPILOGUE_GATE, p.gate = kept;
        deer_gemm(&p);
        for (int j = 0; j < SUMS; j++) {
          const deer_real wanted = gates[i] == 0 ? 0 : sums[j];
          assert_true(isnan(wanted) ? isnan(out[j]) : out[j] == wanted);
        }
      }
  deer_gemm_allow(2);
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
                                     cmocka_unit_test(epilogues_treat_nan_and_zero_as_the_ops),
                                     cmocka_unit_test(other_factors_are_left_to_the_blas)};
  return cmocka_run_group_tests(tests, setup, NULL);
}
