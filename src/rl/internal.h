/* internal.h: what the distributions share. For files of this folder. */
#ifndef DEER_RL_INTERNAL_H
#define DEER_RL_INTERNAL_H

#include "rl/distribution.h"

#define DEER_HALF_LOG_TAU 0.91893853320467274178 /* log(2 pi) / 2 */

/* Sum over the last axis; x itself when it is a scalar. */
static inline deer_node sum_last(deer_graph *g, deer_node x) {
  const int rank = deer_node_shape(g, x).rank;
  return rank ? deer_sum(g, x, DEER_AXIS(rank - 1)) : x;
}

/* Length of the last axis; 1 for a scalar. */
static inline int last_dim(const deer_graph *g, deer_node x) {
  const deer_shape shape = deer_node_shape(g, x);
  return shape.rank ? shape.dim[shape.rank - 1] : 1;
}

/* log(1 + exp(x)) without overflow. */
static inline deer_node softplus(deer_graph *g, deer_node x) {
  const deer_node rest = deer_exp(g, deer_neg(g, deer_abs(g, x)));
  return deer_add(g, deer_relu(g, x), deer_log(g, deer_shift(g, rest, 1)));
}

#endif
