/* sgd.c: stochastic gradient descent, with heavy-ball momentum (Polyak 1964):
 * v = momentum v + g;  p = p - rate v; or Nesterov's, p = p - rate (g + momentum v), where p is the
 * point that looks ahead (Bengio et al. 2012, arXiv:1212.0901, section 3.5). */
#include "opt/opt.h"

typedef struct sgd {
  double momentum;
  bool nesterov;
} sgd;

static const deer_field fields[] = {
    {"momentum", DEER_FIELD_REAL, offsetof(sgd, momentum), .fallback = 0, .min = 0, .max = 0.9999,
     .help = "share of the last step that is repeated", .search_min = 0, .search_max = 0.99},
    {"nesterov", DEER_FIELD_BOOL, offsetof(sgd, nesterov), .fallback = 0,
     .help = "the momentum looks one step ahead"},
    {0}};

static deer_node rule(deer_opt_step *s) {
  const sgd *o = s->options;
  deer_node direction = deer_opt_momentum(s, 0, s->gradient, o->momentum);
  if (o->nesterov && o->momentum > 0)
    direction = deer_add(s->g, s->gradient, deer_scale(s->g, direction, o->momentum));
  deer_node rate = deer_opt_spread(s, s->learning_rate);
  return deer_sub(s->g, s->parameters, deer_mul(s->g, rate, direction));
}

const deer_opt_class deer_opt_sgd = {.name = "sgd",
                                     .paper = "Robbins and Monro 1951; Polyak 1964; Nesterov 1983",
                                     .help = "gradient descent with momentum",
                                     .options_size = sizeof(sgd),
                                     .fields = fields,
                                     .n_blocks = 1,
                                     .rule = rule};
