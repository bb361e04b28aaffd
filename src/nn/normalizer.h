/* normalizer.h: what networks are shown has mean 0 and deviation 1, by the running statistics of
 * every number of the observations. Welford 1962, doi:10.2307/1266577; Andrychowicz et al. 2021,
 * arXiv:2006.05990, on why it matters.
 *
 * Observations are counted as they come; networks see the new statistics after
 * deer_normalizer_publish, so that what was done by an old view can still be reckoned with by it.
 */
#ifndef DEER_NORMALIZER_H
#define DEER_NORMALIZER_H

#include "env/space.h"
#include "graph/graph.h"

#define DEER_NORMALIZED_MOST 10 /* what a network is shown lies between this and its negative */

typedef struct deer_normalizer deer_normalizer;

/* For the subjects of `space` that are stored as reals; bytes are left as they are. Until the first
 * publish nothing is changed. DEER_ENOMEM; *normalizer is then NULL. */
deer_status deer_normalizer_new(const deer_space *space, deer_normalizer **normalizer);
void deer_normalizer_free(deer_normalizer *normalizer);

/* Counts one observation, observation[s] being [shape...] of subject s; finite. */
void deer_normalizer_observe(deer_normalizer *normalizer, const void *const *observation);

/* Programs see the statistics of all that has been counted. */
void deer_normalizer_publish(deer_normalizer *normalizer);

/* x [batch, history, shape...] of a subject as a network should see it: (x - mean) / deviation,
 * limited. The normalizer outlives the programs. Subjects beyond those of the space (the action of
 * a critic) pass as they are. */
deer_node deer_normalize(const deer_normalizer *normalizer, deer_graph *g, int subject,
                         deer_node x);

/* Calls visit for what is published, so that it is saved and restored with the parameters: for each
 * subject its count [1], means and deviations [numbers of one observation]. Whoever has written
 * there calls it once more, and counting goes on from there. */
void deer_normalizer_visit(deer_normalizer *normalizer, void *context,
                           void (*visit)(void *context, const char *name, const deer_shape *shape,
                                         deer_real *data));

#endif
