/* pool.c: the largest and the mean of windows of a picture. Each output row is made tap by tap: for
 * every element (i, j) of the window one loop over the row, which the compiler makes vector code
 * of. number[0..3] of all ops are the window, number[4] and [5] height and width of the kernel. */
#include "graph/op/window.h"

#include <math.h>
#include <string.h>

/* ---- geometry ---- */

typedef struct geometry {
  size_t planes;
  int height, width; /* of the picture */
  int out_h, out_w;  /* of the result */
  int kernel_h, kernel_w;
  deer_window window;
  deer_real *room; /* one row of the result */
} geometry;

/* the shape of the picture: an input, or, for the transpose, an attribute */
static const deer_shape *picture(const deer_step *step) {
  return step->op == &deer_op_sumpool2d_input ? &step->attr->shape : &step->in[0].shape;
}

static geometry geometry_of(const deer_step *step) {
  const int *n = step->attr->number;
  const deer_shape *x = picture(step);
  return (geometry){.planes = dims_product(x, 0, 2),
                    .height = x->dim[2],
                    .width = x->dim[3],
                    .out_h = (x->dim[2] + 2 * n[2] - n[4]) / n[0] + 1,
                    .out_w = (x->dim[3] + 2 * n[3] - n[5]) / n[1] + 1,
                    .kernel_h = n[4],
                    .kernel_w = n[5],
                    .window = {n[0], n[1], n[2], n[3]},
                    .room = step->scratch};
}

static deer_status check_kernel(const deer_shape *x, const int *n) {
  const deer_window window = {n[0], n[1], n[2], n[3]};
  DEER_TRY(check_window(window));
  const deer_shape padded = padded_shape(x, window);
  DEER_TRY(deer_shape_check(&padded, "padded picture"));
  if (n[4] < 1 || n[5] < 1 || n[4] > padded.dim[2] || n[5] > padded.dim[3])
    return deer_fail(DEER_ESHAPE, "windows of %d by %d do not fit into %d by %d", n[4], n[5],
                     padded.dim[2], padded.dim[3]);
  /* then every window has an element of the picture in it */
  if (n[2] >= n[4] || n[3] >= n[5])
    return deer_fail(DEER_ESHAPE, "padding of %d and %d is not smaller than windows of %d by %d",
                     n[2], n[3], n[4], n[5]);
  return DEER_OK;
}

static deer_status pool_shape(deer_step *step) {
  const deer_shape *x = &step->in[0].shape;
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  DEER_TRY(check_rank(step, 0, 4, "[batch, channels, height, width]"));
  DEER_TRY(check_kernel(x, step->attr->number));
  const geometry c = geometry_of(step);
  step->out.shape = DEER_SHAPE(x->dim[0], x->dim[1], c.out_h, c.out_w);
  return DEER_OK;
}

static deer_status poolindex_shape(deer_step *step) {
  DEER_TRY(pool_shape(step));
  step->out.dtype = DEER_DTYPE_I32;
  return DEER_OK;
}

static deer_status pool_input_shape(deer_step *step) {
  const deer_shape *x = &step->attr->shape;
  char text[DEER_SHAPE_TEXT];
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  DEER_TRY(deer_shape_check(x, "result"));
  if (x->rank != 4) return deer_fail(DEER_ESHAPE, "the result must have 4 axes");
  DEER_TRY(check_kernel(x, step->attr->number));
  const geometry c = geometry_of(step);
  const deer_shape wanted = DEER_SHAPE(x->dim[0], x->dim[1], c.out_h, c.out_w);
  if (!deer_shape_equal(&step->in[0].shape, &wanted))
    return deer_fail(DEER_ESHAPE, "input 1 must be %s", deer_shape_text(&wanted, text));
  step->out.shape = *x;
  return DEER_OK;
}

/* ---- taps: element (i, j) of the windows of one output row, where it lies in the picture ---- */

typedef struct tap {
  size_t first, n;   /* windows of the row that have it */
  size_t at, stride; /* where that of the first one lies in the plane, and the next one after it */
} tap;

/* false when none has it: it lies in the padding */
static bool tap_at(const geometry *c, int row, int i, int j, tap *t) {
  const int stride = c->window.stride_w;
  const int y = row * c->window.stride_h + i - c->window.pad_h, x = j - c->window.pad_w;
  if (y < 0 || y >= c->height || x >= c->width) return false;
  const int first = x < 0 ? (stride - 1 - x) / stride : 0;
  const int inside = (c->width - 1 - x) / stride + 1, end = inside < c->out_w ? inside : c->out_w;
  if (end <= first) return false;
  *t = (tap){.first = (size_t)first,
             .n = (size_t)(end - first),
             .at = (size_t)y * (size_t)c->width + (size_t)(x + first * stride),
             .stride = (size_t)stride};
  return true;
}

#define FOR_TAPS(c, row, t)                                                                        \
  for (int i = 0; i < (c)->kernel_h; i++)                                                          \
    for (int j = 0; j < (c)->kernel_w; j++)                                                        \
      if (tap_at(c, row, i, j, &(t)))

/* function(t, stride, ...); the compiler makes shuffles of the strides it knows */
#define BY_STRIDE(t, function, ...)                                                                \
  ((t)->stride == 1   ? function(t, 1, __VA_ARGS__)                                                \
   : (t)->stride == 2 ? function(t, 2, __VA_ARGS__)                                                \
                      : function(t, (t)->stride, __VA_ARGS__))

/* one row of the result, from the plane it looks at */
typedef void row_function(const geometry *c, const deer_real *plane, int row, void *out);

static void for_rows(const deer_step *step, row_function *function) {
  const geometry c = geometry_of(step);
  const deer_real *plane = in_real(step, 0);
  const size_t bytes = (size_t)c.out_w * deer_dtype_size(step->out.dtype);
  char *out = step->out.data;
  for (size_t p = 0; p < c.planes; p++, plane += c.height * c.width)
    for (int row = 0; row < c.out_h; row++, out += bytes) function(&c, plane, row, out);
}

/* ---- largest: NaN counts as larger than everything ---- */

static inline void max_tap(const tap *t, size_t stride, const deer_real *restrict plane,
                           deer_real *restrict best) {
  for (size_t o = 0; o < t->n; o++) {
    const deer_real x = plane[t->at + o * stride], y = best[t->first + o];
    best[t->first + o] = ((x > y) | (x != x)) ? x : y;
  }
}

static void largest_row(const geometry *c, const deer_real *plane, int row, void *out) {
  deer_real *best = out;
  for (int o = 0; o < c->out_w; o++) best[o] = -(deer_real)INFINITY;
  tap t;
  FOR_TAPS(c, row, t) BY_STRIDE(&t, max_tap, plane, best);
}

static void maxpool_run(const deer_step *step) { for_rows(step, largest_row); }

/* what comes back goes where the value came from */
static void maxpool_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_node x = deer_node_input(g, self, 0);
  const deer_attr attr = *deer_node_attr(g, self);
  const deer_node index = deer_graph_add(g, &deer_op_poolindex2d, &x, 1, &attr);
  const deer_shape in = deer_node_shape(g, x), out = deer_node_shape(g, gy);
  const deer_shape flat = DEER_SHAPE(out.dim[0], out.dim[1], out.dim[2] * out.dim[3]);
  const deer_node planes =
      deer_put(g, deer_reshape(g, gy, flat), deer_reshape(g, index, flat), in.dim[2] * in.dim[3]);
  gx[0] = deer_reshape(g, planes, in);
}

/* ---- where in the plane the first largest lies ---- */

static int from_zero(int x) { return x < 0 ? 0 : x; }

static inline void index_tap(const tap *t, size_t stride, const deer_real *restrict plane,
                             deer_real *restrict best, int32_t *restrict index) {
  for (size_t o = 0; o < t->n; o++) {
    const size_t at = t->at + o * stride;
    const deer_real x = plane[at], y = best[t->first + o];
    /* larger, or the first NaN */
    const bool better = !(x <= y) & (y == y);
    best[t->first + o] = better ? x : y;
    index[t->first + o] = better ? (int32_t)at : index[t->first + o];
  }
}

static void index_row(const geometry *c, const deer_real *plane, int row, void *out) {
  deer_real *best = c->room;
  int32_t *index = out;
  const int y = from_zero(row * c->window.stride_h - c->window.pad_h);
  for (int o = 0; o < c->out_w; o++) {
    best[o] = -(deer_real)INFINITY;
    index[o] = y * c->width + from_zero(o * c->window.stride_w - c->window.pad_w);
  }
  tap t;
  FOR_TAPS(c, row, t) BY_STRIDE(&t, index_tap, plane, best, index);
}

static void poolindex_run(const deer_step *step) { for_rows(step, index_row); }

static size_t poolindex_scratch(const deer_step *step) {
  return (size_t)geometry_of(step).out_w * sizeof(deer_real);
}

/* ---- sums, and their transpose ---- */

static inline void sum_tap(const tap *t, size_t stride, const deer_real *restrict plane,
                           deer_real *restrict sum) {
  for (size_t o = 0; o < t->n; o++) sum[t->first + o] += plane[t->at + o * stride];
}

static void total_row(const geometry *c, const deer_real *plane, int row, void *out) {
  deer_real *sum = out;
  memset(sum, 0, (size_t)c->out_w * sizeof *sum);
  tap t;
  FOR_TAPS(c, row, t) BY_STRIDE(&t, sum_tap, plane, sum);
}

static void sumpool_run(const deer_step *step) { for_rows(step, total_row); }

/* adds a row of sums onto the elements they are made of */
static inline void spread_tap(const tap *t, size_t stride, const deer_real *restrict sum,
                              deer_real *restrict plane) {
  for (size_t o = 0; o < t->n; o++) plane[t->at + o * stride] += sum[t->first + o];
}

static void spread_row(const geometry *c, const deer_real *sum, int row, deer_real *plane) {
  tap t;
  FOR_TAPS(c, row, t) BY_STRIDE(&t, spread_tap, sum, plane);
}

static void sumpool_input_run(const deer_step *step) {
  const geometry c = geometry_of(step);
  const deer_real *sums = in_real(step, 0);
  deer_real *plane = out_real(step);
  memset(plane, 0, out_count(step) * sizeof *plane);
  for (size_t p = 0; p < c.planes; p++, plane += c.height * c.width)
    for (int row = 0; row < c.out_h; row++, sums += c.out_w) spread_row(&c, sums, row, plane);
}

static void sumpool_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  deer_attr attr = *deer_node_attr(g, self);
  attr.shape = deer_node_shape(g, deer_node_input(g, self, 0));
  gx[0] = deer_graph_add(g, &deer_op_sumpool2d_input, &gy, 1, &attr);
}

static void sumpool_input_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  deer_attr attr = *deer_node_attr(g, self);
  attr.shape = DEER_SCALAR;
  gx[0] = deer_graph_add(g, &deer_op_sumpool2d, &gy, 1, &attr);
}

const deer_op deer_op_maxpool2d = {.name = "maxpool2d",
                                   .n_inputs = 1,
                                   .shape = pool_shape,
                                   .run = maxpool_run,
                                   .grad = maxpool_grad};
const deer_op deer_op_poolindex2d = {.name = "poolindex2d",
                                     .n_inputs = 1,
                                     .shape = poolindex_shape,
                                     .scratch = poolindex_scratch,
                                     .run = poolindex_run};
const deer_op deer_op_sumpool2d = {.name = "sumpool2d",
                                   .n_inputs = 1,
                                   .shape = pool_shape,
                                   .run = sumpool_run,
                                   .grad = sumpool_grad};
const deer_op deer_op_sumpool2d_input = {.name = "sumpool2d_input",
                                         .n_inputs = 1,
                                         .shape = pool_input_shape,
                                         .run = sumpool_input_run,
                                         .grad = sumpool_input_grad};

/* ---- builders ---- */

static deer_attr pool_attr(int kh, int kw, deer_window w) {
  return (deer_attr){.number = {w.stride_h, w.stride_w, w.pad_h, w.pad_w, kh, kw}};
}

deer_node deer_maxpool2d(deer_graph *g, deer_node x, int kh, int kw, deer_window window) {
  const deer_attr attr = pool_attr(kh, kw, window);
  return deer_graph_add(g, &deer_op_maxpool2d, &x, 1, &attr);
}

deer_node deer_avgpool2d(deer_graph *g, deer_node x, int kh, int kw, deer_window window) {
  const deer_attr attr = pool_attr(kh, kw, window);
  const deer_node sum = deer_graph_add(g, &deer_op_sumpool2d, &x, 1, &attr);
  return deer_scale(g, sum, 1.0 / ((double)kh * kw));
}
