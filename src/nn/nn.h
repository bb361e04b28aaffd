/* nn.h: networks as lists of layers. A deer_net_spec says what to build; a deer_net is the layout
 * of its parameters in one flat block, and can be applied to graphs any number of times. */
#ifndef DEER_NN_H
#define DEER_NN_H

#include "base/field.h"
#include "base/rng.h"
#include "env/space.h"
#include "graph/graph.h"
#include "nn/normalizer.h"

typedef struct deer_net deer_net;
typedef struct deer_layer_class deer_layer_class;

/* ---- what to build ---- */

#define DEER_LAYER_OPTIONS 96   /* bytes for the options struct of any layer */
#define DEER_MAX_LAYERS    32   /* in one list, those inside of others included */
#define DEER_MAX_HEADS     8    /* of one network */
#define DEER_MAX_SLOTS     256  /* weights, biases, ... of one network */
#define DEER_MAX_ATOMS     4096 /* of one output */
#define DEER_MAX_MEMORIES  32   /* carried from one application to the next */

/* A layer in a list. Some layers hold others: these are the `inside` entries that follow. */
typedef struct deer_layer_spec {
  const deer_layer_class *kind;
  int inside;
  union {
    char bytes[DEER_LAYER_OPTIONS];
    double align;
  } options;
} deer_layer_spec;

typedef struct deer_layer_list {
  int n;
  deer_layer_spec layers[DEER_MAX_LAYERS];
} deer_layer_list;

/* The layers between the trunk and the output of one head. */
typedef struct deer_head_spec {
  char name[16];
  deer_layer_list layers;
} deer_head_spec;

/* One branch per subject, each flattened and concatenated in subject order, then the trunk, then
 * the heads, each with a last layer. An input that is no observation, such as the action of a
 * critic, is one more subject of the space: without a branch it joins in where the trunk begins. */
typedef struct deer_net_spec {
  int n_branches; /* at most as many as subjects; the others have none */
  deer_layer_list branches[DEER_MAX_SUBJECTS];
  deer_layer_list trunk;
  int n_heads; /* those that have layers of their own */
  deer_head_spec heads[DEER_MAX_HEADS];
  deer_layer_spec output; /* ends every head; kind NULL: what the algo ends it with */
} deer_net_spec;

/* DeeR's default networks for any kind of subject: "deer" as in DeeR 0.4 (ReLU; 16 filters of 3 x 3
 * on frames of less than 11 x 11, which its convolutions do not fit), "deer-0.2" (tanh),
 * "deer-lstm" (recurrent where the history is longer than three). DEER_EINVAL for another name or a
 * subject the rule does not cover. */
deer_status deer_net_default(const char *name, const deer_space *space, deer_net_spec *spec);

/* A layer with its default options; DEER_EINVAL and the nearest name for an unknown one. */
deer_status deer_layer_make(const char *name, deer_layer_spec *layer);
deer_status deer_layer_set(deer_layer_spec *layer, const char *option, deer_value value);

/* A layer that can end a head, linear unless told otherwise: dense, noisy, dueling. Its option
 * "units" is set by deer_net_new. DEER_EINVAL for others. */
deer_status deer_output_make(const char *name, deer_layer_spec *layer);

/* Appends a layer with its default options; NULL after deer_fail for an unknown name or a full
 * list. */
deer_layer_spec *deer_layer_add(deer_layer_list *list, const char *name);

/* All layers added after `layer`, which is one of the list, are inside of it. DEER_EINVAL when that
 * layer holds none. */
deer_status deer_layer_enclose(deer_layer_list *list, deer_layer_spec *layer);

/* A description that is one list for everything has been read into the trunk. With one subject its
 * first layers, up to the last one that wants a picture or a sequence, become the branch. */
void deer_net_spec_split(deer_net_spec *spec);

/* ---- parameters ---- */

/* How initial values are drawn; `gain` multiplies all of them.
 *   glorot    Glorot and Bengio 2010: variance 2 / (fan_in + fan_out)
 *   he        He et al. 2015, arXiv:1502.01852: variance 2 / fan_in
 *   lecun     LeCun et al. 1998: variance 1 / fan_in
 *   orthogonal  Saxe et al. 2014, arXiv:1312.6120: rows (or columns, if there are fewer) of the
 *             matrix [first axis, all others] are orthonormal
 *   uniform   within -1..1;   constant  1;   zeros  0 */
#define DEER_INIT_CHOICES                                                                          \
  "glorot_uniform|glorot_normal|he_uniform|he_normal|lecun_uniform|lecun_normal|orthogonal|"       \
  "uniform|constant|zeros"
enum {
  DEER_INIT_GLOROT_UNIFORM,
  DEER_INIT_GLOROT_NORMAL,
  DEER_INIT_HE_UNIFORM,
  DEER_INIT_HE_NORMAL,
  DEER_INIT_LECUN_UNIFORM,
  DEER_INIT_LECUN_NORMAL,
  DEER_INIT_ORTHOGONAL,
  DEER_INIT_UNIFORM,
  DEER_INIT_CONSTANT,
  DEER_INIT_ZEROS
};

typedef struct deer_init {
  int kind;
  double gain, fan_in, fan_out;
} deer_init;

/* Fills the values of one parameter. */
void deer_init_draw(const deer_init *init, const deer_shape *shape, deer_rng *rng,
                    deer_real *values);

/* Parameter i: its name ("subject0.conv1.weight"), place and shape; false past the end. */
typedef struct deer_net_slot {
  char name[64];
  int offset;
  deer_shape shape;
  deer_init init;
} deer_net_slot;
bool deer_net_slot_at(const deer_net *net, int i, deer_net_slot *slot);

int deer_net_size(const deer_net *net); /* parameters in all */

/* Draws initial values into parameters[deer_net_size], slot after slot, and splits the stream of
 * the network's own noise off `rng`. */
void deer_net_init(deer_net *net, deer_rng *rng, deer_real *parameters);

/* ---- life ---- */

/* Lays out the parameters of `spec` with one head, "output", that ends in a linear layer of
 * n_outputs. Fails with DEER_ESHAPE, naming subject and layer, when a layer does not fit. */
deer_status deer_net_new(const deer_net_spec *spec, const deer_space *space, int n_outputs,
                         deer_net **net);

/* A head gives [batch, units], or with atoms, for a distribution per unit, [batch, units, atoms].
 * Parameters of its layers are called "policy.dense1.weight", those of its end "policy.weight". */
typedef struct deer_net_head {
  const char *name;              /* at most 15 characters */
  int units, atoms;              /* atoms may be 0 */
  const deer_layer_spec *output; /* of deer_output_make; NULL: dense. spec->output goes first */
} deer_net_head;

/* The same with several heads on one trunk (policy and value that share features). DEER_EINVAL when
 * the spec has layers for a head that is not among them. */
deer_status deer_net_new_heads(const deer_net_spec *spec, const deer_space *space,
                               const deer_net_head *heads, int n_heads, deer_net **net);

/* Programs made from graphs with a network in them draw its noise: it has to outlive them. */
void deer_net_free(deer_net *net);

/* What the network sees of observations goes through `normalizer`, which is borrowed and outlives
 * it; from the next application on. */
void deer_net_normalize(deer_net *net, const deer_normalizer *normalizer);

/* The stream that noisy layers and dropout draw from, to be saved with the rest. */
deer_rng *deer_net_noise(deer_net *net);

/* ---- use ---- */

/* The output [batch, n_outputs] of the first head for states[s] of shape [batch, history, shape...]
 * (uint8 is cast to real as it is), without noise. `block` is the variable that holds the
 * parameters. */
deer_node deer_net_apply(const deer_net *net, deer_graph *g, deer_node block,
                         const deer_node *states);

/* A dense layer where a network was applied: what it got and what it made of it, before the
 * activation. Its weight [in, out] lies at `weight` of the block, the bias [out] behind it. */
typedef struct deer_net_tap {
  deer_node input;  /* [batch, in] */
  deer_node output; /* [batch, out] */
  int weight;
} deer_net_tap;

#define DEER_MAX_TAPS (DEER_MAX_SLOTS / 2)

/* One application with everything said. What is left zero is left out. */
typedef struct deer_net_call {
  deer_node block;
  const deer_node *states;

  /* Noisy layers and dropout draw from the network's stream, each application for itself; without
   * it they are their mean. */
  bool noise;

  /* What recurrent layers carry over: memory[i] is [batch, deer_net_memory_at(i)], NULL for zeros
   * (a new episode); remembered[i] takes what is to be given to the next application. With NULL for
   * both a recurrent layer sees the history of its subject and starts anew each time. */
  const deer_node *memory;
  deer_node *remembered;

  /* taps[DEER_MAX_TAPS] takes the dense layers in the order in which they are applied, *n_taps how
   * many there are; noisy ones do not count. For methods that look at their curvature. */
  deer_net_tap *taps;
  int *n_taps;
} deer_net_call;

/* Fills outputs[i] for every head. */
void deer_net_apply_heads(deer_net *net, deer_graph *g, const deer_net_call *call,
                          deer_node *outputs);

/* Width of the i-th thing carried over by recurrent layers; 0 past the end. */
int deer_net_memory_at(const deer_net *net, int i);

/* ---- what there is ---- */

/* Every layer of layers.def in its order; NULL past the end. */
const deer_layer_class *deer_layer_at(int i);
const char *deer_layer_name(const deer_layer_class *kind);
const char *deer_layer_help(const deer_layer_class *kind);  /* one line */
const char *deer_layer_paper(const deer_layer_class *kind); /* NULL if none */
const deer_field *deer_layer_fields(const deer_layer_class *kind);
bool deer_layer_holds(const deer_layer_class *kind); /* does it take a list of layers? */

#endif
