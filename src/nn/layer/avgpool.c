/* avgpool.c: the mean of each window; the zeros of the padding count. */
#include "nn/layer.h"

static const deer_field fields[] = {DEER_FIELDS_POOL, {0}};

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const deer_pool *o = options;
  return deer_avgpool2d(deer_layer_graph(b), x, (int)o->rows, (int)o->columns, deer_pool_window(o));
}

const deer_layer_class deer_layer_avgpool = {.name = "avgpool",
                                             .help = "mean of each window",
                                             .options_size = sizeof(deer_pool),
                                             .fields = fields,
                                             .input = DEER_LAYER_IMAGE,
                                             .build = build};
