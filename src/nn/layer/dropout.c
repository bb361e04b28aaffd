/* dropout.c: while learning each number is 0 with a probability, else as much larger. */
#include "nn/layer.h"

typedef struct dropout {
  double rate;
} dropout;

static const deer_field fields[] = {
    {"rate", DEER_FIELD_REAL, offsetof(dropout, rate), .fallback = 0.1, .min = 0, .max = 0.99,
     .help = "probability of becoming zero", .search_min = 0.01, .search_max = 0.5},
    {0}};

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const dropout *o = options;
  deer_rng *stream = deer_layer_noise(b);
  return stream ? deer_dropout(deer_layer_graph(b), x, o->rate, stream) : x;
}

const deer_layer_class deer_layer_dropout = {.name = "dropout",
                                             .help =
                                                 "sets numbers to zero by chance while learning",
                                             .paper = "Srivastava et al. 2014",
                                             .options_size = sizeof(dropout),
                                             .fields = fields,
                                             .input = DEER_LAYER_ANY,
                                             .build = build};
