/* conv.c: two-dimensional cross-correlation without padding, and pooling windows.
 *
 * conv2d(x, w), conv2d_input(w, gy) and conv2d_filter(x, gy) are the three derivatives of one form
 * that is linear in x, w and gy. So the gradient rules of each are the other two, and derivatives
 * of any order exist. All three copy the windows of one sample into the columns of a matrix in
 * scratch and leave the rest to a matrix product. */
#include "graph/op/internal.h"

#include <string.h>

#include "tensor/blas.h"

/* ---- geometry: number[0] and number[1] are the strides of all three ops ---- */

typedef struct geometry {
  int batch, channels, height, width;   /* of x */
  int filters, kernel_h, kernel_w;      /* of the filters */
  int stride_h, stride_w, out_h, out_w; /* of the result */
  int band;                             /* rows of the result made at a time */
} geometry;

/* Windows of one band take at most this many reals, so that they stay in the second-level cache. */
#define BAND_REALS (128 * 1024)

static int band_rows(const geometry *c) {
  const int64_t row = (int64_t)c->out_w * c->channels * c->kernel_h * c->kernel_w;
  const int64_t rows = BAND_REALS / row;
  return rows < 1 ? 1 : rows > c->out_h ? c->out_h : (int)rows;
}

/* what x and the filters are about, when they are known to fit */
static geometry geometry_of(const deer_shape *x, const deer_shape *w, const int *stride) {
  geometry c = {.batch = x->dim[0],
                .channels = x->dim[1],
                .height = x->dim[2],
                .width = x->dim[3],
                .filters = w->dim[0],
                .kernel_h = w->dim[2],
                .kernel_w = w->dim[3],
                .stride_h = stride[0],
                .stride_w = stride[1],
                .out_h = (x->dim[2] - w->dim[2]) / stride[0] + 1,
                .out_w = (x->dim[3] - w->dim[3]) / stride[1] + 1};
  c.band = band_rows(&c);
  return c;
}

/* each of the three ops has two of the three shapes as inputs, or one as an attribute */
static const deer_shape *shape_of_x(const deer_step *step) {
  return step->op == &deer_op_conv2d_input ? &step->attr->shape : &step->in[0].shape;
}

static const deer_shape *shape_of_filters(const deer_step *step) {
  if (step->op == &deer_op_conv2d_filter) return &step->attr->shape;
  return &step->in[step->op == &deer_op_conv2d ? 1 : 0].shape;
}

static geometry step_geometry(const deer_step *step) {
  return geometry_of(shape_of_x(step), shape_of_filters(step), step->attr->number);
}

static size_t positions(const geometry *c) { return (size_t)c->out_h * (size_t)c->out_w; }

static size_t window_size(const geometry *c) {
  return (size_t)c->channels * (size_t)c->kernel_h * (size_t)c->kernel_w;
}

static size_t sample_size(const geometry *c) {
  return (size_t)c->channels * (size_t)c->height * (size_t)c->width;
}

static deer_shape result_shape(const geometry *c) {
  return DEER_SHAPE(c->batch, c->filters, c->out_h, c->out_w);
}

static deer_status check_strides(const int *stride) {
  if (stride[0] >= 1 && stride[1] >= 1) return DEER_OK;
  return deer_fail(DEER_EINVAL, "strides must be at least 1, got %d and %d", stride[0], stride[1]);
}

/* x and the filters fit: both of rank 4, same channels, no filter larger than the picture */
static deer_status check_filters(const deer_shape *x, const deer_shape *w) {
  if (x->rank != 4 || w->rank != 4)
    return deer_fail(DEER_ESHAPE, "needs [batch, channels, height, width] and "
                                  "[filters, channels, height, width]");
  if (x->dim[1] != w->dim[1])
    return deer_fail(DEER_ESHAPE, "the filters have %d channels, the picture has %d", w->dim[1],
                     x->dim[1]);
  if (w->dim[2] > x->dim[2] || w->dim[3] > x->dim[3])
    return deer_fail(DEER_ESHAPE, "filters of %d by %d do not fit into %d by %d", w->dim[2],
                     w->dim[3], x->dim[2], x->dim[3]);
  return DEER_OK;
}

/* everything but the shape of gy; what is left is right for step_geometry */
static deer_status check_conv(const deer_step *step) {
  for (int i = 0; i < 2; i++) DEER_TRY(check_dtype(step, i, DEER_DTYPE_REAL));
  DEER_TRY(check_strides(step->attr->number));
  DEER_TRY(deer_shape_check(&step->attr->shape, "result"));
  return check_filters(shape_of_x(step), shape_of_filters(step));
}

static deer_status conv2d_shape(deer_step *step) {
  DEER_TRY(check_conv(step));
  const geometry c = step_geometry(step);
  step->out.shape = result_shape(&c);
  return DEER_OK;
}

/* the second input of the two gradient ops has the shape of the result of conv2d */
static deer_status gradient_shape(deer_step *step) {
  DEER_TRY(check_conv(step));
  const geometry c = step_geometry(step);
  const deer_shape wanted = result_shape(&c);
  char text[DEER_SHAPE_TEXT];
  if (!deer_shape_equal(&step->in[1].shape, &wanted))
    return deer_fail(DEER_ESHAPE, "input 2 must be %s", deer_shape_text(&wanted, text));
  step->out.shape = step->attr->shape;
  return DEER_OK;
}

/* ---- windows: column p of the matrix [window, positions] is the window of position p ----
 * So row (k, i, j) holds, for every position, the element (i, j) of its window in channel k. */

/* rows are mostly short: a loop that moves four at a time is faster than a call */
static inline void copy_near(deer_real *restrict to, const deer_real *restrict from, size_t n) {
  size_t i = 0;
  for (; i + 4 <= n; i += 4) memcpy(to + i, from + i, 4 * sizeof *to);
  for (; i < n; i++) to[i] = from[i];
}

/* every `stride`-th element; the compiler makes shuffles of the strides it knows */
static inline void copy_strided(deer_real *restrict to, const deer_real *restrict from, size_t n,
                                size_t stride) {
  if (stride == 1)
    copy_near(to, from, n);
  else if (stride == 2)
    for (size_t i = 0; i < n; i++) to[i] = from[i * 2];
  else if (stride == 4)
    for (size_t i = 0; i < n; i++) to[i] = from[i * 4];
  else
    for (size_t i = 0; i < n; i++) to[i] = from[i * stride];
}

/* one band of one sample */
typedef struct part {
  const geometry *c;
  size_t first, rows;         /* of the result */
  int positions, window, all; /* positions of the band, window size, positions of the sample */
  size_t x, result;           /* where the sample begins in x, and the band in the result */
} part;

/* row (k, i, j) of the windows, and where its element for position (0, 0) lies in the sample;
 * counted up rather than divided out, which would cost more than copying a short row */
typedef struct window_row {
  int i, j;
  size_t place;
} window_row;

static void next_row(const geometry *c, window_row *row) {
  row->place++;
  if (++row->j < c->kernel_w) return;
  row->j = 0;
  row->place += (size_t)(c->width - c->kernel_w);
  if (++row->i < c->kernel_h) return;
  row->i = 0;
  row->place += (size_t)(c->height - c->kernel_h) * (size_t)c->width;
}

static void read_windows(const part *p, const deer_real *restrict sample,
                         deer_real *restrict windows) {
  const size_t n = (size_t)p->c->out_w, stride = (size_t)p->c->stride_w;
  const size_t step = (size_t)p->c->stride_h * (size_t)p->c->width;
  window_row row = {0};
  for (int k = 0; k < p->window; k++, next_row(p->c, &row)) {
    for (size_t oy = p->first; oy < p->first + p->rows; oy++, windows += n) {
      const deer_real *from = sample + row.place + oy * step;
      copy_strided(windows, from, n, stride);
    }
  }
}

/* the transpose of read_windows: adds every element onto the place it came from */
static void add_windows(const part *p, const deer_real *restrict windows,
                        deer_real *restrict sample) {
  const size_t n = (size_t)p->c->out_w, stride = (size_t)p->c->stride_w;
  const size_t step = (size_t)p->c->stride_h * (size_t)p->c->width;
  window_row row = {0};
  for (int k = 0; k < p->window; k++, next_row(p->c, &row)) {
    for (size_t oy = p->first; oy < p->first + p->rows; oy++, windows += n) {
      deer_real *to = sample + row.place + oy * step;
      if (stride == 1)
        for (size_t ox = 0; ox < n; ox++) to[ox] += windows[ox];
      else
        for (size_t ox = 0; ox < n; ox++) to[ox * stride] += windows[ox];
    }
  }
}

static size_t conv_scratch(const deer_step *step) {
  const geometry c = step_geometry(step);
  return (size_t)c.band * (size_t)c.out_w * window_size(&c) * sizeof(deer_real);
}

/* ---- the three kernels ---- */

typedef void part_function(const deer_step *step, const part *part);

static void for_parts(const deer_step *step, part_function *function) {
  const geometry c = step_geometry(step);
  part p = {.c = &c, .window = (int)window_size(&c), .all = (int)positions(&c)};
  for (size_t s = 0; s < (size_t)c.batch; s++)
    for (int first = 0; first < c.out_h; first += c.band) {
      const int left = c.out_h - first, rows = left < c.band ? left : c.band;
      p.first = (size_t)first;
      p.rows = (size_t)rows;
      p.positions = rows * c.out_w;
      p.x = s * sample_size(&c);
      p.result = s * (size_t)c.filters * positions(&c) + p.first * (size_t)c.out_w;
      function(step, &p);
    }
}

/* result [filters, positions] = filters [filters, window] windows */
static void conv2d_part(const deer_step *step, const part *p) {
  deer_real *windows = step->scratch;
  read_windows(p, in_real(step, 0) + p->x, windows);
  deer_gemm(&(deer_product){.m = p->c->filters,
                            .n = p->positions,
                            .k = p->window,
                            .a = in_real(step, 1),
                            .b = windows,
                            .c = out_real(step) + p->result,
                            .lda = p->window,
                            .ldb = p->positions,
                            .ldc = p->all});
}

static void conv2d_run(const deer_step *step) { for_parts(step, conv2d_part); }

/* windows = filters^T [window, filters] gy [filters, positions], added where they came from */
static void input_part(const deer_step *step, const part *p) {
  deer_real *windows = step->scratch;
  deer_gemm(&(deer_product){.transpose_a = true,
                            .m = p->window,
                            .n = p->positions,
                            .k = p->c->filters,
                            .a = in_real(step, 0),
                            .b = in_real(step, 1) + p->result,
                            .c = windows,
                            .lda = p->window,
                            .ldb = p->all,
                            .ldc = p->positions});
  add_windows(p, windows, out_real(step) + p->x);
}

static void input_run(const deer_step *step) {
  memset(out_real(step), 0, out_count(step) * sizeof(deer_real));
  for_parts(step, input_part);
}

/* filters = gy [filters, positions] windows^T; the first part overwrites, the others are added */
static void filter_part(const deer_step *step, const part *p) {
  deer_real *windows = step->scratch;
  read_windows(p, in_real(step, 0) + p->x, windows);
  deer_gemm(&(deer_product){.transpose_b = true,
                            .m = p->c->filters,
                            .n = p->window,
                            .k = p->positions,
                            .a = in_real(step, 1) + p->result,
                            .b = windows,
                            .c = out_real(step),
                            .lda = p->all,
                            .ldb = p->positions,
                            .ldc = p->window,
                            .beta = p->result > 0});
}

static void filter_run(const deer_step *step) { for_parts(step, filter_part); }

/* ---- gradients: each of the three in terms of the others ---- */

static deer_node add_conv(deer_graph *g, const deer_op *op, const deer_node in[2],
                          const int stride[2], deer_shape shape) {
  return deer_graph_add(g, op, in, 2,
                        &(deer_attr){.number = {stride[0], stride[1]}, .shape = shape});
}

/* conv2d(x, filters) with the strides of node `self` */
static deer_node conv_like(deer_graph *g, deer_node self, deer_node x, deer_node filters) {
  const int *stride = deer_node_attr(g, self)->number;
  return deer_conv2d(g, x, filters, stride[0], stride[1]);
}

/* gradient to x; `like` is a node with the shape of x */
static deer_node input_like(deer_graph *g, deer_node self, const deer_node in[2], deer_node like) {
  const deer_attr attr = *deer_node_attr(g, self);
  return add_conv(g, &deer_op_conv2d_input, in, attr.number, deer_node_shape(g, like));
}

/* gradient to the filters; `like` is a node with the shape of the filters */
static deer_node filter_like(deer_graph *g, deer_node self, const deer_node in[2], deer_node like) {
  const deer_attr attr = *deer_node_attr(g, self);
  return add_conv(g, &deer_op_conv2d_filter, in, attr.number, deer_node_shape(g, like));
}

static void conv2d_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_node x = deer_node_input(g, self, 0), w = deer_node_input(g, self, 1);
  gx[0] = input_like(g, self, (deer_node[]){w, gy}, x);
  gx[1] = filter_like(g, self, (deer_node[]){x, gy}, w);
}

static void input_grad(deer_graph *g, deer_node self, deer_node gx_out, deer_node *gx) {
  const deer_node w = deer_node_input(g, self, 0), gy = deer_node_input(g, self, 1);
  gx[0] = filter_like(g, self, (deer_node[]){gx_out, gy}, w);
  gx[1] = conv_like(g, self, gx_out, w);
}

static void filter_grad(deer_graph *g, deer_node self, deer_node gw_out, deer_node *gx) {
  const deer_node x = deer_node_input(g, self, 0), gy = deer_node_input(g, self, 1);
  gx[0] = input_like(g, self, (deer_node[]){gw_out, gy}, x);
  gx[1] = conv_like(g, self, x, gw_out);
}

const deer_op deer_op_conv2d = {.name = "conv2d",
                                .n_inputs = 2,
                                .shape = conv2d_shape,
                                .scratch = conv_scratch,
                                .run = conv2d_run,
                                .grad = conv2d_grad};
const deer_op deer_op_conv2d_input = {.name = "conv2d_input",
                                      .n_inputs = 2,
                                      .shape = gradient_shape,
                                      .scratch = conv_scratch,
                                      .run = input_run,
                                      .grad = input_grad};
const deer_op deer_op_conv2d_filter = {.name = "conv2d_filter",
                                       .n_inputs = 2,
                                       .shape = gradient_shape,
                                       .scratch = conv_scratch,
                                       .run = filter_run,
                                       .grad = filter_grad};

deer_node deer_conv2d(deer_graph *g, deer_node x, deer_node filters, int stride_h, int stride_w) {
  return add_conv(g, &deer_op_conv2d, (deer_node[]){x, filters}, (int[]){stride_h, stride_w},
                  DEER_SCALAR);
}

/* ---- pooling: number[0] and number[1] are the height and width of the windows ---- */

static deer_status poolindex_shape(deer_step *step) {
  const deer_shape *x = &step->in[0].shape;
  const int *window = step->attr->number;
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  DEER_TRY(check_rank(step, 0, 4, "[batch, channels, height, width]"));
  if (window[0] < 1 || window[1] < 1 || window[0] > x->dim[2] || window[1] > x->dim[3])
    return deer_fail(DEER_ESHAPE, "windows of %d by %d do not fit into %d by %d", window[0],
                     window[1], x->dim[2], x->dim[3]);
  step->out.dtype = DEER_DTYPE_I32;
  step->out.shape = DEER_SHAPE(x->dim[0], x->dim[1], x->dim[2] / window[0], x->dim[3] / window[1]);
  return DEER_OK;
}

/* where in the plane the first largest of a window is; NaN counts as larger than everything */
static size_t window_largest(const deer_real *plane, size_t width, size_t start,
                             const int *window) {
  size_t best = start;
  for (size_t i = 0; i < (size_t)window[0]; i++)
    for (size_t j = 0; j < (size_t)window[1]; j++) {
      const size_t at = start + i * width + j;
      if (plane[best] != plane[best]) return best;
      if (plane[at] > plane[best] || plane[at] != plane[at]) best = at;
    }
  return best;
}

static void poolindex_run(const deer_step *step) {
  const deer_shape *x = &step->in[0].shape, *out = &step->out.shape;
  const int *window = step->attr->number;
  const size_t planes = dims_product(x, 0, 2), width = (size_t)x->dim[3];
  const size_t plane_size = (size_t)x->dim[2] * width;
  int32_t *index = step->out.data;
  for (size_t p = 0; p < planes; p++)
    for (size_t oy = 0; oy < (size_t)out->dim[2]; oy++)
      for (size_t ox = 0; ox < (size_t)out->dim[3]; ox++) {
        const size_t start = oy * (size_t)window[0] * width + ox * (size_t)window[1];
        const deer_real *plane = in_real(step, 0) + p * plane_size;
        *index++ = (int32_t)window_largest(plane, width, start, window);
      }
}

const deer_op deer_op_poolindex2d = {
    .name = "poolindex2d", .n_inputs = 1, .shape = poolindex_shape, .run = poolindex_run};

deer_node deer_maxpool2d(deer_graph *g, deer_node x, int kh, int kw) {
  const deer_node index =
      deer_graph_add(g, &deer_op_poolindex2d, &x, 1, &(deer_attr){.number = {kh, kw}});
  if (index.id == 0) return DEER_NONE;

  /* take the element at each index out of the plane seen as a row */
  const deer_shape from = deer_node_shape(g, x), to = deer_node_shape(g, index);
  const deer_node planes =
      deer_reshape(g, x, DEER_SHAPE(from.dim[0], from.dim[1], from.dim[2] * from.dim[3]));
  const deer_node places =
      deer_reshape(g, index, DEER_SHAPE(to.dim[0], to.dim[1], to.dim[2] * to.dim[3]));
  return deer_reshape(g, deer_take(g, planes, places), to);
}
