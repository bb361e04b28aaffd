/* maxpool.c: the largest value of each window. */
#include "nn/layer.h"

typedef struct maxpool {
  int64_t rows, columns;
} maxpool;

static const deer_field fields[] = {{"rows", DEER_FIELD_INT, offsetof(maxpool, rows), .fallback = 2,
                                     .min = 1, .max = 1024, .help = "height of the window"},
                                    {"columns", DEER_FIELD_INT, offsetof(maxpool, columns),
                                     .fallback = 2, .min = 1, .max = 1024,
                                     .help = "width of the window"},
                                    {0}};

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const maxpool *o = options;
  return deer_maxpool2d(deer_layer_graph(b), x, (int)o->rows, (int)o->columns,
                        (deer_window){(int)o->rows, (int)o->columns, 0, 0});
}

const deer_layer_class deer_layer_maxpool = {.name = "maxpool",
                                             .help = "largest value of each window",
                                             .options_size = sizeof(maxpool),
                                             .fields = fields,
                                             .input = DEER_LAYER_IMAGE,
                                             .build = build};
