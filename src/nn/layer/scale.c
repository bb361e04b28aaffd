/* scale.c: y = factor (x - offset), to bring bytes of a picture near one. */
#include "nn/layer.h"

typedef struct scale {
  double factor, offset;
} scale;

static const deer_field fields[] = {
    {"factor", DEER_FIELD_REAL, offsetof(scale, factor), .fallback = 1.0 / 255, .min = -1e30,
     .max = 1e30, .help = "multiplies"},
    {"offset", DEER_FIELD_REAL, offsetof(scale, offset), .fallback = 0, .min = -1e30, .max = 1e30,
     .help = "is taken away first"},
    {0}};

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const scale *o = options;
  deer_graph *g = deer_layer_graph(b);
  return deer_scale(g, deer_shift(g, x, -o->offset), o->factor);
}

const deer_layer_class deer_layer_scale = {.name = "scale",
                                           .help = "shifts and scales its input",
                                           .options_size = sizeof(scale),
                                           .fields = fields,
                                           .input = DEER_LAYER_ANY,
                                           .build = build};
