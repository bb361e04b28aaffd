/* noise.h: what the policies share that add noise to the best action. */
#ifndef DEER_POLICY_NOISE_H
#define DEER_POLICY_NOISE_H

#include "agent/policy.h"

/* for continuous actions alone */
static inline deer_status noise_check(const deer_policy *self, const deer_algo *algo) {
  deer_action_kind kind = deer_actions_kind(&algo->space.actions);
  if (kind == DEER_ACTIONS_CONTINUOUS) return DEER_OK;
  return deer_fail(DEER_EINVAL,
                   "the policy %s adds noise to continuous actions, the environment has %s ones",
                   self->kind->name, deer_action_kind_name(kind));
}

/* number i of an action, moved by `noise` half widths of the box */
static inline deer_real noise_moved(const deer_action_space *space, int i, deer_real best,
                                    double noise) {
  deer_real low = (deer_real)space->low[i], high = (deer_real)space->high[i];
  deer_real x = (deer_real)((double)best + 0.5 * (space->high[i] - space->low[i]) * noise);
  return x < low ? low : x > high ? high : x;
}

static inline deer_status noise_best(const deer_choice *choice, deer_real *action, double *value,
                                     bool *greedy) {
  *value = 0;
  *greedy = false;
  return deer_choice_best(choice, action, NULL);
}

#endif
