/* algo.h: a learning rule with its networks. Each family is one file here, a const class struct at
 * its end and one line in algos.def; those written in Lua are wrapped by bind/luaalgo.c. */
#ifndef DEER_ALGO_H
#define DEER_ALGO_H

#include "base/field.h"
#include "base/rng.h"
#include "env/env.h"
#include "nn/nn.h"
#include "replay/replay.h"
#include "rl/reward_scale.h"

#define DEER_ALGO_ABI 3

typedef struct deer_algo deer_algo;

/* Action spaces an algo can use: kinds of deer_action_kind. */
enum {
  DEER_ALGO_DISCRETE = DEER_ACTIONS_DISCRETE,
  DEER_ALGO_CONTINUOUS = DEER_ACTIONS_CONTINUOUS,
  DEER_ALGO_MULTI_DISCRETE = DEER_ACTIONS_MULTI_DISCRETE,
  DEER_ALGO_ANY = DEER_ALGO_DISCRETE | DEER_ALGO_CONTINUOUS | DEER_ALGO_MULTI_DISCRETE
};

typedef struct deer_algo_class {
  int abi;                         /* DEER_ALGO_ABI */
  const char *name, *paper, *help; /* "dqn"; "Mnih et al. 2015, doi:..." */
  unsigned caps;
  size_t size;              /* bytes of the instance, which begins with a deer_algo */
  const deer_field *fields; /* options, written into the instance before init */

  /* Builds networks and programs for self->space; `net` describes the network (NULL: the default of
   * the algo). */
  deer_status (*init)(deer_algo *self, const deer_net_spec *net, const deer_rng *rng);

  /* The best action in a state and its value (NULL when nobody wants to know it); state[s] is
   * [history, shape...] of subject s in its dtype. */
  deer_status (*act)(deer_algo *self, const void *const *state, deer_real *action, double *value);

  /* An action drawn from the distribution that the algo learns; optional. */
  deer_status (*explore)(deer_algo *self, const void *const *state, deer_rng *rng,
                         deer_real *action);

  /* What act and explore do in n states at once: state[s] is [n, history, shape...], action [n,
   * actions.size], value [n] or NULL. What is best in a state does not depend on the others. Both
   * are optional; then act and explore are called for one state after the other. May compile when
   * n changes. */
  deer_status (*act_rows)(deer_algo *self, int n, const void *const *state, deer_real *action,
                          double *value);
  deer_status (*explore_rows)(deer_algo *self, int n, const void *const *state, deer_rng *rng,
                              deer_real *action);

  /* Is there, with these options, a distribution to draw from? DEER_EINVAL says why not. Optional:
   * there is one where there is explore. */
  deer_status (*explores)(const deer_algo *self);

  /* What explore draws from in a state, deer_algo_distribution_size numbers: the probability of
   * every action; of a multi-discrete one those of the first choice, then of the second and so on;
   * of continuous ones the mean of each number and then the standard deviation of each, as the
   * environment sees them. Optional. May compile when it is first asked. */
  deer_status (*distribution)(deer_algo *self, const void *const *state, deer_real *numbers);

  /* The value of every action, [actions.n]; optional, discrete only. */
  deer_status (*values)(deer_algo *self, const void *const *state, deer_real *values);

  /* Samples of each lane of the replay between two updates, which learn from these alone; optional:
   * an algo without it, or that says 0, learns from samples of any age. */
  int64_t (*horizon)(const deer_algo *self);

  /* One update from a batch drawn out of `replay`. DEER_EAGAIN when nothing can be drawn yet;
   * DEER_EDATA when the loss is not finite. *loss is what avgBellmanResidual averages. */
  deer_status (*learn)(deer_algo *self, deer_replay *replay, deer_rng *rng, double *loss);

  /* One update from a batch of the caller, whose size must be batch_size; `losses` [size], each
   * sample's loss, may be NULL. Optional; fails as learn does. */
  deer_status (*train)(deer_algo *self, const deer_batch *batch, double *loss, deer_real *losses);

  /* Calls visit for every parameter of the algo, in a fixed order: name, shape, memory. Whoever has
   * written there calls it once more, so that the algo can look at what it was given. */
  void (*visit)(deer_algo *self, void *context,
                void (*visit)(void *context, const char *name, const deer_shape *shape,
                              deer_real *data));

  void (*finish)(deer_algo *self); /* must survive an init that failed or never came */
} deer_algo_class;

struct deer_algo {
  const deer_algo_class *kind;
  deer_space space;
  double learning_rate; /* read at every update */
  double discount;      /* gamma, in [0, 1] */
  int64_t batch_size;   /* of learn */
  int64_t updates;      /* done so far */

  /* Options of DEER_NORMALIZING_FIELDS; what they stand for, NULL where they are not set. */
  bool normalize_observations, normalize_rewards;
  deer_normalizer *normalizer;
  deer_reward_scale *reward_scale;
};

/* Rows of a field table, for an algo that shows its networks what deer_net_normalize makes of
 * observations and learns from deer_algo_rewards. */
#define DEER_NORMALIZING_FIELDS                                                                    \
  {"normalize_observations", DEER_FIELD_BOOL, offsetof(deer_algo, normalize_observations),         \
   .help = "networks see observations with mean 0 and deviation 1, by running statistics"},        \
  {                                                                                                \
    "normalize_rewards", DEER_FIELD_BOOL, offsetof(deer_algo, normalize_rewards),                  \
        .help = "rewards count in units of the running deviation of returns"                       \
  }

typedef struct deer_algo_config {
  const deer_space *space; /* copied */
  const deer_net_spec *net;
  const deer_option *options;
  int n_options;
  const deer_rng *rng; /* for the initial parameters */
} deer_algo_config;

/* Fails with the message of the wrong option, of an action space the algo cannot use, or of init;
 * *algo is then NULL. */
deer_status deer_algo_new(const deer_algo_class *kind, const deer_algo_config *config,
                          deer_algo **algo);
void deer_algo_free(deer_algo *algo);

/* Whoever gathers samples tells what is seen and earned in training, each once: an observation,
 * [shape...] of each subject; the reward of a step in environment `lane`, and whether an episode
 * was over after it. DEER_ENOMEM. */
void deer_algo_observed(deer_algo *algo, const void *const *observation);
deer_status deer_algo_rewarded(deer_algo *algo, int lane, double reward, bool over);

/* How many numbers describe a distribution over these actions. kind->distribution, or DEER_EINVAL
 * where the algo has none. */
int deer_algo_distribution_size(const deer_action_space *actions);
deer_status deer_algo_distribution(deer_algo *algo, const void *const *state, deer_real *numbers);

/* Inputs "name_s" of a graph, [batch, history, shape...] for every subject s. */
void deer_algo_states(const deer_space *space, deer_graph *g, const char *name, int batch,
                      deer_node *states);

/* r_t [batch] as an algo learns from it. */
deer_node deer_algo_rewards(deer_algo *algo, deer_graph *g, deer_node r_t);

/* kind->learn with the statistics brought up to date: those of an on-policy algo after it, so that
 * it acts and learns by the same. */
deer_status deer_algo_learn(deer_algo *algo, deer_replay *replay, deer_rng *rng, double *loss);

/* DEER_EDATA: the loss of that update (1 is the first) is not finite. */
deer_status deer_algo_diverged(const deer_algo *algo, double loss, int64_t update);

/* How many updates were done, as an algo keeps it among its parameters: in two numbers, since a
 * float counts to 2^24 only. 0 where these are no such count, which parameters from elsewhere may
 * hold. */
int64_t deer_algo_read_count(const deer_real kept[2]);
void deer_algo_write_count(int64_t n, deer_real kept[2]);

/* kind->visit, and the running statistics. */
void deer_algo_visit(deer_algo *algo, void *context,
                     void (*visit)(void *context, const char *name, const deer_shape *shape,
                                   deer_real *data));

/* DEER_EINVAL unless 0 <= rate, finite; unless 0 <= discount <= 1. */
deer_status deer_algo_set_learning_rate(deer_algo *algo, double rate);
deer_status deer_algo_set_discount(deer_algo *algo, double discount);

/* Every algo of algos.def in its order; NULL past the end. By name: NULL when unknown. */
const deer_algo_class *deer_algo_at(int i);
const deer_algo_class *deer_algo_find(const char *name);

#endif
