/* deepmind_rmsprop.c: the centred form used for the deep Q-network of Mnih et al. 2015 (Graves
 * 2013, equations 38 to 41): m = rho m + (1 - rho) g;  s = rho s + (1 - rho) g^2;
 * v = momentum v + d, where d = g / sqrt(s - m^2 + epsilon), or g / (sqrt(s - m^2) + epsilon) as
 * PyTorch has it;  p = p - rate v. */
#include "opt/opt.h"

typedef struct centred {
  double rho, epsilon, momentum;
  bool epsilon_inside;
} centred;

static const deer_field fields[] = {
    {"rho", DEER_FIELD_REAL, offsetof(centred, rho), .fallback = 0.9, .min = 0, .max = 0.999999,
     .help = "decay of both means", .search_min = 0.8, .search_max = 0.999},
    {"epsilon", DEER_FIELD_REAL, offsetof(centred, epsilon), .fallback = 1e-4, .min = 1e-16,
     .max = 10, .help = "keeps the divisor from zero", .search_min = 1e-8, .search_max = 1e-2},
    {"epsilon_inside", DEER_FIELD_BOOL, offsetof(centred, epsilon_inside), .fallback = 1,
     .help = "epsilon is added before the root is taken"},
    {"momentum", DEER_FIELD_REAL, offsetof(centred, momentum), .fallback = 0, .min = 0,
     .max = 0.9999, .help = "share of the last step that is repeated", .search_min = 0,
     .search_max = 0.99},
    {0}};

static deer_node rule(deer_opt_step *s) {
  const centred *o = s->options;
  deer_graph *g = s->g;
  deer_node mean = deer_moving_mean(g, s->block[0], s->gradient, o->rho);
  deer_node mean_square = deer_moving_mean(g, s->block[1], deer_square(g, s->gradient), o->rho);
  /* a variance, but for rounding: never below zero */
  deer_node variance = deer_relu(g, deer_sub(g, mean_square, deer_square(g, mean)));
  deer_node divisor = o->epsilon_inside ? deer_sqrt(g, deer_shift(g, variance, o->epsilon))
                                        : deer_shift(g, deer_sqrt(g, variance), o->epsilon);
  s->next_block[0] = mean;
  s->next_block[1] = mean_square;
  deer_node direction = deer_opt_momentum(s, 2, deer_div(g, s->gradient, divisor), o->momentum);
  deer_node rate = deer_opt_spread(s, s->learning_rate);
  return deer_sub(g, s->parameters, deer_mul(g, rate, direction));
}

const deer_opt_class deer_opt_deepmind_rmsprop = {
    .name = "deepmind_rmsprop",
    .paper = "Mnih et al. 2015; Graves 2013, arXiv:1308.0850",
    .help = "steps divided by the standard deviation of the gradient",
    .options_size = sizeof(centred),
    .fields = fields,
    .n_blocks = 3,
    .rule = rule};
