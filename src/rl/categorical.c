/* categorical.c: one of n things. */
#include "rl/internal.h"

deer_node deer_categorical_sample(deer_graph *g, deer_node logits, deer_node noise) {
  return deer_argmax_last(g, deer_add(g, logits, noise));
}

static deer_node logs_of(deer_graph *g, deer_node logits) {
  return deer_log_softmax(g, logits, deer_node_shape(g, logits).rank - 1);
}

deer_node deer_categorical_log_prob(deer_graph *g, deer_node logits, deer_node action) {
  return deer_gather(g, logs_of(g, logits), action);
}

deer_node deer_categorical_entropy(deer_graph *g, deer_node logits) {
  const deer_node logs = logs_of(g, logits);
  return deer_neg(g, sum_last(g, deer_mul(g, deer_exp(g, logs), logs)));
}

deer_node deer_categorical_kl(deer_graph *g, deer_node logits_p, deer_node logits_q) {
  const deer_node logs = logs_of(g, logits_p), ratio = deer_sub(g, logs, logs_of(g, logits_q));
  return sum_last(g, deer_mul(g, deer_exp(g, logs), ratio));
}

deer_node deer_categorical_mode(deer_graph *g, deer_node logits) {
  return deer_argmax_last(g, logits);
}
