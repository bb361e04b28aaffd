/* cumsum.c: running sums along an axis. */
#include "graph/op/internal.h"

/* attr: number[0] is the axis, number[1] is 1 where the sum runs from the end */
static deer_status cumsum_shape(deer_step *step) {
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  return check_axis(step->attr->number[0], step->in[0].shape.rank);
}

/* up to COLUMNS neighbours at once; totals are kept in double */
#define COLUMNS 64
static void sum_columns(const deer_real *restrict x, deer_real *restrict out, axis_view v,
                        size_t width, bool reverse) {
  double total[COLUMNS];
  for (size_t j = 0; j < width; j++) total[j] = 0;
  for (size_t i = 0; i < v.n; i++) {
    const size_t row = (reverse ? v.n - 1 - i : i) * v.inner;
    for (size_t j = 0; j < width; j++) {
      total[j] += (double)x[row + j];
      out[row + j] = (deer_real)total[j];
    }
  }
}

static void cumsum_run(const deer_step *step) {
  const axis_view v = view_axis(&step->in[0].shape, step->attr->number[0]);
  const deer_real *x = in_real(step, 0);
  deer_real *out = out_real(step);
  for (size_t o = 0; o < v.outer; o++, x += v.n * v.inner, out += v.n * v.inner)
    for (size_t first = 0; first < v.inner; first += COLUMNS) {
      const size_t width = v.inner - first < COLUMNS ? v.inner - first : COLUMNS;
      sum_columns(x + first, out + first, v, width, step->attr->number[1] != 0);
    }
}

/* element i is part of every sum from i on */
static void cumsum_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_attr *attr = deer_node_attr(g, self);
  gx[0] = deer_cumsum(g, gy, attr->number[0], attr->number[1] == 0);
}

const deer_op deer_op_cumsum = {
    .name = "cumsum", .n_inputs = 1, .shape = cumsum_shape, .run = cumsum_run, .grad = cumsum_grad};

deer_node deer_cumsum(deer_graph *g, deer_node x, int axis, bool reverse) {
  return deer_graph_add(g, &deer_op_cumsum, &x, 1, &(deer_attr){.number = {axis, reverse}});
}

deer_node deer_arange(deer_graph *g, int n) {
  return deer_shift(g, deer_cumsum(g, deer_constant(g, DEER_SHAPE(n), 1), 0, false), -1);
}
