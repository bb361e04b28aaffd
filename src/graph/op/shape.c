/* shape.c: transposing, joining and cutting. All but the gradients work for every element type. */
#include "graph/op/internal.h"

#include <string.h>

/* ---- transpose: list holds one input axis per output axis ---- */

static deer_status transpose_shape(deer_step *step) {
  const deer_shape *x = &step->in[0].shape;
  const int *axes = step->attr->list;
  if (step->attr->n_list != x->rank)
    return deer_fail(DEER_ESHAPE, "needs %d axes, got %d", x->rank, step->attr->n_list);
  unsigned seen = 0;
  for (int i = 0; i < x->rank; i++) {
    DEER_TRY(check_axis(axes[i], x->rank));
    if (seen & DEER_AXIS(axes[i])) return deer_fail(DEER_ESHAPE, "axis %d comes twice", axes[i]);
    seen |= DEER_AXIS(axes[i]);
    step->out.shape.dim[i] = x->dim[axes[i]];
  }
  return DEER_OK;
}

/* the output's axes with their strides in the input; those that lie together in both become one */
static walk transpose_walk(const deer_step *step) {
  const deer_shape *x = &step->in[0].shape;
  walk w = {.count = 1};
  for (int i = 0; i < x->rank; i++) {
    const int axis = step->attr->list[i];
    const size_t dim = (size_t)x->dim[axis], stride = dims_product(x, axis + 1, x->rank);
    if (w.rank > 0 && w.stride[w.rank - 1] == dim * stride) {
      w.dim[w.rank - 1] *= dim;
      w.stride[w.rank - 1] = stride;
      w.count *= dim;
    } else {
      walk_add(&w, dim, stride);
    }
  }
  return w;
}

/* one row of the output from elements `stride` apart, for each size of element */
#define COPY_STRIDED(type)                                                                         \
  static void copy_##type(void *restrict out, const void *restrict in, size_t n, size_t stride) {  \
    type *to = out;                                                                                \
    const type *from = in;                                                                         \
    for (size_t i = 0; i < n; i++) to[i] = from[i * stride];                                       \
  }
COPY_STRIDED(uint8_t)
COPY_STRIDED(int32_t)
COPY_STRIDED(deer_real)

typedef void copy_function(void *restrict out, const void *restrict in, size_t n, size_t stride);

static copy_function *copy_of(deer_dtype dtype) {
  if (dtype == DEER_DTYPE_U8) return copy_uint8_t;
  return dtype == DEER_DTYPE_I32 ? copy_int32_t : copy_deer_real;
}

static void transpose_run(const deer_step *step) {
  walk outer = transpose_walk(step);
  const size_t size = deer_dtype_size(step->out.dtype);
  copy_function *copy = copy_of(step->out.dtype);

  /* the last axis is copied as a row, the others are walked through; a scalar is a row of one */
  const int last = outer.rank - 1;
  const size_t n = last < 0 ? 1 : outer.dim[last], stride = last < 0 ? 1 : outer.stride[last];
  outer.rank = last < 0 ? 0 : last;
  outer.count /= n;
  char *out = step->out.data;
  const char *in = step->in[0].data;
  for (size_t i = 0; i < outer.count; i++, walk_next(&outer))
    copy(out + i * n * size, in + outer.offset * size, n, stride);
}

static void transpose_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_attr *attr = deer_node_attr(g, self);
  int inverse[DEER_MAX_RANK];
  for (int i = 0; i < attr->n_list; i++) inverse[attr->list[i]] = i;
  gx[0] = deer_transpose(g, gy, inverse);
}

const deer_op deer_op_transpose = {.name = "transpose",
                                   .n_inputs = 1,
                                   .shape = transpose_shape,
                                   .run = transpose_run,
                                   .grad = transpose_grad};

deer_node deer_transpose(deer_graph *g, deer_node x, const int *axes) {
  const int rank = deer_node_shape(g, x).rank;
  return deer_graph_add(g, &deer_op_transpose, &x, 1, &(deer_attr){.list = axes, .n_list = rank});
}

/* ---- concat, slice and pad: number[0] is the axis ---- */

/* A piece of a tensor, cut along one axis: `count` runs of `bytes`, the next one `pitch`
 * further. */
typedef struct piece {
  char *data;
  size_t count, bytes, pitch;
} piece;

/* the piece of `operand` from `start` along `axis`, `length` long */
static piece piece_of(const deer_operand *operand, int axis, int start, int length) {
  const deer_shape *shape = &operand->shape;
  const size_t inner = dims_product(shape, axis + 1, shape->rank) * deer_dtype_size(operand->dtype);
  return (piece){.data = (char *)operand->data + (size_t)start * inner,
                 .count = dims_product(shape, 0, axis),
                 .bytes = (size_t)length * inner,
                 .pitch = (size_t)shape->dim[axis] * inner};
}

/* runs of a few numbers are moved by an instruction or two, where a call would take longer */
static inline __attribute__((always_inline)) void copy_runs(piece to, piece from, size_t bytes) {
  for (size_t i = 0; i < to.count; i++)
    memcpy(to.data + i * to.pitch, from.data + i * from.pitch, bytes);
}

static void copy_piece(piece to, piece from) {
  switch (to.bytes) {
  case 4:
    copy_runs(to, from, 4);
    break;
  case 8:
    copy_runs(to, from, 8);
    break;
  case 12:
    copy_runs(to, from, 12);
    break;
  case 16:
    copy_runs(to, from, 16);
    break;
  default:
    copy_runs(to, from, to.bytes);
  }
}

static inline __attribute__((always_inline)) void clear_runs(piece to, size_t bytes) {
  for (size_t i = 0; i < to.count; i++) memset(to.data + i * to.pitch, 0, bytes);
}

static void clear_piece(piece to) {
  if (to.bytes == 4)
    clear_runs(to, 4);
  else if (to.bytes == 8)
    clear_runs(to, 8);
  else if (to.bytes > 0)
    clear_runs(to, to.bytes);
}

static int axis_of(const deer_step *step) { return step->attr->number[0]; }

/* input i fits the first one: same type, same dimensions except along the axis */
static deer_status check_part(const deer_step *step, int i) {
  const deer_shape *first = &step->in[0].shape, *x = &step->in[i].shape;
  DEER_TRY(check_dtype(step, i, step->in[0].dtype));
  if (x->rank != first->rank)
    return deer_fail(DEER_ESHAPE, "input %d has %d axes, input 1 has %d", i + 1, x->rank,
                     first->rank);
  for (int k = 0; k < x->rank; k++)
    if (k != axis_of(step) && x->dim[k] != first->dim[k])
      return deer_fail(DEER_ESHAPE, "axis %d of input %d must be %d, got %d", k, i + 1,
                       first->dim[k], x->dim[k]);
  return DEER_OK;
}

static deer_status concat_shape(deer_step *step) {
  DEER_TRY(check_axis(axis_of(step), step->in[0].shape.rank));
  int64_t total = 0;
  for (int i = 0; i < step->n_in; i++) {
    DEER_TRY(check_part(step, i));
    total += step->in[i].shape.dim[axis_of(step)];
  }
  if (total > INT32_MAX) return deer_fail(DEER_ESHAPE, "the result is too long");
  step->out.shape.dim[axis_of(step)] = (int)total;
  return DEER_OK;
}

static void concat_run(const deer_step *step) {
  const int axis = axis_of(step);
  for (int i = 0, start = 0; i < step->n_in; i++) {
    const int length = step->in[i].shape.dim[axis];
    copy_piece(piece_of(&step->out, axis, start, length), piece_of(&step->in[i], axis, 0, length));
    start += length;
  }
}

static void concat_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const int axis = deer_node_attr(g, self)->number[0];
  const int total = deer_node_shape(g, self).dim[axis];
  for (int i = 0, start = 0; start < total; i++) {
    const int length = deer_node_shape(g, deer_node_input(g, self, i)).dim[axis];
    gx[i] = deer_slice(g, gy, axis, start, length);
    start += length;
  }
}

const deer_op deer_op_concat = {.name = "concat",
                                .n_inputs = -1,
                                .shape = concat_shape,
                                .run = concat_run,
                                .grad = concat_grad};

deer_node deer_concat(deer_graph *g, const deer_node *parts, int n, int axis) {
  if (n < 1) return deer_graph_fail(g, "concat: needs at least one part, got %d", n);
  return deer_graph_add(g, &deer_op_concat, parts, n, &(deer_attr){.number = {axis}});
}

#define MOST_PARTS 256
/* each part gets the new axis, of length 1, along which they are then joined */
deer_node deer_stack(deer_graph *g, const deer_node *parts, int n, int axis) {
  deer_node wide[MOST_PARTS];
  if (n < 1 || n > MOST_PARTS)
    return deer_graph_fail(g, "stack: needs 1 to %d parts, got %d", MOST_PARTS, n);
  for (int i = 0; i < n; i++) {
    deer_shape shape = deer_node_shape(g, parts[i]);
    if (axis < 0 || axis > shape.rank || shape.rank == DEER_MAX_RANK)
      return deer_graph_fail(g, "stack: part %d with %d axes has no room for a new axis %d", i + 1,
                             shape.rank, axis);
    for (int k = shape.rank++; k > axis; k--) shape.dim[k] = shape.dim[k - 1];
    shape.dim[axis] = 1;
    wide[i] = deer_reshape(g, parts[i], shape);
  }
  return deer_concat(g, wide, n, axis);
}

/* number[1] is the start, number[2] the length of the result along the axis */
static deer_status slice_shape(deer_step *step) {
  const int start = step->attr->number[1], length = step->attr->number[2];
  DEER_TRY(check_axis(axis_of(step), step->in[0].shape.rank));
  const int dim = step->in[0].shape.dim[axis_of(step)];
  if (start < 0 || length < 1 || start > dim - length)
    return deer_fail(DEER_ESHAPE, "%d from %d does not lie inside axis %d of length %d", length,
                     start, axis_of(step), dim);
  step->out.shape.dim[axis_of(step)] = length;
  return DEER_OK;
}

static void slice_run(const deer_step *step) {
  const int axis = axis_of(step), length = step->attr->number[2];
  copy_piece(piece_of(&step->out, axis, 0, length),
             piece_of(&step->in[0], axis, step->attr->number[1], length));
}

static void slice_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_attr *attr = deer_node_attr(g, self);
  const int axis = attr->number[0];
  const deer_shape x = deer_node_shape(g, deer_node_input(g, self, 0));
  gx[0] = deer_pad(g, gy, axis, attr->number[1], x.dim[axis]);
}

const deer_op deer_op_slice = {
    .name = "slice", .n_inputs = 1, .shape = slice_shape, .run = slice_run, .grad = slice_grad};

deer_node deer_slice(deer_graph *g, deer_node x, int axis, int start, int length) {
  return deer_graph_add(g, &deer_op_slice, &x, 1, &(deer_attr){.number = {axis, start, length}});
}

/* number[1] is where the input begins, number[2] the length of the result along the axis */
static deer_status pad_shape(deer_step *step) {
  const int start = step->attr->number[1], length = step->attr->number[2];
  DEER_TRY(check_axis(axis_of(step), step->in[0].shape.rank));
  const int dim = step->in[0].shape.dim[axis_of(step)];
  if (start < 0 || length < dim || start > length - dim)
    return deer_fail(DEER_ESHAPE, "%d from %d does not lie inside a result of length %d", dim,
                     start, length);
  step->out.shape.dim[axis_of(step)] = length;
  return DEER_OK;
}

static void pad_run(const deer_step *step) {
  const int axis = axis_of(step), start = step->attr->number[1], total = step->attr->number[2];
  const int length = step->in[0].shape.dim[axis], end = start + length;
  clear_piece(piece_of(&step->out, axis, 0, start));
  copy_piece(piece_of(&step->out, axis, start, length), piece_of(&step->in[0], axis, 0, length));
  clear_piece(piece_of(&step->out, axis, end, total - end));
}

static void pad_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_attr *attr = deer_node_attr(g, self);
  const int axis = attr->number[0];
  const deer_shape x = deer_node_shape(g, deer_node_input(g, self, 0));
  gx[0] = deer_slice(g, gy, axis, attr->number[1], x.dim[axis]);
}

const deer_op deer_op_pad = {
    .name = "pad", .n_inputs = 1, .shape = pad_shape, .run = pad_run, .grad = pad_grad};

deer_node deer_pad(deer_graph *g, deer_node x, int axis, int start, int length) {
  return deer_graph_add(g, &deer_op_pad, &x, 1, &(deer_attr){.number = {axis, start, length}});
}
