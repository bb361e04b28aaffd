/* rl.h: the formulas of reinforcement learning as pure functions from nodes to nodes, one per
 * formula of a paper.
 *
 * Names carry the time index of Sutton and Barto: in state s_tm1 the action a_tm1 was taken; it led
 * to the reward r_t and the state s_t. q_tm1 [batch, actions] are the values of s_tm1, q_t those of
 * s_t. discount_t [batch] is gamma, and 0 where s_t is terminal; a truncation keeps its discount.
 */
#ifndef DEER_RL_H
#define DEER_RL_H

#include "env/env.h"
#include "graph/graph.h"

/* What was observed between s_tm1 and s_t. */
typedef struct deer_transition {
  deer_node a_tm1;      /* int32 [batch], where actions are discrete */
  deer_node r_t;        /* [batch] */
  deer_node discount_t; /* [batch] */
} deer_transition;

/* Temporal-difference error of Q-learning, [batch]:
 *   r_t + discount_t q_t[argmax_a selector_t] - q_tm1[a_tm1].
 * With selector_t = q_t: Watkins 1989; Mnih et al. 2015. With q_t of a target network and
 * selector_t of the online one: Double Q-learning, van Hasselt, Guez and Silver 2016,
 * arXiv:1509.06461. No gradient passes through the target. */
deer_node deer_q_learning(deer_graph *g, deer_node q_tm1, const deer_transition *transition,
                          deer_node q_t, deer_node selector_t);

/* What a value of s_tm1 should have been: r_t + discount_t v_t, [batch]. No gradient passes. */
deer_node deer_td_target(deer_graph *g, const deer_transition *transition, deer_node v_t);

/* ---- distributional.c: learning the distribution of returns ---- */

/* Quantile regression with the loss of Huber, [batch]: summed over the n quantiles, mean over the m
 * targets. quantiles [batch, n] are what the network says; taus [batch, n], in (0, 1), say of which
 * probabilities, DEER_NONE for the midpoints (2 i + 1) / (2 n); targets [batch, m]. With the error
 * u = target - quantile:
 *   |tau - (u < 0)| huber(u, threshold) / threshold.
 * threshold >= 0; at 0 the loss is |tau - (u < 0)| |u|. No gradient passes through targets and
 * taus. Dabney et al. 2018 (QR-DQN, arXiv:1710.10044; divided by the threshold as in IQN,
 * arXiv:1806.06923). */
deer_node deer_quantile_huber(deer_graph *g, deer_node quantiles, deer_node taus, deer_node targets,
                              double threshold);

/* Where the return may lie: `atoms` >= 2 values evenly from low to high. */
typedef struct deer_support {
  double low, high;
  int atoms;
} deer_support;

/* The values of the atoms, [atoms]. */
deer_node deer_support_values(deer_graph *g, const deer_support *support);

/* The distribution of r_t + discount_t z_t on the atoms, [batch, atoms], where z_t has the
 * probabilities p_t [batch, atoms] on the same atoms: what falls between two atoms is shared out,
 * what falls outside goes to the end. r_t and discount_t [batch]. No gradient. Bellemare, Dabney
 * and Munos 2017 (C51, arXiv:1707.06887, algorithm 1). */
deer_node deer_categorical_projection(deer_graph *g, const deer_support *support, deer_node r_t,
                                      deer_node discount_t, deer_node p_t);

/* ---- actor_critic.c: continuous actions, from -1 to 1 ---- */

/* The smaller of two estimates of the same values, against overestimation. Fujimoto, van Hoof and
 * Meger 2018, arXiv:1802.09477. */
deer_node deer_clipped_double_q(deer_graph *g, deer_node q_1, deer_node q_2);

/* Target policy smoothing, of the same paper: clip(action + clip(noise, -limit, limit), -1, 1). */
deer_node deer_smoothed_action(deer_graph *g, deer_node action, deer_node noise, double limit);

/* The value of a state whose action was drawn with log-probability log_prob and is worth q, if
 * entropy is worth alpha (a scalar): q - alpha log_prob, [batch]. Haarnoja et al. 2018,
 * arXiv:1812.05905, equation 3. */
deer_node deer_soft_value(deer_graph *g, deer_node q, deer_node log_prob, deer_node alpha);

/* The loss of log alpha (a scalar), whose descent makes the entropy reach target_entropy:
 * -alpha mean(log_prob + target_entropy). Same paper, equation 18. */
deer_node deer_temperature_loss(deer_graph *g, deer_node log_alpha, deer_node log_prob,
                                double target_entropy);

/* ---- policy.c: policy gradients; losses, to be averaged over the batch ----
 * log_prob [batch] is log pi(a_tm1 | s_tm1), log_prob_old the same before the update, advantage
 * [batch] how much better than expected a_tm1 was. Gradients pass through log_prob, v and entropy
 * alone. */

/* -log_prob advantage, [batch]. Williams 1992; Sutton et al. 2000; Mnih et al. 2016. */
deer_node deer_policy_gradient(deer_graph *g, deer_node log_prob, deer_node advantage);

/* With ratio = exp(log_prob - log_prob_old), [batch]:
 *   -min(ratio advantage, clip(ratio, 1 - clip, 1 + clip) advantage).
 * Schulman et al. 2017, arXiv:1707.06347, equation 7. */
deer_node deer_ppo_surrogate(deer_graph *g, deer_node log_prob, deer_node log_prob_old,
                             deer_node advantage, double clip);

/* The larger of (v - target)^2 / 2 and the same for v no farther than `clip` from v_old, [batch];
 * the former alone when clip is 0. Not in the paper, but in its authors' program: Engstrom et al.
 * 2020, arXiv:2005.12729, section 3. */
deer_node deer_clipped_value_loss(deer_graph *g, deer_node v, deer_node v_old, deer_node target,
                                  double clip);

/* loss - weight entropy, [batch]: chance is worth something. Williams and Peng 1991; Mnih et al.
 * 2016. */
deer_node deer_entropy_bonus(deer_graph *g, deer_node loss, deer_node entropy, double weight);

/* exp(d) - 1 - d with d = log_prob - log_prob_old, [batch]: its mean over actions of the old policy
 * is the divergence KL(old, new), and no term of it is negative. Schulman 2020, "Approximating KL
 * divergence". */
deer_node deer_approximate_kl(deer_graph *g, deer_node log_prob, deer_node log_prob_old);

/* ---- gae.c ---- */

/* `n` steps of one environment in the order of time, through any number of episodes. All [n]. */
typedef struct deer_trajectory {
  int64_t n;
  const deer_real *r_t, *v_tm1;
  const deer_ending *ending; /* of the state that the step led to */
  const deer_real *v_cut; /* the value of that state; read where the step was truncated, and at the
                             last one, unless it is terminal */
} deer_trajectory;

/* Generalised advantage estimation. With delta_i = r_t + discount v_t - v_tm1, where v_t is the
 * value of the state that step i led to, 0 if that is terminal:
 *   advantage_i = delta_i + discount lambda advantage_(i+1),
 * where nothing follows on the last step of an episode. With lambda 1: what was earned from step i
 * on, with a bootstrap where the episode was cut, less v_tm1. Schulman et al. 2016,
 * arXiv:1506.02438, equation 16. */
void deer_gae(const deer_trajectory *steps, double discount, double lambda, deer_real *advantage);

#endif
