/* residual.c: x + f(x), where f are the layers inside. He et al. 2016, arXiv:1512.03385. */
#include "nn/layer.h"

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  (void)options;
  deer_graph *g = deer_layer_graph(b);
  deer_node y = x;
  const int n = deer_layer_children(b);
  for (int i = 0; i < n; i++) y = deer_layer_child(b, i, y);
  const deer_shape in = deer_node_shape(g, x), out = deer_node_shape(g, y);
  char from[DEER_SHAPE_TEXT], to[DEER_SHAPE_TEXT];
  if (!deer_shape_equal(&in, &out))
    return deer_graph_fail(g, "%s: the layers inside turn %s into %s; the shape must stay the same",
                           deer_layer_where(b), deer_shape_text(&in, from),
                           deer_shape_text(&out, to));
  return deer_add(g, x, y);
}

const deer_layer_class deer_layer_residual = {
    .name = "residual",
    .help = "adds its input to what the layers inside make of it; they are its list 'layers'",
    .paper = "He et al. 2016, arXiv:1512.03385",
    .input = DEER_LAYER_ANY,
    .holds = true,
    .build = build};
