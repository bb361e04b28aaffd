/* temperature.h: what entropy is worth to the soft actor-critics, a number that adapts. Haarnoja et
 * al. 2018, arXiv:1812.05905, section 5. For files in algo/ only. */
#ifndef DEER_TEMPERATURE_H
#define DEER_TEMPERATURE_H

#include "algo/actor_critic.h"

typedef struct deer_temperature {
  double alpha, target_entropy; /* options */
  bool adapt;

  deer_real log_alpha;
  deer_opt *opt;
} deer_temperature;

/* Rows of a field table: those options, but for target_entropy. */
#define DEER_TEMPERATURE_FIELDS(type, member)                                                      \
  {"alpha",                                                                                        \
   DEER_FIELD_REAL,                                                                                \
   offsetof(type, member.alpha),                                                                   \
   .fallback = 1,                                                                                  \
   .min = 1e-9,                                                                                    \
   .max = 1e6,                                                                                     \
   .help = "what entropy is worth, at the start or always",                                        \
   .search_min = 0.01,                                                                             \
   .search_max = 2},                                                                               \
  {                                                                                                \
    "adapt_alpha", DEER_FIELD_BOOL, offsetof(type, member.adapt),                                  \
        .fallback = 1, .help = "alpha moves so that the entropy reaches target_entropy"            \
  }

deer_status deer_temperature_init(deer_temperature *t, const deer_actor_critic *ac);
void deer_temperature_finish(deer_temperature *t);
void deer_temperature_visit(deer_temperature *t, void *context,
                            void (*visit)(void *context, const char *name, const deer_shape *shape,
                                          deer_real *data));

/* alpha in the graph of an update. */
typedef struct deer_temperature_nodes {
  deer_node block, log_alpha, alpha; /* [1], scalars */
} deer_temperature_nodes;
deer_temperature_nodes deer_temperature_describe(deer_temperature *t, deer_graph *g);

/* With `adapt`, one step of alpha so that the mean of -log_prob [batch] comes nearer to `target`.
 */
void deer_temperature_move(deer_temperature *t, deer_ac_graph *u,
                           const deer_temperature_nodes *nodes, deer_node log_prob, double target);

#endif
