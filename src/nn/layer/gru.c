/* gru.c: gated recurrent unit over the steps of a sequence. Cho et al. 2014, arXiv:1406.1078, in
 * the form that applies the reset gate after the product, as cuDNN does. */
#include "nn/recurrent.h"

static const deer_field fields[] = {DEER_FIELDS_RECURRENT, {0}};

enum { RESET, UPDATE, CANDIDATE, GATES };

/* context: the bias inside the reset gate */
static void step(const deer_recurrent *r, const void *context, int t, deer_node *state) {
  deer_graph *g = deer_layer_graph(r->b);
  const deer_node bias = *(const deer_node *)context, h = state[0];
  deer_node x[GATES], y[GATES];
  deer_recurrent_cut(r, deer_recurrent_input(r, t), x);
  deer_recurrent_cut(r, deer_recurrent_product(r, h), y);
  deer_node shifted =
      deer_add(g, y[CANDIDATE], deer_expand(g, bias, deer_node_shape(g, h), DEER_AXIS(1)));
  deer_node reset = deer_sigmoid(g, deer_add(g, x[RESET], y[RESET]));
  deer_node kept = deer_sigmoid(g, deer_add(g, x[UPDATE], y[UPDATE]));
  deer_node candidate = deer_activate(g, r->options->weights.activation,
                                      deer_add(g, x[CANDIDATE], deer_mul(g, reset, shifted)));
  state[0] = deer_add(g, candidate, deer_mul(g, kept, deer_sub(g, h, candidate)));
}

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const deer_recurrent_options *o = options;
  const deer_recurrent r = deer_recurrent_begin(b, o, GATES, x);
  const double units = (double)o->units;
  deer_node bias = deer_layer_parameter(b, "bias_h", DEER_SHAPE(r.units),
                                        deer_bias_init(&o->weights, units, GATES * units));
  return deer_recurrent_run(&r, &bias, 1, step);
}

const deer_layer_class deer_layer_gru = {.name = "gru",
                                         .help = "gated recurrent unit over the history",
                                         .paper = "Cho et al. 2014, arXiv:1406.1078",
                                         .options_size = sizeof(deer_recurrent_options),
                                         .fields = fields,
                                         .input = DEER_LAYER_SEQUENCE,
                                         .build = build};
