/* sums.h: sums of rows and columns, kept in double but for a few neighbours. The order in which
 * elements are added depends on the sizes alone. */
#ifndef DEER_SUMS_H
#define DEER_SUMS_H

#include "tensor/tensor.h"

/* The sum of n neighbours; of their squares, which are rounded before they are added. */
double deer_sum_row(const deer_real *x, size_t n);
double deer_sum_squares(const deer_real *x, size_t n);

/* A matrix: `rows` rows of `columns` elements, `stride` elements from one row to the next. */
typedef struct deer_row_block {
  const deer_real *x;
  size_t rows, columns, stride;
} deer_row_block;

/* Adds the rows to total[columns]. */
void deer_add_rows(const deer_row_block *m, double *total);

/* The sum of each row, rounded to out[rows]. */
void deer_sum_rows(const deer_row_block *m, deer_real *out);

#endif
