/* squashed.c: the tanh of a diagonal Gaussian, as in the soft actor-critic. */
#include "rl/internal.h"

#include <math.h>

/* log(1 - tanh(u)^2) = log 4 - 2 |u| - 2 log(1 + exp(-2 |u|)): no cancelling, no overflow */
static deer_node log_slope(deer_graph *g, deer_node u) {
  const deer_node size = deer_abs(g, u);
  const deer_node rest = deer_log(g, deer_shift(g, deer_exp(g, deer_scale(g, size, -2)), 1));
  return deer_shift(g, deer_scale(g, deer_add(g, size, rest), -2), 2 * log(2.0));
}

deer_squashed deer_squashed_gaussian_sample(deer_graph *g, deer_node mean, deer_node log_std,
                                            deer_node noise) {
  const deer_node u = deer_gaussian_sample(g, mean, log_std, noise);
  /* (u - mean) / std is the noise itself */
  const deer_node gaussian = deer_sub(g, deer_scale(g, deer_square(g, noise), -0.5), log_std);
  const deer_node density =
      deer_shift(g, deer_sub(g, gaussian, log_slope(g, u)), -DEER_HALF_LOG_TAU);
  return (deer_squashed){deer_tanh(g, u), sum_last(g, density)};
}

deer_node deer_squashed_gaussian_log_prob(deer_graph *g, deer_node mean, deer_node log_std,
                                          deer_node action) {
  /* u = atanh(action) */
  const deer_node a = deer_clip(g, action, -1 + 1e-6, 1 - 1e-6);
  const deer_node ratio = deer_div(g, deer_shift(g, a, 1), deer_shift(g, deer_neg(g, a), 1));
  const deer_node u = deer_scale(g, deer_log(g, ratio), 0.5);
  return deer_sub(g, deer_gaussian_log_prob(g, mean, log_std, u), sum_last(g, log_slope(g, u)));
}
