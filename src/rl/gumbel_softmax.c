/* gumbel_softmax.c: points of the simplex that approach one-hot vectors as the temperature falls.
 */
#include "rl/internal.h"

#include <math.h>

static bool is_temperature(deer_graph *g, double temperature) {
  if (temperature > 0 && isfinite(temperature)) return true;
  deer_graph_fail(g, "gumbel softmax: the temperature must be a number above 0, got %g",
                  temperature);
  return false;
}

deer_node deer_gumbel_softmax_sample(deer_graph *g, deer_node logits, deer_node noise,
                                     double temperature, bool hard) {
  if (!is_temperature(g, temperature)) return DEER_NONE;
  const deer_node perturbed = deer_add(g, logits, noise);
  const int last = deer_node_shape(g, logits).rank - 1;
  const deer_node soft = deer_softmax(g, deer_scale(g, perturbed, 1 / temperature), last);
  if (!hard) return soft;
  const deer_node best = deer_argmax_last(g, perturbed);
  const deer_node one_hot = deer_one_hot(g, best, last_dim(g, logits));
  /* the difference is 0 but for its gradient */
  return deer_add(g, one_hot, deer_sub(g, soft, deer_stop(g, soft)));
}

/* log of (n - 1)! t^(n - 1) prod_k exp(l_k) y_k^(-t - 1) / (sum_i exp(l_i) y_i^-t)^n */
deer_node deer_gumbel_softmax_log_prob(deer_graph *g, deer_node logits, deer_node action,
                                       double temperature) {
  if (!is_temperature(g, temperature)) return DEER_NONE;
  const int last = deer_node_shape(g, logits).rank - 1, n = last_dim(g, logits);
  const deer_node log_y = deer_log(g, action);
  const deer_node score = deer_sub(g, logits, deer_scale(g, log_y, temperature));
  const deer_node product = sum_last(g, deer_sub(g, score, log_y));
  const deer_node power = deer_scale(g, deer_logsumexp(g, score, last), n);
  double constant = (n - 1) * log(temperature);
  for (int i = 2; i < n; i++) constant += log(i);
  return deer_shift(g, deer_sub(g, product, power), constant);
}
