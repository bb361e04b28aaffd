/* dueling.c: the value of the state plus the advantage of each action, whose mean is taken away.
 * Wang et al. 2016, arXiv:1511.06581, equation 9. */
#include "nn/layer.h"

typedef struct dueling {
  int64_t units, atoms, hidden;
  double sigma;
  deer_weights weights; /* the activation is that of the hidden layers */
} dueling;

static const deer_field fields[] = {
    {"units", DEER_FIELD_INT, offsetof(dueling, units), .fallback = 2, .min = 1, .max = 65536,
     .help = "number of actions"},
    {"atoms", DEER_FIELD_INT, offsetof(dueling, atoms), .fallback = 0, .min = 0,
     .max = DEER_MAX_ATOMS,
     .help = "numbers that describe the distribution of each value; 0: values alone"},
    {"hidden", DEER_FIELD_INT, offsetof(dueling, hidden), .fallback = 0, .min = 0, .max = 65536,
     .help = "units of a layer for each of the two; 0: none", .search_min = 16, .search_max = 512},
    {"hidden_activation", DEER_FIELD_CHOICE, offsetof(dueling, weights.activation), .fallback = 1,
     .choices = DEER_ACTIVATION_CHOICES, .help = "of those layers"},
    {"sigma", DEER_FIELD_REAL, offsetof(dueling, sigma), .fallback = 0, .min = 0, .max = 100,
     .help = "above 0 all of it is noisy, as the layer of that name is"},
    DEER_FIELD_INIT(dueling, DEER_INIT_GLOROT_UNIFORM),
    DEER_FIELD_GAIN(dueling, 1),
    DEER_FIELD_BIAS_INIT(dueling, DEER_INIT_ZEROS),
    {0}};

/* one of the two streams: [batch, units] */
static deer_node stream(deer_layer_build *b, const dueling *o, const char *name, int units,
                        deer_node x) {
  const bool value = name[0] == 'v';
  if (o->hidden > 0) {
    deer_linear hidden = {value ? "value_hidden" : "advantage_hidden", (int)o->hidden, &o->weights,
                          o->sigma};
    x = deer_layer_linear(b, &hidden, x);
  }
  deer_weights weights = o->weights;
  weights.activation = 0;
  return deer_layer_linear(b, &(deer_linear){name, units, &weights, o->sigma}, x);
}

static deer_node build(deer_layer_build *b, const void *options, deer_node x) {
  const dueling *o = options;
  deer_graph *g = deer_layer_graph(b);
  const deer_shape in = deer_node_shape(g, x);
  const int batch = in.rank == 2 ? in.dim[0] : 1, units = (int)o->units;
  const int atoms = o->atoms > 0 ? (int)o->atoms : 1;
  const deer_shape all = DEER_SHAPE(batch, units, atoms);
  deer_node value = stream(b, o, "value", atoms, x);
  deer_node advantage = deer_reshape(g, stream(b, o, "advantage", units * atoms, x), all);
  deer_node baseline = deer_sub(g, value, deer_mean(g, advantage, DEER_AXIS(1)));
  deer_node y = deer_add(g, advantage, deer_expand(g, baseline, all, DEER_AXIS(0) | DEER_AXIS(2)));
  return o->atoms > 0 ? y : deer_reshape(g, y, DEER_SHAPE(batch, units));
}

const deer_layer_class deer_layer_dueling = {
    .name = "dueling",
    .help = "value of the state and advantages of the actions, added; for the output",
    .paper = "Wang et al. 2016, arXiv:1511.06581",
    .options_size = sizeof(dueling),
    .fields = fields,
    .ends = true,
    .build = build};
