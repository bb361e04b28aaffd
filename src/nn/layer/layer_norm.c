/* layer_norm.c: every sample brought to mean zero and variance one, then scaled and shifted by what
 * is learnt. Ba, Kiros and Hinton 2016, arXiv:1607.06450. */
#include "nn/layer.h"

typedef struct layer_norm {
  double epsilon;
} layer_norm;

static const deer_field fields[] = {{"epsilon", DEER_FIELD_REAL, offsetof(layer_norm, epsilon),
                                     .fallback = 1e-5, .min = 1e-12, .max = 1,
                                     .help = "added to the variance"},
                                    {0}};

/* The features of a row or of each step of a sequence; a picture as a whole, with one gain and bias
 * for each channel. */
static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const layer_norm *o = options;
  deer_graph *g = deer_layer_graph(b);
  const deer_shape shape = deer_node_shape(g, x);
  const bool picture = shape.rank == 4;
  const int n = picture ? shape.dim[1] : shape.rank > 0 ? shape.dim[shape.rank - 1] : 1;
  deer_node gain =
      deer_layer_parameter(b, "gain", DEER_SHAPE(n), (deer_init){DEER_INIT_CONSTANT, 1, 0, 0});
  deer_node bias =
      deer_layer_parameter(b, "bias", DEER_SHAPE(n), (deer_init){DEER_INIT_ZEROS, 0, 0, 0});
  if (!picture) return deer_layer_norm(g, x, gain, bias, o->epsilon);
  deer_node flat = deer_layer_norm(g, deer_flatten(g, x), DEER_NONE, DEER_NONE, o->epsilon);
  deer_node y =
      deer_mul(g, deer_reshape(g, flat, shape), deer_expand(g, gain, shape, DEER_AXIS(1)));
  return deer_add(g, y, deer_expand(g, bias, shape, DEER_AXIS(1)));
}

const deer_layer_class deer_layer_layer_norm = {.name = "layer_norm",
                                                .help = "mean zero and variance one in each sample",
                                                .paper = "Ba et al. 2016, arXiv:1607.06450",
                                                .options_size = sizeof(layer_norm),
                                                .fields = fields,
                                                .input = DEER_LAYER_ANY,
                                                .build = build};
