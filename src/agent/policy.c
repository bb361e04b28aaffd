/* policy.c: exploration by chance. */
#include "agent/policy.h"

void deer_random_action(const deer_action_space *actions, deer_rng *rng, deer_real *action) {
  if (actions->n > 0) {
    *action = (deer_real)deer_rng_below(rng, (uint64_t)actions->n);
    return;
  }
  for (int i = 0; i < actions->size; i++) {
    double x = actions->low[i] + (actions->high[i] - actions->low[i]) * deer_rng_uniform(rng);
    action[i] = (deer_real)x;
  }
}

static deer_status choose(deer_policy *self, const deer_choice *choice, deer_real *action,
                          double *value, bool *greedy) {
  double epsilon = ((deer_epsilon_greedy *)self)->epsilon;
  *greedy = !(epsilon > 0 && deer_rng_uniform(choice->rng) < epsilon);
  *value = 0;
  if (*greedy) return choice->algo->kind->act(choice->algo, choice->state, action, value);
  deer_random_action(&choice->algo->space.actions, choice->rng, action);
  return DEER_OK;
}

static const deer_policy_class epsilon_greedy = {
    .name = "epsilon_greedy",
    .help = "a random action with probability epsilon, else the best one",
    .choose = choose};

deer_epsilon_greedy deer_epsilon_greedy_make(double epsilon) {
  return (deer_epsilon_greedy){.base = {&epsilon_greedy}, .epsilon = epsilon};
}
