/* distributional.c: learning the distribution of returns, as quantiles or as probabilities of
 * atoms. */
#include "rl/rl.h"

#include <math.h>

/* ---- quantiles ---- */

/* the midpoints of n equal probabilities, for each of the batch */
static deer_node midpoints(deer_graph *g, deer_shape shape) {
  const double n = shape.dim[1];
  const deer_node row = deer_shift(g, deer_scale(g, deer_arange(g, shape.dim[1]), 1 / n), 0.5 / n);
  return deer_expand(g, row, shape, DEER_AXIS(1));
}

/* huber(u) / threshold, which becomes |u| as the threshold goes to 0 */
static deer_node relative_huber(deer_graph *g, deer_node u, double threshold) {
  if (threshold == 0) return deer_abs(g, u);
  return deer_scale(g, deer_huber(g, u, threshold), 1 / threshold);
}

deer_node deer_quantile_huber(deer_graph *g, deer_node quantiles, deer_node taus, deer_node targets,
                              double threshold) {
  const deer_shape q = deer_node_shape(g, quantiles), t = deer_node_shape(g, targets);
  if (q.rank != 2 || t.rank != 2 || q.dim[0] != t.dim[0])
    return deer_graph_fail(g,
                           "quantile_huber: needs quantiles [batch, n] and targets [batch, m], "
                           "got %d and %d axes, %d and %d in the batch",
                           q.rank, t.rank, q.dim[0], t.dim[0]);
  /* every pair: quantile i, target j */
  const deer_shape pairs = DEER_SHAPE(q.dim[0], q.dim[1], t.dim[1]);
  const unsigned by_quantile = DEER_AXIS(0) | DEER_AXIS(1), by_target = DEER_AXIS(0) | DEER_AXIS(2);
  const deer_node tau = deer_stop(g, taus.id ? taus : midpoints(g, q));
  const deer_node u = deer_sub(g, deer_expand(g, deer_stop(g, targets), pairs, by_target),
                               deer_expand(g, quantiles, pairs, by_quantile));
  const deer_node below = deer_greater(g, deer_constant(g, pairs, 0), u);
  const deer_node weight = deer_abs(g, deer_sub(g, deer_expand(g, tau, pairs, by_quantile), below));
  const deer_node loss = deer_mul(g, weight, relative_huber(g, u, threshold));
  return deer_scale(g, deer_sum(g, loss, DEER_AXIS(1) | DEER_AXIS(2)), 1.0 / t.dim[1]);
}

/* ---- atoms ---- */

static double gap(const deer_support *support) {
  return (support->high - support->low) / (support->atoms - 1);
}

deer_node deer_support_values(deer_graph *g, const deer_support *support) {
  if (support->atoms < 2 || !(support->low < support->high) || !isfinite(gap(support)))
    return deer_graph_fail(g,
                           "support: needs 2 atoms or more from low to high, got %d from %g to %g",
                           support->atoms, support->low, support->high);
  const deer_node steps = deer_scale(g, deer_arange(g, support->atoms), gap(support));
  return deer_shift(g, steps, support->low);
}

/* atom i gets of every moved atom j the share max(0, 1 - distance / gap) */
deer_node deer_categorical_projection(deer_graph *g, const deer_support *support, deer_node r_t,
                                      deer_node discount_t, deer_node p_t) {
  const deer_node z = deer_support_values(g, support);
  const deer_shape each = deer_node_shape(g, p_t);
  const deer_shape pairs = DEER_SHAPE(each.dim[0], support->atoms, support->atoms);
  const unsigned by_source = DEER_AXIS(0) | DEER_AXIS(2);
  deer_node moved = deer_mul(g, deer_expand(g, discount_t, each, DEER_AXIS(0)),
                             deer_expand(g, z, each, DEER_AXIS(1)));
  moved = deer_add(g, deer_expand(g, r_t, each, DEER_AXIS(0)), moved);
  moved = deer_clip(g, moved, support->low, support->high);
  const deer_node distance = deer_abs(g, deer_sub(g, deer_expand(g, moved, pairs, by_source),
                                                  deer_expand(g, z, pairs, DEER_AXIS(1))));
  const deer_node share =
      deer_relu(g, deer_shift(g, deer_scale(g, distance, -1 / gap(support)), 1));
  const deer_node parts = deer_mul(g, share, deer_expand(g, p_t, pairs, by_source));
  return deer_stop(g, deer_sum(g, parts, DEER_AXIS(2)));
}
