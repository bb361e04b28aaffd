/* actor.h: stochastic policies over any kind of action: what the last layer of a network says, as a
 * distribution. For files in algo/ only.
 *
 *   discrete        categorical, by logits
 *   multi-discrete  a categorical distribution for each choice
 *   continuous      a Gaussian clipped to the box (Fujita and Maeda 2018, arXiv:1802.07564); the
 *                   network says its mean, its deviation is the same in every state */
#ifndef DEER_ACTOR_H
#define DEER_ACTOR_H

#include "deer.h"

typedef struct deer_actor {
  const deer_action_space *actions;
  deer_node outputs; /* [batch, deer_actor_outputs] */
  deer_node log_std; /* [actions.size], of continuous actions, whose box is -1..1 here */
} deer_actor;

/* How wide the last layer is. */
int deer_actor_outputs(const deer_action_space *actions);

/* How many parameters a policy has beside those of the network: log_std. */
int deer_actor_parameters(const deer_action_space *actions);

/* An input for actions, and what a program is given there for `n` actions of the environment,
 * [n, actions.size]. */
deer_node deer_actor_input(const deer_action_space *actions, deer_graph *g, int batch);
void deer_actor_encode(const deer_action_space *actions, const deer_real *action, int n,
                       void *input);

/* The other way round: from the data of one of the nodes below to actions of the environment, which
 * lie in its space. */
void deer_actor_decode(const deer_action_space *actions, const void *data, int n,
                       deer_real *action);

/* What deer_algo_class.distribution says, from the outputs for one state and log_std. */
void deer_actor_tell(const deer_action_space *actions, const deer_real *outputs,
                     const deer_real *log_std, deer_real *numbers);

/* The likeliest action, and one that is drawn with numbers from `stream`. */
deer_node deer_actor_best(const deer_actor *actor, deer_graph *g);
deer_node deer_actor_drawn(const deer_actor *actor, deer_graph *g, deer_rng *stream);

/* [batch]; `action` as deer_actor_input has it. */
deer_node deer_actor_log_prob(const deer_actor *actor, deer_graph *g, deer_node action);
deer_node deer_actor_entropy(const deer_actor *actor, deer_graph *g);

#endif
