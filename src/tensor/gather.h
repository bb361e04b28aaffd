/* gather.h: the product behind convolutions: rows of all three matrices lie where tables say, so
 * windows of a picture are read where they are and never copied; and the transposition that goes
 * with it. For tensor/ only. */
#ifndef DEER_GATHER_H
#define DEER_GATHER_H

#include "tensor/tensor.h"

#define DEER_GATHER_COLUMNS 64 /* of one product at most */
#define DEER_GATHER_WIDTH   16 /* of the widest vector */

/* What becomes of each element x of a result on its way out, in this order. */
typedef struct deer_finish {
  const deer_real *bias; /* added, one for each row of the result; NULL: none */
  bool relu;             /* 0 where x <= 0; NaN stays */
  const deer_real *gate; /* as the result lies: 0 where it is 0; NULL: none */
} deer_finish;

/* C[i, j] = sum over p of A[i, p] B[p, j] for i < m, p < k, j < columns, where
 *   A[i, p] is a[a_row[i] + a_step[p]],
 *   B[p, j] is b[b_step[p] + j],
 *   C[i, j] is c[c_row[i] * c_unit + j]. */
typedef struct deer_gather_product {
  int m, k, columns; /* at least 1, columns at most DEER_GATHER_COLUMNS */
  const deer_real *a, *b;
  deer_real *c; /* its rows overlap neither each other nor what is read */
  const int32_t *a_row, *a_step, *b_step;
  const int32_t *c_row; /* NULL: 0, 1, 2, ... */
  ptrdiff_t c_unit;
  bool add; /* onto what lies in C */
  deer_finish finish;
} deer_gather_product;

/* Each element is one chain over p, in order, of fused multiply-adds where the CPU has them: its
 * bits depend on neither its place nor the kernel. Nothing is read or written beyond the columns.
 */
void deer_gather_gemm(const deer_gather_product *product);

/* to[j, i] = finished from[i, j] for i < rows, j < columns; neighbours in a row are neighbours in
 * memory. */
typedef struct deer_transposition {
  int rows, columns;
  const deer_real *from;
  ptrdiff_t from_row;
  deer_real *to;
  ptrdiff_t to_row;
  deer_finish finish;
} deer_transposition;

void deer_transpose_block(const deer_transposition *t);

/* to[i] = factor (from[i] + term), rounded after each operation */
void deer_reals_of_bytes(const uint8_t *from, size_t n, deer_real factor, deer_real term,
                         deer_real *to);

/* For tests: which kernels may run; 0 plain C, 1 AVX2, 2 AVX-512 too (the start). What the CPU
 * lacks never runs. */
void deer_gather_allow(int level);

#endif
