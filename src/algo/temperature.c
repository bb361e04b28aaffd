/* temperature.c: the temperature of the soft actor-critics, learnt as its logarithm. */
#include "algo/temperature.h"

#include <math.h>

deer_status deer_temperature_init(deer_temperature *t, const deer_actor_critic *ac) {
  t->log_alpha = (deer_real)log(t->alpha);
  return deer_opt_new(deer_opt_at(ac->update_rule), NULL, 0, 1, &t->opt);
}

void deer_temperature_finish(deer_temperature *t) { deer_opt_free(t->opt); }

void deer_temperature_visit(deer_temperature *t, void *context,
                            void (*visit)(void *context, const char *name, const deer_shape *shape,
                                          deer_real *data)) {
  visit(context, "log_alpha", &DEER_SHAPE(1), &t->log_alpha);
  deer_ac_visit_opt(t->opt, "log_alpha", context, visit);
}

deer_temperature_nodes deer_temperature_describe(deer_temperature *t, deer_graph *g) {
  deer_temperature_nodes nodes = {.block = deer_variable(g, "log_alpha", &t->log_alpha, 1)};
  nodes.log_alpha = deer_reshape(g, nodes.block, DEER_SCALAR);
  nodes.alpha = deer_exp(g, nodes.log_alpha);
  return nodes;
}

void deer_temperature_move(deer_temperature *t, deer_ac_graph *u,
                           const deer_temperature_nodes *nodes, deer_node log_prob, double target) {
  if (!t->adapt) return;
  deer_node loss = deer_temperature_loss(u->g, nodes->log_alpha, log_prob, target), gradient;
  if (u->status == DEER_OK) u->status = deer_gradients(u->g, loss, &nodes->block, 1, &gradient);
  if (u->status != DEER_OK) return;
  u->n_outputs += deer_opt_minimize(t->opt, u->g, nodes->block, gradient, u->critic[0].rate,
                                    u->outputs + u->n_outputs);
}
