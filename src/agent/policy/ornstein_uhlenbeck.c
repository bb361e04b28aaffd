/* ornstein_uhlenbeck.c: the best action and noise that remembers. */
#include "agent/policy/noise.h"

static const deer_field fields[] = {
    {"theta", DEER_FIELD_REAL, offsetof(deer_ornstein_uhlenbeck, theta), .fallback = 0.15, .min = 0,
     .max = 1, .help = "share of the noise that is taken back at each step", .search_min = 0.01,
     .search_max = 1},
    {"sigma", DEER_FIELD_REAL, offsetof(deer_ornstein_uhlenbeck, sigma), .fallback = 0.2, .min = 0,
     .max = 10, .help = "standard deviation of what is added; 1 is half the width of the box",
     .search_min = 0.01, .search_max = 0.5},
    {0}};

static deer_status choose(deer_policy *self, const deer_choice *choice, deer_real *action,
                          double *value, bool *greedy) {
  const deer_ornstein_uhlenbeck *p = (const deer_ornstein_uhlenbeck *)self;
  const deer_action_space *space = &choice->algo->space.actions;
  double *noise = choice->memory;
  DEER_TRY(noise_best(choice, action, value, greedy));
  for (int i = 0; i < space->size; i++) {
    double x = choice->first ? 0 : noise[i];
    noise[i] = x - p->theta * x + p->sigma * deer_rng_normal(choice->rng);
    action[i] = noise_moved(space, i, action[i], noise[i]);
  }
  return DEER_OK;
}

const deer_policy_class deer_policy_ornstein_uhlenbeck = {
    .name = "ornstein_uhlenbeck",
    .help = "the best action and noise that drifts, so that it pushes one way for a while",
    .paper = "Uhlenbeck and Ornstein 1930; Lillicrap et al. 2016, arXiv:1509.02971",
    .size = sizeof(deer_ornstein_uhlenbeck),
    .fields = fields,
    .memory = DEER_MAX_ACTION_SIZE * sizeof(double),
    .check = noise_check,
    .choose = choose};
