/* squashed.c: the tanh of a diagonal Gaussian, as in the soft actor-critic. */
#include "rl/distribution.h"

#include <math.h>

/* log(1 - tanh(u)^2) = log 4 - 2 |u| - 2 log(1 + exp(-2 |u|)), which neither cancels nor overflows
 */
static deer_node log_slope(deer_graph *g, deer_node u) {
  deer_node size = deer_abs(g, u);
  deer_node rest = deer_log(g, deer_shift(g, deer_exp(g, deer_scale(g, size, -2)), 1));
  return deer_shift(g, deer_scale(g, deer_add(g, size, rest), -2), 2 * log(2.0));
}

deer_squashed deer_squashed_gaussian_sample(deer_graph *g, deer_node mean, deer_node log_std,
                                            deer_node noise) {
  const double half_log_tau = 0.5 * log(2 * acos(-1.0));
  deer_node u = deer_add(g, mean, deer_mul(g, deer_exp(g, log_std), noise));
  /* (u - mean) / std is the noise itself */
  deer_node gaussian = deer_sub(g, deer_scale(g, deer_square(g, noise), -0.5), log_std);
  deer_node density = deer_shift(g, deer_sub(g, gaussian, log_slope(g, u)), -half_log_tau);
  return (deer_squashed){deer_tanh(g, u), deer_sum(g, density, DEER_AXIS(1))};
}
