/* nadam.c: Adam with Nesterov's momentum, Dozat 2016 (ICLR workshop). The momentum of step t is
 * mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2), and the direction
 *   mu_(t+1) m / (1 - mu_1 ... mu_(t+1)) + (1 - mu_t) g / (1 - mu_1 ... mu_t),
 * where the mean m is that of Adam. */
#include "opt/adam.h"

#include <math.h>

typedef struct options {
  deer_adam adam;
  double momentum_decay;
} options;

static const deer_field fields[] = {
    DEER_ADAM_FIELDS(options),
    {"momentum_decay", DEER_FIELD_REAL, offsetof(options, momentum_decay), .fallback = 0.004,
     .min = 0, .max = 1, .help = "how fast the momentum rises from beta1 / 2 to beta1"},
    {0}};

/* scalars: 0 holds the product of mu_1 .. mu_t, 2 holds 0.96^(t momentum_decay) */
enum { PRODUCT, WEIGHT, POWER };

/* beta1 (1 - power / 2) */
static deer_node momentum_of(deer_graph *g, const options *o, deer_node power) {
  return deer_shift(g, deer_scale(g, power, -o->adam.beta1 / 2), o->adam.beta1);
}

static deer_node one_minus(deer_graph *g, deer_node x) { return deer_shift(g, deer_neg(g, x), 1); }

static deer_node rule(deer_opt_step *s) {
  const options *o = s->options;
  deer_graph *g = s->g;
  const double decay = pow(0.96, o->momentum_decay);
  deer_node power = deer_scale(g, s->scalar[POWER], decay);
  deer_node mu = momentum_of(g, o, power), mu_next = momentum_of(g, o, deer_scale(g, power, decay));
  deer_node product = deer_mul(g, s->scalar[PRODUCT], mu);
  s->next_scalar[POWER] = power;
  s->next_scalar[PRODUCT] = product;

  deer_node m = deer_moving_mean(g, s->block[0], s->gradient, o->adam.beta1);
  s->next_block[0] = m;
  deer_node of_m = deer_div(g, mu_next, one_minus(g, deer_mul(g, product, mu_next)));
  deer_node of_g = deer_div(g, one_minus(g, mu), one_minus(g, product));
  deer_node direction = deer_add(g, deer_mul(g, deer_opt_spread(s, of_m), m),
                                 deer_mul(g, deer_opt_spread(s, of_g), s->gradient));
  return deer_sub(g, s->parameters, deer_adam_scaled(s, &o->adam, direction, s->learning_rate));
}

const deer_opt_class deer_opt_nadam = {.name = "nadam",
                                       .paper = "Dozat 2016",
                                       .help = "adam that looks one step of momentum ahead",
                                       .options_size = sizeof(options),
                                       .fields = fields,
                                       .n_blocks = 2,
                                       .n_scalars = 3,
                                       .scalar_start = {1, 0, 1},
                                       .rule = rule};
