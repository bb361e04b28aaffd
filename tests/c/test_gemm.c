/* test_gemm.c: matrix products: right for every shape, transposition and epilogue, on every kind of
 * kernel; the same bits for any number of rows and for AVX2 and AVX-512; nothing written outside.
 * double/test_gemm.c runs it in double precision. */
#include "tensor/gemm.h"
#include "tensor/target.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/rng.h"

enum { ROOM = 700000, C_ROOM = 60000 };

static deer_real a[ROOM], b[ROOM], c[C_ROOM], before[C_ROOM], gate[C_ROOM], slope[C_ROOM];
static deer_rng rng;

static int draw(int n) { return 1 + (int)deer_rng_below(&rng, (uint64_t)n); }

static int setup(void **state) {
  (void)state;
  rng = deer_rng_seed(11);
  for (int i = 0; i < ROOM; i++) {
    a[i] = (deer_real)deer_rng_normal(&rng);
    b[i] = (deer_real)deer_rng_normal(&rng);
  }
  /* what relu leaves: zeros of both signs, positive numbers; here and there NaN */
  const deer_real kinds[] = {0, 1, (deer_real)-0.0, (deer_real)1e-30, NAN, -2};
  for (int i = 0; i < C_ROOM; i++) gate[i] = kinds[deer_rng_below(&rng, 6)];
  for (int i = 0; i < C_ROOM; i++) slope[i] = (deer_real)(2 * deer_rng_uniform(&rng) - 1);
  return 0;
}

/* a product of this shape with everything else drawn: transposes, room between rows, how it ends */
static deer_product drawn(int m, int n, int k) {
  deer_product p = {.m = m, .n = n, .k = k, .a = a, .b = b, .c = c};
  p.transpose_a = draw(2) == 1;
  p.transpose_b = draw(2) == 1;
  p.lda = (p.transpose_a ? m : k) + draw(3) - 1;
  p.ldb = (p.transpose_b ? k : n) + draw(3) - 1;
  p.ldc = n + draw(3) - 1;
  p.beta = (deer_real)(draw(2) - 1);
  if (draw(2) == 1) p.bias = b + draw(100);
  p.epilogue = (deer_epilogue)(draw(4) - 1);
  p.gate = p.epilogue == DEER_EPILOGUE_GATE    ? gate + draw(3)
           : p.epilogue == DEER_EPILOGUE_SLOPE ? slope + draw(3)
                                               : NULL;
  p.ldgate = n + draw(3) - 1;
  return p;
}

/* round i of the shapes below: first every size of m, n and k up to 70, then larger ones */
enum { SMALL = 70, LARGE = 40, ROUNDS = 4 * SMALL + LARGE };

static deer_product shape(int i) {
  const int size = 1 + i % SMALL;
  switch (i / SMALL) {
  case 0:
    return drawn(size, draw(80), draw(30));
  case 1:
    return drawn(draw(20), size, draw(80));
  case 2:
    return drawn(draw(20), draw(80), size);
  case 3:
    return drawn(draw(40), draw(12), size);
  default:
    return i % 2 ? drawn(draw(30), draw(200), draw(1500)) : drawn(draw(20), draw(12), draw(5000));
  }
}

/* where rows lie far apart, and a single long row */
static deer_product special(int i) {
  deer_product p = drawn(i == 2 ? 1 : 100, i == 2 ? 700 : 270, i == 3 ? 530 : 130);
  if (i == 0 || i == 3) p.transpose_a = true, p.lda = 1030;
  if (i == 1 || i == 3) p.transpose_b = false, p.ldb = 1200;
  if (i == 2) p.transpose_b = false, p.ldb = 700;
  if (!p.transpose_a && p.lda < p.k) p.lda = p.k;
  if (p.transpose_b) p.ldb = p.k;
  return p;
}
enum { SPECIALS = 4 };

/* element (i, j) after the epilogue, in double; *size: how large the terms were */
static double wanted(const deer_product *p, int i, int j, double *size) {
  double sum = p->beta * before[i * p->ldc + j];
  *size = fabs(sum);
  for (int l = 0; l < p->k; l++) {
    const double x = (double)p->a[p->transpose_a ? l * p->lda + i : i * p->lda + l] *
                     (double)p->b[p->transpose_b ? j * p->ldb + l : l * p->ldb + j];
    sum += x;
    *size += fabs(x);
  }
  if (p->bias) sum += (double)p->bias[j], *size += fabs((double)p->bias[j]);
  if (p->epilogue == DEER_EPILOGUE_RELU) return sum <= 0 ? 0 : sum;
  const double y = p->gate ? (double)p->gate[i * p->ldgate + j] : 0;
  if (p->epilogue == DEER_EPILOGUE_GATE && y == 0) return 0;
  if (p->epilogue == DEER_EPILOGUE_SLOPE) return sum * (1 - y * y);
  return sum;
}

static void check_product(const deer_product *p) {
  const double tolerance = sizeof(deer_real) == sizeof(float) ? 1e-6 : 1e-14;
  for (int i = 0; i < C_ROOM; i++) c[i] = before[i] = (deer_real)(i % 7);
  if (p->beta == 0) /* then it must not matter what lies there */
    for (int i = 0; i < p->m; i++)
      for (int j = 0; j < p->n; j++) c[i * p->ldc + j] = NAN;
  deer_gemm(p);
  for (int i = 0; i < p->m; i++)
    for (int j = 0; j < p->n; j++) {
      double size, error = fabs(wanted(p, i, j, &size) - (double)c[i * p->ldc + j]);
      if (!(error <= tolerance * size))
        fail_msg("%dx%dx%d%s%s at %d, %d: off by %g", p->m, p->n, p->k,
                 p->transpose_a ? " A^T" : "", p->transpose_b ? " B^T" : "", i, j, error);
      c[i * p->ldc + j] = before[i * p->ldc + j];
    }
  /* all elements of C are back: whatever differs now was written outside */
  assert_memory_equal(c, before, sizeof c);
}

static void every_product_is_right(void **state) {
  (void)state;
  for (int level = 0; level <= 2; level++) { /* level 0: OpenBLAS alone */
    deer_cpu_allow(level);
    for (int i = 0; i < ROUNDS + SPECIALS; i++) {
      const deer_product p = i < ROUNDS ? shape(i) : special(i - ROUNDS);
      check_product(&p);
    }
  }
  deer_cpu_allow(2);
}

/* every byte that is read lies in a matrix that ends where its memory does: for the sanitizer */
static void nothing_is_read_outside(void **state) {
  (void)state;
  for (int i = 0; i < ROUNDS; i++) {
    deer_product p = shape(i);
    const size_t a_rows = (size_t)(p.transpose_a ? p.k : p.m),
                 b_rows = (size_t)(p.transpose_b ? p.n : p.k);
    p.lda = p.transpose_a ? p.m : p.k;
    p.ldb = p.transpose_b ? p.k : p.n;
    const size_t a_size = a_rows * (size_t)p.lda * sizeof *a,
                 b_size = b_rows * (size_t)p.ldb * sizeof *b;
    deer_real *own_a = deer_alloc(a_size), *own_b = deer_alloc(b_size);
    assert_true(own_a && own_b);
    p.a = memcpy(own_a, a, a_size);
    p.b = memcpy(own_b, b, b_size);
    check_product(&p);
    deer_free(own_a);
    deer_free(own_b);
  }
}

static void both_kernels_agree_to_the_bit(void **state) {
  (void)state;
  static deer_real wide[C_ROOM];
  for (int i = 0; i < ROUNDS + SPECIALS; i++) {
    const deer_product p = i < ROUNDS ? shape(i) : special(i - ROUNDS);
    memset(c, 0, sizeof c);
    deer_cpu_allow(2);
    const bool ran = deer_gemm_own(&p);
    memcpy(wide, c, sizeof c);
    memset(c, 0, sizeof c);
    deer_cpu_allow(1);
    assert_int_equal(deer_gemm_own(&p), ran);
    assert_memory_equal(c, wide, sizeof c);
  }
  deer_cpu_allow(2);
}

/* rows first.. of p alone, to `out` */
static void some_rows(deer_product p, int first, int rows, deer_real *out) {
  p.m = rows;
  p.a += (ptrdiff_t)first * (p.transpose_a ? 1 : p.lda);
  if (p.gate) p.gate += (ptrdiff_t)first * p.ldgate;
  p.c = out;
  deer_gemm(&p);
}

/* what a network says about a state does not depend on the batch it is in */
static void rows_do_not_depend_on_their_number(void **state) {
  (void)state;
  static deer_real some[C_ROOM];
  for (int i = 0; i < ROUNDS + SPECIALS; i++) {
    deer_product p = i < ROUNDS ? shape(i) : special(i - ROUNDS);
    p.beta = 0;
    if (!deer_gemm_own(&p)) return; /* no kernel for this CPU: OpenBLAS makes no such promise */
    for (int first = 0, rows; first < p.m; first += rows) {
      rows = draw(3) == 1 ? draw(p.m - first) : 1;
      some_rows(p, first, rows, some);
      for (int r = 0; r < rows; r++)
        assert_memory_equal(some + r * p.ldc, c + (first + r) * p.ldc, (size_t)p.n * sizeof *some);
    }
  }
}

/* sums that are exact, 0 times anything plus the bias: the epilogues treat NaN and zeros as the ops
 * do; narrow and wide results, k in one block and in many */
static void epilogues_treat_nan_and_zero_as_the_ops(void **state) {
  (void)state;
  enum { LONGEST = 5000 };
  static const deer_real sums[] = {0, (deer_real)-0.0, NAN, -1, 2, INFINITY, -INFINITY};
  static const deer_real gates[] = {0, (deer_real)-0.0, NAN, -1, (deer_real)1e-30};
  static deer_real zeros[LONGEST], kept[64], bias[64], out[64];
  for (int round = 0; round < 3 * 2 * 2 * 5; round++) {
    const int n = round % 2 ? 64 : 7, k = round / 2 % 2 ? LONGEST : 1;
    deer_cpu_allow(round / 4 % 3);
    for (int j = 0; j < n; j++) bias[j] = sums[j % 7], kept[j] = gates[round / 12];
    deer_product p = {.transpose_b = true, .m = 1, .n = n, .k = k, .a = zeros, .lda = k, .b = b};
    p.ldb = k, p.c = out, p.ldc = n, p.bias = bias, p.epilogue = DEER_EPILOGUE_RELU;
    deer_gemm(&p);
    for (int j = 0; j < n; j++) {
      const deer_real relu = bias[j] <= 0 ? 0 : bias[j];
      assert_true(isnan(relu) ? isnan(out[j]) : out[j] == relu && !signbit(out[j]));
    }
    p.epilogue = DEER_EPILOGUE_GATE, p.gate = kept, p.ldgate = n;
    deer_gemm(&p);
    for (int j = 0; j < n; j++) {
      const deer_real gated = kept[j] == 0 ? 0 : bias[j];
      assert_true(isnan(gated) ? isnan(out[j]) : out[j] == gated);
    }
    p.epilogue = DEER_EPILOGUE_SLOPE;
    deer_gemm(&p);
    for (int j = 0; j < n; j++) {
      const deer_real square = kept[j] * kept[j], sloped = bias[j] - bias[j] * square;
      assert_true(isnan(sloped) ? isnan(out[j]) : out[j] == sloped);
    }
  }
  deer_cpu_allow(2);
}

static void nan_reaches_its_row_and_no_other(void **state) {
  (void)state;
  for (int round = 0; round < 200; round++) {
    deer_product p = drawn(draw(30), draw(40), draw(60));
    p.beta = 0, p.bias = NULL, p.epilogue = DEER_EPILOGUE_NONE;
    const int row = draw(p.m) - 1, l = draw(p.k) - 1;
    deer_real *x = a + (p.transpose_a ? l * p.lda + row : row * p.lda + l), kept = *x;
    *x = NAN;
    deer_gemm(&p);
    *x = kept;
    for (int i = 0; i < p.m; i++)
      for (int j = 0; j < p.n; j++) assert_int_equal(isnan(c[i * p.ldc + j]), i == row);
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
  deer_cpu_allow(0);
  p.beta = 0;
  assert_false(deer_gemm_own(&p));
  deer_cpu_allow(2);
}

int main(void) {
  deer_blas_start();
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_product_is_right),
                                     cmocka_unit_test(nothing_is_read_outside),
                                     cmocka_unit_test(both_kernels_agree_to_the_bit),
                                     cmocka_unit_test(rows_do_not_depend_on_their_number),
                                     cmocka_unit_test(epilogues_treat_nan_and_zero_as_the_ops),
                                     cmocka_unit_test(nan_reaches_its_row_and_no_other),
                                     cmocka_unit_test(other_factors_are_left_to_the_blas)};
  return cmocka_run_group_tests(tests, setup, NULL);
}
