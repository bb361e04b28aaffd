/* gather.h: the product behind convolutions: rows of A and C lie where tables say, so windows of a
 * picture are read where they are and never copied; and the transposition that goes with it. For
 * tensor/ only. */
#ifndef DEER_GATHER_H
#define DEER_GATHER_H

#include "tensor/tensor.h"

#define DEER_GATHER_COLUMNS 64 /* of one product at most */
#define DEER_GATHER_WIDTH   16 /* columns are a multiple of it */

/* C[i, j] = sum over p of A[i, p] B[p, j], where A[i, p] is a[a_row[i] + a_step[p]] and C[i, j] is
 * element j of row c_row[i] at c. B is [k, columns], and rows at c have `columns` elements, without
 * gaps. c_row must not name a row twice. C must not overlap A or B. */
typedef struct deer_gather_product {
  int m, k, columns;
  const deer_real *a;
  const int32_t *a_row, *a_step;
  const deer_real *b;
  deer_real *c;
  const int32_t *c_row; /* NULL: 0, 1, 2, ... */
  bool add;             /* onto what lies in C */
} deer_gather_product;

/* Each element is one chain over p, in order, of fused multiply-adds where the CPU has them: its
 * bits depend on neither m nor the kernel. m and k are at least 1. */
void deer_gather_gemm(const deer_gather_product *product);

/* What becomes of each element x of a result on its way out, in this order. */
typedef struct deer_finish {
  const deer_real *bias; /* added, one for each row of the result; NULL: none */
  bool relu;             /* 0 where x <= 0; NaN stays */
  const deer_real *gate; /* as the result lies: 0 where it is 0; NULL: none */
} deer_finish;

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
