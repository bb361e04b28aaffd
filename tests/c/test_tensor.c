/* test_tensor.c: element types, shapes, dense arrays and matrix products. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "tensor/blas.h"

static void types(void **state) {
  (void)state;
  assert_int_equal(deer_dtype_size(DEER_DTYPE_REAL), sizeof(deer_real));
  assert_int_equal(deer_dtype_size(DEER_DTYPE_U8), 1);
  assert_int_equal(deer_dtype_size(DEER_DTYPE_I32), 4);
  assert_string_equal(deer_dtype_name(DEER_DTYPE_REAL), "float32");
  assert_string_equal(deer_dtype_name(DEER_DTYPE_U8), "uint8");
  assert_string_equal(deer_dtype_name(DEER_DTYPE_I32), "int32");
}

static void shapes(void **state) {
  (void)state;
  const deer_shape a = DEER_SHAPE(2, 3), b = DEER_SHAPE(3, 2), c = DEER_SHAPE(2, 3, 1);
  const deer_shape scalar = DEER_SCALAR;
  assert_int_equal(deer_shape_count(&a), 6);
  assert_int_equal(deer_shape_count(&scalar), 1);
  assert_true(deer_shape_equal(&a, &(deer_shape){.rank = 2, .dim = {2, 3, 9}}));
  assert_false(deer_shape_equal(&a, &b));
  assert_false(deer_shape_equal(&a, &c));

  char text[DEER_SHAPE_TEXT];
  assert_string_equal(deer_shape_text(&a, text), "[2, 3]");
  assert_string_equal(deer_shape_text(&scalar, text), "[]");
  const int m = INT32_MIN;
  const deer_shape longest = DEER_SHAPE(m, m, m, m, m, m);
  assert_int_equal(strlen(deer_shape_text(&longest, text)), 6 * 11 + 5 * 2 + 2);
}

static void wrong_shapes(void **state) {
  (void)state;
  const deer_shape good[] = {DEER_SCALAR, DEER_SHAPE(1), DEER_SHAPE(INT32_MAX),
                             DEER_SHAPE(1, 2, 3, 4, 5, 6)};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_int_equal(deer_shape_check(&good[i], "x"), DEER_OK);

  const deer_shape bad[] = {{.rank = -1},
                            {.rank = 7},
                            DEER_SHAPE(0),
                            DEER_SHAPE(3, 0),
                            DEER_SHAPE(-4, -4),
                            DEER_SHAPE(65536, 32768),
                            DEER_SHAPE(2, INT32_MAX, INT32_MAX, INT32_MAX)};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    deer_fail(DEER_OK, "%s", "");
    assert_int_equal(deer_shape_check(&bad[i], "the reward"), DEER_ESHAPE);
    assert_int_equal(strncmp(deer_error(), "the reward: ", 12), 0);
  }
}

static void tensors(void **state) {
  (void)state;
  const size_t held = deer_alloc_blocks();
  deer_tensor t;
  assert_int_equal(deer_tensor_init(&t, DEER_DTYPE_I32, &DEER_SHAPE(4, 5)), DEER_OK);
  for (int i = 0; i < 20; i++) assert_int_equal(((int32_t *)t.data)[i], 0);
  deer_tensor_finish(&t);
  deer_tensor_finish(&t);
  assert_null(t.data);

  assert_int_equal(deer_tensor_init(&t, DEER_DTYPE_REAL, &DEER_SHAPE(0)), DEER_ESHAPE);
  assert_null(t.data);
  deer_alloc_fail_at(1);
  assert_int_equal(deer_tensor_init(&t, DEER_DTYPE_REAL, &DEER_SHAPE(9)), DEER_ENOMEM);
  assert_null(t.data);
  deer_tensor_finish(&t);

  /* memory of somebody else is left alone */
  deer_real mine[2] = {1, 2};
  t = deer_tensor_wrap(DEER_DTYPE_REAL, DEER_SHAPE(2), mine);
  assert_ptr_equal(t.data, mine);
  deer_tensor_finish(&t);
  assert_true(mine[0] == 1);
  assert_int_equal(deer_alloc_blocks(), held);
}

/* ---- products ---- */

#define ROOM 20000

typedef struct matrices {
  deer_real a[ROOM], b[ROOM], c[ROOM];
} matrices;

static matrices *random_matrices(void) {
  matrices *x = deer_alloc(sizeof *x);
  assert_non_null(x);
  deer_rng rng = deer_rng_seed(1);
  for (int i = 0; i < ROOM; i++) {
    x->a[i] = (deer_real)(deer_rng_uniform(&rng) - 0.5);
    x->b[i] = (deer_real)(deer_rng_uniform(&rng) - 0.5);
    x->c[i] = (deer_real)(deer_rng_uniform(&rng) - 0.5);
  }
  return x;
}

/* element (i, j) of a product in double */
static double product_at(const deer_product *p, int i, int j) {
  double sum = 0;
  for (int l = 0; l < p->k; l++) {
    const deer_real a = p->a[p->transpose_a ? l * p->lda + i : i * p->lda + l];
    const deer_real b = p->b[p->transpose_b ? j * p->ldb + l : l * p->ldb + j];
    sum += (double)a * (double)b;
  }
  return sum;
}

/* one product with all kinds of transposes, rows 3 longer than needed, beta 0 and 1 */
static void try_product(int m, int n, int k) {
  for (int way = 0; way < 8; way++) {
    matrices *x = random_matrices(), *before = random_matrices();
    deer_product p = {.transpose_a = way & 1, .transpose_b = way & 2, .m = m, .n = n, .k = k};
    p.a = x->a, p.b = x->b, p.c = x->c, p.beta = (deer_real)(way / 4);
    p.lda = (p.transpose_a ? m : k) + 3;
    p.ldb = (p.transpose_b ? k : n) + 3;
    p.ldc = n + 3;
    /* what lies in c must not matter when it is overwritten */
    for (int i = 0; i < m && p.beta == 0; i++)
      for (int j = 0; j < n; j++) p.c[i * p.ldc + j] = NAN;
    deer_gemm(&p);
    for (int i = 0; i < m; i++)
      for (int j = 0; j < p.ldc; j++) {
        const int at = i * p.ldc + j;
        double wanted = (double)before->c[at];
        if (j < n) wanted = product_at(&p, i, j) + (p.beta == 0 ? 0 : wanted);
        if (!(fabs((double)p.c[at] - wanted) <= 1e-5))
          fail_msg("%d x %d x %d, way %d: (%d, %d) is %g, expected %g", m, k, n, way, i, j,
                   (double)p.c[at], wanted);
      }
    deer_free(x);
    deer_free(before);
  }
}

static void products(void **state) {
  (void)state;
  const int sizes[][3] = {{1, 1, 1},    {1, 7, 5},       {7, 1, 5},     {7, 5, 1},    {1, 1, 9},
                          {1, 64, 1},   {3, 3, 3},       {32, 20, 50},  {32, 2, 20},  {50, 20, 32},
                          {65, 33, 17}, {100, 100, 100}, {1, 100, 100}, {100, 1, 100}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    try_product(sizes[i][0], sizes[i][1], sizes[i][2]);
}

static void products_pass_nan_on(void **state) {
  (void)state;
  /* also where the other factor is 0, and on the ways for vectors */
  const int sizes[][2] = {{1, 3}, {3, 1}, {3, 3}};
  for (int s = 0; s < 3; s++) {
    deer_real a[6] = {NAN, 0, NAN, 0, NAN, 0}, b[6] = {0}, c[9] = {0};
    deer_product p = {.m = sizes[s][0], .n = sizes[s][1], .k = 2, .a = a, .b = b, .c = c};
    p.lda = 2, p.ldb = p.ldc = p.n;
    deer_gemm(&p);
    for (int i = 0; i < p.m * p.n; i++) assert_true(isnan(c[i]));
  }
}

static void blas_names_itself(void **state) {
  (void)state;
  assert_non_null(strstr(deer_blas_config(), "OpenBLAS"));
}

int main(void) {
  deer_blas_start();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(types),
      cmocka_unit_test(shapes),
      cmocka_unit_test(wrong_shapes),
      cmocka_unit_test(tensors),
      cmocka_unit_test(products),
      cmocka_unit_test(products_pass_nan_on),
      cmocka_unit_test(blas_names_itself),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
