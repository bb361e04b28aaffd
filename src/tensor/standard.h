/* standard.h: rows brought to mean 0 and variance 1. */
#ifndef DEER_STANDARD_H
#define DEER_STANDARD_H

#include "tensor/sums.h"

/* y = (x - mean) r with r = 1 / sqrt(variance + epsilon), row by row; means are sums in double.
 * y [rows, columns] without gaps, r [rows]; either may be NULL. */
void deer_standardize_rows(const deer_row_block *m, double epsilon, deer_real *y, deer_real *r);

/* The gradient to x of what has the gradient gy to y: r (gy - mean(gy) - y mean(gy y)), row by row.
 * All matrices are without gaps. */
void deer_standardize_rows_back(const deer_row_block *gy, const deer_real *y, const deer_real *r,
                                deer_real *gx);

#endif
