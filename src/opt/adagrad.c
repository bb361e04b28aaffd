/* adagrad.c: Duchi, Hazan and Singer 2011: s = s + g^2;  p = p - rate g / (sqrt(s) + epsilon). */
#include "opt/opt.h"

typedef struct adagrad {
  double epsilon;
} adagrad;

static const deer_field fields[] = {
    {"epsilon", DEER_FIELD_REAL, offsetof(adagrad, epsilon), .fallback = 1e-10, .min = 1e-16,
     .max = 10, .help = "keeps the divisor from zero", .search_min = 1e-10, .search_max = 1e-2},
    {0}};

static deer_node rule(deer_opt_step *s) {
  const adagrad *o = s->options;
  deer_graph *g = s->g;
  deer_node sum = deer_add(g, s->block[0], deer_square(g, s->gradient));
  s->next_block[0] = sum;
  deer_node divisor = deer_shift(g, deer_sqrt(g, sum), o->epsilon);
  deer_node rate = deer_opt_spread(s, s->learning_rate);
  return deer_sub(g, s->parameters, deer_div(g, deer_mul(g, rate, s->gradient), divisor));
}

const deer_opt_class deer_opt_adagrad = {
    .name = "adagrad",
    .paper = "Duchi, Hazan and Singer 2011",
    .help = "steps divided by the root of the sum of all squared gradients",
    .options_size = sizeof(adagrad),
    .fields = fields,
    .n_blocks = 1,
    .rule = rule};
