/* unary.c: elementwise ops of one operand, the cast to real, and the Huber loss made of them.
 * NaN in gives NaN out. */
#include "graph/map.h"
#include "graph/op/internal.h"

#include <math.h>

static void cast_run(const deer_step *step) {
  deer_real *restrict out = out_real(step);
  const size_t n = out_count(step);
  if (step->in[0].dtype == DEER_DTYPE_U8) {
    const uint8_t *restrict in = step->in[0].data;
    for (size_t i = 0; i < n; i++) out[i] = (deer_real)in[i];
  } else {
    const int32_t *restrict in = step->in[0].data;
    for (size_t i = 0; i < n; i++) out[i] = (deer_real)in[i];
  }
}

static deer_status setting_shape(deer_step *step) {
  if (!isfinite(step->attr->real[0]))
    return deer_fail(DEER_EINVAL, "needs a finite number, got %g", step->attr->real[0]);
  return check_dtype(step, 0, DEER_DTYPE_REAL);
}

static deer_status clip_shape(deer_step *step) {
  const double low = step->attr->real[0], high = step->attr->real[1];
  if (!(low <= high)) return deer_fail(DEER_EINVAL, "low %g must not be above high %g", low, high);
  return check_dtype(step, 0, DEER_DTYPE_REAL);
}

static deer_status cast_shape(deer_step *step) {
  if (step->in[0].dtype == DEER_DTYPE_REAL)
    return deer_fail(DEER_ESHAPE, "input 1 must be uint8 or int32, got %s",
                     deer_dtype_name(DEER_DTYPE_REAL));
  step->out.dtype = DEER_DTYPE_REAL;
  return DEER_OK;
}

/* ---- gradients: gx = gy times the derivative, written with the output where it is known by then
 * ---- */

#define GRADIENT(name, expression)                                                                 \
  static void name##_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {            \
    const deer_node x = deer_node_input(g, self, 0);                                               \
    const deer_attr *attr = deer_node_attr(g, self);                                               \
    (void)x, (void)attr;                                                                           \
    gx[0] = expression;                                                                            \
  }

GRADIENT(scale, deer_scale(g, gy, attr->real[0]))
GRADIENT(shift, gy)
/* inside the bounds, and only there, x minus its clipped value is 0 */
GRADIENT(clip, deer_where(g, deer_sub(g, x, self), zeros_like(g, gy), gy))
GRADIENT(neg, deer_neg(g, gy))
GRADIENT(abs, deer_mul(g, gy, deer_sign(g, x)))
GRADIENT(exp, deer_mul(g, gy, self))
GRADIENT(log, deer_div(g, gy, x))
GRADIENT(sqrt, deer_scale(g, deer_div(g, gy, self), 0.5))
GRADIENT(square, deer_scale(g, deer_mul(g, gy, x), 2))
GRADIENT(tanh, deer_sub(g, gy, deer_mul(g, gy, deer_square(g, self))))
GRADIENT(sin, deer_mul(g, gy, deer_cos(g, x)))
GRADIENT(cos, deer_neg(g, deer_mul(g, gy, deer_sin(g, x))))
GRADIENT(expm1, deer_mul(g, gy, deer_shift(g, self, 1)))
GRADIENT(log1p, deer_div(g, gy, deer_shift(g, x, 1)))
/* the output itself is the condition: not 0 where x is above 0 */
GRADIENT(relu, deer_where(g, self, gy, zeros_like(g, gy)))

static void sigmoid_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_node first = deer_mul(g, gy, self);
  gx[0] = deer_sub(g, first, deer_mul(g, first, self));
}

/* real[0] is the factor */
const deer_op deer_op_scale = {DEER_ELEMENTWISE(scale, 1), .shape = setting_shape,
                               .grad = scale_grad};
/* real[0] is the term */
const deer_op deer_op_shift = {DEER_ELEMENTWISE(shift, 1), .shape = setting_shape,
                               .grad = shift_grad};
/* real[0] is the lower bound, real[1] the upper */
const deer_op deer_op_clip = {DEER_ELEMENTWISE(clip, 1), .shape = clip_shape, .grad = clip_grad};
const deer_op deer_op_neg = {DEER_ELEMENTWISE(neg, 1), .grad = neg_grad};
const deer_op deer_op_abs = {DEER_ELEMENTWISE(abs, 1), .grad = abs_grad};
const deer_op deer_op_sign = {DEER_ELEMENTWISE(sign, 1)};
const deer_op deer_op_exp = {DEER_ELEMENTWISE(exp, 1), .grad = exp_grad};
const deer_op deer_op_log = {DEER_ELEMENTWISE(log, 1), .grad = log_grad};
const deer_op deer_op_sqrt = {DEER_ELEMENTWISE(sqrt, 1), .grad = sqrt_grad};
const deer_op deer_op_square = {DEER_ELEMENTWISE(square, 1), .grad = square_grad};
const deer_op deer_op_tanh = {DEER_ELEMENTWISE(tanh, 1), .grad = tanh_grad};
const deer_op deer_op_sigmoid = {DEER_ELEMENTWISE(sigmoid, 1), .grad = sigmoid_grad};
const deer_op deer_op_sin = {DEER_ELEMENTWISE(sin, 1), .grad = sin_grad};
const deer_op deer_op_cos = {DEER_ELEMENTWISE(cos, 1), .grad = cos_grad};
const deer_op deer_op_expm1 = {DEER_ELEMENTWISE(expm1, 1), .grad = expm1_grad};
const deer_op deer_op_log1p = {DEER_ELEMENTWISE(log1p, 1), .grad = log1p_grad};
const deer_op deer_op_relu = {DEER_ELEMENTWISE(relu, 1), .grad = relu_grad};
const deer_op deer_op_cast = {.name = "cast", .n_inputs = 1, .shape = cast_shape, .run = cast_run};

/* ---- builder functions ---- */

static deer_node add1(deer_graph *g, const deer_op *op, deer_node x) {
  return deer_graph_add(g, op, &x, 1, NULL);
}

static deer_node add1_with(deer_graph *g, const deer_op *op, deer_node x, double p, double q) {
  return deer_graph_add(g, op, &x, 1, &(deer_attr){.real = {p, q}});
}

deer_node deer_scale(deer_graph *g, deer_node x, double factor) {
  return add1_with(g, &deer_op_scale, x, factor, 0);
}

deer_node deer_shift(deer_graph *g, deer_node x, double term) {
  return add1_with(g, &deer_op_shift, x, term, 0);
}

deer_node deer_clip(deer_graph *g, deer_node x, double low, double high) {
  return add1_with(g, &deer_op_clip, x, low, high);
}

deer_node deer_neg(deer_graph *g, deer_node x) { return add1(g, &deer_op_neg, x); }
deer_node deer_abs(deer_graph *g, deer_node x) { return add1(g, &deer_op_abs, x); }
deer_node deer_sign(deer_graph *g, deer_node x) { return add1(g, &deer_op_sign, x); }
deer_node deer_exp(deer_graph *g, deer_node x) { return add1(g, &deer_op_exp, x); }
deer_node deer_log(deer_graph *g, deer_node x) { return add1(g, &deer_op_log, x); }
deer_node deer_sqrt(deer_graph *g, deer_node x) { return add1(g, &deer_op_sqrt, x); }
deer_node deer_square(deer_graph *g, deer_node x) { return add1(g, &deer_op_square, x); }
deer_node deer_tanh(deer_graph *g, deer_node x) { return add1(g, &deer_op_tanh, x); }
deer_node deer_sigmoid(deer_graph *g, deer_node x) { return add1(g, &deer_op_sigmoid, x); }
deer_node deer_sin(deer_graph *g, deer_node x) { return add1(g, &deer_op_sin, x); }
deer_node deer_cos(deer_graph *g, deer_node x) { return add1(g, &deer_op_cos, x); }
deer_node deer_expm1(deer_graph *g, deer_node x) { return add1(g, &deer_op_expm1, x); }
deer_node deer_log1p(deer_graph *g, deer_node x) { return add1(g, &deer_op_log1p, x); }
deer_node deer_relu(deer_graph *g, deer_node x) { return add1(g, &deer_op_relu, x); }
deer_node deer_cast(deer_graph *g, deer_node x) { return add1(g, &deer_op_cast, x); }

/* c (x - c / 2) with c = x clipped to the threshold: x^2 / 2 inside, t (|x| - t / 2) outside,
 * gradient c */
deer_node deer_huber(deer_graph *g, deer_node x, double threshold) {
  if (!(threshold > 0) || !isfinite(threshold))
    return deer_graph_fail(g, "huber: the threshold must be a number above 0, got %g", threshold);
  const deer_node c = deer_clip(g, x, -threshold, threshold);
  return deer_mul(g, c, deer_sub(g, x, deer_scale(g, c, 0.5)));
}
