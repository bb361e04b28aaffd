/* conv1d.c: convolution (cross-correlation) along the steps of a sequence, bias and activation.
 * Waibel et al. 1989. */
#include "nn/layer.h"

typedef struct conv1d {
  int64_t filters, steps, stride, pad;
  deer_weights weights;
} conv1d;

static const deer_field fields[] = {
    {"filters", DEER_FIELD_INT, offsetof(conv1d, filters), .fallback = 16, .min = 1, .max = 65536,
     .help = "number of output features", .search_min = 8, .search_max = 128},
    {"steps", DEER_FIELD_INT, offsetof(conv1d, steps), .fallback = 2, .min = 1, .max = 1024,
     .help = "length of the window"},
    {"stride", DEER_FIELD_INT, offsetof(conv1d, stride), .fallback = 1, .min = 1, .max = 1024,
     .help = "steps between windows"},
    {"pad", DEER_FIELD_INT, offsetof(conv1d, pad), .fallback = 0, .min = 0, .max = 1024,
     .help = "steps of zeros before and after"},
    DEER_FIELD_ACTIVATION(conv1d),
    DEER_FIELD_INIT(conv1d, DEER_INIT_GLOROT_UNIFORM),
    DEER_FIELD_GAIN(conv1d, 1),
    DEER_FIELD_BIAS_INIT(conv1d, DEER_INIT_ZEROS),
    {0}};

/* [batch, steps, features] -> [batch, windows, filters] */
static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const conv1d *o = options;
  deer_graph *g = deer_layer_graph(b);
  const deer_shape in = deer_node_shape(g, x);
  const int features = in.rank == 3 ? in.dim[2] : 1, filters = (int)o->filters;
  const double fan_in = (double)(features * o->steps), fan_out = (double)(filters * o->steps);
  deer_node weight = deer_layer_parameter(b, "weight", DEER_SHAPE(filters, features, (int)o->steps),
                                          deer_weight_init(&o->weights, fan_in, fan_out));
  deer_node bias = deer_layer_parameter(b, "bias", DEER_SHAPE(filters),
                                        deer_bias_init(&o->weights, fan_in, fan_out));
  static const int turned[] = {0, 2, 1};
  deer_node product = deer_transpose(
      g, deer_conv1d(g, deer_transpose(g, x, turned), weight, (int)o->stride, (int)o->pad), turned);
  deer_node shifted =
      deer_add(g, product, deer_expand(g, bias, deer_node_shape(g, product), DEER_AXIS(2)));
  return deer_activate(g, o->weights.activation, shifted);
}

const deer_layer_class deer_layer_conv1d = {.name = "conv1d",
                                            .help = "convolution along the steps of a sequence",
                                            .paper = "Waibel et al. 1989, doi:10.1109/29.21701",
                                            .options_size = sizeof(conv1d),
                                            .fields = fields,
                                            .input = DEER_LAYER_SEQUENCE,
                                            .build = build};
