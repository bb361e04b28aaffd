/* rmsprop.c: Tieleman and Hinton 2012, lecture 6.5:
 * s = rho s + (1 - rho) g^2;  d = g / sqrt(s + epsilon), or g / (sqrt(s) + epsilon);
 * v = momentum v + d;  p = p - rate v. */
#include "opt/opt.h"

typedef struct rmsprop {
  double rho, epsilon, momentum;
  bool epsilon_inside;
} rmsprop;

static const deer_field fields[] = {
    {"rho", DEER_FIELD_REAL, offsetof(rmsprop, rho), .fallback = 0.9, .min = 0, .max = 0.999999,
     .help = "decay of the mean squared gradient", .search_min = 0.8, .search_max = 0.999},
    {"epsilon", DEER_FIELD_REAL, offsetof(rmsprop, epsilon), .fallback = 1e-4, .min = 1e-16,
     .max = 10, .help = "keeps the divisor from zero", .search_min = 1e-8, .search_max = 1e-2},
    {"epsilon_inside", DEER_FIELD_BOOL, offsetof(rmsprop, epsilon_inside), .fallback = 1,
     .help = "epsilon is added before the root is taken"},
    {"momentum", DEER_FIELD_REAL, offsetof(rmsprop, momentum), .fallback = 0, .min = 0,
     .max = 0.9999, .help = "share of the last step that is repeated", .search_min = 0,
     .search_max = 0.99},
    {0}};

static deer_node rule(deer_opt_step *s) {
  const rmsprop *o = s->options;
  deer_graph *g = s->g;
  deer_node mean_square = deer_moving_mean(g, s->block[0], deer_square(g, s->gradient), o->rho);
  deer_node divisor = o->epsilon_inside ? deer_sqrt(g, deer_shift(g, mean_square, o->epsilon))
                                        : deer_shift(g, deer_sqrt(g, mean_square), o->epsilon);
  s->next_block[0] = mean_square;
  deer_node direction = deer_opt_momentum(s, 1, deer_div(g, s->gradient, divisor), o->momentum);
  deer_node rate = deer_opt_spread(s, s->learning_rate);
  return deer_sub(g, s->parameters, deer_mul(g, rate, direction));
}

const deer_opt_class deer_opt_rmsprop = {
    .name = "rmsprop",
    .paper = "Tieleman and Hinton 2012",
    .help = "steps divided by the root mean square of the gradient",
    .options_size = sizeof(rmsprop),
    .fields = fields,
    .n_blocks = 2,
    .rule = rule};
