/* picture_cases.h: what the ops on pictures must compute; a part of ops_cases.h. */
#ifndef PICTURE_CASES_H
#define PICTURE_CASES_H

/* ---- pictures: p is the window: strides, then padding; mask what is done to the result ---- */

static deer_window window_of(const example *e) {
  return (deer_window){e->p[0], e->p[1], e->p[2], e->p[3]};
}

/* bytes that stand for other numbers */
static deer_node scaled_conv(deer_graph *g, const deer_op *op, const deer_node *in,
                             const example *e) {
  deer_attr attr = {.shape = e->shape, .real = {e->s[0], e->s[1]}};
  memcpy(attr.number, e->p, 4 * sizeof *e->p);
  return deer_graph_add(g, op, in, 2, &attr);
}

BUILD(conv2d_scaled, scaled_conv(g, &deer_op_conv2d, in, e))
BUILD(conv2d_filter_scaled, scaled_conv(g, &deer_op_conv2d_filter, in, e))

BUILD(conv2d, deer_conv2d(g, in[0], in[1], window_of(e)))
BUILD(conv1d, deer_conv1d(g, in[0], in[1], e->p[1], e->p[3]))
BUILD(conv_transpose, deer_conv2d_transpose(g, in[1], in[0], window_of(e)))

/* Calls term(x, w, y) with three places for every product that a convolution sums up. */
typedef void conv_term(size_t x, size_t w, size_t y, const double *const *in, double *out);

static deer_shape conv_result(const deer_shape *x, const deer_shape *w, const int *p) {
  return DEER_SHAPE(x->dim[0], w->dim[0], (x->dim[2] + 2 * p[2] - w->dim[2]) / p[0] + 1,
                    (x->dim[3] + 2 * p[3] - w->dim[3]) / p[1] + 1);
}

static bool is_inside(const int *index, const deer_shape *shape) {
  for (int i = 0; i < shape->rank; i++)
    if (index[i] < 0 || index[i] >= shape->dim[i]) return false;
  return true;
}

static void each_conv_term(const deer_shape *x, const deer_shape *w, const int *p, conv_term *term,
                           const double *const *in, double *out) {
  const deer_shape y = conv_result(x, w, p);
  for (size_t place = 0; place < deer_shape_count(&y); place++)
    for (size_t tap = 0; tap < deer_shape_count(w); tap++) {
      int at[4], f[4];
      indices_of(place, &y, at);
      indices_of(tap, w, f);
      if (f[0] != at[1]) continue;
      const int from[] = {at[0], f[1], at[2] * p[0] + f[2] - p[2], at[3] * p[1] + f[3] - p[3]};
      if (is_inside(from, x)) term(place_of(from, x), tap, place, in, out);
    }
}

static void conv_term_y(size_t x, size_t w, size_t y, const double *const *in, double *out) {
  out[y] += in[0][x] * in[1][w];
}

static void conv_term_x(size_t x, size_t w, size_t y, const double *const *in, double *out) {
  out[x] += in[0][w] * in[1][y];
}

static void conv_term_w(size_t x, size_t w, size_t y, const double *const *in, double *out) {
  out[w] += in[0][x] * in[1][y];
}

static void whole_conv2d(const example *e, const double *const *in, double *out) {
  const deer_shape y = conv_result(&e->in[0], &e->in[1], e->p);
  memset(out, 0, deer_shape_count(&y) * sizeof *out);
  each_conv_term(&e->in[0], &e->in[1], e->p, conv_term_y, in, out);
}

static void whole_conv1d(const example *e, const double *const *in, double *out) {
  example flat = *e;
  for (int i = 0; i < 2; i++)
    flat.in[i] = DEER_SHAPE(e->in[i].dim[0], e->in[i].dim[1], 1, e->in[i].dim[2]);
  whole_conv2d(&flat, in, out);
}

/* Inputs are (filters, gy) or (x, gy), shape is that of the other one. The ops are reached as
 * gradients of sum(conv2d * gy). */
static deer_node conv_gradient(deer_graph *g, deer_node x, deer_node w, deer_node gy,
                               const example *e, bool to_x) {
  const deer_node loss =
      deer_sum(g, deer_mul(g, deer_conv2d(g, x, w, window_of(e)), gy), DEER_ALL_AXES);
  deer_node out;
  deer_gradients(g, loss, to_x ? &x : &w, 1, &out);
  return out;
}

BUILD(conv2d_input, conv_gradient(g, deer_constant(g, e->shape, 1), in[0], in[1], e, true))
BUILD(conv2d_filter, conv_gradient(g, in[0], deer_constant(g, e->shape, 1), in[1], e, false))

static void whole_conv2d_input(const example *e, const double *const *in, double *out) {
  memset(out, 0, deer_shape_count(&e->shape) * sizeof *out);
  each_conv_term(&e->shape, &e->in[0], e->p, conv_term_x, in, out);
}

static void whole_conv2d_filter(const example *e, const double *const *in, double *out) {
  memset(out, 0, deer_shape_count(&e->shape) * sizeof *out);
  each_conv_term(&e->in[0], &e->shape, e->p, conv_term_w, in, out);
}

/* the first input as its bytes stand for it; MAX_BYTES of them at most */
#define MAX_BYTES 256
static void scale_bytes(const example *e, const double *from, double to[MAX_BYTES]) {
  for (size_t i = 0; i < deer_shape_count(&e->in[0]); i++) to[i] = e->s[0] * (from[i] + e->s[1]);
}

static void whole_conv2d_scaled(const example *e, const double *const *in, double *out) {
  double x[MAX_BYTES];
  scale_bytes(e, in[0], x);
  whole_conv2d(e, (const double *const[]){x, in[1]}, out);
}

static void whole_conv2d_filter_scaled(const example *e, const double *const *in, double *out) {
  double x[MAX_BYTES];
  scale_bytes(e, in[0], x);
  whole_conv2d_filter(e, (const double *const[]){x, in[1]}, out);
}

/* with the third input as the bias or, after ReLU has made zeros in it, the gate */
static deer_node finished_conv(deer_graph *g, const deer_op *op, const deer_node *in,
                               const example *e) {
  const bool gate = e->mask & DEER_FINISH_GATE;
  const deer_node all[] = {in[0], in[1], gate ? deer_relu(g, in[2]) : in[2]};
  deer_attr attr = {.shape = e->shape, .mask = e->mask};
  memcpy(attr.number, e->p, 4 * sizeof *e->p);
  return deer_graph_add(g, op, all, 3, &attr);
}

BUILD(conv2d_finished, finished_conv(g, &deer_op_conv2d, in, e))
BUILD(conv2d_input_finished, finished_conv(g, &deer_op_conv2d_input, in, e))

static void finish_conv(const example *e, const deer_shape *y, const double *third, double *out) {
  for (size_t i = 0; i < deer_shape_count(y); i++) {
    int at[4];
    indices_of(i, y, at);
    if (e->mask & DEER_FINISH_BIAS) out[i] += third[at[1]];
    if ((e->mask & DEER_FINISH_RELU) && out[i] < 0) out[i] = 0;
    if ((e->mask & DEER_FINISH_GATE) && third[i] < 0) out[i] = 0;
  }
}

static void whole_conv2d_finished(const example *e, const double *const *in, double *out) {
  const deer_shape y = conv_result(&e->in[0], &e->in[1], e->p);
  whole_conv2d(e, in, out);
  finish_conv(e, &y, in[2], out);
}

static void whole_conv2d_input_finished(const example *e, const double *const *in, double *out) {
  whole_conv2d_input(e, in, out);
  finish_conv(e, &e->shape, in[2], out);
}

/* pooling: p goes on with height and width of the windows */
BUILD(maxpool, deer_maxpool2d(g, in[0], e->p[4], e->p[5], window_of(e)))
BUILD(avgpool, deer_avgpool2d(g, in[0], e->p[4], e->p[5], window_of(e)))

static void whole_pool(const example *e, const double *x, bool mean, double *out) {
  const deer_shape window = DEER_SHAPE(e->in[0].dim[1], 1, e->p[4], e->p[5]);
  const deer_shape y = conv_result(&e->in[0], &window, e->p);
  for (size_t place = 0; place < deer_shape_count(&y); place++) {
    int at[4];
    indices_of(place, &y, at);
    double largest = -INFINITY, sum = 0;
    for (int i = 0; i < e->p[4]; i++)
      for (int j = 0; j < e->p[5]; j++) {
        const int from[] = {at[0], at[1], at[2] * e->p[0] + i - e->p[2],
                            at[3] * e->p[1] + j - e->p[3]};
        if (!is_inside(from, &e->in[0])) continue;
        largest = fmax(largest, x[place_of(from, &e->in[0])]);
        sum += x[place_of(from, &e->in[0])];
      }
    out[place] = mean ? sum / (e->p[4] * e->p[5]) : largest;
  }
}

static void whole_maxpool(const example *e, const double *const *in, double *out) {
  whole_pool(e, in[0], false, out);
}

static void whole_avgpool(const example *e, const double *const *in, double *out) {
  whole_pool(e, in[0], true, out);
}

#endif
