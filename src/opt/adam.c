/* adam.c: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1 with the corrections of both means in
 * one scalar (end of its section 2), but with epsilon where algorithm 1 has it. */
#include "opt/adam.h"

typedef struct options {
  deer_adam adam;
} options;

static const deer_field fields[] = {DEER_ADAM_FIELDS(options), {0}};

/* the share of all weights that a moving mean has given to values so far, 1 - decay^t: itself the
 * moving mean of ones, which rounds better than the difference does */
static deer_node weight_so_far(deer_opt_step *s, int i, double decay) {
  deer_node one = deer_constant(s->g, DEER_SCALAR, 1);
  return s->next_scalar[i] = deer_moving_mean(s->g, s->scalar[i], one, decay);
}

deer_node deer_adam_scaled(deer_opt_step *s, const deer_adam *o, deer_node direction,
                           deer_node rate) {
  deer_graph *g = s->g;
  deer_node v = deer_moving_mean(g, s->block[1], deer_square(g, s->gradient), o->beta2);
  s->next_block[1] = v;
  /* rate d / (sqrt(v / w) + epsilon) = (rate sqrt(w)) d / (sqrt(v) + epsilon sqrt(w)) */
  deer_node root = deer_sqrt(g, weight_so_far(s, 1, o->beta2));
  deer_node divisor =
      deer_add(g, deer_sqrt(g, v), deer_opt_spread(s, deer_scale(g, root, o->epsilon)));
  deer_node factor = deer_opt_spread(s, deer_mul(g, rate, root));
  return deer_div(g, deer_mul(g, factor, direction), divisor);
}

deer_node deer_adam_step(deer_opt_step *s, const deer_adam *o) {
  deer_graph *g = s->g;
  deer_node m = deer_moving_mean(g, s->block[0], s->gradient, o->beta1);
  s->next_block[0] = m;
  deer_node rate = deer_div(g, s->learning_rate, weight_so_far(s, 0, o->beta1));
  return deer_adam_scaled(s, o, m, rate);
}

static deer_node rule(deer_opt_step *s) {
  const options *o = s->options;
  return deer_sub(s->g, s->parameters, deer_adam_step(s, &o->adam));
}

const deer_opt_class deer_opt_adam = {.name = "adam",
                                      .paper = "Kingma and Ba 2015, arXiv:1412.6980",
                                      .help = "momentum and per-parameter step sizes",
                                      .options_size = sizeof(options),
                                      .fields = fields,
                                      .n_blocks = 2,
                                      .n_scalars = 2,
                                      .rule = rule};
