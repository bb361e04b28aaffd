/* policy.h: how an action is picked from what the algo says. */
#ifndef DEER_POLICY_H
#define DEER_POLICY_H

#include "algo/algo.h"

typedef struct deer_policy deer_policy;

/* What a policy sees when it chooses. */
typedef struct deer_choice {
  deer_algo *algo;
  const void *const *state; /* state[s] is [history, shape...] of subject s */
  int mode;                 /* -1 training */
  deer_rng *rng;
} deer_choice;

typedef struct deer_policy_class {
  const char *name, *help;
  /* Writes actions.size numbers and the value of the state (0 for an exploratory action); *greedy
   * tells whether the action is the algo's best. */
  deer_status (*choose)(deer_policy *self, const deer_choice *choice, deer_real *action,
                        double *value, bool *greedy);
} deer_policy_class;

struct deer_policy {
  const deer_policy_class *kind;
};

/* Uniform over the action space. */
void deer_random_action(const deer_action_space *actions, deer_rng *rng, deer_real *action);

/* A random action with probability epsilon, else the best one. Sutton and Barto 2018, section 2.2.
 * epsilon may be changed at any time; epsilon 0 is the greedy policy and draws no random number. */
typedef struct deer_epsilon_greedy {
  deer_policy base;
  double epsilon;
} deer_epsilon_greedy;
deer_epsilon_greedy deer_epsilon_greedy_make(double epsilon);

#endif
