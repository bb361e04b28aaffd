/* layer.h: what a layer is. For files in nn/ only. A new layer is one const struct in a file of
 * nn/layer and one line in layers.def. */
#ifndef DEER_LAYER_H
#define DEER_LAYER_H

#include "nn/nn.h"

/* Lays out or looks up parameters while a layer builds its nodes. */
typedef struct deer_layer_build deer_layer_build;

/* The form in which a layer wants its input. */
typedef enum deer_layer_input {
  DEER_LAYER_FLAT,     /* [batch, features] */
  DEER_LAYER_IMAGE,    /* [batch, channels, rows, columns] */
  DEER_LAYER_SEQUENCE, /* [batch, steps, features] */
  DEER_LAYER_ANY       /* whatever comes */
} deer_layer_input;

struct deer_layer_class {
  const char *name, *help, *paper;
  size_t options_size; /* at most DEER_LAYER_OPTIONS */
  const deer_field *fields;
  deer_layer_input input;
  bool ends;  /* can be the last layer of a head: it has the option "units" */
  bool holds; /* takes layers inside, see deer_layer_child; `input` is then DEER_LAYER_ANY */
  deer_node (*build)(deer_layer_build *b, const void *options, deer_node x);
};

/* The form that the first of the layers with a wish wants; DEER_LAYER_ANY if none has. */
deer_layer_input deer_layers_input(const deer_layer_spec *layers, int n);

deer_graph *deer_layer_graph(deer_layer_build *b);

/* The next parameter of the layer, "weight" or "bias", as a view into the block. A layer asks for
 * the same ones in the same order each time. */
deer_node deer_layer_parameter(deer_layer_build *b, const char *name, deer_shape shape,
                               deer_init init);

/* Tells who wants to know that the last two parameters are weight and bias of a dense layer that
 * makes `output` of `input`. */
void deer_layer_tap(deer_layer_build *b, deer_node input, deer_node output);

/* The stream to draw noise from; NULL when there is to be none. */
deer_rng *deer_layer_noise(deer_layer_build *b);

/* "subject0.conv1", for messages. */
const char *deer_layer_where(const deer_layer_build *b);

/* For layers that hold others: how many there are directly inside, and one of them applied. */
int deer_layer_children(const deer_layer_build *b);
deer_node deer_layer_child(deer_layer_build *b, int i, deer_node x);

/* For recurrent layers. Each thing that is carried over is asked for, [batch, width] with zeros if
 * this is a beginning, and later, in the same order, its new value is told. */
deer_node deer_layer_memory(deer_layer_build *b, int batch, int width);
void deer_layer_remember(deer_layer_build *b, deer_node value);
bool deer_layer_carries(const deer_layer_build *b); /* does the caller carry anything, or may it? */

/* ---- helpers of several layers ---- */

#define DEER_ACTIVATION_CHOICES                                                                    \
  "linear|relu|tanh|sigmoid|leaky_relu|elu|selu|gelu|swish|hard_swish|softplus"

/* `kind` is a position in DEER_ACTIVATION_CHOICES. */
deer_node deer_activate(deer_graph *g, int kind, deer_node x);

deer_node deer_flatten(deer_graph *g, deer_node x); /* [batch, ...] -> [batch, features] */

/* Options of layers with weights and biases, and their rows in the field table of a struct that has
 * them as the member `weights`. */
typedef struct deer_weights {
  double gain;
  int activation, init, bias_init;
} deer_weights;

#define DEER_FIELD_ACTIVATION(type)                                                                \
  {                                                                                                \
    "activation", DEER_FIELD_CHOICE, offsetof(type, weights.activation),                           \
        .fallback = 1, .choices = DEER_ACTIVATION_CHOICES, .help = "applied to every output"       \
  }
#define DEER_FIELD_INIT(type, kind)                                                                \
  {                                                                                                \
    "init", DEER_FIELD_CHOICE, offsetof(type, weights.init),                                       \
        .fallback = (kind), .choices = DEER_INIT_CHOICES, .help = "how initial weights are drawn"  \
  }
#define DEER_FIELD_GAIN(type, number)                                                              \
  {                                                                                                \
    "gain", DEER_FIELD_REAL, offsetof(type, weights.gain),                                         \
        .fallback = (number), .min = 0, .max = 1e6,                                                \
        .help = "multiplies them; bound of 'uniform', value of 'constant'"                         \
  }
#define DEER_FIELD_BIAS_INIT(type, kind)                                                           \
  {                                                                                                \
    "bias_init", DEER_FIELD_CHOICE, offsetof(type, weights.bias_init),                             \
        .fallback = (kind), .choices = DEER_INIT_CHOICES,                                          \
        .help = "how initial biases are drawn, with the same gain"                                 \
  }

/* How the options have weights and biases drawn. */
deer_init deer_weight_init(const deer_weights *weights, double fan_in, double fan_out);
deer_init deer_bias_init(const deer_weights *weights, double fan_in, double fan_out);

/* activation(x W + b), where x is [batch, features]. */
typedef struct deer_linear {
  const char *name; /* "value" for parameters "value.weight" and "value.bias"; NULL: no prefix */
  int units;
  const deer_weights *weights;
  double sigma; /* initial deviation of parameters, times sqrt(features); 0: they are not noisy */
} deer_linear;
deer_node deer_layer_linear(deer_layer_build *b, const deer_linear *linear, deer_node x);

/* Draws the initial values of a parameter. */
void deer_init_draw(const deer_init *init, const deer_shape *shape, deer_rng *rng,
                    deer_real *values);

#define LAYER(name) extern const deer_layer_class deer_layer_##name;
#include "nn/layers.def"
#undef LAYER

#endif
