/* gaussian_noise.c: the best action and noise that forgets. */
#include "agent/policy/noise.h"

static const deer_field fields[] = {
    {"sigma", DEER_FIELD_REAL, offsetof(deer_gaussian_noise, sigma), .fallback = 0.1, .min = 0,
     .max = 10, .help = "standard deviation; 1 is half the width of the box of actions",
     .search_min = 0.01, .search_max = 0.5},
    {0}};

static deer_status choose(deer_policy *self, const deer_choice *choice, deer_real *action,
                          double *value, bool *greedy) {
  const deer_gaussian_noise *p = (const deer_gaussian_noise *)self;
  const deer_action_space *space = &choice->algo->space.actions;
  DEER_TRY(noise_best(choice, action, value, greedy));
  for (int i = 0; i < space->size; i++)
    action[i] = noise_moved(space, i, action[i], p->sigma * deer_rng_normal(choice->rng));
  return DEER_OK;
}

const deer_policy_class deer_policy_gaussian_noise = {
    .name = "gaussian_noise",
    .help = "the best action and Gaussian noise",
    .paper = "Fujimoto, van Hoof and Meger 2018, arXiv:1802.09477",
    .size = sizeof(deer_gaussian_noise),
    .fields = fields,
    .check = noise_check,
    .choose = choose};
