/* softmax.c: softmax, its logarithm and the logarithm of its denominator.
 *
 * The largest element of a row is subtracted first, so exponentials lie between 0 and 1 and their
 * sum between 1 and n. Rows are taken by blocks that stay in the first cache, so that the
 * exponentials of many short rows are one call of the elementwise kernel. The ops look along the
 * last axis; another one is made the last by a transpose. */
#include "graph/map.h"
#include "graph/op/internal.h"

#include <math.h>

#include "tensor/lanes.h"
#include "tensor/sums.h"
#include "tensor/vectormath.h"

static deer_status softmax_shape(deer_step *step) {
  if (step->in[0].shape.rank == 0)
    return deer_fail(DEER_ESHAPE, "needs an axis to look along, got a scalar");
  return check_dtype(step, 0, DEER_DTYPE_REAL);
}

static deer_status logsumexp_shape(deer_step *step) {
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  return drop_last_axis(step);
}

/* ---- kernels ---- */

#define BLOCK 2048 /* elements; more only where a single row has more */

/* A block of rows of n: what was subtracted from each (`shift`), what is left, exponentiated, and
 * the sum of that. */
typedef struct block {
  const deer_real *x;
  size_t rows, n;
  deer_real *shift, *sum, *e;
} block;

static size_t rows_of_block(size_t n) { return n < BLOCK ? BLOCK / n : 1; }

static size_t softmax_scratch(const deer_step *step) {
  const size_t n = last_dim(&step->in[0].shape), rows = rows_of_block(n);
  return (2 * rows + rows * n) * sizeof(deer_real);
}

/* an infinite element is not subtracted: infinity less infinity is not a number */
DEER_INLINE deer_real shift_for(deer_real most) {
  return DEER_SELECT(DEER_FABS(most) == INFINITY, 0, most);
}

/* e = x - shift of rows of n, which is a constant: several rows at a time */
DEER_INLINE void shift_short_rows(const block *b, const size_t n) {
  const deer_real *restrict x = b->x;
  deer_real *restrict e = b->e, *restrict shift = b->shift;
  for (size_t r = 0; r < b->rows; r++) {
    deer_real most = x[r * n];
    for (size_t i = 1; i < n; i++) most = DEER_SELECT(x[r * n + i] > most, x[r * n + i], most);
    shift[r] = shift_for(most);
    for (size_t i = 0; i < n; i++) e[r * n + i] = x[r * n + i] - shift[r];
  }
}

DEER_INLINE void shift_rows(const block *b) {
  if (b->n == 2) {
    shift_short_rows(b, 2);
    return;
  }
  if (b->n == 4) {
    shift_short_rows(b, 4);
    return;
  }
  for (size_t r = 0; r < b->rows; r++) {
    const deer_real *restrict x = b->x + r * b->n, shift = shift_for(max_row(x, b->n));
    deer_real *restrict e = b->e + r * b->n;
    b->shift[r] = shift;
    for (size_t i = 0; i < b->n; i++) e[i] = x[i] - shift;
  }
}

DEER_FOR_EVERY_CPU(static void shift_all, shift_rows, (const block *b), (b))

static void map_over(int map, deer_real *x, size_t n) {
  deer_map_kernel(map)((const deer_real *const[]){x}, x, n, (const double[]){0, 0});
}

static void exponentiate(const block *b) {
  shift_all(b);
  map_over(DEER_MAP_exp, b->e, b->rows * b->n);
  deer_sum_rows(&(deer_row_block){b->e, b->rows, b->n, b->n}, b->sum);
}

/* what to write of a block; `out` is that of its first row */
typedef void finish_function(const block *b, deer_real *out);

static void finish_softmax(const block *b, deer_real *out) {
  for (size_t r = 0; r < b->rows; r++) {
    const deer_real *restrict e = b->e + r * b->n;
    deer_real *restrict y = out + r * b->n;
    const deer_real factor = 1 / b->sum[r];
    for (size_t i = 0; i < b->n; i++) y[i] = e[i] * factor;
  }
}

static void finish_log_softmax(const block *b, deer_real *out) {
  map_over(DEER_MAP_log, b->sum, b->rows);
  for (size_t r = 0; r < b->rows; r++) {
    const deer_real *restrict x = b->x + r * b->n;
    deer_real *restrict y = out + r * b->n;
    const deer_real shift = b->shift[r], rest = b->sum[r];
    for (size_t i = 0; i < b->n; i++) y[i] = (x[i] - shift) - rest;
  }
}

static void finish_logsumexp(const block *b, deer_real *out) {
  for (size_t r = 0; r < b->rows; r++) out[r] = b->shift[r] + DEER_LOG(b->sum[r]);
}

/* `width` elements of out belong to a row */
static void run_blocks(const deer_step *step, finish_function *finish, size_t width) {
  const size_t n = last_dim(&step->in[0].shape), most = rows_of_block(n);
  const size_t rows = deer_shape_count(&step->in[0].shape) / n;
  deer_real *scratch = step->scratch;
  block b = {.n = n, .shift = scratch, .sum = scratch + most, .e = scratch + 2 * most};
  for (size_t r = 0; r < rows; r += most) {
    b.x = in_real(step, 0) + r * n;
    b.rows = rows - r < most ? rows - r : most;
    exponentiate(&b);
    finish(&b, out_real(step) + r * width);
  }
}

static void softmax_run(const deer_step *step) {
  run_blocks(step, finish_softmax, last_dim(&step->in[0].shape));
}

static void log_softmax_run(const deer_step *step) {
  run_blocks(step, finish_log_softmax, last_dim(&step->in[0].shape));
}

static void logsumexp_run(const deer_step *step) { run_blocks(step, finish_logsumexp, 1); }

/* ---- gradients ---- */

/* one number per row, in the shape of `like` */
static deer_node spread(deer_graph *g, deer_node x, deer_node like) {
  const deer_shape shape = deer_node_shape(g, like);
  return deer_expand(g, x, shape, axes_left(&shape, DEER_AXIS(shape.rank - 1)));
}

/* the sum of each row of x, in the shape of x */
static deer_node row_sums(deer_graph *g, deer_node x) {
  return spread(g, deer_sum(g, x, DEER_AXIS(deer_node_shape(g, x).rank - 1)), x);
}

static void softmax_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  gx[0] = deer_mul(g, self, deer_sub(g, gy, row_sums(g, deer_mul(g, gy, self))));
}

static void log_softmax_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  gx[0] = deer_sub(g, gy, deer_mul(g, deer_exp(g, self), row_sums(g, gy)));
}

static void logsumexp_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_node x = deer_node_input(g, self, 0);
  gx[0] = deer_mul(g, deer_exp(g, deer_sub(g, x, spread(g, self, x))), spread(g, gy, x));
}

const deer_op deer_op_softmax = {.name = "softmax",
                                 .n_inputs = 1,
                                 .shape = softmax_shape,
                                 .scratch = softmax_scratch,
                                 .run = softmax_run,
                                 .grad = softmax_grad};
const deer_op deer_op_log_softmax = {.name = "log_softmax",
                                     .n_inputs = 1,
                                     .shape = softmax_shape,
                                     .scratch = softmax_scratch,
                                     .run = log_softmax_run,
                                     .grad = log_softmax_grad};
const deer_op deer_op_logsumexp = {.name = "logsumexp",
                                   .n_inputs = 1,
                                   .shape = logsumexp_shape,
                                   .scratch = softmax_scratch,
                                   .run = logsumexp_run,
                                   .grad = logsumexp_grad};

/* ---- builder functions ---- */

static deer_node add_along(deer_graph *g, const deer_op *op, deer_node x, int axis) {
  const deer_node rows = axis_to_last(g, x, axis, op->name);
  const int last = deer_node_shape(g, rows).rank - 1;
  return move_axis(g, deer_graph_add(g, op, &rows, 1, NULL), last, axis);
}

deer_node deer_softmax(deer_graph *g, deer_node x, int axis) {
  return add_along(g, &deer_op_softmax, x, axis);
}

deer_node deer_log_softmax(deer_graph *g, deer_node x, int axis) {
  return add_along(g, &deer_op_log_softmax, x, axis);
}

deer_node deer_logsumexp(deer_graph *g, deer_node x, int axis) {
  const deer_node rows = axis_to_last(g, x, axis, "logsumexp");
  return deer_graph_add(g, &deer_op_logsumexp, &rows, 1, NULL);
}
