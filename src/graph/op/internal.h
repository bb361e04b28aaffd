/* internal.h: small helpers shared by the ops of this folder. */
#ifndef DEER_OP_INTERNAL_H
#define DEER_OP_INTERNAL_H

#include "graph/op.h"

static inline const deer_real *in_real(const deer_step *step, int i) { return step->in[i].data; }
static inline const int32_t *in_index(const deer_step *step, int i) { return step->in[i].data; }
static inline deer_real *out_real(const deer_step *step) { return step->out.data; }
static inline size_t out_count(const deer_step *step) { return deer_shape_count(&step->out.shape); }

/* Product of the dimensions from axis `from` up to, not including, axis `to`. */
static inline size_t dims_product(const deer_shape *shape, int from, int to) {
  size_t product = 1;
  for (int i = from; i < to; i++) product *= (size_t)shape->dim[i];
  return product;
}

/* The axes of `shape` that the mask does not name. */
static inline unsigned axes_left(const deer_shape *shape, unsigned mask) {
  return ~mask & (DEER_AXIS(shape->rank) - 1);
}

/* A tensor as one axis sees it: `n` elements along the axis, `inner` apart, for each of `outer`
 * places before it and `inner` after it. */
typedef struct axis_view {
  size_t outer, n, inner;
} axis_view;

static inline axis_view view_axis(const deer_shape *shape, int axis) {
  return (axis_view){.outer = dims_product(shape, 0, axis),
                     .n = (size_t)shape->dim[axis],
                     .inner = dims_product(shape, axis + 1, shape->rank)};
}

/* Fails unless input i has the type `dtype`. */
static inline deer_status check_dtype(const deer_step *step, int i, deer_dtype dtype) {
  if (step->in[i].dtype == dtype) return DEER_OK;
  return deer_fail(DEER_ESHAPE, "input %d must be %s, got %s", i + 1, deer_dtype_name(dtype),
                   deer_dtype_name(step->in[i].dtype));
}

/* Fails unless input i has the rank `rank`; `axes` says what they mean. */
static inline deer_status check_rank(const deer_step *step, int i, int rank, const char *axes) {
  char text[DEER_SHAPE_TEXT];
  if (step->in[i].shape.rank == rank) return DEER_OK;
  return deer_fail(DEER_ESHAPE, "input %d must be %s, got %s", i + 1, axes,
                   deer_shape_text(&step->in[i].shape, text));
}

/* Fails unless 0 <= axis < rank. */
static inline deer_status check_axis(int axis, int rank) {
  if (axis >= 0 && axis < rank) return DEER_OK;
  if (rank == 0) return deer_fail(DEER_ESHAPE, "axis %d of a scalar", axis);
  return deer_fail(DEER_ESHAPE, "axis must be 0 to %d, got %d", rank - 1, axis);
}

/* ---- the last axis ---- */

static inline size_t last_dim(const deer_shape *shape) {
  return (size_t)shape->dim[shape->rank - 1];
}

/* The shape of the output loses its last axis; fails for a scalar. */
static inline deer_status drop_last_axis(deer_step *step) {
  deer_shape *shape = &step->out.shape;
  if (shape->rank == 0) return deer_fail(DEER_ESHAPE, "needs an axis to look along, got a scalar");
  shape->dim[--shape->rank] = 0;
  return DEER_OK;
}

/* x with axis `from` where axis `to` was, the others in their order; no node where they are equal.
 */
static inline deer_node move_axis(deer_graph *g, deer_node x, int from, int to) {
  const int rank = deer_node_shape(g, x).rank;
  int axes[DEER_MAX_RANK], next = 0;
  if (from == to) return x;
  for (int i = 0; i < rank; i++) {
    if (next == from) next++;
    axes[i] = i == to ? from : next++;
  }
  return deer_transpose(g, x, axes);
}

/* x with `axis` behind the others, for an op along the last axis, whose name a mistake gets. */
static inline deer_node axis_to_last(deer_graph *g, deer_node x, int axis, const char *name) {
  const int rank = deer_node_shape(g, x).rank;
  if (axis < 0 || axis >= rank)
    return deer_graph_fail(g, "%s: axis %d of an input with %d axes", name, axis, rank);
  return move_axis(g, x, axis, rank - 1);
}

/* ---- rows: neighbours in memory ---- */

#define ROW_LANES 16
/* The largest of a row of at least one, of those that are not NaN. */
static inline deer_real max_row(const deer_real *restrict x, size_t n) {
  deer_real lane[ROW_LANES], most = x[0];
  size_t i = 0;
  for (size_t j = 0; j < ROW_LANES; j++) lane[j] = x[0];
  for (; i + ROW_LANES <= n; i += ROW_LANES)
    for (size_t j = 0; j < ROW_LANES; j++) lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
  for (; i < n; i++) most = x[i] > most ? x[i] : most;
  for (size_t j = 0; n >= ROW_LANES && j < ROW_LANES; j++) most = lane[j] > most ? lane[j] : most;
  return most;
}

/* ---- walking ---- */

/* Counts through the elements of some axes in row-major order; `offset` follows in memory laid
 * out by `stride`. */
typedef struct walk {
  int rank;
  size_t dim[DEER_MAX_RANK], stride[DEER_MAX_RANK], at[DEER_MAX_RANK];
  size_t count, offset; /* number of elements in all, place of the present one */
} walk;

/* Adds an axis that runs faster than those before it; an empty walk is {.count = 1}. */
static inline void walk_add(walk *w, size_t dim, size_t stride) {
  w->dim[w->rank] = dim;
  w->stride[w->rank++] = stride;
  w->count *= dim;
}

/* Goes to the next element; after the last one comes the first. */
static inline void walk_next(walk *w) {
  for (int i = w->rank - 1; i >= 0; i--) {
    w->offset += w->stride[i];
    if (++w->at[i] < w->dim[i]) return;
    w->offset -= w->stride[i] * w->dim[i];
    w->at[i] = 0;
  }
}

/* Real zeros in the shape of a node, for gradient rules. */
static inline deer_node zeros_like(deer_graph *g, deer_node node) {
  return deer_constant(g, deer_node_shape(g, node), 0);
}

#endif
