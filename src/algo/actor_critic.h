/* actor_critic.h: what the actor-critics that learn from a replay share: an actor that maps states
 * to actions, one or two critics that value states with actions, copies of some of them that follow
 * slowly, and the programs that act and update. For files in algo/ only.
 *
 * Continuous actions lie between -1 and 1 inside; they are scaled to the box of the environment on
 * their way out, and back when a batch has been drawn. A critic takes the action as one more
 * subject. Of discrete actions, an actor says what an algo makes of its outputs, and a critic
 * values all of them at once. */
#ifndef DEER_ACTOR_CRITIC_H
#define DEER_ACTOR_CRITIC_H

#include "deer.h"

/* A network, its slow copy and its optimiser. */
typedef struct deer_ac_part {
  const char *name; /* "critic1" */
  deer_net *net;
  deer_real *online, *target; /* target NULL: there is none */
  deer_opt *opt;
} deer_ac_part;

/* The action [batch, size], int32 [batch] of discrete ones, for outputs of the actor. */
typedef struct deer_actor_critic deer_actor_critic;
typedef deer_node deer_ac_policy(deer_actor_critic *ac, deer_graph *g, deer_node outputs);

/* A program from states to actions. */
typedef struct deer_ac_acting {
  deer_ac_policy *policy; /* NULL: there is none */
  bool valued;
  int rows; /* states */
  deer_program *program;
  void *state[DEER_MAX_SUBJECTS];
  const void *action;     /* [rows, size] in -1..1, or int32 [rows] */
  const deer_real *value; /* [rows]; NULL unless valued */
} deer_ac_acting;

/* A program from one batch to new parameters. */
typedef struct deer_ac_update {
  deer_program *program;
  deer_batch batch;
  const deer_real *loss, *error; /* error [batch]: what the replay is told */
} deer_ac_update;

struct deer_actor_critic {
  deer_algo base;

  /* options */
  int64_t batch_size, n_step;
  double learning_rate, actor_rate, discount, tau;
  int update_rule;
  deer_clipping clipping;

  deer_net *actor_net, *critic_net; /* layouts; twin critics share one */
  deer_ac_part actor, critic[2];
  int n_critics;
  bool updating; /* what is described is an update: layers with noise draw it */

  deer_ac_acting best, valued, drawn; /* the best action, with its value, one drawn at random */
  deer_ac_acting best_rows, valued_rows, drawn_rows; /* in several states at once */
  deer_ac_acting told; /* what the actor's network says in a state; made when it is asked for */
  deer_ac_update update[2]; /* an algo may have programs for different updates */
  int64_t *index;           /* of the samples drawn */

  deer_rng noise;                                                     /* of the run under way */
  deer_real rate, rate_of_actor, gamma;                               /* read by the updates */
  deer_real updates[2];                                               /* done so far: 2^20 a + b */
  deer_real middle[DEER_MAX_ACTION_SIZE], half[DEER_MAX_ACTION_SIZE]; /* of the box */
};

/* Rows of a field table: the options above with their defaults. */
#define DEER_AC_AT(member) offsetof(deer_actor_critic, member)
#define DEER_AC_FIELDS                                                                             \
  {"learning_rate",   DEER_FIELD_REAL, DEER_AC_AT(learning_rate),          .fallback = 1e-3,       \
   .min = 0,          .max = 10,       .help = "step size of the critics", .search_min = 1e-5,     \
   .search_max = 1e-2},                                                                            \
      {"actor_rate",                                                                               \
       DEER_FIELD_REAL,                                                                            \
       DEER_AC_AT(actor_rate),                                                                     \
       .fallback = 1,                                                                              \
       .min = 0,                                                                                   \
       .max = 1e6,                                                                                 \
       .help = "step size of the actor, as a multiple of learning_rate",                           \
       .search_min = 0.1,                                                                          \
       .search_max = 10},                                                                          \
      {"discount",                                                                                 \
       DEER_FIELD_REAL,                                                                            \
       DEER_AC_AT(discount),                                                                       \
       .fallback = 0.99,                                                                           \
       .min = 0,                                                                                   \
       .max = 1,                                                                                   \
       .help = "gamma, the weight of the next reward",                                             \
       .search_min = 0.9,                                                                          \
       .search_max = 0.999},                                                                       \
      {"batch_size",     DEER_FIELD_INT, DEER_AC_AT(batch_size),       .fallback = 100,            \
       .min = 1,         .max = 65536,   .help = "samples per update", .search_min = 32,           \
       .search_max = 512},                                                                         \
      {"n_step",                                                                                   \
       DEER_FIELD_INT,                                                                             \
       DEER_AC_AT(n_step),                                                                         \
       .fallback = 1,                                                                              \
       .min = 1,                                                                                   \
       .max = 1000,                                                                                \
       .help = "rewards summed before the value of the state reached",                             \
       .search_min = 1,                                                                            \
       .search_max = 10},                                                                          \
      {"tau",                                                                                      \
       DEER_FIELD_REAL,                                                                            \
       DEER_AC_AT(tau),                                                                            \
       .fallback = 0.005,                                                                          \
       .min = 1e-9,                                                                                \
       .max = 1,                                                                                   \
       .help = "share of the way that the slow copies go at an update",                            \
       .search_min = 1e-3,                                                                         \
       .search_max = 0.1},                                                                         \
      {"update_rule", DEER_FIELD_CHOICE,           DEER_AC_AT(update_rule),                        \
       .fallback = 3, .choices = DEER_OPT_CHOICES, .help = "optimiser"},                           \
      DEER_CLIPPING_FIELDS(deer_actor_critic), DEER_NORMALIZING_FIELDS

/* ---- life ---- */

/* What there is to learn. */
typedef struct deer_ac_parts {
  int n_critics, actor_outputs; /* outputs for each number of an action */
  bool slow_actor;              /* has the actor a slow copy? */
} deer_ac_parts;

/* Networks with initial values and optimisers. `net` describes the actor, and the critics before
 * the action joins in; NULL: two dense layers of 64. */
deer_status deer_ac_init(deer_actor_critic *ac, const deer_ac_parts *parts,
                         const deer_net_spec *net, const deer_rng *rng);

/* deer_algo_class.finish and .visit; visit shows the networks, the state of the optimisers and the
 * number of updates. */
void deer_ac_finish(deer_algo *self);
void deer_ac_visit(deer_algo *self, void *context,
                   void (*visit)(void *context, const char *name, const deer_shape *shape,
                                 deer_real *data));

/* Shows everything of an optimiser as visit does. */
void deer_ac_visit_opt(deer_opt *opt, const char *name, void *context,
                       void (*visit)(void *context, const char *name, const deer_shape *shape,
                                     deer_real *data));

/* ---- describing ---- */

/* A part in the graph of an update: variables that hold its parameters and those of its slow copy,
 * and its parameters after the step. */
typedef struct deer_ac_block {
  const deer_ac_part *part;
  deer_node online, slow, rate, updated;
} deer_ac_block;

/* The nodes that every update begins with, and what the program shall compute. */
typedef struct deer_ac_graph {
  deer_actor_critic *ac;
  deer_graph *g;
  deer_node obs_tm1[DEER_MAX_SUBJECTS], obs_t[DEER_MAX_SUBJECTS]; /* inputs of networks */
  deer_node a_tm1;                                                /* [batch, size]; int32 [batch] */
  deer_node r_t, continue_t;                                      /* [batch] */
  deer_transition transition;                                     /* r_t and discount_t */
  deer_ac_block actor, critic[2];
  deer_node weight; /* [batch], importance of the samples */
  deer_node loss;   /* mean squared error of the critics */
  deer_node error;  /* [batch], the mean of the critics' absolute errors */
  deer_node outputs[64];
  int n_outputs;
  deer_status status; /* of the first mistake */
} deer_ac_graph;

/* The actor's outputs [batch, outputs] for states [batch, history, shape...]; `block` holds its
 * parameters. */
deer_node deer_ac_actor(const deer_actor_critic *ac, deer_graph *g, deer_node block,
                        const deer_node *states);

/* The values [batch, actions] of states with each of n discrete actions. */
deer_node deer_ac_values(const deer_actor_critic *ac, deer_graph *g, deer_node block,
                         const deer_node *states);

/* The value [batch] of states with actions [batch, size], of discrete ones int32 [batch]. */
deer_node deer_ac_value(const deer_actor_critic *ac, deer_graph *g, deer_node block,
                        const deer_node *states, deer_node action);

/* One step of the part's optimiser down `loss`, a scalar; sets block->updated. */
void deer_ac_minimize(deer_ac_graph *u, deer_ac_block *block, deer_node loss);

/* A step of every critic towards y [batch], on the weighted mean squared error. */
void deer_ac_fit_critics(deer_ac_graph *u, deer_node y);

/* The slow copy goes a little towards the updated parameters. */
void deer_ac_follow(deer_ac_graph *u, const deer_ac_block *block);

/* Compiles what `describe` says into update[i]. */
deer_status deer_ac_build_update(deer_actor_critic *ac, int i, void (*describe)(deer_ac_graph *u));

/* Compiles programs that act: `best` and `valued`, and `drawn` unless that policy is NULL. The
 * value is that of the smaller critic. */
deer_status deer_ac_build_acting(deer_actor_critic *ac, deer_ac_policy *best,
                                 deer_ac_policy *drawn);

/* ---- running ---- */

/* deer_algo_class.act and .act_rows, .explore and .explore_rows for algos that have built `drawn`.
 */
deer_status deer_ac_act(deer_algo *self, const void *const *state, deer_real *action,
                        double *value);
deer_status deer_ac_explore(deer_algo *self, const void *const *state, deer_rng *rng,
                            deer_real *action);
deer_status deer_ac_act_rows(deer_algo *self, int n, const void *const *state, deer_real *action,
                             double *value);
deer_status deer_ac_explore_rows(deer_algo *self, int n, const void *const *state, deer_rng *rng,
                                 deer_real *action);

/* What the actor's network says in a state: [outputs] for each number of an action side by side,
 * until it is asked again. */
deer_status deer_ac_told(deer_actor_critic *ac, const void *const *state, const deer_real **said);

/* Updates done so far, also those before a checkpoint that was put back. */
int64_t deer_ac_updates(const deer_actor_critic *ac);

/* One run of update[i]; arguments and failures as deer_algo_class.learn. */
deer_status deer_ac_learn(deer_actor_critic *ac, int i, deer_replay *replay, deer_rng *rng,
                          double *loss);

#endif
