/* epsilon_greedy.c: the best action, or any. */
#include "agent/policy.h"

#include <math.h>

static const deer_field fields[] = {
    {"epsilon", DEER_FIELD_REAL, offsetof(deer_epsilon_greedy, epsilon), .fallback = 0.1, .min = 0,
     .max = 1, .help = "probability of a random action"},
    {"exclude_greedy", DEER_FIELD_REAL, offsetof(deer_epsilon_greedy, exclude_greedy), .min = 0,
     .max = 1, .help = "probability that a random action is not the best one"},
    {"distance", DEER_FIELD_REAL, offsetof(deer_epsilon_greedy, distance), .fallback = 0.1,
     .min = 0, .max = 0.9,
     .help = "how near to the best one an action counts as it, in half widths of the box"},
    {0}};

/* the best action or, in a box, one that lies near to it on every side */
static bool is_greedy(const deer_action_space *space, const deer_real *action,
                      const deer_real *best, double distance) {
  const bool box = deer_actions_kind(space) == DEER_ACTIONS_CONTINUOUS;
  for (int i = 0; i < space->size; i++) {
    double near = box ? 0.5 * (space->high[i] - space->low[i]) * distance : 0;
    if (fabs((double)action[i] - (double)best[i]) > near) return false;
  }
  return true;
}

static deer_status explore(const deer_epsilon_greedy *e, const deer_choice *choice,
                           deer_real *action) {
  enum { TRIES = 1000 }; /* where there is but one action, no other comes */
  const deer_action_space *space = &choice->algo->space.actions;
  deer_real best[DEER_MAX_ACTION_SIZE];
  deer_random_action(space, choice->rng, action);
  if (e->exclude_greedy <= 0 || deer_rng_uniform(choice->rng) >= e->exclude_greedy) return DEER_OK;
  DEER_TRY(deer_choice_best(choice, best, NULL));
  for (int i = 0; i < TRIES && is_greedy(space, action, best, e->distance); i++)
    deer_random_action(space, choice->rng, action);
  return DEER_OK;
}

static deer_status choose(deer_policy *self, const deer_choice *choice, deer_real *action,
                          double *value, bool *greedy) {
  const deer_epsilon_greedy *e = (const deer_epsilon_greedy *)self;
  *greedy = !(e->epsilon > 0 && deer_rng_uniform(choice->rng) < e->epsilon);
  *value = 0;
  return *greedy ? deer_choice_best(choice, action, value) : explore(e, choice, action);
}

const deer_policy_class deer_policy_epsilon_greedy = {
    .name = "epsilon_greedy",
    .help = "a random action with probability epsilon, else the best one",
    .paper = "Sutton and Barto 2018, section 2.2",
    .size = sizeof(deer_epsilon_greedy),
    .fields = fields,
    .choose = choose};

deer_epsilon_greedy deer_epsilon_greedy_make(double epsilon) {
  return (deer_epsilon_greedy){.base = {&deer_policy_epsilon_greedy}, .epsilon = epsilon};
}
