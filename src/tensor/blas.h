/* blas.h: matrix products. blas.c is the only file that sees cblas.h. */
#ifndef DEER_BLAS_H
#define DEER_BLAS_H

#include "tensor/tensor.h"

/* What becomes of each element x of a product once it is complete. */
typedef enum deer_epilogue {
  DEER_EPILOGUE_NONE,
  DEER_EPILOGUE_RELU, /* 0 where x <= 0, as deer_relu; NaN stays NaN */
  DEER_EPILOGUE_GATE, /* 0 where the element of `gate` is 0, x elsewhere, also where that is NaN:
                         the derivative of relu, given relu's result */
  DEER_EPILOGUE_SLOPE /* x - x y^2 with y that of `gate`: the derivative of tanh, given its result
                       */
} deer_epilogue;

/* One product C = epilogue(A' B' + beta C + bias) of row-major matrices, where A' is A or its
 * transpose: A' is m by k, B' is k by n, C is m by n. lda, ldb, ldc are the row lengths as stored.
 * What is not set is zero: no beta, no bias, no epilogue. */
typedef struct deer_product {
  bool transpose_a, transpose_b;
  int m, n, k;
  const deer_real *a, *b;
  int lda, ldb, ldc;
  deer_real beta; /* 0 overwrites C, whatever lies there */
  deer_real *c;
  const deer_real *bias; /* [n], added to every row; NULL: none */
  deer_epilogue epilogue;
  const deer_real *gate; /* [m, n] in rows of ldgate, read by the last two epilogues */
  int ldgate;
} deer_product;

/* Computes the product; C must not overlap what is read. Whether the bias is added first or last is
 * not promised. In float with beta 0 or 1, on a CPU with AVX2, an element has the same bits
 * whatever the number of rows, its row's place among them and the kind of CPU: how it is summed
 * depends on k, the transposes and whether n is at most 8. Else OpenBLAS computes it and promises
 * nothing. */
void deer_gemm(const deer_product *product);

/* One BLAS thread per call from now on, so that sums are always made in the same order. Only the
 * first call does anything; deer_compile makes it too. */
void deer_blas_start(void);

/* What the BLAS says about itself, for --version. */
const char *deer_blas_config(void);

#endif
