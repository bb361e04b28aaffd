/* boltzmann.c: better actions more often. */
#include "agent/policy.h"

#include <math.h>

static const deer_field fields[] = {
    {"temperature", DEER_FIELD_REAL, offsetof(deer_boltzmann, temperature), .fallback = 1,
     .min = 1e-6, .max = 1e6, .help = "a value higher by so much makes an action e times as likely",
     .search_min = 0.01, .search_max = 10},
    {0}};

static deer_status check(const deer_policy *self, const deer_algo *algo) {
  if (algo->space.actions.n > DEER_MAX_BOLTZMANN)
    return deer_fail(DEER_EINVAL, "the policy %s chooses among at most %d actions, there are %d",
                     self->kind->name, DEER_MAX_BOLTZMANN, algo->space.actions.n);
  if (algo->kind->values && algo->space.actions.n > 0) return DEER_OK;
  return deer_fail(DEER_EINVAL,
                   "the policy %s needs an algorithm that knows the value of every action, %s does "
                   "not",
                   self->kind->name, algo->kind->name);
}

static deer_status choose(deer_policy *self, const deer_choice *choice, deer_real *action,
                          double *value, bool *greedy) {
  double temperature = ((const deer_boltzmann *)self)->temperature;
  deer_real values[DEER_MAX_BOLTZMANN];
  int n = choice->algo->space.actions.n, best = 0, chosen = 0;
  DEER_TRY(choice->algo->kind->values(choice->algo, choice->state, values));
  for (int a = 1; a < n; a++)
    if (values[a] > values[best]) best = a;
  /* relative to the best, which counts 1, so that nothing overflows */
  double total = 0, weight[DEER_MAX_BOLTZMANN];
  for (int a = 0; a < n; a++) {
    weight[a] = exp(((double)values[a] - (double)values[best]) / temperature);
    total += weight[a];
  }
  double x = total * deer_rng_uniform(choice->rng);
  while (chosen < n - 1 && x >= weight[chosen]) x -= weight[chosen++];
  *action = (deer_real)chosen;
  *greedy = chosen == best;
  *value = *greedy ? (double)values[best] : 0;
  return DEER_OK;
}

const deer_policy_class deer_policy_boltzmann = {
    .name = "boltzmann",
    .help = "an action drawn by what the actions are worth",
    .paper = "Sutton and Barto 2018, section 2.8",
    .size = sizeof(deer_boltzmann),
    .fields = fields,
    .check = check,
    .choose = choose};
