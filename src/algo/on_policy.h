/* on_policy.h: what REINFORCE, A2C and PPO share: a network with a policy and a value for every
 * state, the programs that act and update, and the walk through a rollout. For files in algo/ only.
 *
 * An algo collects a rollout, works out values, log-probabilities and advantages with the
 * parameters as they are, and takes steps down its losses, minibatch after minibatch. Everything is
 * gathered from the replay when it is needed. What depends on the number of environments is made at
 * the first update, and never again. */
#ifndef DEER_ON_POLICY_H
#define DEER_ON_POLICY_H

#include "algo/actor.h"
#include "algo/rollout.h"

typedef struct deer_on_policy deer_on_policy;

/* A program from states to actions. */
typedef struct deer_onp_acting {
  int rows;
  deer_program *program;
  void *state[DEER_MAX_SUBJECTS];
  const void *action;     /* as deer_actor_decode takes it; of `told` what the network says */
  const deer_real *value; /* NULL: not computed */
} deer_onp_acting;

/* samples, and states in which a rollout is cut, in one run of the program that values them */
enum { DEER_ONP_JUDGED = 128, DEER_ONP_CUTS = 16 };

/* A program from samples to log-probabilities and values, or to new parameters. */
typedef struct deer_onp_program {
  deer_program *program;
  deer_batch batch;
  void *action;                                                         /* encoded */
  deer_real *advantage, *target, *log_prob_old, *v_old, *sample_weight; /* [rows]; NULL: unread */
  const deer_real *log_prob, *v;                                        /* [rows] */
  const deer_real *loss, *value_loss, *divergence;                      /* means */
} deer_onp_program;

/* The nodes from which an algo makes its losses, [batch] each. */
typedef struct deer_onp_graph {
  deer_on_policy *op;
  deer_graph *g;
  deer_node log_prob, v;                            /* of the parameters that are learnt */
  deer_node log_prob_old, v_old, advantage, target; /* as the rollout has them */
} deer_onp_graph;

typedef struct deer_onp_losses {
  deer_node policy, value; /* [batch]; no value: the policy alone is learnt */
} deer_onp_losses;

struct deer_on_policy {
  deer_algo base;

  /* options */
  int64_t horizon, batch_size;
  double learning_rate, discount, gae_lambda;
  double entropy_coefficient, value_coefficient, clip_global_norm, initial_std;
  int update_rule;
  bool normalize_advantage, shared;
  bool no_values; /* every state counts as worth nothing */

  deer_onp_losses (*losses)(const deer_onp_graph *u);
  deer_net *net;         /* heads "policy" and "value" */
  int n_parameters;      /* those of net, then log_std of continuous actions */
  deer_real *parameters; /* [n_parameters] */
  deer_opt *opt;

  /* the best action, the best with its value, one drawn at random; in one state, in several */
  deer_onp_acting best[2], valued[2], drawn[2];
  deer_onp_acting told; /* the distribution, in one state; made when it is asked for */
  deer_onp_program judge, values, update; /* of samples; of states alone; an update */
  deer_rollout rollout;
  deer_real *actions; /* [rows, actions.size], as gathered */
  int64_t *rows;      /* [rows], slots of a batch */

  double squares, divergence; /* of the update under way: sum of the value losses, the last KL */
  int64_t n_steps;            /* of the optimiser, in the update under way */

  deer_rng noise;       /* of the run under way */
  deer_real rate;       /* read by the updates */
  deer_real updates[2]; /* done so far: 2^20 a + b */
};

/* Rows of a field table: options with the defaults that differ; the last one is the optimiser. */
enum { DEER_ONP_RMSPROP = 1, DEER_ONP_ADAM = 3 };
#define DEER_ONP_AT(member) offsetof(deer_on_policy, member)
#define DEER_ONP_FIELDS(the_horizon, the_batch, the_lambda, scaled, rule)                          \
  {"learning_rate", DEER_FIELD_REAL,     DEER_ONP_AT(learning_rate), .fallback = 1e-3,  .min = 0,  \
   .max = 10,       .help = "step size", .search_min = 1e-5,         .search_max = 1e-2},          \
      {"discount",                                                                                 \
       DEER_FIELD_REAL,                                                                            \
       DEER_ONP_AT(discount),                                                                      \
       .fallback = 0.99,                                                                           \
       .min = 0,                                                                                   \
       .max = 1,                                                                                   \
       .help = "gamma, the weight of the next reward",                                             \
       .search_min = 0.9,                                                                          \
       .search_max = 0.999},                                                                       \
      {"horizon",                                                                                  \
       DEER_FIELD_INT,                                                                             \
       DEER_ONP_AT(horizon),                                                                       \
       .fallback = (the_horizon),                                                                  \
       .min = 1,                                                                                   \
       .max = 1 << 24,                                                                             \
       .help = "samples of each environment that an update learns from",                           \
       .search_min = 16,                                                                           \
       .search_max = 4096},                                                                        \
      {"batch_size",                                                                               \
       DEER_FIELD_INT,                                                                             \
       DEER_ONP_AT(batch_size),                                                                    \
       .fallback = (the_batch),                                                                    \
       .min = 1,                                                                                   \
       .max = 65536,                                                                               \
       .help = "samples of all environments for one step of the optimiser, at most",               \
       .search_min = 32,                                                                           \
       .search_max = 4096},                                                                        \
      {"gae_lambda",                                                                               \
       DEER_FIELD_REAL,                                                                            \
       DEER_ONP_AT(gae_lambda),                                                                    \
       .fallback = (the_lambda),                                                                   \
       .min = 0,                                                                                   \
       .max = 1,                                                                                   \
       .help = "how far advantages look ahead: 0 one step, 1 all of them",                         \
       .search_min = 0.8,                                                                          \
       .search_max = 1},                                                                           \
      {"entropy_coefficient",                                                                      \
       DEER_FIELD_REAL,                                                                            \
       DEER_ONP_AT(entropy_coefficient),                                                           \
       .fallback = 0,                                                                              \
       .min = 0,                                                                                   \
       .max = 100,                                                                                 \
       .help = "what entropy of the policy is worth",                                              \
       .search_min = 1e-4,                                                                         \
       .search_max = 0.1},                                                                         \
      {"value_coefficient",                                                                        \
       DEER_FIELD_REAL,                                                                            \
       DEER_ONP_AT(value_coefficient),                                                             \
       .fallback = 0.5,                                                                            \
       .min = 0,                                                                                   \
       .max = 100,                                                                                 \
       .help = "weight of the loss of values",                                                     \
       .search_min = 0.1,                                                                          \
       .search_max = 1},                                                                           \
      {"normalize_advantage", DEER_FIELD_BOOL, DEER_ONP_AT(normalize_advantage),                   \
       .fallback = (scaled), .help = "advantages of an update get mean 0 and deviation 1"},        \
      {"clip_global_norm",                                                                         \
       DEER_FIELD_REAL,                                                                            \
       DEER_ONP_AT(clip_global_norm),                                                              \
       .fallback = 0.5,                                                                            \
       .min = 0,                                                                                   \
       .max = 1e9,                                                                                 \
       .help = "longest gradient of all parameters; 0: no limit",                                  \
       .search_min = 0.1,                                                                          \
       .search_max = 10},                                                                          \
      {"initial_std",                                                                              \
       DEER_FIELD_REAL,                                                                            \
       DEER_ONP_AT(initial_std),                                                                   \
       .fallback = 1,                                                                              \
       .min = 1e-3,                                                                                \
       .max = 100,                                                                                 \
       .help = "deviation of continuous actions at first, in half widths of the box",              \
       .search_min = 0.3,                                                                          \
       .search_max = 2},                                                                           \
      {"shared", DEER_FIELD_BOOL, DEER_ONP_AT(shared), .fallback = 0,                              \
       .help =                                                                                     \
           "policy and value are heads of one network; else each has dense layers of its own"},    \
      DEER_NORMALIZING_FIELDS, {                                                                   \
    "update_rule", DEER_FIELD_CHOICE, DEER_ONP_AT(update_rule),                                    \
        .fallback = (rule), .choices = DEER_OPT_CHOICES, .help = "optimiser"                       \
  }

/* ---- life ---- */

/* The network with initial values, its optimiser and the programs that act; base.space is known.
 * `net` NULL: two dense layers of 64 tanh units, orthogonal at first as in CleanRL. Other layers
 * start as they say, the last ones always orthogonal: policies nearly uniform. */
deer_status deer_onp_init(deer_on_policy *op, const deer_net_spec *net, const deer_rng *rng,
                          deer_onp_losses (*losses)(const deer_onp_graph *u));

/* deer_algo_class.finish, visit, act, explore, act_rows, explore_rows, distribution,
 * horizon */
void deer_onp_finish(deer_algo *self);
void deer_onp_visit(deer_algo *self, void *context,
                    void (*visit)(void *context, const char *name, const deer_shape *shape,
                                  deer_real *data));
deer_status deer_onp_act(deer_algo *self, const void *const *state, deer_real *action,
                         double *value);
deer_status deer_onp_explore(deer_algo *self, const void *const *state, deer_rng *rng,
                             deer_real *action);
deer_status deer_onp_act_rows(deer_algo *self, int n, const void *const *state, deer_real *action,
                              double *value);
deer_status deer_onp_explore_rows(deer_algo *self, int n, const void *const *state, deer_rng *rng,
                                  deer_real *action);
deer_status deer_onp_distribution(deer_algo *self, const void *const *state, deer_real *numbers);
int64_t deer_onp_horizon(const deer_algo *self);

/* ---- one update, in this order ---- */

/* Programs and room for the lanes of the replay. To be called before the rollout is used. */
deer_status deer_onp_prepare(deer_on_policy *op, const deer_replay *replay);

/* DEER_EAGAIN for learn: there are not enough samples yet. */
deer_status deer_onp_wait(void);

/* Takes the rollout (deer_rollout_take) and works out its values, log-probabilities and
 * advantages. DEER_EAGAIN when none of its samples can be used. */
deer_status deer_onp_collect(deer_on_policy *op, const deer_replay *replay, bool whole);

/* Steps of the optimiser through all of the rollout, in minibatches of at most batch_size that are
 * as equal as can be. Stops, and sets *stopped, after a step before which the divergence from the
 * policy that acted was above target_kl, if that is not 0. DEER_EDATA when the loss is not finite.
 */
deer_status deer_onp_pass(deer_on_policy *op, const deer_replay *replay, deer_rng *rng,
                          double target_kl, bool *stopped);

/* Counts the update; *loss is the root of the mean squared error of the values. */
deer_status deer_onp_done(deer_on_policy *op, double *loss);

#endif
