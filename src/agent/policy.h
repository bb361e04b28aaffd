/* policy.h: how an action is picked from what the algo says. */
#ifndef DEER_POLICY_H
#define DEER_POLICY_H

#include "algo/algo.h"

typedef struct deer_policy deer_policy;

/* The states of several environments, and what an algo says about them, asked for once for all. */
typedef struct deer_answers {
  int n;
  void *state[DEER_MAX_SUBJECTS]; /* [n, history, shape...] */
  deer_real *best, *drawn;        /* [n, actions.size] */
  double *value;                  /* [n], of the best ones */
  bool has_best, has_value, has_drawn;
} deer_answers;

/* Memory for n environments, states of zeros: DEER_ENOMEM, to be finished then as well. */
deer_status deer_answers_init(deer_answers *answers, const deer_space *space, int n);
void deer_answers_finish(deer_answers *answers);

/* The states have changed. */
void deer_answers_forget(deer_answers *answers);

/* What a policy sees when it chooses. */
typedef struct deer_choice {
  deer_algo *algo;
  const void *const *state; /* state[s] is [history, shape...] of subject s */
  int mode;                 /* -1 training */
  bool first;               /* the first choice of an episode */
  void *memory;             /* the policy's in this environment: kind->memory bytes */
  deer_rng *rng;
  deer_answers *answers; /* NULL, or for all environments, of which this is number `row` */
  int row;
} deer_choice;

/* The algo's best action and, unless NULL, its value; an action that the algo draws. Where several
 * environments act in step, it is asked about all of them when the first one wants to know. */
deer_status deer_choice_best(const deer_choice *choice, deer_real *action, double *value);
deer_status deer_choice_drawn(const deer_choice *choice, deer_real *action);

typedef struct deer_policy_class {
  const char *name, *help, *paper;
  size_t size;              /* bytes of the instance, which begins with a deer_policy */
  const deer_field *fields; /* options, which may be changed at any time; NULL for none */
  size_t memory;            /* bytes of what it remembers from one choice to the next, zeroed when
                               the agent is made: one for each environment; 0 for nothing */

  /* Can it pick actions for this algo (optional)? DEER_EINVAL says why not. */
  deer_status (*check)(const deer_policy *self, const deer_algo *algo);

  /* Writes actions.size numbers and the value of the state (0 for an exploratory action); *greedy
   * tells whether the action is the algo's best. */
  deer_status (*choose)(deer_policy *self, const deer_choice *choice, deer_real *action,
                        double *value, bool *greedy);
} deer_policy_class;

struct deer_policy {
  const deer_policy_class *kind;
};

/* Makes a policy with default options in kind->size zeroed bytes. Fails with the message of the
 * wrong option. There is nothing to free. */
deer_status deer_policy_init(const deer_policy_class *kind, const deer_option *options, int n,
                             deer_policy *policy);

/* Every policy written in C; NULL past the end. By name: NULL when unknown. */
const deer_policy_class *deer_policy_at(int i);
const deer_policy_class *deer_policy_find(const char *name);

/* Uniform over the action space. */
void deer_random_action(const deer_action_space *actions, deer_rng *rng, deer_real *action);

/* ---- epsilon_greedy ---- */

/* A random action with probability epsilon, else the best one. Sutton and Barto 2018, section 2.2.
 * epsilon may be changed at any time; epsilon 0 is the greedy policy and draws no random number.
 * With probability exclude_greedy a random action is any but the best one; in a box, any that is
 * more than `distance` half widths away from it on at least one side. */
typedef struct deer_epsilon_greedy {
  deer_policy base;
  double epsilon, exclude_greedy, distance;
} deer_epsilon_greedy;

/* The one with this epsilon that excludes nothing. */
deer_epsilon_greedy deer_epsilon_greedy_make(double epsilon);

/* ---- gaussian_noise ---- */

/* The best action and independent noise, cut to the box of actions. Fujimoto, van Hoof and Meger
 * 2018, arXiv:1802.09477. Continuous actions only. */
typedef struct deer_gaussian_noise {
  deer_policy base;
  double sigma; /* standard deviation; 1 is half the width of the box */
} deer_gaussian_noise;

/* ---- ornstein_uhlenbeck ---- */

/* The best action and noise x that drifts back to 0 and begins there in every episode:
 * x <- x - theta x + sigma N(0, 1), cut to the box of actions. Uhlenbeck and Ornstein 1930;
 * Lillicrap et al. 2016, arXiv:1509.02971. Continuous actions only. */
typedef struct deer_ornstein_uhlenbeck {
  deer_policy base;
  double theta, sigma; /* as that of gaussian_noise */
} deer_ornstein_uhlenbeck;

/* ---- longer_exploration ---- */

/* The best action, or sequences of `length` actions that lean to one side: every multiset of
 * actions is as likely as any other, in random order. A sequence begins so often that epsilon is
 * the share of exploratory actions in the long run. Francois-Lavet, DeeR. With `hold` a sequence is
 * one action all along (Dabney, Ostrovski and Barreto 2021, arXiv:2006.01782). In a box the actions
 * of a sequence are made of three numbers for each of its sides. */
#define DEER_MAX_LONGER_EXPLORATION 100
typedef struct deer_longer_exploration {
  deer_policy base;
  double epsilon;
  int64_t length;
  bool hold;
} deer_longer_exploration;

/* ---- boltzmann ---- */

#define DEER_MAX_BOLTZMANN 4096 /* actions that it can choose among */

/* Each action with a probability in proportion to exp(its value / temperature). Sutton and Barto
 * 2018, section 2.8; for algorithms that know the value of every action. */
typedef struct deer_boltzmann {
  deer_policy base;
  double temperature;
} deer_boltzmann;

/* ---- stochastic: what the algo itself draws (deer_algo_class.explore) ---- */

#endif
