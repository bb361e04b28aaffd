/* adamw.c: Adam with decoupled weight decay, Loshchilov and Hutter 2019, arXiv:1711.05101,
 * algorithm 2: p = p - rate weight_decay p - (the step of Adam). */
#include "opt/adam.h"

typedef struct options {
  deer_adam adam;
  double weight_decay;
} options;

static const deer_field fields[] = {
    DEER_ADAM_FIELDS(options),
    {"weight_decay", DEER_FIELD_REAL, offsetof(options, weight_decay), .fallback = 0.01, .min = 0,
     .max = 10, .help = "share of each parameter that is lost at a learning rate of 1",
     .search_min = 1e-4, .search_max = 0.1},
    {0}};

static deer_node rule(deer_opt_step *s) {
  const options *o = s->options;
  deer_graph *g = s->g;
  deer_node kept = deer_shift(g, deer_scale(g, s->learning_rate, -o->weight_decay), 1);
  deer_node decayed = deer_mul(g, s->parameters, deer_opt_spread(s, kept));
  return deer_sub(g, decayed, deer_adam_step(s, &o->adam));
}

const deer_opt_class deer_opt_adamw = {.name = "adamw",
                                       .paper = "Loshchilov and Hutter 2019, arXiv:1711.05101",
                                       .help = "adam, and parameters that shrink by themselves",
                                       .options_size = sizeof(options),
                                       .fields = fields,
                                       .n_blocks = 2,
                                       .n_scalars = 2,
                                       .rule = rule};
