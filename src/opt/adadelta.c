/* adadelta.c: Zeiler 2012, arXiv:1212.5701, algorithm 1: s = rho s + (1 - rho) g^2;
 * d = g sqrt((u + epsilon) / (s + epsilon));  u = rho u + (1 - rho) d^2;  p = p - rate d.
 * Steps have the units of the parameters, so the paper's rate is 1. */
#include "opt/opt.h"

typedef struct adadelta {
  double rho, epsilon;
} adadelta;

static const deer_field fields[] = {
    {"rho", DEER_FIELD_REAL, offsetof(adadelta, rho), .fallback = 0.95, .min = 0, .max = 0.999999,
     .help = "decay of both means", .search_min = 0.8, .search_max = 0.999},
    {"epsilon", DEER_FIELD_REAL, offsetof(adadelta, epsilon), .fallback = 1e-6, .min = 1e-16,
     .max = 10, .help = "sets the size of the first steps", .search_min = 1e-8, .search_max = 1e-2},
    {0}};

static deer_node rule(deer_opt_step *s) {
  const adadelta *o = s->options;
  deer_graph *g = s->g;
  deer_node mean_square = deer_moving_mean(g, s->block[0], deer_square(g, s->gradient), o->rho);
  deer_node ratio =
      deer_div(g, deer_shift(g, s->block[1], o->epsilon), deer_shift(g, mean_square, o->epsilon));
  deer_node step = deer_mul(g, deer_sqrt(g, ratio), s->gradient);
  s->next_block[0] = mean_square;
  s->next_block[1] = deer_moving_mean(g, s->block[1], deer_square(g, step), o->rho);
  deer_node rate = deer_opt_spread(s, s->learning_rate);
  return deer_sub(g, s->parameters, deer_mul(g, rate, step));
}

const deer_opt_class deer_opt_adadelta = {.name = "adadelta",
                                          .paper = "Zeiler 2012, arXiv:1212.5701",
                                          .help =
                                              "steps sized by earlier steps; learning rate near 1",
                                          .options_size = sizeof(adadelta),
                                          .fields = fields,
                                          .n_blocks = 2,
                                          .rule = rule};
