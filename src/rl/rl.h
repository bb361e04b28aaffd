/* rl.h: the formulas of reinforcement learning as pure functions from nodes to nodes, one per
 * formula of a paper.
 *
 * Names carry the time index of Sutton and Barto: in state s_tm1 the action a_tm1 was taken; it led
 * to the reward r_t and the state s_t. q_tm1 [batch, actions] are the values of s_tm1, q_t those of
 * s_t. discount_t [batch] is gamma, and 0 where s_t is terminal; a truncation keeps its discount.
 */
#ifndef DEER_RL_H
#define DEER_RL_H

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

#endif
