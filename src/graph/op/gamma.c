/* gamma.c: the logarithm of the gamma function, its derivatives, and draws from the gamma
 * distribution. Arguments below a bound are moved up by the recurrence, where Stirling's series
 * with Bernoulli numbers is accurate (Abramowitz and Stegun 6.1.40, 6.4.11). */
#include "graph/op/internal.h"

#include "tensor/fill.h"
#include "tensor/vectormath.h"

#define MOST_ORDER 16

/* B_2, B_4, ... */
static const double bernoulli[] = {1.0 / 6,  -1.0 / 30,     1.0 / 42, -1.0 / 30,
                                   5.0 / 66, -691.0 / 2730, 7.0 / 6,  -3617.0 / 510};
enum { TERMS = sizeof bernoulli / sizeof *bernoulli };

/* in the precision of the library, whose bits are the same everywhere */
static double log_of(double x) { return (double)DEER_LOG((deer_real)x); }

static double lgamma_of(double x) {
  if (!(x > 0)) return x == 0 ? INFINITY : NAN;
  double product = 1;
  for (; x < 8; x++) product *= x;
  const double half_log_tau = 0.91893853320467274178;
  double power = 1 / x, sum = 0;
  for (int k = 1; k <= TERMS; k++, power /= x * x)
    sum += bernoulli[k - 1] / (2 * k * (2 * k - 1)) * power;
  const double series = isinf(x) ? 0 : (x - 0.5) * log_of(x) - x;
  return (isinf(x) ? x : series + half_log_tau + sum) - log_of(product);
}

/* without the sign (-1)^(order + 1), for order >= 1 */
static double polygamma_part(double x, int order) {
  double factorial = 1, moved = 0;
  for (int i = 2; i <= order; i++) factorial *= i;
  for (; x < 12 + order; x++) {
    double power = x;
    for (int i = 0; i < order; i++) power *= x;
    moved += factorial / power;
  }
  double term = factorial / order; /* (2k + order - 1)! / (2k)! / x^(2k + order), from k = 0 */
  for (int i = 0; i < order; i++) term /= x;
  double sum = term + term * order / (2 * x);
  for (int k = 1; k <= TERMS; k++) {
    term *= (2 * k + order - 1.0) * (2 * k + order - 2.0) / (2 * k * (2 * k - 1) * x * x);
    sum += bernoulli[k - 1] * term;
  }
  return moved + sum;
}

static double digamma_of(double x) {
  double moved = 0;
  for (; x < 10; x++) moved -= 1 / x;
  double power = 1, sum = 0;
  for (int k = 1; k <= TERMS; k++) {
    power /= x * x;
    sum += bernoulli[k - 1] / (2 * k) * power;
  }
  return moved + log_of(x) - 0.5 / x - sum;
}

static double polygamma_of(double x, int order) {
  if (!(x > 0)) return NAN;
  if (order == 0) return digamma_of(x);
  return order % 2 ? polygamma_part(x, order) : -polygamma_part(x, order);
}

/* ---- ops ---- */

static void lgamma_run(const deer_step *step) {
  const size_t n = out_count(step);
  for (size_t i = 0; i < n; i++)
    out_real(step)[i] = (deer_real)lgamma_of((double)in_real(step, 0)[i]);
}

static void lgamma_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  gx[0] = deer_mul(g, gy, deer_polygamma(g, deer_node_input(g, self, 0), 0));
}

/* number[0] is the order */
static deer_status polygamma_shape(deer_step *step) {
  const int order = step->attr->number[0];
  if (order < 0 || order > MOST_ORDER)
    return deer_fail(DEER_EINVAL, "the order must be 0 to %d, got %d", MOST_ORDER, order);
  return check_dtype(step, 0, DEER_DTYPE_REAL);
}

static void polygamma_run(const deer_step *step) {
  const size_t n = out_count(step);
  const int order = step->attr->number[0];
  for (size_t i = 0; i < n; i++)
    out_real(step)[i] = (deer_real)polygamma_of((double)in_real(step, 0)[i], order);
}

static void polygamma_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const int order = deer_node_attr(g, self)->number[0];
  gx[0] = deer_mul(g, gy, deer_polygamma(g, deer_node_input(g, self, 0), order + 1));
}

static deer_status random_gamma_shape(deer_step *step) {
  if (!step->attr->stream) return deer_fail(DEER_EINVAL, "needs a stream, got NULL");
  return check_dtype(step, 0, DEER_DTYPE_REAL);
}

static void random_gamma_run(const deer_step *step) {
  deer_fill_gamma(step->attr->stream, in_real(step, 0), out_real(step), out_count(step));
}

const deer_op deer_op_lgamma = {
    .name = "lgamma", .n_inputs = 1, .run = lgamma_run, .grad = lgamma_grad};
const deer_op deer_op_polygamma = {.name = "polygamma",
                                   .n_inputs = 1,
                                   .shape = polygamma_shape,
                                   .run = polygamma_run,
                                   .grad = polygamma_grad};
const deer_op deer_op_random_gamma = {.name = "random_gamma",
                                      .n_inputs = 1,
                                      .stateful = true,
                                      .shape = random_gamma_shape,
                                      .run = random_gamma_run};

deer_node deer_lgamma(deer_graph *g, deer_node x) {
  return deer_graph_add(g, &deer_op_lgamma, &x, 1, NULL);
}

deer_node deer_polygamma(deer_graph *g, deer_node x, int order) {
  return deer_graph_add(g, &deer_op_polygamma, &x, 1, &(deer_attr){.number = {order}});
}

deer_node deer_random_gamma(deer_graph *g, deer_rng *stream, deer_node shape) {
  return deer_graph_add(g, &deer_op_random_gamma, &shape, 1, &(deer_attr){.stream = stream});
}
