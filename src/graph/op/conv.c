/* conv.c: two-dimensional cross-correlation: shapes, gradients, builders; tensor/conv.c computes.
 *
 * conv2d(x, w), conv2d_input(w, gy) and conv2d_filter(x, gy) are the three derivatives of one form
 * that is linear in x, w and gy. So the gradient rules of each are the other two, and derivatives
 * of any order exist. x may be uint8 where it is read: it then stands for real[0] (x + real[1]), or
 * for itself when real[0] is 0. */
#include "graph/op/window.h"

#include "tensor/conv.h"

/* ---- geometry: number[] holds the window of all three ops: strides, then padding ---- */

static deer_window window_of(const deer_attr *attr) {
  const int *n = attr->number;
  return (deer_window){n[0], n[1], n[2], n[3]};
}

/* what x and the filters are about, when they are known to fit */
static deer_conv geometry_of(const deer_shape *x, const deer_shape *w, deer_window window) {
  return (deer_conv){.batch = x->dim[0],
                     .channels = x->dim[1],
                     .height = x->dim[2],
                     .width = x->dim[3],
                     .filters = w->dim[0],
                     .kernel_h = w->dim[2],
                     .kernel_w = w->dim[3],
                     .stride_h = window.stride_h,
                     .stride_w = window.stride_w,
                     .pad_h = window.pad_h,
                     .pad_w = window.pad_w,
                     .out_h = (x->dim[2] + 2 * window.pad_h - w->dim[2]) / window.stride_h + 1,
                     .out_w = (x->dim[3] + 2 * window.pad_w - w->dim[3]) / window.stride_w + 1};
}

/* each of the three ops has two of the three shapes as inputs, or one as an attribute */
static const deer_shape *shape_of_x(const deer_step *step) {
  return step->op == &deer_op_conv2d_input ? &step->attr->shape : &step->in[0].shape;
}

static const deer_shape *shape_of_filters(const deer_step *step) {
  if (step->op == &deer_op_conv2d_filter) return &step->attr->shape;
  return &step->in[step->op == &deer_op_conv2d ? 1 : 0].shape;
}

static deer_conv step_geometry(const deer_step *step) {
  return geometry_of(shape_of_x(step), shape_of_filters(step), window_of(step->attr));
}

static deer_shape result_shape(const deer_conv *c) {
  return DEER_SHAPE(c->batch, c->filters, c->out_h, c->out_w);
}

/* x and the filters fit: both of rank 4, same channels, no filter larger than the padded picture */
static deer_status check_filters(const deer_shape *x, const deer_shape *w, deer_window window) {
  if (x->rank != 4 || w->rank != 4)
    return deer_fail(DEER_ESHAPE, "needs [batch, channels, height, width] and "
                                  "[filters, channels, height, width]");
  if (x->dim[1] != w->dim[1])
    return deer_fail(DEER_ESHAPE, "the filters have %d channels, the picture has %d", w->dim[1],
                     x->dim[1]);
  const int64_t elements = (int64_t)w->dim[1] * w->dim[2] * w->dim[3];
  if (w->dim[0] > DEER_CONV_MOST || elements > DEER_CONV_MOST)
    return deer_fail(DEER_ESHAPE, "%d filters of %lld elements are more than %d", w->dim[0],
                     (long long)elements, DEER_CONV_MOST);
  DEER_TRY(check_window(window));
  const deer_shape padded = padded_shape(x, window);
  DEER_TRY(deer_shape_check(&padded, "padded picture"));
  if (w->dim[2] > padded.dim[2] || w->dim[3] > padded.dim[3])
    return deer_fail(DEER_ESHAPE, "filters of %d by %d do not fit into %d by %d", w->dim[2],
                     w->dim[3], padded.dim[2], padded.dim[3]);
  return DEER_OK;
}

/* everything but the shape of gy; what is left is right for step_geometry */
static deer_status check_conv(const deer_step *step) {
  if (step->op == &deer_op_conv2d_input || step->in[0].dtype != DEER_DTYPE_U8)
    DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  DEER_TRY(check_dtype(step, 1, DEER_DTYPE_REAL));
  DEER_TRY(deer_shape_check(&step->attr->shape, "result"));
  return check_filters(shape_of_x(step), shape_of_filters(step), window_of(step->attr));
}

/* ---- what is done to the result: attr.mask says which of the inputs after the second there are,
 * in this order: the bias, the gate ---- */

static const deer_operand *extra_input(const deer_step *step, unsigned flag) {
  if (!(step->attr->mask & flag)) return NULL;
  return &step->in[flag == DEER_FINISH_GATE && (step->attr->mask & DEER_FINISH_BIAS) ? 3 : 2];
}

static deer_status check_extra(const deer_step *step) {
  const unsigned mask = step->attr->mask;
  const int extra = !!(mask & DEER_FINISH_BIAS) + !!(mask & DEER_FINISH_GATE);
  if (step->n_in != 2 + extra)
    return deer_fail(DEER_ESHAPE, "expected %d inputs, got %d", 2 + extra, step->n_in);
  const deer_operand *bias = extra_input(step, DEER_FINISH_BIAS);
  const deer_operand *gate = extra_input(step, DEER_FINISH_GATE);
  if (bias && (bias->dtype != DEER_DTYPE_REAL || bias->shape.rank != 1 ||
               bias->shape.dim[0] != step->out.shape.dim[1]))
    return deer_fail(DEER_ESHAPE, "the bias needs %d elements", step->out.shape.dim[1]);
  if (gate && (gate->dtype != DEER_DTYPE_REAL || !deer_shape_equal(&gate->shape, &step->out.shape)))
    return deer_fail(DEER_ESHAPE, "the gate needs the shape of the result");
  return DEER_OK;
}

static deer_status conv2d_shape(deer_step *step) {
  if (step->n_in < 2) return deer_fail(DEER_ESHAPE, "expected 2 inputs, got %d", step->n_in);
  DEER_TRY(check_conv(step));
  const deer_conv c = step_geometry(step);
  step->out.shape = result_shape(&c);
  step->out.dtype = DEER_DTYPE_REAL;
  return check_extra(step);
}

/* the second input of the two gradient ops has the shape of the result of conv2d */
static deer_status gradient_shape(deer_step *step) {
  if (step->n_in < 2) return deer_fail(DEER_ESHAPE, "expected 2 inputs, got %d", step->n_in);
  DEER_TRY(check_conv(step));
  const deer_conv c = step_geometry(step);
  const deer_shape wanted = result_shape(&c);
  char text[DEER_SHAPE_TEXT];
  if (!deer_shape_equal(&step->in[1].shape, &wanted))
    return deer_fail(DEER_ESHAPE, "input 2 must be %s", deer_shape_text(&wanted, text));
  step->out.shape = step->attr->shape;
  step->out.dtype = DEER_DTYPE_REAL;
  return check_extra(step);
}

/* ---- kernels ---- */

static deer_conv_task task_of(const deer_step *step) {
  const deer_operand *bias = extra_input(step, DEER_FINISH_BIAS);
  const deer_operand *gate = extra_input(step, DEER_FINISH_GATE);
  return (deer_conv_task){.shape = step_geometry(step),
                          .x = step->in[0].data,
                          .bytes = step->in[0].dtype == DEER_DTYPE_U8,
                          .factor = step->attr->real[0] == 0 ? 1 : (deer_real)step->attr->real[0],
                          .term = (deer_real)step->attr->real[1],
                          .out = step->out.data,
                          .finish = {.bias = bias ? bias->data : NULL,
                                     .relu = (step->attr->mask & DEER_FINISH_RELU) != 0,
                                     .gate = gate ? gate->data : NULL},
                          .scratch = step->scratch};
}

static size_t conv2d_scratch(const deer_step *step) {
  const deer_conv c = step_geometry(step);
  return deer_conv_forward_scratch(&c);
}

static void conv2d_run(const deer_step *step) {
  deer_conv_task t = task_of(step);
  t.w = in_real(step, 1);
  deer_conv_forward(&t);
}

static size_t input_scratch(const deer_step *step) {
  const deer_conv c = step_geometry(step);
  return deer_conv_input_scratch(&c);
}

static void input_run(const deer_step *step) {
  deer_conv_task t = task_of(step);
  t.w = in_real(step, 0);
  t.y = in_real(step, 1);
  deer_conv_input(&t);
}

static size_t filter_scratch(const deer_step *step) {
  const deer_conv c = step_geometry(step);
  return deer_conv_filter_scratch(&c);
}

static void filter_run(const deer_step *step) {
  deer_conv_task t = task_of(step);
  t.y = in_real(step, 1);
  deer_conv_filter(&t);
}

/* every element of the result and every one of its window */
static double conv_flops(const deer_step *step) {
  const deer_conv c = step_geometry(step);
  const deer_shape result = result_shape(&c);
  const deer_shape *w = shape_of_filters(step);
  return 2.0 * (double)deer_shape_count(&result) * (double)dims_product(w, 1, 4);
}

/* ---- gradients: each of the three in terms of the others ---- */

/* `op` with the window of node `self`, and its way of reading bytes */
static deer_node add_like(deer_graph *g, deer_node self, const deer_op *op, const deer_node in[2],
                          deer_shape shape) {
  deer_attr attr = *deer_node_attr(g, self);
  attr.mask = 0;
  attr.shape = shape;
  return deer_graph_add(g, op, in, 2, &attr);
}

/* gradient to x; `like` is a node with the shape of x; none to bytes */
static deer_node input_like(deer_graph *g, deer_node self, const deer_node in[2], deer_node like) {
  if (deer_node_dtype(g, like) != DEER_DTYPE_REAL) return DEER_NONE;
  return add_like(g, self, &deer_op_conv2d_input, in, deer_node_shape(g, like));
}

/* gradient to the filters; `like` is a node with the shape of the filters */
static deer_node filter_like(deer_graph *g, deer_node self, const deer_node in[2], deer_node like) {
  return add_like(g, self, &deer_op_conv2d_filter, in, deer_node_shape(g, like));
}

/* gradient to the result of a convolution */
static deer_node conv_like(deer_graph *g, deer_node self, const deer_node in[2]) {
  return add_like(g, self, &deer_op_conv2d, in, DEER_SCALAR);
}

/* the gradient to the plain result; that to the bias goes into gx */
static deer_node through_extra(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const unsigned mask = deer_node_attr(g, self)->mask;
  /* where the result is 0, ReLU or the gate made it so */
  if (mask & (DEER_FINISH_RELU | DEER_FINISH_GATE)) gy = deer_where(g, self, gy, zeros_like(g, gy));
  if (mask & DEER_FINISH_BIAS) gx[2] = deer_sum(g, gy, DEER_AXIS(0) | DEER_AXIS(2) | DEER_AXIS(3));
  return gy;
}

static void conv2d_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  gy = through_extra(g, self, gy, gx);
  const deer_node x = deer_node_input(g, self, 0), w = deer_node_input(g, self, 1);
  gx[0] = input_like(g, self, (deer_node[]){w, gy}, x);
  gx[1] = filter_like(g, self, (deer_node[]){x, gy}, w);
}

static void input_grad(deer_graph *g, deer_node self, deer_node gx_out, deer_node *gx) {
  gx_out = through_extra(g, self, gx_out, gx);
  const deer_node w = deer_node_input(g, self, 0), gy = deer_node_input(g, self, 1);
  gx[0] = filter_like(g, self, (deer_node[]){gx_out, gy}, w);
  gx[1] = conv_like(g, self, (deer_node[]){gx_out, w});
}

static void filter_grad(deer_graph *g, deer_node self, deer_node gw_out, deer_node *gx) {
  const deer_node x = deer_node_input(g, self, 0), gy = deer_node_input(g, self, 1);
  gx[0] = input_like(g, self, (deer_node[]){gw_out, gy}, x);
  gx[1] = conv_like(g, self, (deer_node[]){x, gw_out});
}

const deer_op deer_op_conv2d = {.name = "conv2d",
                                .flops = conv_flops,
                                .n_inputs = -1,
                                .shape = conv2d_shape,
                                .scratch = conv2d_scratch,
                                .run = conv2d_run,
                                .grad = conv2d_grad};
const deer_op deer_op_conv2d_input = {.name = "conv2d_input",
                                      .flops = conv_flops,
                                      .n_inputs = -1,
                                      .shape = gradient_shape,
                                      .scratch = input_scratch,
                                      .run = input_run,
                                      .grad = input_grad};
const deer_op deer_op_conv2d_filter = {.name = "conv2d_filter",
                                       .flops = conv_flops,
                                       .n_inputs = 2,
                                       .shape = gradient_shape,
                                       .scratch = filter_scratch,
                                       .run = filter_run,
                                       .grad = filter_grad};

/* ---- builders ---- */

static deer_node add_conv(deer_graph *g, const deer_op *op, const deer_node in[2],
                          deer_window window, deer_shape shape) {
  return deer_graph_add(
      g, op, in, 2,
      &(deer_attr){.number = {window.stride_h, window.stride_w, window.pad_h, window.pad_w},
                   .shape = shape});
}

deer_node deer_conv2d(deer_graph *g, deer_node x, deer_node filters, deer_window window) {
  return add_conv(g, &deer_op_conv2d, (deer_node[]){x, filters}, window, DEER_SCALAR);
}

/* how far windows reach over `n` positions, less the padding */
static int64_t reach(int n, int stride, int kernel, int pad) {
  return (int64_t)(n - 1) * stride + kernel - 2 * (int64_t)pad;
}

deer_node deer_conv2d_transpose(deer_graph *g, deer_node x, deer_node filters, deer_window window) {
  const deer_shape y = deer_node_shape(g, x), w = deer_node_shape(g, filters);
  if (y.rank != 4 || w.rank != 4)
    return deer_graph_fail(g, "conv2d_transpose: needs [batch, filters, height, width] and "
                              "[filters, channels, height, width]");
  const int64_t height = reach(y.dim[2], window.stride_h, w.dim[2], window.pad_h);
  const int64_t width = reach(y.dim[3], window.stride_w, w.dim[3], window.pad_w);
  if (height < 1 || width < 1 || height > INT32_MAX || width > INT32_MAX)
    return deer_graph_fail(g, "conv2d_transpose: the result would be %lld by %lld",
                           (long long)height, (long long)width);
  return add_conv(g, &deer_op_conv2d_input, (deer_node[]){filters, x}, window,
                  DEER_SHAPE(y.dim[0], w.dim[1], (int)height, (int)width));
}

/* [a, b, n] as [a, b, 1, n]; other ranks are left to the convolution, which names them */
static deer_node flat_picture(deer_graph *g, deer_node x) {
  const deer_shape s = deer_node_shape(g, x);
  return s.rank == 3 ? deer_reshape(g, x, DEER_SHAPE(s.dim[0], s.dim[1], 1, s.dim[2])) : x;
}

deer_node deer_conv1d(deer_graph *g, deer_node x, deer_node filters, int stride, int pad) {
  const deer_node y = deer_conv2d(g, flat_picture(g, x), flat_picture(g, filters),
                                  (deer_window){1, stride, 0, pad});
  const deer_shape s = deer_node_shape(g, y);
  if (y.id == 0) return DEER_NONE;
  return deer_reshape(g, y, DEER_SHAPE(s.dim[0], s.dim[1], s.dim[3]));
}
