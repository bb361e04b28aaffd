/* opt.h: optimisers, as updates over one flat block of parameters written with graph nodes. Each is
 * one file here, a const class struct and one line in opts.def. */
#ifndef DEER_OPT_H
#define DEER_OPT_H

#include "base/field.h"
#include "env/env.h"
#include "graph/graph.h"

typedef struct deer_opt deer_opt;

#define DEER_OPT_BLOCKS  3 /* blocks of state at most */
#define DEER_OPT_SCALARS 2 /* numbers of state at most */
#define DEER_OPT_ASSIGNS (1 + DEER_OPT_BLOCKS + DEER_OPT_SCALARS)

/* What an optimiser's rule sees and says; every block has the shape of the parameters. */
typedef struct deer_opt_step {
  deer_graph *g;
  const void *options;
  deer_node parameters, gradient;
  deer_node learning_rate;            /* expanded to the shape of the parameters */
  deer_node block[DEER_OPT_BLOCKS];   /* state so far, zeros at first */
  deer_node scalar[DEER_OPT_SCALARS]; /* [1], `scalar_start` at first */
  deer_node next_block[DEER_OPT_BLOCKS], next_scalar[DEER_OPT_SCALARS]; /* written by the rule */
} deer_opt_step;

typedef struct deer_opt_class {
  const char *name, *paper, *help;
  size_t options_size;
  const deer_field *fields;
  int n_blocks, n_scalars;
  double scalar_start;
  deer_node (*rule)(deer_opt_step *step); /* the new parameters */
} deer_opt_class;

/* An optimiser for `size` parameters. Fails with the message of the wrong option or DEER_ENOMEM. */
deer_status deer_opt_new(const deer_opt_class *kind, const deer_option *options, int n, int size,
                         deer_opt **opt);
void deer_opt_free(deer_opt *opt);

/* Emits one update: writes at most DEER_OPT_ASSIGNS assignments to `assigns`, returns how many.
 * `parameters` is a variable, `gradient` its gradient, `learning_rate` a variable of size 1. The
 * optimiser must outlive the program. */
int deer_opt_minimize(deer_opt *opt, deer_graph *g, const deer_node parameters, deer_node gradient,
                      deer_node learning_rate, deer_node assigns[DEER_OPT_ASSIGNS]);

/* decay old + (1 - decay) fresh: an exponential moving average after one more value. */
deer_node deer_moving_mean(deer_graph *g, deer_node old, deer_node fresh, double decay);

/* The gradient scaled down to L2 norm `limit` where it is longer; over all its elements. Pascanu et
 * al. 2013. */
deer_node deer_clip_norm(deer_graph *g, deer_node gradient, double limit);

/* Every optimiser of opts.def in its order; NULL past the end. By name: NULL when unknown. */
const deer_opt_class *deer_opt_at(int i);
const deer_opt_class *deer_opt_find(const char *name);

#endif
