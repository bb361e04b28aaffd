/* beta.c: n independent numbers in (0, 1), with densities
 * x^(alpha - 1) (1 - x)^(beta - 1) / B(alpha, beta). */
#include "rl/internal.h"

deer_node deer_beta_sample(deer_graph *g, deer_node alpha, deer_node beta, deer_rng *stream) {
  const deer_node x = deer_random_gamma(g, stream, alpha), y = deer_random_gamma(g, stream, beta);
  return deer_clip(g, deer_div(g, x, deer_add(g, x, y)), 1e-6, 1 - 1e-6);
}

/* log B(alpha, beta) = log gamma(alpha) + log gamma(beta) - log gamma(alpha + beta) */
static deer_node log_beta(deer_graph *g, deer_node alpha, deer_node beta) {
  const deer_node parts = deer_add(g, deer_lgamma(g, alpha), deer_lgamma(g, beta));
  return deer_sub(g, parts, deer_lgamma(g, deer_add(g, alpha, beta)));
}

deer_node deer_beta_log_prob(deer_graph *g, deer_node alpha, deer_node beta, deer_node action) {
  const deer_node log_x = deer_log(g, action);
  const deer_node log_rest = deer_log(g, deer_shift(g, deer_neg(g, action), 1));
  const deer_node part = deer_add(g, deer_mul(g, deer_shift(g, alpha, -1), log_x),
                                  deer_mul(g, deer_shift(g, beta, -1), log_rest));
  return sum_last(g, deer_sub(g, part, log_beta(g, alpha, beta)));
}

static deer_node digamma(deer_graph *g, deer_node x) { return deer_polygamma(g, x, 0); }

/* The mean of log x under (alpha, beta) is digamma(alpha) - digamma(alpha + beta). With it: */

/* log B - (alpha - 1) mean(log x) - (beta - 1) mean(log(1 - x)) */
deer_node deer_beta_entropy(deer_graph *g, deer_node alpha, deer_node beta) {
  const deer_node whole = digamma(g, deer_add(g, alpha, beta));
  const deer_node log_x = deer_sub(g, digamma(g, alpha), whole);
  const deer_node log_rest = deer_sub(g, digamma(g, beta), whole);
  const deer_node part = deer_add(g, deer_mul(g, deer_shift(g, alpha, -1), log_x),
                                  deer_mul(g, deer_shift(g, beta, -1), log_rest));
  return sum_last(g, deer_sub(g, log_beta(g, alpha, beta), part));
}

/* log B_q - log B_p + (alpha_p - alpha_q) mean(log x) + (beta_p - beta_q) mean(log(1 - x)) */
deer_node deer_beta_kl(deer_graph *g, deer_node alpha_p, deer_node beta_p, deer_node alpha_q,
                       deer_node beta_q) {
  const deer_node whole = digamma(g, deer_add(g, alpha_p, beta_p));
  const deer_node log_x = deer_sub(g, digamma(g, alpha_p), whole);
  const deer_node log_rest = deer_sub(g, digamma(g, beta_p), whole);
  const deer_node part = deer_add(g, deer_mul(g, deer_sub(g, alpha_p, alpha_q), log_x),
                                  deer_mul(g, deer_sub(g, beta_p, beta_q), log_rest));
  const deer_node logs = deer_sub(g, log_beta(g, alpha_q, beta_q), log_beta(g, alpha_p, beta_p));
  return sum_last(g, deer_add(g, logs, part));
}

deer_node deer_beta_mode(deer_graph *g, deer_node alpha, deer_node beta) {
  return deer_div(g, deer_shift(g, alpha, -1), deer_shift(g, deer_add(g, alpha, beta), -2));
}
