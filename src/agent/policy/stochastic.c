/* stochastic.c: the algo's own chance. */
#include "agent/policy.h"

static deer_status check(const deer_policy *self, const deer_algo *algo) {
  if (algo->kind->explores) return algo->kind->explores(algo);
  if (algo->kind->explore) return DEER_OK;
  return deer_fail(DEER_EINVAL, "the policy %s needs an algorithm that draws actions, %s does not",
                   self->kind->name, algo->kind->name);
}

static deer_status choose(deer_policy *self, const deer_choice *choice, deer_real *action,
                          double *value, bool *greedy) {
  (void)self;
  *value = 0;
  *greedy = false;
  return deer_choice_drawn(choice, action);
}

const deer_policy_class deer_policy_stochastic = {
    .name = "stochastic",
    .help = "an action that the algorithm itself draws, from the distribution it has learnt",
    .size = sizeof(deer_policy),
    .check = check,
    .choose = choose};
