/* noisy.c: a dense layer whose weights and biases are drawn anew each time: mean + sigma * noise,
 * both learnt. Fortunato et al. 2018, arXiv:1706.10295, factorised. */
#include "nn/layer.h"

typedef struct noisy {
  int64_t units;
  double sigma;
  deer_weights weights;
} noisy;

static const deer_field fields[] = {
    {"units", DEER_FIELD_INT, offsetof(noisy, units), .fallback = 64, .min = 1, .max = 65536,
     .help = "number of outputs", .search_min = 16, .search_max = 512},
    {"sigma", DEER_FIELD_REAL, offsetof(noisy, sigma), .fallback = 0.5, .min = 1e-6, .max = 100,
     .help = "initial deviation of weights and biases, times the square root of the inputs",
     .search_min = 0.1, .search_max = 1},
    DEER_FIELD_ACTIVATION(noisy),
    /* uniform within 1 / sqrt(inputs), as in the paper */
    DEER_FIELD_INIT(noisy, DEER_INIT_LECUN_UNIFORM),
    DEER_FIELD_GAIN(noisy, 0.5773502691896258),
    DEER_FIELD_BIAS_INIT(noisy, DEER_INIT_LECUN_UNIFORM),
    {0}};

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const noisy *o = options;
  deer_linear linear = {.units = (int)o->units, .weights = &o->weights, .sigma = o->sigma};
  return deer_layer_linear(b, &linear, x);
}

const deer_layer_class deer_layer_noisy = {.name = "noisy",
                                           .help = "fully connected, with noise that is learnt",
                                           .paper = "Fortunato et al. 2018, arXiv:1706.10295",
                                           .options_size = sizeof(noisy),
                                           .fields = fields,
                                           .ends = true,
                                           .build = build};
