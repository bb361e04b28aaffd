/* extreme.c: the largest and the smallest along an axis, and where they are. The ops look along the
 * last axis; another one is made the last by a transpose. */
#include "graph/op/internal.h"

/* attr: number[0] is 1 where the smallest is meant */
static deer_status value_shape(deer_step *step) {
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  return drop_last_axis(step);
}

static deer_status place_shape(deer_step *step) {
  DEER_TRY(value_shape(step));
  step->out.dtype = DEER_DTYPE_I32;
  return DEER_OK;
}

/* where the first largest or smallest element is; a NaN comes before everything */
static size_t first_best(const deer_real *x, size_t n, bool least) {
  size_t best = 0;
  for (size_t i = 1; i < n && x[best] == x[best]; i++)
    if ((least ? x[i] < x[best] : x[i] > x[best]) || x[i] != x[i]) best = i;
  return best;
}

static void value_run(const deer_step *step) {
  const size_t rows = out_count(step), n = last_dim(&step->in[0].shape);
  const bool least = step->attr->number[0] != 0;
  const deer_real *x = in_real(step, 0);
  deer_real *out = out_real(step);
  for (size_t r = 0; r < rows; r++, x += n) out[r] = x[first_best(x, n, least)];
}

static void place_run(const deer_step *step) {
  const size_t rows = out_count(step), n = last_dim(&step->in[0].shape);
  const bool least = step->attr->number[0] != 0;
  const deer_real *x = in_real(step, 0);
  int32_t *out = step->out.data;
  for (size_t r = 0; r < rows; r++, x += n) out[r] = (int32_t)first_best(x, n, least);
}

/* the whole gradient goes to the element that was chosen */
static void value_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_node x = deer_node_input(g, self, 0);
  const bool least = deer_node_attr(g, self)->number[0] != 0;
  const deer_node best = least ? deer_argmin_last(g, x) : deer_argmax_last(g, x);
  const deer_shape shape = deer_node_shape(g, x);
  deer_shape column = shape;
  column.dim[column.rank - 1] = 1;
  gx[0] = deer_put(g, deer_reshape(g, gy, column), deer_reshape(g, best, column),
                   shape.dim[shape.rank - 1]);
}

#define VALUE .n_inputs = 1, .shape = value_shape, .run = value_run, .grad = value_grad
#define PLACE .n_inputs = 1, .shape = place_shape, .run = place_run

const deer_op deer_op_max_last = {.name = "max_last", VALUE};
const deer_op deer_op_min_last = {.name = "min_last", VALUE};
const deer_op deer_op_argmax_last = {.name = "argmax_last", PLACE};
const deer_op deer_op_argmin_last = {.name = "argmin_last", PLACE};

deer_node deer_max_last(deer_graph *g, deer_node x) {
  return deer_graph_add(g, &deer_op_max_last, &x, 1, NULL);
}

deer_node deer_min_last(deer_graph *g, deer_node x) {
  return deer_graph_add(g, &deer_op_min_last, &x, 1, &(deer_attr){.number = {1}});
}

deer_node deer_argmax_last(deer_graph *g, deer_node x) {
  return deer_graph_add(g, &deer_op_argmax_last, &x, 1, NULL);
}

deer_node deer_argmin_last(deer_graph *g, deer_node x) {
  return deer_graph_add(g, &deer_op_argmin_last, &x, 1, &(deer_attr){.number = {1}});
}

deer_node deer_max_axis(deer_graph *g, deer_node x, int axis) {
  return deer_max_last(g, axis_to_last(g, x, axis, "max_axis"));
}

deer_node deer_min_axis(deer_graph *g, deer_node x, int axis) {
  return deer_min_last(g, axis_to_last(g, x, axis, "min_axis"));
}

deer_node deer_argmax(deer_graph *g, deer_node x, int axis) {
  return deer_argmax_last(g, axis_to_last(g, x, axis, "argmax"));
}

deer_node deer_argmin(deer_graph *g, deer_node x, int axis) {
  return deer_argmin_last(g, axis_to_last(g, x, axis, "argmin"));
}
