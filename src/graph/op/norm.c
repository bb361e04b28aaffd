/* norm.c: layer and batch normalisation, as compositions. */
#include "graph/op/internal.h"

/* x * gain + bias along the axes of `kept`; either may be missing */
static deer_node affine(deer_graph *g, deer_node x, deer_node gain, deer_node bias, unsigned kept) {
  const deer_shape shape = deer_node_shape(g, x);
  if (gain.id) x = deer_mul(g, x, deer_expand(g, gain, shape, kept));
  if (bias.id) x = deer_add(g, x, deer_expand(g, bias, shape, kept));
  return x;
}

/* (x - mean) / sqrt(variance + epsilon), both with the axes of `kept` */
static deer_node standardize(deer_graph *g, deer_node x, deer_node mean, deer_node variance,
                             double epsilon, unsigned kept) {
  const deer_shape shape = deer_node_shape(g, x);
  const deer_node deviation = deer_sqrt(g, deer_shift(g, variance, epsilon));
  return deer_div(g, deer_sub(g, x, deer_expand(g, mean, shape, kept)),
                  deer_expand(g, deviation, shape, kept));
}

deer_node deer_layer_norm(deer_graph *g, deer_node x, deer_node gain, deer_node bias,
                          double epsilon) {
  const deer_shape shape = deer_node_shape(g, x);
  if (shape.rank < 1) return deer_graph_fail(g, "layer_norm: needs an axis, got a scalar");
  if (!(epsilon > 0))
    return deer_graph_fail(g, "layer_norm: epsilon must be above 0, got %g", epsilon);
  const unsigned last = DEER_AXIS(shape.rank - 1), kept = axes_left(&shape, last);
  const deer_node y = standardize(g, x, deer_mean(g, x, last), deer_var(g, x, last), epsilon, kept);
  return affine(g, y, gain, bias, last);
}

static deer_node follow(deer_graph *g, deer_node old, deer_node fresh, double rate) {
  return deer_add(g, old, deer_scale(g, deer_sub(g, fresh, old), rate));
}

deer_node deer_batch_norm(deer_graph *g, deer_node x, const deer_batch_norm_spec *spec,
                          deer_node *next_mean, deer_node *next_variance) {
  const deer_shape shape = deer_node_shape(g, x);
  if (shape.rank < 2)
    return deer_graph_fail(g, "batch_norm: needs [batch, channels, ...], got %d axes", shape.rank);
  if (!(spec->epsilon > 0 && spec->rate >= 0 && spec->rate <= 1))
    return deer_graph_fail(g, "batch_norm: epsilon %g must be above 0, rate %g from 0 to 1",
                           spec->epsilon, spec->rate);
  const unsigned channels = DEER_AXIS(1), others = axes_left(&shape, channels);
  deer_node mean = spec->mean, variance = spec->variance;
  if (next_mean && next_variance) {
    mean = deer_mean(g, x, others);
    variance = deer_var(g, x, others);
    const double n = (double)deer_shape_count(&shape) / shape.dim[1];
    const deer_node unbiased = deer_scale(g, variance, n > 1 ? n / (n - 1) : 1);
    *next_mean = follow(g, spec->mean, mean, spec->rate);
    *next_variance = follow(g, spec->variance, unbiased, spec->rate);
  }
  const deer_node y = standardize(g, x, mean, variance, spec->epsilon, channels);
  return affine(g, y, spec->gain, spec->bias, channels);
}
