/* gaussian.c: n independent normal numbers. */
#include "rl/internal.h"

deer_node deer_gaussian_sample(deer_graph *g, deer_node mean, deer_node log_std, deer_node noise) {
  return deer_add(g, mean, deer_mul(g, deer_exp(g, log_std), noise));
}

deer_node deer_gaussian_log_prob(deer_graph *g, deer_node mean, deer_node log_std,
                                 deer_node action) {
  const deer_node precision = deer_exp(g, deer_neg(g, log_std));
  const deer_node z = deer_mul(g, deer_sub(g, action, mean), precision);
  const deer_node part = deer_sub(g, deer_scale(g, deer_square(g, z), -0.5), log_std);
  return sum_last(g, deer_shift(g, part, -DEER_HALF_LOG_TAU));
}

deer_node deer_gaussian_entropy(deer_graph *g, deer_node log_std) {
  return sum_last(g, deer_shift(g, log_std, 0.5 + DEER_HALF_LOG_TAU));
}

/* with r = log(std_p / std_q): (exp(2 r) - 1 + ((mean_p - mean_q) / std_q)^2) / 2 - r */
deer_node deer_gaussian_kl(deer_graph *g, deer_node mean_p, deer_node log_std_p, deer_node mean_q,
                           deer_node log_std_q) {
  const deer_node r = deer_sub(g, log_std_p, log_std_q);
  const deer_node precision = deer_exp(g, deer_neg(g, log_std_q));
  const deer_node z = deer_mul(g, deer_sub(g, mean_p, mean_q), precision);
  const deer_node squares = deer_add(g, deer_exp(g, deer_scale(g, r, 2)), deer_square(g, z));
  return sum_last(g, deer_sub(g, deer_shift(g, deer_scale(g, squares, 0.5), -0.5), r));
}
