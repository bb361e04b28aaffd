/* maxpool.c: the largest value of each window; padding is never the largest. */
#include "nn/layer.h"

static const deer_field fields[] = {DEER_FIELDS_POOL, {0}};

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const deer_pool *o = options;
  return deer_maxpool2d(deer_layer_graph(b), x, (int)o->rows, (int)o->columns, deer_pool_window(o));
}

const deer_layer_class deer_layer_maxpool = {.name = "maxpool",
                                             .help = "largest value of each window",
                                             .options_size = sizeof(deer_pool),
                                             .fields = fields,
                                             .input = DEER_LAYER_IMAGE,
                                             .build = build};
