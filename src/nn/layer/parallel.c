/* parallel.c: layers side by side. Each of those inside sees the same input; their outputs are
 * joined, as channels where all of them are pictures, else as one row. Two networks that are put
 * beside each other in this way know nothing of one another. */
#include "nn/layer.h"

static bool all_pictures(deer_graph *g, const deer_node *lanes, int n) {
  for (int i = 0; i < n; i++)
    if (deer_node_shape(g, lanes[i]).rank != 4) return false;
  return true;
}

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  (void)options;
  deer_graph *g = deer_layer_graph(b);
  deer_node lanes[DEER_MAX_LAYERS];
  const int n = deer_layer_children(b);
  if (n == 0) return x;
  for (int i = 0; i < n; i++) lanes[i] = deer_layer_child(b, i, x);
  if (n == 1) return lanes[0];
  if (all_pictures(g, lanes, n)) return deer_concat(g, lanes, n, 1);
  for (int i = 0; i < n; i++) lanes[i] = deer_flatten(g, lanes[i]);
  return deer_concat(g, lanes, n, 1);
}

const deer_layer_class deer_layer_parallel = {
    .name = "parallel",
    .help = "joins what each of the layers inside, its list 'layers', makes of the same input",
    .input = DEER_LAYER_ANY,
    .holds = true,
    .build = build};
