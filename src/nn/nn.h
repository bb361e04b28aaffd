/* nn.h: networks as lists of layers. A deer_net_spec says what to build; a deer_net is the layout
 * of its parameters in one flat block, and can be applied to graphs any number of times. */
#ifndef DEER_NN_H
#define DEER_NN_H

#include "base/field.h"
#include "base/rng.h"
#include "env/space.h"
#include "graph/graph.h"

typedef struct deer_net deer_net;
typedef struct deer_layer_class deer_layer_class;

#define DEER_LAYER_OPTIONS 64 /* bytes for the options struct of any layer */
#define DEER_MAX_LAYERS    32 /* in one list */

typedef struct deer_layer_spec {
  const deer_layer_class *kind;
  union {
    char bytes[DEER_LAYER_OPTIONS];
    double align;
  } options;
} deer_layer_spec;

typedef struct deer_layer_list {
  int n;
  deer_layer_spec layers[DEER_MAX_LAYERS];
} deer_layer_list;

/* One branch per subject, flattened and concatenated in subject order, then the trunk. The linear
 * output layer is added by the algo, which knows its size. */
typedef struct deer_net_spec {
  int n_branches;
  deer_layer_list branches[DEER_MAX_SUBJECTS];
  deer_layer_list trunk;
} deer_net_spec;

/* DeeR's default networks for any kind of subject: "deer" as in DeeR 0.4 (ReLU), "deer-0.2" (tanh).
 * DEER_EINVAL for another name or a subject the rule does not cover. */
deer_status deer_net_default(const char *name, const deer_space *space, deer_net_spec *spec);

/* A layer with its default options; DEER_EINVAL and the nearest name for an unknown one. */
deer_status deer_layer_make(const char *name, deer_layer_spec *layer);
deer_status deer_layer_set(deer_layer_spec *layer, const char *option, deer_value value);

/* Lays out the parameters of `spec` with a linear layer of n_outputs at the end. Fails with
 * DEER_ESHAPE, naming subject and layer, when a layer does not fit. */
deer_status deer_net_new(const deer_net_spec *spec, const deer_space *space, int n_outputs,
                         deer_net **net);
void deer_net_free(deer_net *net);

int deer_net_size(const deer_net *net); /* parameters in all */

/* Parameter i: its name ("subject0.conv1.weight"), place and shape; false past the end. */
typedef struct deer_net_slot {
  char name[64];
  int offset;
  deer_shape shape;
  double bound; /* of the uniform initial values; 0 for zeros */
} deer_net_slot;
bool deer_net_slot_at(const deer_net *net, int i, deer_net_slot *slot);

/* Draws initial values into parameters[deer_net_size]. */
void deer_net_init(const deer_net *net, deer_rng *rng, deer_real *parameters);

/* The outputs [batch, n_outputs] for states[s] of shape [batch, history, shape...] (uint8 is cast
 * to real as it is). `block` is the variable that holds the parameters. */
deer_node deer_net_apply(const deer_net *net, deer_graph *g, deer_node block,
                         const deer_node *states);

/* A dense layer where a network was applied: what it got and what it made of it, before the
 * activation. Its weight [in, out] lies at `weight` of the block, the bias [out] behind it. */
typedef struct deer_net_tap {
  deer_node input;  /* [batch, in] */
  deer_node output; /* [batch, out] */
  int weight;
} deer_net_tap;

/* Every layer of layers.def in its order; NULL past the end. */
const deer_layer_class *deer_layer_at(int i);
const char *deer_layer_name(const deer_layer_class *kind);
const char *deer_layer_help(const deer_layer_class *kind); /* one line */
const deer_field *deer_layer_fields(const deer_layer_class *kind);

#endif
