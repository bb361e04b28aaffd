/* sums.c: one body, compiled for each kind of CPU. */
#include "tensor/sums.h"

#include "tensor/lanes.h"

#define LANES DEER_LANES
typedef deer_reals reals;
typedef deer_doubles doubles;
#define LOAD(p) DEER_WIDEN(DEER_LOAD(p))

/* element j is the sum of the elements j, j + width, j + 2 width, ... of x; width divides LANES */
DEER_INLINE void add_folded(const deer_real *x, size_t n, size_t width, double *total) {
  doubles lane[4] = {{0}};
  size_t i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES)
    for (size_t v = 0; v < 4; v++) lane[v] += LOAD(x + i + v * LANES);
  const doubles sum = (lane[0] + lane[1]) + (lane[2] + lane[3]);
  double all[LANES];
  memcpy(all, &sum, sizeof all);
  for (; i < n; i++) all[i % LANES] += (double)x[i];
  for (size_t half = LANES / 2; half >= width; half /= 2)
    for (size_t j = 0; j < half; j++) all[j] += all[j + half];
  for (size_t j = 0; j < width; j++) total[j] += all[j];
}

/* `vectors` times eight columns, held in registers while the rows go by; a few rows are added as
 * they are before their sum becomes double */
#define FEW 16
DEER_INLINE void add_strip(const deer_row_block *m, size_t first, const size_t vectors,
                           double *total) {
  doubles sum[8];
  for (size_t v = 0; v < vectors; v++) memcpy(&sum[v], total + first + v * LANES, sizeof *sum);
  const deer_real *row = m->x + first;
  for (size_t r = 0; r < m->rows; r += FEW) {
    const size_t end = m->rows - r < FEW ? m->rows - r : FEW;
    reals part[8], more;
    for (size_t v = 0; v < vectors; v++) memcpy(&part[v], row + v * LANES, sizeof more);
    row += m->stride;
    for (size_t k = 1; k < end; k++, row += m->stride)
      for (size_t v = 0; v < vectors; v++) {
        memcpy(&more, row + v * LANES, sizeof more);
        part[v] += more;
      }
    for (size_t v = 0; v < vectors; v++) sum[v] += __builtin_convertvector(part[v], doubles);
  }
  for (size_t v = 0; v < vectors; v++) memcpy(total + first + v * LANES, &sum[v], sizeof *sum);
}

DEER_INLINE void add_rows(const deer_row_block *m, double *total) {
  const size_t n = m->columns;
  if (m->stride == n && (n == 1 || n == 2 || n == 4)) {
    add_folded(m->x, m->rows * n, n, total);
    return;
  }
  size_t first = 0;
  for (; first + 8 * LANES <= n; first += 8 * LANES) add_strip(m, first, 8, total);
  for (; first + 2 * LANES <= n; first += 2 * LANES) add_strip(m, first, 2, total);
  for (; first + LANES <= n; first += LANES) add_strip(m, first, 1, total);
  for (; first < n; first++) {
    const deer_real *at = m->x + first;
    for (size_t r = 0; r < m->rows; r += FEW) {
      const size_t end = m->rows - r < FEW ? m->rows : r + FEW;
      deer_real part = at[r * m->stride];
      for (size_t k = r + 1; k < end; k++) part += at[k * m->stride];
      total[first] += (double)part;
    }
  }
}

DEER_FOR_EVERY_CPU(void deer_add_rows, add_rows, (const deer_row_block *m, double *total),
                   (m, total))

/* ---- rows ---- */

/* rows of `columns`, which is a constant, one behind the other: several rows at a time */
DEER_INLINE void sum_short_rows(const deer_row_block *m, const size_t columns,
                                deer_real *restrict out) {
  const deer_real *restrict x = m->x;
  for (size_t r = 0; r < m->rows; r++) {
    double total = 0;
    for (size_t i = 0; i < columns; i++) total += (double)x[r * columns + i];
    out[r] = (deer_real)total;
  }
}

DEER_INLINE void sum_rows(const deer_row_block *m, deer_real *out) {
  const deer_real *x = m->x;
  if (m->stride == m->columns && m->columns == 2) {
    sum_short_rows(m, 2, out);
    return;
  }
  if (m->stride == m->columns && m->columns == 4) {
    sum_short_rows(m, 4, out);
    return;
  }
  for (size_t r = 0; r < m->rows; r++, x += m->stride) {
    double total;
    DEER_SUM(total, m->columns, DEER_LOAD(x + i), x[i]);
    out[r] = (deer_real)total;
  }
}

DEER_FOR_EVERY_CPU(void deer_sum_rows, sum_rows, (const deer_row_block *m, deer_real *out),
                   (m, out))

DEER_INLINE void sum_row(const deer_real *x, size_t n, double *total) {
  DEER_SUM(*total, n, DEER_LOAD(x + i), x[i]);
}

DEER_FOR_EVERY_CPU(static void add_up, sum_row, (const deer_real *x, size_t n, double *total),
                   (x, n, total))

DEER_INLINE void sum_squares(const deer_real *x, size_t n, double *total) {
  DEER_SUM(*total, n, DEER_LOAD(x + i) * DEER_LOAD(x + i), x[i] * x[i]);
}

DEER_FOR_EVERY_CPU(static void add_squares, sum_squares,
                   (const deer_real *x, size_t n, double *total), (x, n, total))

double deer_sum_squares(const deer_real *x, size_t n) {
  double total = 0;
  add_squares(x, n, &total);
  return total;
}

double deer_sum_row(const deer_real *x, size_t n) {
  double total = 0;
  add_up(x, n, &total);
  return total;
}
