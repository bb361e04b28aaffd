/* epsilon_greedy.c: the best action, or any. */
#include "agent/policy.h"

static const deer_field fields[] = {{"epsilon", DEER_FIELD_REAL,
                                     offsetof(deer_epsilon_greedy, epsilon), .fallback = 0.1,
                                     .min = 0, .max = 1, .help = "probability of a random action"},
                                    {0}};

static deer_status choose(deer_policy *self, const deer_choice *choice, deer_real *action,
                          double *value, bool *greedy) {
  double epsilon = ((deer_epsilon_greedy *)self)->epsilon;
  *greedy = !(epsilon > 0 && deer_rng_uniform(choice->rng) < epsilon);
  *value = 0;
  if (*greedy) return deer_choice_best(choice, action, value);
  deer_random_action(&choice->algo->space.actions, choice->rng, action);
  return DEER_OK;
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
