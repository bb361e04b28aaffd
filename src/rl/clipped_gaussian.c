/* clipped_gaussian.c: a diagonal Gaussian of which only -1..1 is left: actions as an actuator with
 * bounds carries them out. */
#include "rl/internal.h"

#include <math.h>

/* log(erfc(z) exp(z^2) / t), z >= 0, as a polynomial of t = 1 / (1 + z / 2): a Chebyshev fit, off
 * by 1.3e-9 at most; the highest power first */
static const double log_tail[] = {
    0.17739250482128236792,   -1.0990908345282022631,  2.8124974890009815861,
    -3.7077934361193274752,   2.5037098797641439762,   -0.74012631552580272138,
    0.18269988797733067433,   -0.08486187167321384066, -0.15307626229058977069,
    -0.083991826101845188126, 0.083144539334678794887, 0.37500851019978920212,
    0.99999985952214932923,   -1.2655121231214337855};

/* log of the probability that a standard normal number is below x. The tail on the nearer side is
 * worked out by its logarithm, so nothing underflows or cancels. */
static deer_node log_below(deer_graph *g, deer_node x) {
  const deer_shape shape = deer_node_shape(g, x);
  const deer_node one = deer_constant(g, shape, 1), z = deer_scale(g, deer_abs(g, x), sqrt(0.5));
  const deer_node t = deer_div(g, one, deer_shift(g, deer_scale(g, z, 0.5), 1));
  deer_node sum = deer_constant(g, shape, log_tail[0]);
  for (size_t i = 1; i < sizeof log_tail / sizeof *log_tail; i++)
    sum = deer_shift(g, deer_mul(g, sum, t), log_tail[i]);
  sum = deer_add(g, sum, deer_log(g, t));
  const deer_node tail = deer_shift(g, deer_sub(g, sum, deer_square(g, z)), -log(2.0));
  const deer_node rest = deer_log1p(g, deer_neg(g, deer_exp(g, tail)));
  return deer_where(g, deer_less(g, x, deer_constant(g, shape, 0)), tail, rest);
}

deer_node deer_clipped_gaussian_sample(deer_graph *g, deer_node mean, deer_node log_std,
                                       deer_node noise) {
  return deer_clip(g, deer_gaussian_sample(g, mean, log_std, noise), -1, 1);
}

deer_node deer_clipped_gaussian_log_prob(deer_graph *g, deer_node mean, deer_node log_std,
                                         deer_node action) {
  const deer_node end = deer_constant(g, deer_node_shape(g, action), 1 - 1e-6);
  const deer_node high = deer_greater_equal(g, action, end);
  const deer_node outside = deer_greater_equal(g, deer_abs(g, action), end);
  const deer_node precision = deer_exp(g, deer_neg(g, log_std));
  const deer_node z = deer_mul(g, deer_sub(g, action, mean), precision);
  const deer_node inside = deer_sub(g, deer_scale(g, deer_square(g, z), -0.5), log_std);
  /* beyond 1 lies what is below -z, beyond -1 what is below z */
  const deer_node beyond = log_below(g, deer_where(g, high, deer_neg(g, z), z));
  return sum_last(g, deer_where(g, outside, beyond, deer_shift(g, inside, -DEER_HALF_LOG_TAU)));
}
