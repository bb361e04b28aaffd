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
  deer_node a_tm1;      /* int32 [batch] */
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

#endif
