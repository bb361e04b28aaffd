/* blas.h: matrix products. blas.c is the only file that sees cblas.h. */
#ifndef DEER_BLAS_H
#define DEER_BLAS_H

#include "tensor/tensor.h"

/* One product C = A' B' + beta C of row-major matrices, where A' is A or its transpose: A' is m by
 * k, B' is k by n, C is m by n. lda, ldb, ldc are the row lengths as stored. */
typedef struct deer_product {
  bool transpose_a, transpose_b;
  int m, n, k;
  const deer_real *a, *b;
  int lda, ldb, ldc;
  deer_real beta; /* 0 overwrites C */
  deer_real *c;
} deer_product;

/* Computes the product; C must not overlap A or B. A product with a vector takes the faster
 * matrix-vector routine, so its bits may differ from those of the same row inside a matrix. */
void deer_gemm(const deer_product *product);

/* One BLAS thread per call from now on, so that sums are always made in the same order. Only the
 * first call does anything; deer_compile makes it too. */
void deer_blas_start(void);

/* What the BLAS says about itself, for --version. */
const char *deer_blas_config(void);

#endif
