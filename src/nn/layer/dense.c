/* dense.c: y = activation(x W + b). */
#include "nn/layer.h"

typedef struct dense {
  int64_t units;
  deer_weights weights;
} dense;

static const deer_field fields[] = {
    {"units", DEER_FIELD_INT, offsetof(dense, units), .fallback = 64, .min = 1, .max = 65536,
     .help = "number of outputs", .search_min = 16, .search_max = 512},
    DEER_FIELD_ACTIVATION(dense),
    DEER_FIELD_INIT(dense, DEER_INIT_GLOROT_UNIFORM),
    DEER_FIELD_GAIN(dense, 1),
    DEER_FIELD_BIAS_INIT(dense, DEER_INIT_ZEROS),
    {0}};

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const dense *o = options;
  return deer_layer_linear(b, &(deer_linear){.units = (int)o->units, .weights = &o->weights}, x);
}

const deer_layer_class deer_layer_dense = {.name = "dense",
                                           .help = "fully connected",
                                           .options_size = sizeof(dense),
                                           .fields = fields,
                                           .ends = true,
                                           .build = build};
