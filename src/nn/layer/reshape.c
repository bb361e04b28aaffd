/* reshape.c: features as a sequence or a picture. */
#include "nn/layer.h"

typedef struct reshape {
  int64_t channels, rows, columns;
} reshape;

static const deer_field fields[] = {
    {"rows", DEER_FIELD_INT, offsetof(reshape, rows), .fallback = 1, .min = 1, .max = 1 << 24,
     .help = "rows of a picture, or steps of a sequence"},
    {"columns", DEER_FIELD_INT, offsetof(reshape, columns), .fallback = 0, .min = 0, .max = 1 << 24,
     .help = "columns, or features of each step; 0: what is left"},
    {"channels", DEER_FIELD_INT, offsetof(reshape, channels), .fallback = 0, .min = 0,
     .max = 1 << 24, .help = "of a picture; 0: a sequence"},
    {0}};

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const reshape *o = options;
  deer_graph *g = deer_layer_graph(b);
  const deer_shape in = deer_node_shape(g, x);
  if (in.rank < 2) return x;
  const int64_t features = (int64_t)deer_shape_count(&in) / in.dim[0];
  const int64_t rest = o->rows * (o->channels > 0 ? o->channels : 1);
  const int64_t columns = o->columns > 0 ? o->columns : features / rest;
  if (rest > features || rest * columns != features)
    return deer_graph_fail(
        g, "%s: %lld features of a sample do not fill %lld channels of %lld rows and %lld columns",
        deer_layer_where(b), (long long)features, (long long)(o->channels > 0 ? o->channels : 1),
        (long long)o->rows, (long long)columns);
  const int batch = in.dim[0], c = (int)o->channels, h = (int)o->rows, w = (int)columns;
  return deer_reshape(g, x, c > 0 ? DEER_SHAPE(batch, c, h, w) : DEER_SHAPE(batch, h, w));
}

const deer_layer_class deer_layer_reshape = {.name = "reshape",
                                             .help = "features as a sequence or a picture",
                                             .options_size = sizeof(reshape),
                                             .fields = fields,
                                             .input = DEER_LAYER_FLAT,
                                             .build = build};
