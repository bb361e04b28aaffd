/* recurrent.c: unrolling a layer over the steps of a sequence. */
#include "nn/recurrent.h"

/* [batch, steps, features] -> [steps * batch, features] */
static deer_node steps_first(deer_graph *g, deer_node x) {
  const deer_shape s = deer_node_shape(g, x);
  if (s.dim[0] > 1) x = deer_transpose(g, x, (int[]){1, 0, 2});
  return deer_reshape(g, x, DEER_SHAPE(s.dim[1] * s.dim[0], s.dim[2]));
}

static deer_node flat(deer_graph *g, deer_node x) {
  const deer_shape shape = deer_node_shape(g, x);
  return deer_reshape(g, x, DEER_SHAPE((int)deer_shape_count(&shape)));
}

static deer_node multiply_inputs(deer_graph *g, deer_node x, deer_node weight, deer_node bias) {
  deer_node y = deer_matmul(g, steps_first(g, x), weight, false, false);
  return flat(g, deer_add(g, y, deer_expand(g, bias, deer_node_shape(g, y), DEER_AXIS(1))));
}

deer_recurrent deer_recurrent_begin(deer_layer_build *b, const deer_recurrent_options *options,
                                    int gates, deer_node x) {
  deer_graph *g = deer_layer_graph(b);
  const deer_shape in = deer_node_shape(g, x);
  const bool good = in.rank == 3;
  const int features = good ? in.dim[2] : 1, units = (int)options->units, all = gates * units;
  deer_recurrent r = {.b = b, .options = options, .units = units, .gates = gates};
  r.batch = good ? in.dim[0] : 1;
  r.steps = good ? in.dim[1] : 1;
  if (good && r.steps == 1 && !deer_layer_carries(b))
    deer_graph_fail(g,
                    "%s sees a single step and remembers nothing: its subject needs a history of "
                    "more than one, and the layer belongs to the branch of that subject",
                    deer_layer_where(b));
  deer_init init = {options->recurrent_init, 1, units, all};
  deer_node weight_x = deer_layer_parameter(b, "weight_x", DEER_SHAPE(features, all),
                                            deer_weight_init(&options->weights, features, all));
  deer_node bias = deer_layer_parameter(b, "bias", DEER_SHAPE(all),
                                        deer_bias_init(&options->weights, features, all));
  r.weight_h = deer_layer_parameter(b, "weight_h", DEER_SHAPE(units, all), init);
  if (good) r.inputs = multiply_inputs(g, x, weight_x, bias);
  return r;
}

deer_node deer_recurrent_input(const deer_recurrent *r, int t) {
  const int width = r->gates * r->units;
  return deer_view(deer_layer_graph(r->b), r->inputs, t * r->batch * width,
                   DEER_SHAPE(r->batch, width));
}

deer_node deer_recurrent_product(const deer_recurrent *r, deer_node h) {
  return deer_matmul(deer_layer_graph(r->b), h, r->weight_h, false, false);
}

/* Gates first, then views: their gradients come together in one block, where those of slices would
 * each fill one. */
void deer_recurrent_cut(const deer_recurrent *r, deer_node z, deer_node *out) {
  deer_graph *g = deer_layer_graph(r->b);
  if (r->batch > 1) {
    z = deer_reshape(g, z, DEER_SHAPE(r->batch, r->gates, r->units));
    z = deer_transpose(g, z, (int[]){1, 0, 2});
  }
  z = flat(g, z);
  for (int i = 0; i < r->gates; i++)
    out[i] = deer_view(g, z, i * r->batch * r->units, DEER_SHAPE(r->batch, r->units));
}

enum { PARTS = 64 }; /* joined at a time */

deer_node deer_recurrent_run(const deer_recurrent *r, const void *context, int n_states,
                             deer_recurrent_step *step) {
  const bool sequence = r->options->sequence;
  deer_graph *g = deer_layer_graph(r->b);
  deer_node state[DEER_MAX_STATES], parts[PARTS];
  int n = 0;
  for (int i = 0; i < n_states; i++) state[i] = deer_layer_memory(r->b, r->batch, r->units);
  for (int t = 0; t < r->steps; t++) {
    step(r, context, t, state);
    if (!sequence) continue;
    parts[n++] = deer_reshape(g, state[0], DEER_SHAPE(r->batch, 1, r->units));
    if (n < PARTS && t + 1 < r->steps) continue;
    parts[0] = deer_concat(g, parts, n, 1);
    n = 1;
  }
  for (int i = 0; i < n_states; i++) deer_layer_remember(r->b, state[i]);
  return sequence ? parts[0] : state[0];
}
