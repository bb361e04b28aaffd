/* conv.c: two-dimensional convolution (cross-correlation), bias and activation.
 * LeCun et al. 1998. */
#include "nn/layer.h"

typedef struct conv {
  int64_t filters, rows, columns, stride_rows, stride_columns, pad_rows, pad_columns;
  deer_weights weights;
} conv;

static const deer_field fields[] = {
    {"filters", DEER_FIELD_INT, offsetof(conv, filters), .fallback = 16, .min = 1, .max = 65536,
     .help = "number of output channels", .search_min = 8, .search_max = 128},
    {"rows", DEER_FIELD_INT, offsetof(conv, rows), .fallback = 3, .min = 1, .max = 1024,
     .help = "height of the window"},
    {"columns", DEER_FIELD_INT, offsetof(conv, columns), .fallback = 3, .min = 1, .max = 1024,
     .help = "width of the window"},
    {"stride_rows", DEER_FIELD_INT, offsetof(conv, stride_rows), .fallback = 1, .min = 1,
     .max = 1024, .help = "rows between windows"},
    {"stride_columns", DEER_FIELD_INT, offsetof(conv, stride_columns), .fallback = 1, .min = 1,
     .max = 1024, .help = "columns between windows"},
    {"pad_rows", DEER_FIELD_INT, offsetof(conv, pad_rows), .fallback = 0, .min = 0, .max = 1024,
     .help = "rows of zeros above and below"},
    {"pad_columns", DEER_FIELD_INT, offsetof(conv, pad_columns), .fallback = 0, .min = 0,
     .max = 1024, .help = "columns of zeros left and right"},
    DEER_FIELD_ACTIVATION(conv),
    DEER_FIELD_INIT(conv, DEER_INIT_GLOROT_UNIFORM),
    DEER_FIELD_GAIN(conv, 1),
    DEER_FIELD_BIAS_INIT(conv, DEER_INIT_ZEROS),
    {0}};

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const conv *o = options;
  deer_graph *g = deer_layer_graph(b);
  deer_shape in = deer_node_shape(g, x);
  int channels = in.rank == 4 ? in.dim[1] : 1, filters = (int)o->filters;
  int rows = (int)o->rows, columns = (int)o->columns;
  double taps = (double)(o->rows * o->columns);
  double fan_in = channels * taps, fan_out = filters * taps;
  deer_node weight = deer_layer_parameter(b, "weight", DEER_SHAPE(filters, channels, rows, columns),
                                          deer_weight_init(&o->weights, fan_in, fan_out));
  deer_node bias = deer_layer_parameter(b, "bias", DEER_SHAPE(filters),
                                        deer_bias_init(&o->weights, fan_in, fan_out));
  const deer_window window = {(int)o->stride_rows, (int)o->stride_columns, (int)o->pad_rows,
                              (int)o->pad_columns};
  deer_node product = deer_conv2d(g, x, weight, window);
  deer_node shifted =
      deer_add(g, product, deer_expand(g, bias, deer_node_shape(g, product), DEER_AXIS(1)));
  return deer_activate(g, o->weights.activation, shifted);
}

const deer_layer_class deer_layer_conv = {.name = "conv",
                                          .help = "two-dimensional convolution",
                                          .options_size = sizeof(conv),
                                          .fields = fields,
                                          .input = DEER_LAYER_IMAGE,
                                          .build = build};
