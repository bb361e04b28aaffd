/* layer.h: what a layer is. For files in nn/ only. A new layer is one const struct in a file of
 * nn/layer and one line in layers.def. */
#ifndef DEER_LAYER_H
#define DEER_LAYER_H

#include "nn/nn.h"

/* Lays out or looks up parameters while a layer builds its nodes. */
typedef struct deer_layer_build deer_layer_build;

/* How the initial values of a parameter are drawn. */
typedef struct deer_init {
  int kind; /* position in DEER_INIT_CHOICES */
  int64_t fan_in, fan_out;
} deer_init;

/* Glorot and Bengio 2010: uniform, bound sqrt(6 / (fan_in + fan_out)). He et al. 2015: bound sqrt(6
 * / fan_in). */
#define DEER_INIT_CHOICES "glorot_uniform|he_uniform|zeros"
enum { DEER_INIT_GLOROT_UNIFORM, DEER_INIT_HE_UNIFORM, DEER_INIT_ZEROS };

#define DEER_ACTIVATION_CHOICES "linear|relu|tanh|sigmoid"

/* The form in which a layer wants its input. */
typedef enum deer_layer_input {
  DEER_LAYER_FLAT,  /* [batch, features] */
  DEER_LAYER_IMAGE, /* [batch, channels, rows, columns] */
  DEER_LAYER_ANY    /* whatever comes, element by element */
} deer_layer_input;

struct deer_layer_class {
  const char *name, *help;
  size_t options_size; /* at most DEER_LAYER_OPTIONS */
  const deer_field *fields;
  deer_layer_input input;
  deer_node (*build)(deer_layer_build *b, const void *options, deer_node x);
};

deer_graph *deer_layer_graph(deer_layer_build *b);

/* The next parameter of the layer, "weight" or "bias", as a view into the block. */
deer_node deer_layer_parameter(deer_layer_build *b, const char *name, deer_shape shape,
                               deer_init init);

/* Helpers of several layers. `kind` is a position in DEER_ACTIVATION_CHOICES. */
deer_node deer_activate(deer_graph *g, int kind, deer_node x);
deer_node deer_flatten(deer_graph *g, deer_node x); /* [batch, ...] -> [batch, features] */

#define LAYER(name) extern const deer_layer_class deer_layer_##name;
#include "nn/layers.def"
#undef LAYER

#endif
