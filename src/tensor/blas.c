/* blas.c: matrix products: by our own kernels where there are some for the CPU, else OpenBLAS. */
#include "tensor/gemm.h"

#include <cblas.h>
#include <stdatomic.h>

/* the functions of the BLAS for the library's real number */
#define GEMM _Generic((deer_real)0, float : cblas_sgemm, double : cblas_dgemm)
#define GEMV _Generic((deer_real)0, float : cblas_sgemv, double : cblas_dgemv)

/* a row times a matrix: C = a B', seen by the BLAS as the column B'^T a */
static void row_times_matrix(const deer_product *p) {
  const int rows = p->transpose_b ? p->n : p->k, columns = p->transpose_b ? p->k : p->n;
  GEMV(CblasRowMajor, p->transpose_b ? CblasNoTrans : CblasTrans, rows, columns, 1, p->b, p->ldb,
       p->a, p->transpose_a ? p->lda : 1, p->beta, p->c, 1);
}

/* a matrix times a column: C = A' b */
static void matrix_times_column(const deer_product *p) {
  const int rows = p->transpose_a ? p->k : p->m, columns = p->transpose_a ? p->m : p->k;
  GEMV(CblasRowMajor, p->transpose_a ? CblasTrans : CblasNoTrans, rows, columns, 1, p->a, p->lda,
       p->b, p->transpose_b ? 1 : p->ldb, p->beta, p->c, p->ldc);
}

/* A' B' + beta C */
static void plain_product(const deer_product *p) {
  /* a vector is up to four times faster outside the general product, which would pack the matrix */
  if (p->m == 1)
    row_times_matrix(p);
  else if (p->n == 1)
    matrix_times_column(p);
  else
    GEMM(CblasRowMajor, p->transpose_a ? CblasTrans : CblasNoTrans,
         p->transpose_b ? CblasTrans : CblasNoTrans, p->m, p->n, p->k, 1, p->a, p->lda, p->b,
         p->ldb, p->beta, p->c, p->ldc);
}

/* the bias and the epilogue of one row that the BLAS has computed */
static void finish_row(const deer_product *p, int row) {
  deer_real *c = p->c + (ptrdiff_t)row * p->ldc;
  for (int j = 0; p->bias && j < p->n; j++) c[j] += p->bias[j];
  if (p->epilogue == DEER_EPILOGUE_RELU) {
    for (int j = 0; j < p->n; j++) c[j] = c[j] <= 0 ? 0 : c[j];
  } else if (p->epilogue == DEER_EPILOGUE_GATE) {
    const deer_real *gate = p->gate + (ptrdiff_t)row * p->ldgate;
    for (int j = 0; j < p->n; j++) c[j] = gate[j] == 0 ? 0 : c[j];
  } else if (p->epilogue == DEER_EPILOGUE_SLOPE) {
    const deer_real *y = p->gate + (ptrdiff_t)row * p->ldgate;
    for (int j = 0; j < p->n; j++) c[j] -= c[j] * (y[j] * y[j]);
  }
}

void deer_gemm(const deer_product *p) {
  if (deer_gemm_own(p)) return;
  plain_product(p);
  if (!p->bias && p->epilogue == DEER_EPILOGUE_NONE) return;
  for (int row = 0; row < p->m; row++) finish_row(p, row);
}

void deer_blas_start(void) {
  static atomic_flag done = ATOMIC_FLAG_INIT;
  if (!atomic_flag_test_and_set(&done)) openblas_set_num_threads(1);
}

const char *deer_blas_config(void) { return openblas_get_config(); }
