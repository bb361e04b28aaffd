/* init.c: initial values of parameters. */
#include "nn/layer.h"

#include <math.h>

deer_init deer_weight_init(const deer_weights *weights, double fan_in, double fan_out) {
  return (deer_init){weights->init, weights->gain, fan_in, fan_out};
}

deer_init deer_bias_init(const deer_weights *weights, double fan_in, double fan_out) {
  return (deer_init){weights->bias_init, weights->gain, fan_in, fan_out};
}

static void draw_uniform(double bound, deer_rng *rng, deer_real *values, size_t n) {
  for (size_t i = 0; i < n; i++) values[i] = (deer_real)(bound * (2 * deer_rng_uniform(rng) - 1));
}

static void draw_normal(double deviation, deer_rng *rng, deer_real *values, size_t n) {
  for (size_t i = 0; i < n; i++) values[i] = (deer_real)(deviation * deer_rng_normal(rng));
}

static void fill(double value, deer_real *values, size_t n) {
  for (size_t i = 0; i < n; i++) values[i] = (deer_real)value;
}

/* ---- orthogonal ---- */

#define TOGETHER 32 /* earlier columns that are taken away at a time */
#define LANES    8  /* sums that are kept apart, so that compilers can use vectors */

static deer_real dot(const deer_real *a, const deer_real *b, size_t n) {
  deer_real parts[LANES] = {0}, sum = 0;
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t k = 0; k < LANES; k++) parts[k] += a[i + k] * b[i + k];
  for (; i < n; i++) sum += a[i] * b[i];
  for (size_t k = 0; k < LANES; k++) sum += parts[k];
  return sum;
}

/* takes the parts along all rows before row v, which are orthonormal, out of it */
static void separate_row(deer_real *values, size_t v, size_t columns) {
  deer_real *x = values + v * columns;
  for (size_t k = 0; k < v; k++) {
    const deer_real *other = values + k * columns;
    const deer_real along = dot(x, other, columns);
    for (size_t c = 0; c < columns; c++) x[c] -= along * other[c];
  }
}

/* the same for columns, walking along the rows */
static void separate_column(deer_real *values, size_t v, size_t rows, size_t columns) {
  for (size_t first = 0; first < v; first += TOGETHER) {
    const size_t n = v - first < TOGETHER ? v - first : TOGETHER;
    deer_real along[TOGETHER] = {0}, *row = values;
    for (size_t r = 0; r < rows; r++, row += columns)
      for (size_t k = 0; k < n; k++) along[k] += row[v] * row[first + k];
    row = values;
    for (size_t r = 0; r < rows; r++, row += columns) row[v] -= dot(along, row + first, n);
  }
}

static void normalise(deer_real *x, size_t n, size_t stride) {
  double squares = 0;
  for (size_t i = 0; i < n; i++) squares += (double)x[i * stride] * (double)x[i * stride];
  const double factor = squares > 0 ? 1 / sqrt(squares) : 0;
  for (size_t i = 0; i < n; i++) x[i * stride] = (deer_real)((double)x[i * stride] * factor);
}

/* Gram and Schmidt's method on a matrix of independent normal numbers, so every orthogonal matrix
 * is equally likely. The second pass removes what rounding left in the first. */
static void draw_orthogonal(const deer_shape *shape, double gain, deer_rng *rng,
                            deer_real *values) {
  const size_t count = deer_shape_count(shape);
  const size_t rows = shape->rank > 0 ? (size_t)shape->dim[0] : 1, columns = count / rows;
  draw_normal(1, rng, values, count);
  if (rows <= columns)
    for (size_t v = 0; v < rows; v++) {
      for (int pass = 0; pass < 2; pass++) separate_row(values, v, columns);
      normalise(values + v * columns, columns, 1);
    }
  else
    for (size_t v = 0; v < columns; v++) {
      for (int pass = 0; pass < 2; pass++) separate_column(values, v, rows, columns);
      normalise(values + v, rows, columns);
    }
  for (size_t i = 0; i < count; i++) values[i] = (deer_real)(gain * (double)values[i]);
}

/* ---- all ---- */

/* the variance for a gain of one, times `factor` */
static double variance(const deer_init *init, double factor) {
  switch (init->kind) {
  case DEER_INIT_GLOROT_UNIFORM:
  case DEER_INIT_GLOROT_NORMAL:
    return 2 * factor / (init->fan_in + init->fan_out);
  case DEER_INIT_HE_UNIFORM:
  case DEER_INIT_HE_NORMAL:
    return 2 * factor / init->fan_in;
  default:
    return factor / init->fan_in;
  }
}

void deer_init_draw(const deer_init *init, const deer_shape *shape, deer_rng *rng,
                    deer_real *values) {
  const size_t n = deer_shape_count(shape);
  switch (init->kind) {
  case DEER_INIT_GLOROT_UNIFORM:
  case DEER_INIT_HE_UNIFORM:
  case DEER_INIT_LECUN_UNIFORM:
    /* numbers within -b..b have the variance b^2 / 3 */
    draw_uniform(init->gain * sqrt(variance(init, 3)), rng, values, n);
    break;
  case DEER_INIT_GLOROT_NORMAL:
  case DEER_INIT_HE_NORMAL:
  case DEER_INIT_LECUN_NORMAL:
    draw_normal(init->gain * sqrt(variance(init, 1)), rng, values, n);
    break;
  case DEER_INIT_ORTHOGONAL:
    draw_orthogonal(shape, init->gain, rng, values);
    break;
  case DEER_INIT_UNIFORM:
    draw_uniform(init->gain, rng, values, n);
    break;
  default:
    fill(init->kind == DEER_INIT_CONSTANT ? init->gain : 0, values, n);
  }
}
