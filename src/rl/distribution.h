/* distribution.h: probability distributions over actions, from nodes to nodes; one file per family.
 *
 * A row is what belongs to one sample of the batch: the last axis of parameters and actions. Its n
 * numbers are independent, so log-probabilities, entropies and divergences are summed over them:
 * [batch, n] gives [batch]. `noise` is random numbers of the kind and in the shape that each
 * sampler names, which do not depend on parameters; gradients pass through a sample wherever it is
 * smooth (Kingma and Welling 2014, arXiv:1312.6114). kl is the Kullback-Leibler divergence from p
 * to q, the mean under p of log p - log q. */
#ifndef DEER_DISTRIBUTION_H
#define DEER_DISTRIBUTION_H

#include "graph/graph.h"

/* ---- categorical.c: one of n things, by logits [..., n], which must be finite (mask with -1e9)
 * ---- */

/* int32 [...]; noise of deer_random_gumbel. No gradient. */
deer_node deer_categorical_sample(deer_graph *g, deer_node logits, deer_node noise);
deer_node deer_categorical_log_prob(deer_graph *g, deer_node logits, deer_node action);
deer_node deer_categorical_entropy(deer_graph *g, deer_node logits);
deer_node deer_categorical_kl(deer_graph *g, deer_node logits_p, deer_node logits_q);
deer_node deer_categorical_mode(deer_graph *g, deer_node logits); /* the first of the likeliest */

/* ---- multi_categorical.c: several choices at once ----
 * sizes[i] things to choose from in choice i of n; logits [batch, sum of sizes] hold them side by
 * side, actions are int32 [batch, n]. At most 64 choices. */

/* Noise of deer_random_gumbel in the shape of the logits. No gradient. */
deer_node deer_multi_categorical_sample(deer_graph *g, deer_node logits, deer_node noise,
                                        const int *sizes, int n);
deer_node deer_multi_categorical_log_prob(deer_graph *g, deer_node logits, deer_node action,
                                          const int *sizes, int n);
deer_node deer_multi_categorical_entropy(deer_graph *g, deer_node logits, const int *sizes, int n);
deer_node deer_multi_categorical_kl(deer_graph *g, deer_node logits_p, deer_node logits_q,
                                    const int *sizes, int n);
deer_node deer_multi_categorical_mode(deer_graph *g, deer_node logits, const int *sizes, int n);

/* ---- bernoulli.c: n coins, by logits [batch, n]; actions are reals 0 or 1 ---- */

/* Noise of deer_random_uniform. No gradient. */
deer_node deer_bernoulli_sample(deer_graph *g, deer_node logits, deer_node noise);
deer_node deer_bernoulli_log_prob(deer_graph *g, deer_node logits, deer_node action);
deer_node deer_bernoulli_entropy(deer_graph *g, deer_node logits);
deer_node deer_bernoulli_kl(deer_graph *g, deer_node logits_p, deer_node logits_q);
deer_node deer_bernoulli_mode(deer_graph *g, deer_node logits); /* 1 above a logit of 0 */

/* ---- gaussian.c: n normal numbers, by mean and log_std [batch, n]; the mode is the mean ---- */

/* mean + exp(log_std) noise; noise of deer_random_normal. */
deer_node deer_gaussian_sample(deer_graph *g, deer_node mean, deer_node log_std, deer_node noise);
deer_node deer_gaussian_log_prob(deer_graph *g, deer_node mean, deer_node log_std,
                                 deer_node action);
deer_node deer_gaussian_entropy(deer_graph *g, deer_node log_std);
deer_node deer_gaussian_kl(deer_graph *g, deer_node mean_p, deer_node log_std_p, deer_node mean_q,
                           deer_node log_std_q);

/* ---- clipped_gaussian.c: normal numbers clipped to -1..1 ----
 * What a bounded actuator makes of a Gaussian policy: a density inside, and at each end the
 * probability of all that lies beyond. Fujita and Maeda 2018, arXiv:1802.07564. The entropy and the
 * divergence of the Gaussian before it is clipped serve in its place; the mode is the clipped mean.
 */

/* clip(mean + exp(log_std) noise, -1, 1); noise of deer_random_normal. */
deer_node deer_clipped_gaussian_sample(deer_graph *g, deer_node mean, deer_node log_std,
                                       deer_node noise);

/* Actions nearer than 1e-6 to an end count as that end. */
deer_node deer_clipped_gaussian_log_prob(deer_graph *g, deer_node mean, deer_node log_std,
                                         deer_node action);

/* ---- squashed.c: tanh of a diagonal Gaussian ----
 * The divergence is that of the Gaussians, deer_gaussian_kl; the entropy has no closed form and is
 * estimated by -log_prob; tanh(mean) serves as the mode. */

typedef struct deer_squashed {
  deer_node action;   /* [batch, n], in (-1, 1) */
  deer_node log_prob; /* [batch], summed over n */
} deer_squashed;

/* action = tanh(mean + exp(log_std) noise) and its log-density; mean, log_std and noise (standard
 * normal) are [batch, n]. log_std is taken as it is: the caller bounds it. The density stays finite
 * where tanh rounds to 1. Haarnoja et al. 2018, arXiv:1812.05905, appendix C. */
deer_squashed deer_squashed_gaussian_sample(deer_graph *g, deer_node mean, deer_node log_std,
                                            deer_node noise);

/* The log-density of an action that came from elsewhere, [batch]. Actions nearer than 1e-6 to the
 * ends count as that near. */
deer_node deer_squashed_gaussian_log_prob(deer_graph *g, deer_node mean, deer_node log_std,
                                          deer_node action);

/* ---- beta.c: n numbers in (0, 1), by alpha and beta [batch, n] above 0 ----
 * For bounded actions without the pull of clipping: Chou, Maturana and Scherer 2017. */

/* At least 1e-6 away from 0 and 1, where the density may be infinite. Draws from the stream itself;
 * no gradient. */
deer_node deer_beta_sample(deer_graph *g, deer_node alpha, deer_node beta, deer_rng *stream);
deer_node deer_beta_log_prob(deer_graph *g, deer_node alpha, deer_node beta, deer_node action);
deer_node deer_beta_entropy(deer_graph *g, deer_node alpha, deer_node beta);
deer_node deer_beta_kl(deer_graph *g, deer_node alpha_p, deer_node beta_p, deer_node alpha_q,
                       deer_node beta_q);

/* (alpha - 1) / (alpha + beta - 2); both must be above 1, else there is no single inner mode. */
deer_node deer_beta_mode(deer_graph *g, deer_node alpha, deer_node beta);

/* ---- gumbel_softmax.c: a smooth stand-in for the categorical distribution ----
 * Jang, Gu and Poole 2017, arXiv:1611.01144; Maddison, Mnih and Teh 2017, arXiv:1611.00712.
 * Entropy, divergence and mode are those of the categorical distribution with the same logits. */

/* softmax((logits + noise) / temperature), [..., n]; noise of deer_random_gumbel, temperature above
 * 0. `hard` gives the one-hot action instead, with the gradient of the soft one. */
deer_node deer_gumbel_softmax_sample(deer_graph *g, deer_node logits, deer_node noise,
                                     double temperature, bool hard);

/* The log of the density over the simplex at a soft action [..., n], all above 0; [...]. */
deer_node deer_gumbel_softmax_log_prob(deer_graph *g, deer_node logits, deer_node action,
                                       double temperature);

/* ---- moments.c: plain numbers ---- */

/* Of a number that is drawn from a Gaussian with this mean and standard deviation, above 0, and
 * clipped to -1..1, or squashed by tanh. */
typedef struct deer_moments {
  double mean, std;
} deer_moments;
deer_moments deer_clipped_gaussian_moments(double mean, double std);
deer_moments deer_squashed_gaussian_moments(double mean, double std);

#endif
