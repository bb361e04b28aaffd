/* reward_scale.h: rewards in units of the deviation of returns, which is estimated as they come.
 * Engstrom et al. 2020, arXiv:2005.12729, algorithm 1; they are not shifted. */
#ifndef DEER_REWARD_SCALE_H
#define DEER_REWARD_SCALE_H

#include "graph/graph.h"

typedef struct deer_reward_scale deer_reward_scale;

deer_status deer_reward_scale_new(deer_reward_scale **scale); /* DEER_ENOMEM */
void deer_reward_scale_free(deer_reward_scale *scale);

/* Counts the reward of a step in environment `lane`, whose return so far is multiplied by
 * `discount`; `over` ends the return. DEER_ENOMEM, at the first reward of a lane only. */
typedef struct deer_reward_step {
  int lane;
  double reward, discount;
  bool over;
} deer_reward_step;
deer_status deer_reward_scale_count(deer_reward_scale *scale, const deer_reward_step *step);

/* What rewards are divided by from now on is the deviation of all returns that were counted. */
void deer_reward_scale_publish(deer_reward_scale *scale);

/* One by what rewards are divided by; 1 until the first publish. */
double deer_reward_scale_factor(const deer_reward_scale *scale);

/* r_t [batch] times the factor at each run; the scale outlives the programs. */
deer_node deer_scale_rewards(deer_reward_scale *scale, deer_graph *g, deer_node r_t);

/* Calls visit for what is published (count, mean and deviation of returns, [3]), as
 * deer_normalizer_visit does. */
void deer_reward_scale_visit(deer_reward_scale *scale, void *context,
                             void (*visit)(void *context, const char *name, const deer_shape *shape,
                                           deer_real *data));

#endif
