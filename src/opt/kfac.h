/* kfac.h: natural gradients through Kronecker factors. Martens and Grosse 2015, arXiv:1503.05671;
 * in reinforcement learning: Wu et al. 2017 (ACKTR), arXiv:1708.05144.
 *
 * For a dense layer y = [x, 1] W the Fisher matrix is taken to be A (x) G, with A the mean of
 * [x, 1]^T [x, 1] and G that of g^T g, where g is the gradient of the log-likelihood of what the
 * network says to y. Then the natural gradient of W is A^-1 (gradient of W) G^-1. A learning rule
 * uses three programs, or parts of one:
 *
 *   observe    at each update: moves the running means of the factors
 *   invert     every so many updates: inverts them
 *   direction  at each update: from the gradient to the natural gradient
 *
 * and gives the direction, within a trust region, to an optimiser in place of the gradient. */
#ifndef DEER_KFAC_H
#define DEER_KFAC_H

#include "graph/graph.h"
#include "nn/nn.h"

typedef struct deer_kfac deer_kfac;

typedef struct deer_kfac_options {
  double decay;   /* of the running means, 0 to below 1; 0.99 in ACKTR */
  double damping; /* added to the Fisher matrix, above 0; 0.01 in ACKTR */
} deer_kfac_options;

/* State for `n` dense layers, whose shapes are read from nodes of `g`. What they hold of a block of
 * parameters is preconditioned, the rest of it is left as it is. The inverses start as identity
 * matrices. DEER_EINVAL for wrong options, DEER_ESHAPE for layers that overlap. */
deer_status deer_kfac_new(const deer_kfac_options *options, const deer_graph *g,
                          const deer_net_tap *taps, int n, deer_kfac **kfac);
void deer_kfac_free(deer_kfac *kfac);

/* Factor, inverse or number i of the state, [*size], for those who keep or restore it; NULL past
 * the end. */
deer_real *deer_kfac_state(deer_kfac *kfac, int i, int *size);

#define DEER_KFAC_ASSIGNS(n_layers) (2 * (n_layers) + 1)

/* Emits the update of the factors: writes DEER_KFAC_ASSIGNS assignments at most, returns how many.
 * `taps` are the layers of deer_kfac_new in a graph that computes `loss`: the mean over the batch
 * of -log p(z), with z drawn from the network's own distribution (an action of the policy; value
 * plus normal noise, both stopped, with -log p = (value - z)^2 / 2). 0 after a mistake, which the
 * graph remembers. */
int deer_kfac_observe(deer_kfac *kfac, deer_graph *g, const deer_net_tap *taps, deer_node loss,
                      deer_node *assigns);

/* Emits the inverses of the factors as they are when the program runs. They are damped each by
 * itself, as in section 6.3 of Martens and Grosse. At least one observation must have been made. */
int deer_kfac_invert(deer_kfac *kfac, deer_graph *g, deer_node *assigns);

/* The natural gradient for `gradient` [size], by the inverses as they are before the run. */
deer_node deer_kfac_direction(deer_kfac *kfac, deer_graph *g, deer_node gradient);

/* The direction, shortened where a step of learning_rate times it would change the distribution by
 * a divergence above `most`: (learning_rate^2 / 2) direction . gradient, by the Fisher matrix that
 * leads from one to the other. `learning_rate` is of size 1. Wu et al. 2017, section 3.3. */
deer_node deer_trust_region(deer_graph *g, deer_node direction, deer_node gradient,
                            deer_node learning_rate, double most);

#endif
