/* index.c: choosing elements along the last axis or rows of a table, and putting them back. */
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

/* number of rows, and the length of the last axis of the index and of the whole */
typedef struct extents {
  size_t count, m, n;
} extents;

static extents extents_of(const deer_shape *index, const deer_shape *whole) {
  return (extents){
      .count = dims_product(index, 0, index->rank - 1), .m = last_dim(index), .n = last_dim(whole)};
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
  gx[0] = deer_put(g, gy, deer_node_input(g, self, 1), (int)last_dim(&x));
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

/* ---- one-hot: ones put at the index ---- */

deer_node deer_one_hot(deer_graph *g, deer_node index, int n) {
  deer_shape column = deer_node_shape(g, index);
  if (column.rank == DEER_MAX_RANK)
    return deer_graph_fail(g, "one_hot: the index may have at most %d axes", DEER_MAX_RANK - 1);
  column.dim[column.rank++] = 1;
  return deer_put(g, deer_constant(g, column, 1), deer_reshape(g, index, column), n);
}

/* ---- rows: the index chooses along the first axis of the table ---- */

static deer_status rows_shape(deer_step *step) {
  const deer_shape *table = &step->in[0].shape;
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  DEER_TRY(check_dtype(step, 1, DEER_DTYPE_I32));
  if (table->rank == 0) return deer_fail(DEER_ESHAPE, "input 1 must have an axis, got a scalar");
  deer_shape *out = &step->out.shape;
  *out = step->in[1].shape;
  if (out->rank + table->rank - 1 > DEER_MAX_RANK)
    return deer_fail(DEER_ESHAPE, "the result would have %d axes, at most %d",
                     out->rank + table->rank - 1, DEER_MAX_RANK);
  for (int i = 1; i < table->rank; i++) out->dim[out->rank++] = table->dim[i];
  return DEER_OK;
}

static void rows_run(const deer_step *step) {
  const deer_shape *table = &step->in[0].shape;
  const size_t n = (size_t)table->dim[0], width = dims_product(table, 1, table->rank);
  const size_t count = deer_shape_count(&step->in[1].shape);
  const int32_t *index = in_index(step, 1);
  for (size_t i = 0; i < count; i++)
    memcpy(out_real(step) + i * width, in_real(step, 0) + clamp_index(index[i], n) * width,
           width * sizeof(deer_real));
}

static void rows_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_shape table = deer_node_shape(g, deer_node_input(g, self, 0));
  gx[0] = deer_put_rows(g, gy, deer_node_input(g, self, 1), table.dim[0]);
}

const deer_op deer_op_rows = {
    .name = "rows", .n_inputs = 2, .shape = rows_shape, .run = rows_run, .grad = rows_grad};

deer_node deer_rows(deer_graph *g, deer_node table, deer_node index) {
  return deer_graph_add(g, &deer_op_rows, (deer_node[]){table, index}, 2, NULL);
}

/* ---- put_rows: number[0] is the number of rows of the result ---- */

static deer_status put_rows_shape(deer_step *step) {
  const deer_shape *x = &step->in[0].shape, *index = &step->in[1].shape;
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  DEER_TRY(check_dtype(step, 1, DEER_DTYPE_I32));
  bool fits = x->rank >= index->rank;
  for (int i = 0; fits && i < index->rank; i++) fits = x->dim[i] == index->dim[i];
  if (!fits) return deer_fail(DEER_ESHAPE, "input 1 must begin with the axes of the index");
  deer_shape *out = &step->out.shape;
  *out = DEER_SHAPE(step->attr->number[0]);
  if (x->rank - index->rank >= DEER_MAX_RANK)
    return deer_fail(DEER_ESHAPE, "the result would have more than %d axes", DEER_MAX_RANK);
  for (int i = index->rank; i < x->rank; i++) out->dim[out->rank++] = x->dim[i];
  return DEER_OK;
}

static void put_rows_run(const deer_step *step) {
  const deer_shape *out = &step->out.shape;
  const size_t n = (size_t)out->dim[0], width = dims_product(out, 1, out->rank);
  const size_t count = deer_shape_count(&step->in[1].shape);
  const int32_t *index = in_index(step, 1);
  memset(out_real(step), 0, n * width * sizeof(deer_real));
  for (size_t i = 0; i < count; i++) {
    const deer_real *restrict row = in_real(step, 0) + i * width;
    deer_real *restrict to = out_real(step) + clamp_index(index[i], n) * width;
    for (size_t j = 0; j < width; j++) to[j] += row[j];
  }
}

static void put_rows_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  gx[0] = deer_rows(g, gy, deer_node_input(g, self, 1));
}

const deer_op deer_op_put_rows = {.name = "put_rows",
                                  .n_inputs = 2,
                                  .shape = put_rows_shape,
                                  .run = put_rows_run,
                                  .grad = put_rows_grad};

deer_node deer_put_rows(deer_graph *g, deer_node x, deer_node index, int n) {
  return deer_graph_add(g, &deer_op_put_rows, (deer_node[]){x, index}, 2,
                        &(deer_attr){.number = {n}});
}
