/* binary.c: elementwise ops of two or three operands of equal shape. A NaN operand gives NaN,
 * except where said. */
#include "graph/map.h"
#include "graph/op/internal.h"

static void add_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  (void)g, (void)self;
  gx[0] = gx[1] = gy;
}

static void sub_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  (void)self;
  gx[0] = gy;
  gx[1] = deer_neg(g, gy);
}

static void mul_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  gx[0] = deer_mul(g, gy, deer_node_input(g, self, 1));
  gx[1] = deer_mul(g, gy, deer_node_input(g, self, 0));
}

static void div_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  gx[0] = deer_div(g, gy, deer_node_input(g, self, 1));
  gx[1] = deer_neg(g, deer_mul(g, gx[0], self));
}

/* the operand that was not chosen gets zero; where they are equal, a is chosen */
static void choice_grad(deer_graph *g, deer_node b_wins, deer_node gy, deer_node *gx) {
  deer_node zeros = zeros_like(g, gy);
  gx[0] = deer_where(g, b_wins, zeros, gy);
  gx[1] = deer_where(g, b_wins, gy, zeros);
}

static void min_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  deer_node a = deer_node_input(g, self, 0), b = deer_node_input(g, self, 1);
  choice_grad(g, deer_greater(g, a, b), gy, gx);
}

static void max_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  deer_node a = deer_node_input(g, self, 0), b = deer_node_input(g, self, 1);
  choice_grad(g, deer_greater(g, b, a), gy, gx);
}

/* b a^(b - 1), and a^b log a, which is taken as 0 where a is not above 0 */
static void pow_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_node a = deer_node_input(g, self, 0), b = deer_node_input(g, self, 1);
  const deer_node ones = deer_constant(g, deer_node_shape(g, a), 1);
  const deer_node positive = deer_where(g, deer_greater(g, a, zeros_like(g, a)), a, ones);
  gx[0] = deer_mul(g, gy, deer_mul(g, b, deer_pow(g, a, deer_shift(g, b, -1))));
  gx[1] = deer_mul(g, gy, deer_mul(g, self, deer_log(g, positive)));
}

static void where_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  deer_node condition = deer_node_input(g, self, 0), zeros = zeros_like(g, gy);
  gx[1] = deer_where(g, condition, gy, zeros);
  gx[2] = deer_where(g, condition, zeros, gy);
}

const deer_op deer_op_add = {DEER_ELEMENTWISE(add, 2), .grad = add_grad};
const deer_op deer_op_sub = {DEER_ELEMENTWISE(sub, 2), .grad = sub_grad};
const deer_op deer_op_mul = {DEER_ELEMENTWISE(mul, 2), .grad = mul_grad};
const deer_op deer_op_div = {DEER_ELEMENTWISE(div, 2), .grad = div_grad};
const deer_op deer_op_min = {DEER_ELEMENTWISE(min, 2), .grad = min_grad};
const deer_op deer_op_max = {DEER_ELEMENTWISE(max, 2), .grad = max_grad};
/* with a NaN on either side: 0 */
const deer_op deer_op_greater = {DEER_ELEMENTWISE(greater, 2)};
const deer_op deer_op_greater_equal = {DEER_ELEMENTWISE(greater_equal, 2)};
const deer_op deer_op_equal = {DEER_ELEMENTWISE(equal, 2)};
const deer_op deer_op_pow = {DEER_ELEMENTWISE(pow, 2), .grad = pow_grad};
/* a NaN condition is not 0 and chooses a; the operand not chosen may be NaN */
const deer_op deer_op_where = {DEER_ELEMENTWISE(where, 3), .grad = where_grad};

static deer_node add2(deer_graph *g, const deer_op *op, deer_node a, deer_node b) {
  const deer_node in[] = {a, b};
  return deer_graph_add(g, op, in, 2, NULL);
}

deer_node deer_add(deer_graph *g, deer_node a, deer_node b) { return add2(g, &deer_op_add, a, b); }
deer_node deer_sub(deer_graph *g, deer_node a, deer_node b) { return add2(g, &deer_op_sub, a, b); }
deer_node deer_mul(deer_graph *g, deer_node a, deer_node b) { return add2(g, &deer_op_mul, a, b); }
deer_node deer_div(deer_graph *g, deer_node a, deer_node b) { return add2(g, &deer_op_div, a, b); }
deer_node deer_min(deer_graph *g, deer_node a, deer_node b) { return add2(g, &deer_op_min, a, b); }
deer_node deer_max(deer_graph *g, deer_node a, deer_node b) { return add2(g, &deer_op_max, a, b); }

deer_node deer_greater(deer_graph *g, deer_node a, deer_node b) {
  return add2(g, &deer_op_greater, a, b);
}

deer_node deer_less(deer_graph *g, deer_node a, deer_node b) { return deer_greater(g, b, a); }

deer_node deer_greater_equal(deer_graph *g, deer_node a, deer_node b) {
  return add2(g, &deer_op_greater_equal, a, b);
}

deer_node deer_less_equal(deer_graph *g, deer_node a, deer_node b) {
  return deer_greater_equal(g, b, a);
}

deer_node deer_equal(deer_graph *g, deer_node a, deer_node b) {
  return add2(g, &deer_op_equal, a, b);
}

deer_node deer_pow(deer_graph *g, deer_node a, deer_node b) { return add2(g, &deer_op_pow, a, b); }

deer_node deer_power(deer_graph *g, deer_node x, double exponent) {
  if (exponent == 1) return x;
  if (exponent == 2) return deer_square(g, x);
  if (exponent == 0.5) return deer_sqrt(g, x);
  const deer_shape shape = deer_node_shape(g, x);
  if (exponent == -1) return deer_div(g, deer_constant(g, shape, 1), x);
  return deer_pow(g, x, deer_constant(g, shape, exponent));
}

deer_node deer_where(deer_graph *g, deer_node condition, deer_node a, deer_node b) {
  const deer_node in[] = {condition, a, b};
  return deer_graph_add(g, &deer_op_where, in, 3, NULL);
}
