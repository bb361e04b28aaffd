/* adam.h: what adam, adamw and nadam share. For files of this folder. */
#ifndef DEER_ADAM_H
#define DEER_ADAM_H

#include "opt/opt.h"

typedef struct deer_adam {
  double beta1, beta2, epsilon;
} deer_adam;

/* Rows of a field table; `type` is a struct with a deer_adam called `adam`. */
#define DEER_ADAM_FIELD(type, name, fallback, min, max, help, from, to)                            \
  { #name, DEER_FIELD_REAL, offsetof(type, adam.name), fallback, min, max, NULL, help, from, to }
#define DEER_ADAM_FIELDS(type)                                                                     \
  DEER_ADAM_FIELD(type, beta1, 0.9, 0, 0.999999, "decay of the mean gradient", 0.5, 0.99),         \
      DEER_ADAM_FIELD(type, beta2, 0.999, 0, 0.9999999, "decay of the mean squared gradient", 0.9, \
                      0.9999),                                                                     \
      DEER_ADAM_FIELD(type, epsilon, 1e-8, 1e-16, 10, "keeps the divisor from zero", 1e-8, 1e-3)

/* rate direction / (sqrt(v / (1 - beta2^t)) + epsilon) with the mean squared gradient v, which is
 * block 1; scalar 1 is 1 - beta2^t. Both start at 0 and are moved on. `rate` is a scalar. */
deer_node deer_adam_scaled(deer_opt_step *step, const deer_adam *options, deer_node direction,
                           deer_node rate);

/* The step of Adam. Besides the above, block 0 is the mean gradient and scalar 0 is 1 - beta1^t. */
deer_node deer_adam_step(deer_opt_step *step, const deer_adam *options);

#endif
