/* opt.h: optimisers, as updates over one flat block of parameters written with graph nodes. Each is
 * one file here, a const class struct and one line in opts.def. */
#ifndef DEER_OPT_H
#define DEER_OPT_H

#include "base/field.h"
#include "env/env.h"
#include "graph/graph.h"
#include "nn/nn.h"

typedef struct deer_opt deer_opt;

#define DEER_OPT_BLOCKS  3 /* blocks of state at most */
#define DEER_OPT_SCALARS 3 /* numbers of state at most */
#define DEER_OPT_ASSIGNS (1 + DEER_OPT_BLOCKS + DEER_OPT_SCALARS)

/* What an optimiser's rule sees and says; every block has the shape of the parameters, everything
 * else is a scalar. What can be worked out on scalars is: deer_opt_spread comes last. */
typedef struct deer_opt_step {
  deer_graph *g;
  const void *options;
  deer_node parameters, gradient;
  deer_node learning_rate;
  deer_node block[DEER_OPT_BLOCKS];   /* state so far, zeros at first */
  deer_node scalar[DEER_OPT_SCALARS]; /* state so far, `scalar_start` at first */
  /* written by the rule; none where the state stays as it is */
  deer_node next_block[DEER_OPT_BLOCKS], next_scalar[DEER_OPT_SCALARS];
} deer_opt_step;

typedef struct deer_opt_class {
  const char *name, *paper, *help;
  size_t options_size;
  const deer_field *fields;
  int n_blocks, n_scalars;
  double scalar_start[DEER_OPT_SCALARS];
  deer_node (*rule)(deer_opt_step *step); /* the new parameters */
} deer_opt_class;

/* An optimiser for `size` parameters. Fails with the message of the wrong option or DEER_ENOMEM. */
deer_status deer_opt_new(const deer_opt_class *kind, const deer_option *options, int n, int size,
                         deer_opt **opt);
void deer_opt_free(deer_opt *opt);

/* Block or number i of the state that updates change, [*size], for those who keep or restore it;
 * NULL past the end. */
deer_real *deer_opt_state(deer_opt *opt, int i, int *size);

/* Emits one update: writes at most DEER_OPT_ASSIGNS assignments to `assigns`, returns how many.
 * `parameters` is a variable, `gradient` its gradient, `learning_rate` a variable of size 1. The
 * optimiser must outlive the program. */
int deer_opt_minimize(deer_opt *opt, deer_graph *g, const deer_node parameters, deer_node gradient,
                      deer_node learning_rate, deer_node assigns[DEER_OPT_ASSIGNS]);

/* The parameters after the step that the last deer_opt_minimize emitted, a node of its graph: what
 * a target network follows. */
deer_node deer_opt_updated(const deer_opt *opt);

/* Moves the variable `target` a little towards `source`, of the same shape: target + tau (source -
 * target), with 0 < tau <= 1; an assignment, to be listed as an output. Given deer_opt_updated it
 * reads nothing that the optimiser does not have at hand. Lillicrap et al. 2016, arXiv:1509.02971.
 */
deer_node deer_soft_update(deer_graph *g, deer_node target, deer_node source, double tau);

/* ---- for the rules ---- */

/* A scalar in the shape of the parameters. */
deer_node deer_opt_spread(const deer_opt_step *step, deer_node scalar);

/* decay old + (1 - decay) fresh: an exponential moving average after one more value. */
deer_node deer_moving_mean(deer_graph *g, deer_node old, deer_node fresh, double decay);

/* Heavy-ball momentum: v = momentum v + direction, with v in block i. Without momentum the block is
 * not touched. */
deer_node deer_opt_momentum(deer_opt_step *step, int i, deer_node direction, double momentum);

/* ---- limits of gradients ---- */

/* Options of any algo; 0 means no limit. Applied in this order. */
typedef struct deer_clipping {
  double value;       /* of every element */
  double tensor_norm; /* of every weight tensor, as in DeeR */
  double global_norm; /* of all of it */
} deer_clipping;

/* Rows of a field table; `type` is a struct with a deer_clipping called `clipping`. */
#define DEER_CLIPPING_FIELD(type, name, member, help)                                              \
  { name, DEER_FIELD_REAL, offsetof(type, clipping.member), 0, 0, 1e9, NULL, help, 0.1, 10 }
#define DEER_CLIPPING_FIELDS(type)                                                                 \
  DEER_CLIPPING_FIELD(type, "clip_value", value, "largest element of the gradient; 0: no limit"),  \
      DEER_CLIPPING_FIELD(type, "clip_norm", tensor_norm,                                          \
                          "longest gradient of each weight tensor; 0: no limit"),                  \
      DEER_CLIPPING_FIELD(type, "clip_global_norm", global_norm,                                   \
                          "longest gradient of all parameters; 0: no limit")

/* The gradient within the limits. Its block holds the parameters of `net`, any number of times
 * over. */
deer_node deer_opt_clip(deer_graph *g, deer_node gradient, const deer_net *net,
                             const deer_clipping *limits);

/* The gradient scaled down to L2 norm `limit` where it is longer; over all its elements. Pascanu et
 * al. 2013. */
deer_node deer_clip_norm(deer_graph *g, deer_node gradient, double limit);

/* ---- what there is ---- */

/* Their names, for a field of choices: the value is the place in opts.def. */
#define DEER_OPT_CHOICES "sgd|rmsprop|deepmind_rmsprop|adam|adamw|nadam|adagrad|adadelta"

/* Every optimiser of opts.def in its order; NULL past the end. By name: NULL when unknown. */
const deer_opt_class *deer_opt_at(int i);
const deer_opt_class *deer_opt_find(const char *name);

#endif
