/* bernoulli.c: n coins. With logit l heads has probability p = sigmoid(l), and
 * log p = l - softplus(l), log(1 - p) = -softplus(l). */
#include "rl/internal.h"

deer_node deer_bernoulli_sample(deer_graph *g, deer_node logits, deer_node noise) {
  return deer_greater(g, deer_sigmoid(g, logits), noise);
}

deer_node deer_bernoulli_log_prob(deer_graph *g, deer_node logits, deer_node action) {
  return sum_last(g, deer_sub(g, deer_mul(g, action, logits), softplus(g, logits)));
}

deer_node deer_bernoulli_entropy(deer_graph *g, deer_node logits) {
  const deer_node p = deer_sigmoid(g, logits);
  return sum_last(g, deer_sub(g, softplus(g, logits), deer_mul(g, p, logits)));
}

deer_node deer_bernoulli_kl(deer_graph *g, deer_node logits_p, deer_node logits_q) {
  const deer_node p = deer_sigmoid(g, logits_p);
  const deer_node ratio = deer_mul(g, p, deer_sub(g, logits_p, logits_q));
  const deer_node rest = deer_sub(g, softplus(g, logits_q), softplus(g, logits_p));
  return sum_last(g, deer_add(g, ratio, rest));
}

deer_node deer_bernoulli_mode(deer_graph *g, deer_node logits) {
  return deer_greater(g, logits, deer_constant(g, deer_node_shape(g, logits), 0));
}
