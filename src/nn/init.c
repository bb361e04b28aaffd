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

/* `n` vectors of `length` elements; both may be strided, rows and columns are treated alike */
typedef struct vectors {
  deer_real *data;
  size_t n, length, next, step; /* next: from one vector to the other */
} vectors;

#define TOGETHER 32 /* earlier vectors that are taken away at a time */

/* takes the parts along vectors first..first + count out of vector v */
static void take_away(const vectors *m, size_t v, size_t first, size_t count) {
  double along[TOGETHER] = {0};
  deer_real *x = m->data + v * m->next;
  const deer_real *others = m->data + first * m->next;
  for (size_t c = 0; c < m->length; c++)
    for (size_t k = 0; k < count; k++)
      along[k] += (double)x[c * m->step] * (double)others[k * m->next + c * m->step];
  for (size_t c = 0; c < m->length; c++) {
    double rest = (double)x[c * m->step];
    for (size_t k = 0; k < count; k++) rest -= along[k] * (double)others[k * m->next + c * m->step];
    x[c * m->step] = (deer_real)rest;
  }
}

static void normalise(const vectors *m, size_t v) {
  deer_real *x = m->data + v * m->next;
  double squares = 0;
  for (size_t c = 0; c < m->length; c++) squares += (double)x[c * m->step] * (double)x[c * m->step];
  const double factor = squares > 0 ? 1 / sqrt(squares) : 0;
  for (size_t c = 0; c < m->length; c++)
    x[c * m->step] = (deer_real)((double)x[c * m->step] * factor);
}

/* Gram and Schmidt's method on a matrix of independent normal numbers, so every orthogonal matrix
 * is equally likely. The second pass removes what rounding left in the first. */
static void draw_orthogonal(const deer_shape *shape, double gain, deer_rng *rng,
                            deer_real *values) {
  const size_t count = deer_shape_count(shape);
  const size_t rows = shape->rank > 0 ? (size_t)shape->dim[0] : 1, columns = count / rows;
  vectors m = {values, rows, columns, columns, 1};
  if (rows > columns) m = (vectors){values, columns, rows, 1, columns};
  draw_normal(1, rng, values, count);
  for (size_t v = 0; v < m.n; v++) {
    for (int pass = 0; pass < 2; pass++)
      for (size_t first = 0; first < v; first += TOGETHER)
        take_away(&m, v, first, v - first < TOGETHER ? v - first : TOGETHER);
    normalise(&m, v);
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
