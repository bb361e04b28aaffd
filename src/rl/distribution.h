/* distribution.h: probability distributions over actions, from nodes to nodes; one file per family.
 * `noise` nodes are random numbers that do not depend on parameters, so gradients pass through a
 * sample wherever it is smooth (Kingma and Welling 2014, arXiv:1312.6114). */
#ifndef DEER_DISTRIBUTION_H
#define DEER_DISTRIBUTION_H

#include "graph/graph.h"

/* ---- squashed.c: tanh of a diagonal Gaussian ---- */

typedef struct deer_squashed {
  deer_node action;   /* [batch, n], in (-1, 1) */
  deer_node log_prob; /* [batch], summed over n */
} deer_squashed;

/* action = tanh(mean + exp(log_std) noise) and its log-density; mean, log_std and noise (standard
 * normal) are [batch, n]. log_std is taken as it is: the caller bounds it. The density stays finite
 * where tanh rounds to 1. Haarnoja et al. 2018, arXiv:1812.05905, appendix C. */
deer_squashed deer_squashed_gaussian_sample(deer_graph *g, deer_node mean, deer_node log_std,
                                            deer_node noise);

#endif
