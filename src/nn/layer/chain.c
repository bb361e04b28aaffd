/* chain.c: layers one after the other, where a layer that holds others wants several as one. */
#include "nn/layer.h"

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  (void)options;
  const int n = deer_layer_children(b);
  for (int i = 0; i < n; i++) x = deer_layer_child(b, i, x);
  return x;
}

const deer_layer_class deer_layer_chain = {
    .name = "chain",
    .help = "the layers inside, its list 'layers', one after the other as if they were one layer",
    .input = DEER_LAYER_ANY,
    .holds = true,
    .build = build};
