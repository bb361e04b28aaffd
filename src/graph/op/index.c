/* index.c: choosing elements along the last axis, and putting them back. */
#include "graph/op/internal.h"

#include <string.h>

/* input 0 is real, input 1 holds indices, and they agree in all but the last axis */
static deer_status check_indexed(const deer_step *step) {
  const deer_shape *x = &step->in[0].shape, *index = &step->in[1].shape;
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  DEER_TRY(check_dtype(step, 1, DEER_DTYPE_I32));
  if (x->rank == 0) return deer_fail(DEER_ESHAPE, "input 1 must have an axis, got a scalar");
  if (x->rank != index->rank)
    return deer_fail(DEER_ESHAPE, "the index must have as many axes as input 1");
  for (int i = 0; i < x->rank - 1; i++)
    if (x->dim[i] != index->dim[i])
      return deer_fail(DEER_ESHAPE, "axis %d differs: %d and %d", i, x->dim[i], index->dim[i]);
  return DEER_OK;
}

static size_t clamp_index(int32_t index, size_t n) {
  if (index < 0) return 0;
  return (size_t)index < n ? (size_t)index : n - 1;
}

static int last_dim(const deer_shape *shape) { return shape->dim[shape->rank - 1]; }

/* number of rows, and the length of the last axis of the index and of the whole */
typedef struct extents {
  size_t count, m, n;
} extents;

static extents extents_of(const deer_shape *index, const deer_shape *whole) {
  return (extents){.count = dims_product(index, 0, index->rank - 1),
                   .m = (size_t)last_dim(index),
                   .n = (size_t)last_dim(whole)};
}

/* ---- take ---- */

static deer_status take_shape(deer_step *step) {
  DEER_TRY(check_indexed(step));
  step->out.shape = step->in[1].shape;
  return DEER_OK;
}

static void take_run(const deer_step *step) {
  const extents rows = extents_of(&step->in[1].shape, &step->in[0].shape);
  const deer_real *x = in_real(step, 0);
  const int32_t *index = in_index(step, 1);
  deer_real *out = out_real(step);
  for (size_t r = 0; r < rows.count; r++, x += rows.n, index += rows.m, out += rows.m)
    for (size_t i = 0; i < rows.m; i++) out[i] = x[clamp_index(index[i], rows.n)];
}

static void take_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_shape x = deer_node_shape(g, deer_node_input(g, self, 0));
  gx[0] = deer_put(g, gy, deer_node_input(g, self, 1), last_dim(&x));
}

const deer_op deer_op_take = {
    .name = "take", .n_inputs = 2, .shape = take_shape, .run = take_run, .grad = take_grad};

deer_node deer_take(deer_graph *g, deer_node x, deer_node index) {
  const deer_node in[] = {x, index};
  return deer_graph_add(g, &deer_op_take, in, 2, NULL);
}

/* ---- put: number[0] is the length of the new last axis ---- */

static deer_status put_shape(deer_step *step) {
  DEER_TRY(check_indexed(step));
  if (!deer_shape_equal(&step->in[0].shape, &step->in[1].shape))
    return deer_fail(DEER_ESHAPE, "the index must have the shape of input 1");
  step->out.shape.dim[step->out.shape.rank - 1] = step->attr->number[0];
  return DEER_OK;
}

static void put_run(const deer_step *step) {
  const extents rows = extents_of(&step->in[1].shape, &step->out.shape);
  const deer_real *x = in_real(step, 0);
  const int32_t *index = in_index(step, 1);
  deer_real *out = out_real(step);
  memset(out, 0, out_count(step) * sizeof *out);
  for (size_t r = 0; r < rows.count; r++, x += rows.m, index += rows.m, out += rows.n)
    for (size_t i = 0; i < rows.m; i++) out[clamp_index(index[i], rows.n)] += x[i];
}

static void put_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  gx[0] = deer_take(g, gy, deer_node_input(g, self, 1));
}

const deer_op deer_op_put = {
    .name = "put", .n_inputs = 2, .shape = put_shape, .run = put_run, .grad = put_grad};

deer_node deer_put(deer_graph *g, deer_node x, deer_node index, int n) {
  const deer_node in[] = {x, index};
  return deer_graph_add(g, &deer_op_put, in, 2, &(deer_attr){.number = {n}});
}

/* ---- gather: take with one index per row ---- */

deer_node deer_gather(deer_graph *g, deer_node x, deer_node index) {
  const deer_shape shape = deer_node_shape(g, index);
  deer_shape column = shape;
  if (column.rank == DEER_MAX_RANK)
    return deer_graph_fail(g, "gather: the index may have at most %d axes", DEER_MAX_RANK - 1);
  column.dim[column.rank++] = 1;
  return deer_reshape(g, deer_take(g, x, deer_reshape(g, index, column)), shape);
}
