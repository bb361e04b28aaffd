/* maxpool.c: the largest value of each window. */
#include "nn/layer/pooling.h"

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const pooling *o = options;
  return deer_maxpool2d(deer_layer_graph(b), x, (int)o->rows, (int)o->columns, pooling_window(o));
}

const deer_layer_class deer_layer_maxpool = {.name = "maxpool",
                                             .help = "largest value of each window",
                                             .options_size = sizeof(pooling),
                                             .fields = fields,
                                             .input = DEER_LAYER_IMAGE,
                                             .build = build};
