/* flatten.c: everything of a sample in one row. Layers that want it so do it themselves. */
#include "nn/layer.h"

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  (void)b;
  (void)options;
  return x; /* it comes in this form */
}

const deer_layer_class deer_layer_flatten = {.name = "flatten",
                                             .help = "everything of a sample in one row",
                                             .input = DEER_LAYER_FLAT,
                                             .build = build};
