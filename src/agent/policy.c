/* policy.c: exploration by chance. */
#include "agent/internal.h"

#include <string.h>

/* ---- asking the algo ---- */

/* row `row` of the answers */
static void take_row(const deer_choice *choice, const deer_real *rows, deer_real *action) {
  size_t size = (size_t)choice->algo->space.actions.size;
  memcpy(action, rows + (size_t)choice->row * size, size * sizeof *action);
}

deer_status deer_choice_best(const deer_choice *choice, deer_real *action, double *value) {
  deer_algo *algo = choice->algo;
  deer_answers *all = choice->answers;
  if (!all || !algo->kind->act_rows) return algo->kind->act(algo, choice->state, action, value);
  if (!all->has_best || (value && !all->has_value)) {
    const void *const *states = (const void *const *)all->state;
    DEER_TRY(algo->kind->act_rows(algo, all->n, states, all->best, value ? all->value : NULL));
    all->has_best = true;
    all->has_value = value != NULL;
  }
  take_row(choice, all->best, action);
  if (value) *value = all->value[choice->row];
  return DEER_OK;
}

deer_status deer_choice_drawn(const deer_choice *choice, deer_real *action) {
  deer_algo *algo = choice->algo;
  deer_answers *all = choice->answers;
  if (!all || !algo->kind->explore_rows)
    return algo->kind->explore(algo, choice->state, choice->rng, action);
  if (!all->has_drawn) {
    const void *const *states = (const void *const *)all->state;
    DEER_TRY(algo->kind->explore_rows(algo, all->n, states, choice->rng, all->drawn));
    all->has_drawn = true;
  }
  take_row(choice, all->drawn, action);
  return DEER_OK;
}

/* ---- epsilon-greedy ---- */

void deer_random_action(const deer_action_space *actions, deer_rng *rng, deer_real *action) {
  if (actions->n > 0) {
    *action = (deer_real)deer_rng_below(rng, (uint64_t)actions->n);
    return;
  }
  for (int i = 0; i < actions->size; i++) {
    if (actions->choices[0] > 0) {
      action[i] = (deer_real)deer_rng_below(rng, (uint64_t)actions->choices[i]);
      continue;
    }
    double x = actions->low[i] + (actions->high[i] - actions->low[i]) * deer_rng_uniform(rng);
    action[i] = (deer_real)x;
  }
}

static const deer_field epsilon_fields[] = {
    {"epsilon", DEER_FIELD_REAL, offsetof(deer_epsilon_greedy, epsilon), .fallback = 0.1, .min = 0,
     .max = 1, .help = "probability of a random action"},
    {0}};

static deer_status choose_epsilon(deer_policy *self, const deer_choice *choice, deer_real *action,
                                  double *value, bool *greedy) {
  double epsilon = ((deer_epsilon_greedy *)self)->epsilon;
  *greedy = !(epsilon > 0 && deer_rng_uniform(choice->rng) < epsilon);
  *value = 0;
  if (*greedy) return deer_choice_best(choice, action, value);
  deer_random_action(&choice->algo->space.actions, choice->rng, action);
  return DEER_OK;
}

static const deer_policy_class epsilon_greedy = {
    .name = "epsilon_greedy",
    .help = "a random action with probability epsilon, else the best one",
    .paper = "Sutton and Barto 2018, section 2.2",
    .size = sizeof(deer_epsilon_greedy),
    .fields = epsilon_fields,
    .choose = choose_epsilon};

deer_epsilon_greedy deer_epsilon_greedy_make(double epsilon) {
  return (deer_epsilon_greedy){.base = {&epsilon_greedy}, .epsilon = epsilon};
}

/* ---- noise added to the best action ---- */

static deer_status check_noise(const deer_policy *self, const deer_algo *algo) {
  deer_action_kind kind = deer_actions_kind(&algo->space.actions);
  if (kind == DEER_ACTIONS_CONTINUOUS) return DEER_OK;
  return deer_fail(DEER_EINVAL,
                   "the policy %s adds noise to continuous actions, the environment has %s ones",
                   self->kind->name, deer_action_kind_name(kind));
}

/* number i of an action, moved by `noise` half widths of the box */
static deer_real moved(const deer_action_space *space, int i, deer_real best, double noise) {
  deer_real low = (deer_real)space->low[i], high = (deer_real)space->high[i];
  deer_real x = (deer_real)((double)best + 0.5 * (space->high[i] - space->low[i]) * noise);
  return x < low ? low : x > high ? high : x;
}

static deer_status best_action(const deer_choice *choice, deer_real *action, double *value,
                               bool *greedy) {
  *value = 0;
  *greedy = false;
  return deer_choice_best(choice, action, NULL);
}

static const deer_field gaussian_fields[] = {
    {"sigma", DEER_FIELD_REAL, offsetof(deer_gaussian_noise, sigma), .fallback = 0.1, .min = 0,
     .max = 10, .help = "standard deviation; 1 is half the width of the box of actions",
     .search_min = 0.01, .search_max = 0.5},
    {0}};

static deer_status choose_gaussian(deer_policy *self, const deer_choice *choice, deer_real *action,
                                   double *value, bool *greedy) {
  const deer_gaussian_noise *p = (const deer_gaussian_noise *)self;
  const deer_action_space *space = &choice->algo->space.actions;
  DEER_TRY(best_action(choice, action, value, greedy));
  for (int i = 0; i < space->size; i++)
    action[i] = moved(space, i, action[i], p->sigma * deer_rng_normal(choice->rng));
  return DEER_OK;
}

static const deer_policy_class gaussian_noise = {
    .name = "gaussian_noise",
    .help = "the best action and Gaussian noise",
    .paper = "Fujimoto, van Hoof and Meger 2018, arXiv:1802.09477",
    .size = sizeof(deer_gaussian_noise),
    .fields = gaussian_fields,
    .check = check_noise,
    .choose = choose_gaussian};

static const deer_field drifting_fields[] = {
    {"theta", DEER_FIELD_REAL, offsetof(deer_ornstein_uhlenbeck, theta), .fallback = 0.15, .min = 0,
     .max = 1, .help = "share of the noise that is taken back at each step", .search_min = 0.01,
     .search_max = 1},
    {"sigma", DEER_FIELD_REAL, offsetof(deer_ornstein_uhlenbeck, sigma), .fallback = 0.2, .min = 0,
     .max = 10, .help = "standard deviation of what is added; 1 is half the width of the box",
     .search_min = 0.01, .search_max = 0.5},
    {0}};

static deer_status choose_drifting(deer_policy *self, const deer_choice *choice, deer_real *action,
                                   double *value, bool *greedy) {
  const deer_ornstein_uhlenbeck *p = (const deer_ornstein_uhlenbeck *)self;
  const deer_action_space *space = &choice->algo->space.actions;
  double *noise = choice->memory;
  DEER_TRY(best_action(choice, action, value, greedy));
  for (int i = 0; i < space->size; i++) {
    double x = choice->first ? 0 : noise[i];
    noise[i] = x - p->theta * x + p->sigma * deer_rng_normal(choice->rng);
    action[i] = moved(space, i, action[i], noise[i]);
  }
  return DEER_OK;
}

static const deer_policy_class ornstein_uhlenbeck = {
    .name = "ornstein_uhlenbeck",
    .help = "the best action and noise that drifts, so that it pushes one way for a while",
    .paper = "Uhlenbeck and Ornstein 1930; Lillicrap et al. 2016, arXiv:1509.02971",
    .size = sizeof(deer_ornstein_uhlenbeck),
    .fields = drifting_fields,
    .memory = DEER_MAX_ACTION_SIZE * sizeof(double),
    .check = check_noise,
    .choose = choose_drifting};

/* ---- the algo's own chance ---- */

static deer_status check_stochastic(const deer_policy *self, const deer_algo *algo) {
  if (algo->kind->explores) return algo->kind->explores(algo);
  if (algo->kind->explore) return DEER_OK;
  return deer_fail(DEER_EINVAL, "the policy %s needs an algorithm that draws actions, %s does not",
                   self->kind->name, algo->kind->name);
}

static deer_status choose_stochastic(deer_policy *self, const deer_choice *choice,
                                     deer_real *action, double *value, bool *greedy) {
  (void)self;
  *value = 0;
  *greedy = false;
  return deer_choice_drawn(choice, action);
}

static const deer_policy_class stochastic = {
    .name = "stochastic",
    .help = "an action that the algorithm itself draws, from the distribution it has learnt",
    .size = sizeof(deer_policy),
    .check = check_stochastic,
    .choose = choose_stochastic};

/* ---- registry ---- */

static const deer_policy_class *const classes[] = {&epsilon_greedy,
                                                   &gaussian_noise,
                                                   &ornstein_uhlenbeck,
                                                   &stochastic,
                                                   &deer_policy_longer_exploration,
                                                   &deer_policy_boltzmann};

const deer_policy_class *deer_policy_at(int i) {
  return i >= 0 && i < (int)(sizeof classes / sizeof *classes) ? classes[i] : NULL;
}

const deer_policy_class *deer_policy_find(const char *name) {
  for (int i = 0; deer_policy_at(i); i++)
    if (strcmp(deer_policy_at(i)->name, name) == 0) return deer_policy_at(i);
  return NULL;
}

deer_status deer_policy_init(const deer_policy_class *kind, const deer_option *options, int n,
                             deer_policy *policy) {
  policy->kind = kind;
  deer_fields_default(kind->fields, policy);
  for (int i = 0; i < n; i++)
    DEER_TRY(deer_fields_set(kind->fields, policy, options[i].name, options[i].value));
  return DEER_OK;
}
