/* policy.c: what policy gradients descend, a loss for each sample. */
#include "rl/rl.h"

deer_node deer_policy_gradient(deer_graph *g, deer_node log_prob, deer_node advantage) {
  return deer_neg(g, deer_mul(g, log_prob, deer_stop(g, advantage)));
}

deer_node deer_ppo_surrogate(deer_graph *g, deer_node log_prob, deer_node log_prob_old,
                             deer_node advantage, double clip) {
  deer_node ratio = deer_exp(g, deer_sub(g, log_prob, deer_stop(g, log_prob_old)));
  deer_node near = deer_clip(g, ratio, 1 - clip, 1 + clip), a = deer_stop(g, advantage);
  return deer_neg(g, deer_min(g, deer_mul(g, ratio, a), deer_mul(g, near, a)));
}

static deer_node half_square(deer_graph *g, deer_node v, deer_node target) {
  return deer_scale(g, deer_square(g, deer_sub(g, v, target)), 0.5);
}

deer_node deer_clipped_value_loss(deer_graph *g, deer_node v, deer_node v_old, deer_node target,
                                  double clip) {
  target = deer_stop(g, target);
  deer_node plain = half_square(g, v, target);
  if (clip <= 0) return plain;
  v_old = deer_stop(g, v_old);
  deer_node near = deer_add(g, v_old, deer_clip(g, deer_sub(g, v, v_old), -clip, clip));
  return deer_max(g, plain, half_square(g, near, target));
}

deer_node deer_entropy_bonus(deer_graph *g, deer_node loss, deer_node entropy, double weight) {
  return weight == 0 ? loss : deer_sub(g, loss, deer_scale(g, entropy, weight));
}

/* expm1, since r - 1 - log r of a ratio near 1 would cancel */
deer_node deer_approximate_kl(deer_graph *g, deer_node log_prob, deer_node log_prob_old) {
  deer_node log_ratio = deer_sub(g, log_prob, log_prob_old);
  return deer_sub(g, deer_expm1(g, log_ratio), log_ratio);
}
