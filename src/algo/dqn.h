/* dqn.h: the parts of a deep Q-network, for dqn.c, which it lives in, and dqn_graph.c, which
 * describes what it computes. */
#ifndef DEER_DQN_H
#define DEER_DQN_H

#include "algo/dqn_value.h"

/* states in, the values of their actions out */
typedef struct deer_dqn_acting {
  int rows; /* states */
  bool noise;
  deer_program *program;
  void *state[DEER_MAX_SUBJECTS];
  const deer_real *values, *best_value;
  const int32_t *best;
} deer_dqn_acting;

enum { DEER_DQN_SKILLS = 8 }; /* at most */

typedef struct deer_dqn {
  deer_algo base;

  /* options */
  int64_t batch_size, freeze_interval, n_step;
  double learning_rate, discount, tau, rho, rms_epsilon, momentum, clip_delta;
  deer_clipping clipping;
  int update_rule, batch_accumulator;
  int64_t n_skills;
  bool double_q, epsilon_inside_sqrt;
  deer_dqn_value value;

  /* networks */
  deer_net *net;
  deer_real *online, *target;

  /* Earlier parameters of the network, kept for what it could do then: n_skills blocks, one behind
   * the other. Each adds to the loss of a sample the divergence of the softmax of the values of now
   * from its own, times a weight that is 0 until somebody sets both, as parameters (Li and Hoiem
   * 2016, arXiv:1606.09282). */
  deer_real *skills, skill_weight[DEER_DQN_SKILLS];
  deer_opt *opt;

  deer_dqn_acting act, explore;           /* without noise and, in noisy networks, with */
  deer_dqn_acting act_rows, explore_rows; /* the same in several states at once */

  /* one batch in, new parameters and the loss out */
  deer_program *update;
  deer_batch batch;
  int64_t *index; /* of the samples in it */
  const deer_real *update_loss, *update_losses, *update_td;
  deer_real rate, gamma; /* read by the update program */
} deer_dqn;

enum { DEER_DQN_SUM, DEER_DQN_MEAN, DEER_DQN_MEAN_OUTPUTS }; /* batch_accumulator */

/* Compiles a program that acts in so many states, in place of one for another number of them. */
deer_status deer_dqn_make_acting(deer_dqn *d, deer_dqn_acting *a, int rows, bool noise);

/* Compiles the program that updates. */
deer_status deer_dqn_make_update(deer_dqn *d);

#endif
