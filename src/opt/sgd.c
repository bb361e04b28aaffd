/* sgd.c: stochastic gradient descent, with heavy-ball momentum (Polyak 1964):
 * v = momentum v + g;  p = p - rate v. */
#include "opt/opt.h"

typedef struct sgd {
  double momentum;
} sgd;

static const deer_field fields[] = {
    {"momentum", DEER_FIELD_REAL, offsetof(sgd, momentum), .fallback = 0, .min = 0, .max = 0.9999,
     .help = "share of the last step that is repeated", .search_min = 0, .search_max = 0.99},
    {0}};

static deer_node rule(deer_opt_step *s) {
  const sgd *o = s->options;
  deer_node v = deer_add(s->g, deer_scale(s->g, s->block[0], o->momentum), s->gradient);
  s->next_block[0] = v;
  return deer_sub(s->g, s->parameters, deer_mul(s->g, s->learning_rate, v));
}

const deer_opt_class deer_opt_sgd = {.name = "sgd",
                                     .paper = "Robbins and Monro 1951; Polyak 1964",
                                     .help = "gradient descent with momentum",
                                     .options_size = sizeof(sgd),
                                     .fields = fields,
                                     .n_blocks = 1,
                                     .rule = rule};
