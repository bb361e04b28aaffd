/* dense.c: y = activation(x W + b). */
#include "nn/layer.h"

typedef struct dense {
  int64_t units;
  int activation, init;
} dense;

static const deer_field fields[] = {
    {"units", DEER_FIELD_INT, offsetof(dense, units), .fallback = 64, .min = 1, .max = 65536,
     .help = "number of outputs", .search_min = 16, .search_max = 512},
    {"activation", DEER_FIELD_CHOICE, offsetof(dense, activation), .fallback = 1,
     .choices = DEER_ACTIVATION_CHOICES, .help = "applied to every output"},
    {"init", DEER_FIELD_CHOICE, offsetof(dense, init), .fallback = DEER_INIT_GLOROT_UNIFORM,
     .choices = DEER_INIT_CHOICES, .help = "initial weights; biases start at zero"},
    {0}};

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const dense *o = options;
  deer_graph *g = deer_layer_graph(b);
  deer_shape in = deer_node_shape(g, x);
  int n_in = in.rank == 2 ? in.dim[1] : 1, n_out = (int)o->units;
  deer_node weight =
      deer_layer_parameter(b, "weight", DEER_SHAPE(n_in, n_out), (deer_init){o->init, n_in, n_out});
  deer_node bias =
      deer_layer_parameter(b, "bias", DEER_SHAPE(n_out), (deer_init){DEER_INIT_ZEROS, 0, 0});
  deer_node product = deer_matmul(g, x, weight, false, false);
  deer_node shifted =
      deer_add(g, product, deer_expand(g, bias, deer_node_shape(g, product), DEER_AXIS(1)));
  return deer_activate(g, o->activation, shifted);
}

const deer_layer_class deer_layer_dense = {.name = "dense",
                                           .help = "fully connected",
                                           .options_size = sizeof(dense),
                                           .fields = fields,
                                           .build = build};
