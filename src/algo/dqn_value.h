/* dqn_value.h: what a deep Q-network says about an action, its value or the distribution of its
 * return, and through which last layers. For dqn.c only. */
#ifndef DEER_DQN_VALUE_H
#define DEER_DQN_VALUE_H

#include "deer.h"

enum { DEER_DQN_VALUES, DEER_DQN_CATEGORICAL, DEER_DQN_QUANTILE };

/* Options. Dueling networks: Wang et al. 2016, arXiv:1511.06581. Noisy networks: Fortunato et al.
 * 2018, arXiv:1706.10295. Categorical distributions: Bellemare, Dabney and Munos 2017,
 * arXiv:1707.06887. Quantiles: Dabney et al. 2018, arXiv:1710.10044. */
typedef struct deer_dqn_value {
  int distribution;
  int64_t atoms, dueling_hidden;
  double v_min, v_max, noisy_sigma;
  bool dueling, noisy;
} deer_dqn_value;

/* The network of `spec` with the last layers that the options ask for. Fails with the message of an
 * option that contradicts another or the spec. */
deer_status deer_dqn_value_net(const deer_dqn_value *v, const deer_net_spec *spec,
                               const deer_space *space, deer_net **net);

/* The expected value of every action, [batch, actions], from what the network says: that itself, or
 * [batch, actions, atoms]. */
deer_node deer_dqn_value_mean(const deer_dqn_value *v, deer_graph *g, deer_node said);

/* What an update looks at. `tm1` is what the network says about s_tm1, `t` what the target network
 * says about s_t, where the action a_t (int32 [batch]) is taken. */
typedef struct deer_dqn_step {
  const deer_transition *transition;
  deer_node tm1, t, a_t;
} deer_dqn_step;

/* The loss of each sample over distributions, [batch]. Categorical: the cross-entropy from the
 * projected distribution of r_t + discount_t Z_t. Quantile: deer_quantile_huber at `threshold`. */
deer_node deer_dqn_value_losses(const deer_dqn_value *v, deer_graph *g, const deer_dqn_step *step,
                                double threshold);

#endif
