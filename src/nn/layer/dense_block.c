/* dense_block.c: each layer inside sees the input and what all layers before it have made. Huang et
 * al. 2017, arXiv:1608.06993. ElegantRL's DenseNet is a block of two dense layers. */
#include "nn/layer.h"

/* channels of pictures, features of everything else */
static deer_node join(deer_graph *g, deer_node x, deer_node y) {
  const int rank = deer_node_shape(g, x).rank;
  return deer_concat(g, (deer_node[]){x, y}, 2, rank == 4 ? 1 : rank - 1);
}

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  (void)options;
  const int n = deer_layer_children(b);
  for (int i = 0; i < n; i++) x = join(deer_layer_graph(b), x, deer_layer_child(b, i, x));
  return x;
}

const deer_layer_class deer_layer_dense_block = {
    .name = "dense_block",
    .help = "joins its input and the output of each layer inside; they are its list 'layers'",
    .paper = "Huang et al. 2017, arXiv:1608.06993",
    .input = DEER_LAYER_ANY,
    .holds = true,
    .build = build};
