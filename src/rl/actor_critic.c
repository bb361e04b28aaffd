/* actor_critic.c: formulas of the actor-critics with continuous actions. */
#include "rl/rl.h"

deer_node deer_clipped_double_q(deer_graph *g, deer_node q_1, deer_node q_2) {
  return deer_min(g, q_1, q_2);
}

deer_node deer_smoothed_action(deer_graph *g, deer_node action, deer_node noise, double limit) {
  deer_node moved = deer_add(g, action, deer_clip(g, noise, -limit, limit));
  return deer_clip(g, moved, -1, 1);
}

deer_node deer_soft_value(deer_graph *g, deer_node q, deer_node log_prob, deer_node alpha) {
  deer_node weight = deer_expand(g, alpha, deer_node_shape(g, log_prob), 0);
  return deer_sub(g, q, deer_mul(g, weight, log_prob));
}

deer_node deer_temperature_loss(deer_graph *g, deer_node log_alpha, deer_node log_prob,
                                double target_entropy) {
  deer_node missing = deer_shift(g, deer_mean(g, log_prob, DEER_ALL_AXES), target_entropy);
  return deer_neg(g, deer_mul(g, deer_exp(g, log_alpha), deer_stop(g, missing)));
}
