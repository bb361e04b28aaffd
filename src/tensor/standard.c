/* standard.c: rows brought to mean 0 and variance 1, compiled for each kind of CPU. */
#include "tensor/standard.h"

#include "tensor/lanes.h"
#include "tensor/vectormath.h"

/* the differences to the mean are squared, not the elements: nothing cancels */
DEER_INLINE void standardize_row(const deer_real *x, size_t n, double epsilon, deer_real *y,
                                 deer_real *r) {
  double sum, squares;
  DEER_SUM(sum, n, DEER_LOAD(x + i), x[i]);
  const deer_real mean = (deer_real)(sum / (double)n);
  DEER_SUM(squares, n, (DEER_LOAD(x + i) - mean) * (DEER_LOAD(x + i) - mean),
           (x[i] - mean) * (x[i] - mean));
  *r = (deer_real)(1 / sqrt(squares / (double)n + epsilon));
  for (size_t i = 0; y && i < n; i++) y[i] = (x[i] - mean) * *r;
}

DEER_INLINE void standardize(const deer_row_block *m, double epsilon, deer_real *y,
                             deer_real *inverse) {
  for (size_t i = 0; i < m->rows; i++) {
    deer_real r;
    standardize_row(m->x + i * m->stride, m->columns, epsilon, y ? y + i * m->columns : NULL, &r);
    if (inverse) inverse[i] = r;
  }
}

DEER_FOR_EVERY_CPU(void deer_standardize_rows, standardize,
                   (const deer_row_block *m, double epsilon, deer_real *y, deer_real *r),
                   (m, epsilon, y, r))

DEER_INLINE void back(const deer_row_block *m, const deer_real *y, const deer_real *r,
                      deer_real *restrict gx) {
  const size_t n = m->columns;
  const deer_real *gy = m->x;
  for (size_t k = 0; k < m->rows; k++, gy += n, y += n, gx += n) {
    double sum, product;
    DEER_SUM(sum, n, DEER_LOAD(gy + i), gy[i]);
    DEER_SUM(product, n, DEER_LOAD(gy + i) * DEER_LOAD(y + i), gy[i] * y[i]);
    const deer_real mean = (deer_real)(sum / (double)n), slope = (deer_real)(product / (double)n);
    for (size_t i = 0; i < n; i++) gx[i] = r[k] * ((gy[i] - mean) - y[i] * slope);
  }
}

DEER_FOR_EVERY_CPU(void deer_standardize_rows_back, back,
                   (const deer_row_block *gy, const deer_real *y, const deer_real *r,
                    deer_real *gx),
                   (gy, y, r, gx))
