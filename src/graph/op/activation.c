/* activation.c: nonlinearities of networks beyond tanh, sigmoid and ReLU. Those made of others cost
 * little more than a kernel of their own, because they run as one chain. */
#include "graph/map.h"
#include "graph/op/internal.h"

#include <math.h>

/* real[0] is the slope, or what the function falls to */
static deer_status setting_shape(deer_step *step) {
  if (!isfinite(step->attr->real[0]))
    return deer_fail(DEER_EINVAL, "needs a finite number, got %g", step->attr->real[0]);
  return check_dtype(step, 0, DEER_DTYPE_REAL);
}

static deer_node is_positive(deer_graph *g, deer_node x) {
  return deer_greater(g, x, zeros_like(g, x));
}

static void leaky_relu_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_node low = deer_scale(g, gy, deer_node_attr(g, self)->real[0]);
  gx[0] = deer_where(g, is_positive(g, deer_node_input(g, self, 0)), gy, low);
}

/* left of 0 the derivative of alpha (e^x - 1) is the function itself plus alpha */
static void elu_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_node slope = deer_shift(g, self, deer_node_attr(g, self)->real[0]);
  gx[0] = deer_where(g, is_positive(g, deer_node_input(g, self, 0)), gy, deer_mul(g, gy, slope));
}

static void softplus_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  gx[0] = deer_mul(g, gy, deer_sigmoid(g, deer_node_input(g, self, 0)));
}

const deer_op deer_op_leaky_relu = {DEER_ELEMENTWISE(leaky_relu, 1), .shape = setting_shape,
                                    .grad = leaky_relu_grad};
const deer_op deer_op_elu = {DEER_ELEMENTWISE(elu, 1), .shape = setting_shape, .grad = elu_grad};
const deer_op deer_op_softplus = {DEER_ELEMENTWISE(softplus, 1), .grad = softplus_grad};

deer_node deer_leaky_relu(deer_graph *g, deer_node x, double slope) {
  return deer_graph_add(g, &deer_op_leaky_relu, &x, 1, &(deer_attr){.real = {slope}});
}

deer_node deer_elu(deer_graph *g, deer_node x, double alpha) {
  return deer_graph_add(g, &deer_op_elu, &x, 1, &(deer_attr){.real = {alpha}});
}

deer_node deer_softplus(deer_graph *g, deer_node x) {
  return deer_graph_add(g, &deer_op_softplus, &x, 1, NULL);
}

deer_node deer_selu(deer_graph *g, deer_node x) {
  return deer_scale(g, deer_elu(g, x, 1.6732632423543772848), 1.0507009873554804934);
}

deer_node deer_gelu(deer_graph *g, deer_node x) {
  const double c = 0.79788456080286535588; /* sqrt(2 / pi) */
  const deer_node slope = deer_shift(g, deer_scale(g, deer_square(g, x), 0.044715 * c), c);
  const deer_node t = deer_tanh(g, deer_mul(g, x, slope));
  return deer_mul(g, deer_scale(g, x, 0.5), deer_shift(g, t, 1));
}

deer_node deer_swish(deer_graph *g, deer_node x) { return deer_mul(g, x, deer_sigmoid(g, x)); }

deer_node deer_hard_swish(deer_graph *g, deer_node x) {
  const deer_node gate = deer_scale(g, deer_clip(g, deer_shift(g, x, 3), 0, 6), 1.0 / 6);
  return deer_mul(g, x, gate);
}
