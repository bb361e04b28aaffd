/* adam.c: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1. The scalars hold beta1^t and beta2^t.
 */
#include "opt/opt.h"

typedef struct adam {
  double beta1, beta2, epsilon;
} adam;

static const deer_field fields[] = {
    {"beta1", DEER_FIELD_REAL, offsetof(adam, beta1), .fallback = 0.9, .min = 0, .max = 0.999999,
     .help = "decay of the mean gradient", .search_min = 0.5, .search_max = 0.99},
    {"beta2", DEER_FIELD_REAL, offsetof(adam, beta2), .fallback = 0.999, .min = 0, .max = 0.9999999,
     .help = "decay of the mean squared gradient", .search_min = 0.9, .search_max = 0.9999},
    {"epsilon", DEER_FIELD_REAL, offsetof(adam, epsilon), .fallback = 1e-8, .min = 1e-16, .max = 10,
     .help = "keeps the divisor from zero", .search_min = 1e-8, .search_max = 1e-3},
    {0}};

/* mean / (1 - power), power [1] being decay^t */
static deer_node corrected(deer_graph *g, deer_node mean, deer_node power) {
  deer_node rest = deer_shift(g, deer_neg(g, deer_reshape(g, power, DEER_SCALAR)), 1);
  return deer_div(g, mean, deer_expand(g, rest, deer_node_shape(g, mean), 0));
}

static deer_node rule(deer_opt_step *s) {
  const adam *o = s->options;
  deer_graph *g = s->g;
  deer_node m = deer_moving_mean(g, s->block[0], s->gradient, o->beta1);
  deer_node v = deer_moving_mean(g, s->block[1], deer_square(g, s->gradient), o->beta2);
  s->next_block[0] = m;
  s->next_block[1] = v;
  s->next_scalar[0] = deer_scale(g, s->scalar[0], o->beta1);
  s->next_scalar[1] = deer_scale(g, s->scalar[1], o->beta2);
  deer_node m_hat = corrected(g, m, s->next_scalar[0]);
  deer_node v_hat = corrected(g, v, s->next_scalar[1]);
  deer_node divisor = deer_shift(g, deer_sqrt(g, v_hat), o->epsilon);
  return deer_sub(g, s->parameters, deer_div(g, deer_mul(g, s->learning_rate, m_hat), divisor));
}

const deer_opt_class deer_opt_adam = {.name = "adam",
                                      .paper = "Kingma and Ba 2015, arXiv:1412.6980",
                                      .help = "momentum and per-parameter step sizes",
                                      .options_size = sizeof(adam),
                                      .fields = fields,
                                      .n_blocks = 2,
                                      .n_scalars = 2,
                                      .scalar_start = 1,
                                      .rule = rule};
