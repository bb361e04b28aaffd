/* linear.c: activation(x W + b), with noise on W and b if wanted: what dense, noisy and dueling are
 * made of. */
#include "nn/layer.h"

#include <math.h>
#include <stdio.h>

static deer_node parameter(deer_layer_build *b, const deer_linear *linear, const char *name,
                           deer_shape shape, deer_init init) {
  char full[32];
  snprintf(full, sizeof full, "%s%s%s", linear->name ? linear->name : "", linear->name ? "." : "",
           name);
  return deer_layer_parameter(b, full, shape, init);
}

static deer_node expand_to(deer_graph *g, deer_node x, deer_node like, unsigned kept) {
  return deer_expand(g, x, deer_node_shape(g, like), kept);
}

/* sign(n) sqrt(|n|) of normal numbers n */
static deer_node draw(deer_graph *g, deer_rng *stream, int n) {
  deer_node x = deer_random_normal(g, stream, DEER_SHAPE(n));
  return deer_mul(g, deer_sign(g, x), deer_sqrt(g, deer_abs(g, x)));
}

/* Adds factorised Gaussian noise to weight [n_in, n_out] and bias [n_out]: one number per input and
 * one per output, weights take the product. Fortunato et al. 2018, arXiv:1706.10295. */
static void add_noise(deer_layer_build *b, const deer_linear *linear, deer_node *weight,
                      deer_node *bias) {
  deer_graph *g = deer_layer_graph(b);
  const deer_shape shape = deer_node_shape(g, *weight);
  const int n_in = shape.rank == 2 ? shape.dim[0] : 1;
  const deer_init init = {DEER_INIT_CONSTANT, linear->sigma / sqrt(n_in), 0, 0};
  deer_node weight_sigma = parameter(b, linear, "weight_sigma", shape, init);
  deer_node bias_sigma = parameter(b, linear, "bias_sigma", DEER_SHAPE(linear->units), init);
  deer_rng *stream = deer_layer_noise(b);
  if (!stream) return;
  deer_node of_inputs = draw(g, stream, n_in), of_outputs = draw(g, stream, linear->units);
  deer_node both = deer_mul(g, expand_to(g, of_inputs, *weight, DEER_AXIS(0)),
                            expand_to(g, of_outputs, *weight, DEER_AXIS(1)));
  *weight = deer_add(g, *weight, deer_mul(g, weight_sigma, both));
  *bias = deer_add(g, *bias, deer_mul(g, bias_sigma, of_outputs));
}

deer_node deer_layer_linear(deer_layer_build *b, const deer_linear *linear, deer_node x) {
  deer_graph *g = deer_layer_graph(b);
  const deer_shape in = deer_node_shape(g, x);
  const int n_in = in.rank == 2 ? in.dim[1] : 1, n_out = linear->units;
  deer_node weight = parameter(b, linear, "weight", DEER_SHAPE(n_in, n_out),
                               deer_weight_init(linear->weights, n_in, n_out));
  deer_node bias =
      parameter(b, linear, "bias", DEER_SHAPE(n_out), deer_bias_init(linear->weights, n_in, n_out));
  const bool noisy = linear->sigma > 0;
  if (noisy) add_noise(b, linear, &weight, &bias);
  deer_node product = deer_matmul(g, x, weight, false, false);
  deer_node shifted = deer_add(g, product, expand_to(g, bias, product, DEER_AXIS(1)));
  if (!noisy) deer_layer_tap(b, x, shifted);
  return deer_activate(g, linear->weights->activation, shifted);
}
