/* lstm.c: long short-term memory over the steps of a sequence. Hochreiter and Schmidhuber 1997,
 * doi:10.1162/neco.1997.9.8.1735; with the forget gate of Gers et al. 2000. */
#include "nn/recurrent.h"

typedef struct lstm {
  deer_recurrent_options common;
  double forget_bias;
} lstm;

static const deer_field fields[] = {
    DEER_FIELDS_RECURRENT,
    {"forget_bias", DEER_FIELD_REAL, offsetof(lstm, forget_bias), .fallback = 1, .min = -100,
     .max = 100, .help = "added to the forget gate, whose bias starts as the others"},
    {0}};

enum { INPUT, FORGET, OUTPUT, CANDIDATE, GATES };

/* state: h, c */
static void step(const deer_recurrent *r, const void *options, int t, deer_node *state) {
  const lstm *o = options;
  deer_graph *g = deer_layer_graph(r->b);
  const int activation = o->common.weights.activation;
  deer_node z[GATES];
  deer_recurrent_cut(
      r, deer_add(g, deer_recurrent_input(r, t), deer_recurrent_product(r, state[0])), z);
  deer_node kept = deer_sigmoid(g, deer_shift(g, z[FORGET], o->forget_bias));
  deer_node added =
      deer_mul(g, deer_sigmoid(g, z[INPUT]), deer_activate(g, activation, z[CANDIDATE]));
  state[1] = deer_add(g, deer_mul(g, kept, state[1]), added);
  state[0] = deer_mul(g, deer_sigmoid(g, z[OUTPUT]), deer_activate(g, activation, state[1]));
}

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const deer_recurrent r = deer_recurrent_begin(b, options, GATES, x);
  return deer_recurrent_run(&r, options, 2, step);
}

const deer_layer_class deer_layer_lstm = {
    .name = "lstm",
    .help = "long short-term memory over the history",
    .paper = "Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735",
    .options_size = sizeof(lstm),
    .fields = fields,
    .input = DEER_LAYER_SEQUENCE,
    .build = build};
