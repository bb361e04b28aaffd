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

/* Fails unless strides are at least 1 and padding at least 0. */
static inline deer_status check_window(deer_window w) {
  if (w.stride_h < 1 || w.stride_w < 1)
    return deer_fail(DEER_EINVAL, "strides must be at least 1, got %d and %d", w.stride_h,
                     w.stride_w);
  /* far below the largest int, so that sums of a few of them cannot overflow */
  if (w.pad_h < 0 || w.pad_w < 0 || w.pad_h > (1 << 24) || w.pad_w > (1 << 24))
    return deer_fail(DEER_EINVAL, "padding must be 0 to %d, got %d and %d", 1 << 24, w.pad_h,
                     w.pad_w);
  return DEER_OK;
}

/* The shape of a picture of rank 4 with its padding. */
static inline deer_shape padded_shape(const deer_shape *x, deer_window w) {
  deer_shape padded = *x;
  /* what does not fit into an int is a dimension that deer_shape_check refuses */
  const int64_t height = (int64_t)x->dim[2] + 2 * w.pad_h, width = (int64_t)x->dim[3] + 2 * w.pad_w;
  padded.dim[2] = height > INT32_MAX ? 0 : (int)height;
  padded.dim[3] = width > INT32_MAX ? 0 : (int)width;
  return padded;
}

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
