/* activation.c: a nonlinearity by itself. */
#include "nn/layer.h"

typedef struct activation {
  int kind;
} activation;

static const deer_field fields[] = {{"kind", DEER_FIELD_CHOICE, offsetof(activation, kind),
                                     .fallback = 1, .choices = DEER_ACTIVATION_CHOICES,
                                     .help = "which function"},
                                    {0}};

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const activation *o = options;
  return deer_activate(deer_layer_graph(b), o->kind, x);
}

const deer_layer_class deer_layer_activation = {.name = "activation",
                                                .help = "a nonlinearity by itself",
                                                .options_size = sizeof(activation),
                                                .fields = fields,
                                                .input = DEER_LAYER_ANY,
                                                .build = build};
