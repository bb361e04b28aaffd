/* embedding.c: a vector that is learnt for each of the whole numbers 0, 1, 2, ..., such as cells of
 * a map or kinds of things. Bengio et al. 2003. */
#include "nn/layer.h"

typedef struct embedding {
  int64_t values, width;
  deer_weights weights;
} embedding;

static const deer_field fields[] = {
    {"values", DEER_FIELD_INT, offsetof(embedding, values), .fallback = 16, .min = 1,
     .max = 1 << 20, .help = "inputs are 0 to one less; others count as the nearest of them"},
    {"width", DEER_FIELD_INT, offsetof(embedding, width), .fallback = 8, .min = 1, .max = 65536,
     .help = "numbers that stand for each", .search_min = 2, .search_max = 64},
    DEER_FIELD_INIT(embedding, DEER_INIT_UNIFORM),
    DEER_FIELD_GAIN(embedding, 0.05),
    {0}};

/* The place of each number in the row 0, 1, ..., n - 1: that of the nearest. */
static deer_node index_of(deer_graph *g, deer_node x, int n) {
  const int count = deer_node_shape(g, x).dim[0];
  const deer_shape all = DEER_SHAPE(count, n);
  deer_node row = deer_cumsum(g, deer_constant(g, DEER_SHAPE(n), 1), 0, false);
  deer_node apart = deer_sub(g, deer_expand(g, deer_shift(g, x, 1), all, DEER_AXIS(0)),
                             deer_expand(g, row, all, DEER_AXIS(1)));
  return deer_argmin_last(g, deer_abs(g, apart));
}

/* [batch, features] -> [batch, features, width] */
static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const embedding *o = options;
  deer_graph *g = deer_layer_graph(b);
  const deer_shape in = deer_node_shape(g, x);
  const int n = (int)o->values, width = (int)o->width;
  deer_node table = deer_layer_parameter(b, "table", DEER_SHAPE(n, width),
                                         deer_weight_init(&o->weights, n, width));
  if (in.rank != 2) return x;
  deer_node index = index_of(g, deer_reshape(g, x, DEER_SHAPE(in.dim[0] * in.dim[1])), n);
  return deer_reshape(g, deer_rows(g, table, index), DEER_SHAPE(in.dim[0], in.dim[1], width));
}

const deer_layer_class deer_layer_embedding = {
    .name = "embedding",
    .help = "a vector for each of the whole numbers 0, 1, 2, ...",
    .options_size = sizeof(embedding),
    .fields = fields,
    .build = build};
